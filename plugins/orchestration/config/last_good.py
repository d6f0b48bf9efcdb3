"""A bad file never replaces a good one half-way: the last good one stays in force (DESIGN section 4).

A file is good once it has loaded and every DAG in it has been built and stored, as Airflow does it; the generator says
so, since this layer knows nothing of Airflow. The copy of the last good file is also the memory of that: what equals it
needs no second look, so that a parse costs no more than building the DAGs.
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
"""Contents that load, and of which this process found that not every DAG can be built."""


def last_good_path() -> Path:
    """Return where the last good file is kept: in AIRFLOW_HOME, which every Airflow process on a machine shares."""
    return airflow_home() / "orchestration" / "workflows.last-good.yaml"


def load_or_last_good(check: WhatStops | None = None) -> Loaded:
    """Return the configuration in use, or the last good one while that is broken.

    ``check`` says what keeps the DAGs of a configuration from being built; it is asked about contents that are not
    known as good. Raises ConfigError when the file does not load and there has never been a good one here.
    ``dags/workflows_check.py`` shows the errors of a bad file in Airflow's UI meanwhile.
    """
    path, kept = config_path(), _last_good()
    try:
        text = read(path)
        loaded = _parsed(text, str(path))
    except ConfigError as error:
        return _instead(kept) or _raise(error)
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
    """Return the configuration in use, and what is wrong with the file if that is the last good one instead.

    Raises ConfigError when the file does not load and there has never been a good one here.
    """
    try:
        return load(), None
    except ConfigError as error:
        first, *more = (problem.text(config_path().name) for problem in error.problems)
        return load_or_last_good(), first + (f" (and {len(more)} more)" if more else "")


def is_known_as_good() -> bool:
    """Return whether the file in use is the last good one. Raises ConfigError when it cannot be read."""
    return read(config_path()) == _last_good()


def forget() -> None:
    """Take back that the last good file is good: Airflow or this project has changed, and not all of it builds."""
    try:
        last_good_path().unlink(missing_ok=True)
    except OSError as error:
        log.warning("%s cannot be removed: %s", last_good_path(), error.strerror)


@lru_cache(maxsize=2)
def _parsed(text: bytes, name: str) -> Loaded:
    """Parse each content once in a process: a task needs it for its DAG and for itself."""
    return loads(text, name)


def _instead(kept: bytes | None) -> Loaded | None:
    """Return the last good configuration, unless there is none, or it is from before a rule that it breaks."""
    try:
        return None if kept is None else _parsed(kept, str(last_good_path()))
    except ConfigError:
        return None


def _raise(error: ConfigError) -> Loaded:
    raise error


def _last_good() -> bytes | None:
    try:
        return last_good_path().read_bytes()
    except OSError:
        return None


def _keep(text: bytes) -> None:
    """Keep a copy. Where that is impossible (a read-only home), only the copy is missing, and nothing else."""
    kept = last_good_path()
    half = kept.with_name(f".{uuid4().hex}")
    try:
        kept.parent.mkdir(parents=True, exist_ok=True)
        half.write_bytes(text)
        half.replace(kept)
    except OSError as error:
        log.warning("No copy of the last good workflows.yaml is kept: %s: %s", kept, error.strerror)
