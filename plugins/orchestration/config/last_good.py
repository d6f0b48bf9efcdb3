"""A bad file never replaces a good one half-way: the last that loaded stays in force (DESIGN section 4)."""

from __future__ import annotations

import os
from functools import lru_cache
from pathlib import Path
from uuid import uuid4

from orchestration.config import ConfigError, Loaded, config_path, load, loads, read


def last_good_path() -> Path:
    """Return where the last good file is kept: in AIRFLOW_HOME, which every Airflow process on a machine shares."""
    home = os.environ.get("AIRFLOW_HOME", str(Path("~/airflow").expanduser()))
    return Path(home) / "orchestration" / "workflows.last-good.yaml"


def load_or_last_good() -> Loaded:
    """Return the configuration in use, or the last good one while that is broken.

    Raises ConfigError when there has never been a good one here. ``dags/workflows_check.py`` shows the errors of a
    broken file in Airflow's UI meanwhile.
    """
    path, kept = config_path(), last_good_path()
    try:
        text = read(path)
        loaded = _parsed(text, str(path))
    except ConfigError:
        if not kept.exists():
            raise
        return load(kept)
    _keep(text, kept)
    return loaded


@lru_cache(maxsize=1)
def _parsed(text: bytes, name: str) -> Loaded:
    """Parse each content once in a process: a task needs it for its DAG and for itself."""
    return loads(text, name)


def _keep(text: bytes, kept: Path) -> None:
    if kept.exists() and kept.read_bytes() == text:
        return
    kept.parent.mkdir(parents=True, exist_ok=True)
    half = kept.with_name(f".{uuid4().hex}")
    half.write_bytes(text)
    half.replace(kept)
