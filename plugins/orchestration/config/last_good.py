"""The last good file stays in force while ``workflows.yaml`` is bad (DESIGN section 4).

A file is good when it loads, and Airflow can build and store every DAG in it. The generator checks the
DAGs, because this layer does not import Airflow. A file that equals the copy of the last good file is not checked
again, so a parse costs no more than building the DAGs.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path
from uuid import uuid4

from orchestration.config import ConfigError, Loaded, Problem, airflow_home, config_path, load, loads, read

log = logging.getLogger(__name__)

WhatStops = Callable[[Loaded], Sequence[Problem]]
_unbuildable: set[bytes] = set()
"""Contents that load, but with a DAG that this process could not build."""


def last_good_path() -> Path:
    """Return the path of the last good file, in AIRFLOW_HOME, which all Airflow processes of a machine share."""
    return airflow_home() / "orchestration" / "workflows.last-good.yaml"


def load_or_last_good(check: WhatStops | None = None) -> Loaded:
    """Return the configuration of the file in use, or the last good one while that file is bad.

    ``check`` returns the problems that keep a configuration's DAGs from being built. It is called for contents that are
    not known as good. Raises ConfigError if the file does not load and there is no last good file.
    ``dags/workflows_check.py`` shows the errors of a bad file in Airflow's UI.
    """
    path, kept = config_path(), _last_good()
    try:
        text = read(path)
        loaded = _parsed(text, str(path))
    except ConfigError:
        if (instead := _instead(kept)) is None:
            raise
        return instead
    if text == kept:
        return loaded
    if check is not None:
        if not check(loaded):
            _unbuildable.discard(text)
            _keep(text)
            return loaded
        _unbuildable.add(text)
    return _instead(kept) or loaded if text in _unbuildable else loaded


def in_use() -> tuple[Loaded, str | None]:
    """Return the configuration in force, and the problem of the file if the last good one is in force instead.

    Raises ConfigError if the file does not load and there is no last good file.
    """
    try:
        return load(), None
    except ConfigError as error:
        first, *more = (problem.text(config_path().name) for problem in error.problems)
        return load_or_last_good(), first + (f" (and {len(more)} more)" if more else "")


def is_known_as_good() -> bool:
    """Return whether the file in use equals the last good one. Raises ConfigError if it cannot be read."""
    return read(config_path()) == _last_good()


def forget() -> None:
    """Remove the last good file: after a change of Airflow or of this project, a DAG in it cannot be built."""
    try:
        last_good_path().unlink(missing_ok=True)
    except OSError as error:
        log.warning("Cannot remove %s: %s", last_good_path(), error.strerror)


@lru_cache(maxsize=2)
def _parsed(text: bytes, name: str) -> Loaded:
    """Parse each content once in a process. A task needs the configuration twice, for its DAG and for its own work."""
    return loads(text, name)


def _instead(kept: bytes | None) -> Loaded | None:
    """Return the last good configuration, or None if there is none or it breaks a newer rule."""
    try:
        return None if kept is None else _parsed(kept, str(last_good_path()))
    except ConfigError:
        return None


def _last_good() -> bytes | None:
    try:
        return last_good_path().read_bytes()
    except OSError:
        return None


def _keep(text: bytes) -> None:
    """Keep a copy, or log a warning if that is impossible (a read-only home)."""
    kept = last_good_path()
    half = kept.with_name(f".{uuid4().hex}")
    try:
        kept.parent.mkdir(parents=True, exist_ok=True)
        half.write_bytes(text)
        half.replace(kept)
    except OSError as error:
        log.warning("Cannot keep a copy of the last good workflows.yaml: %s: %s", kept, error.strerror)
