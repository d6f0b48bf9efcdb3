"""Environment variables, as compose files and Airflow mean them."""

from __future__ import annotations

import os
from pathlib import Path

MOST_ROUNDS = 10
"""Variables in variables in AIRFLOW_HOME; somebody could write one that names itself."""


def variable(name: str) -> str | None:
    """Return an environment variable. An empty one counts as unset: that is how compose passes what nobody set."""
    return os.environ.get(name) or None


def airflow_home() -> Path:
    """Return AIRFLOW_HOME as an absolute path, read as Airflow reads it (a test compares them).

    ``~`` and variables in it are expanded until nothing changes; a user without a home keeps the ``~``.
    """
    text = os.environ.get("AIRFLOW_HOME", "~/airflow")
    for _ in range(MOST_ROUNDS):
        text = os.path.expanduser(os.path.expandvars(text))
    return Path(text).absolute()
