"""Which DAGs are in force: those of the file in use, once every one of them can be built and stored."""

from __future__ import annotations

import contextlib
import logging

from airflow.sdk import DAG

from orchestration.config import ConfigError, Loaded, Problem, config_path, load
from orchestration.config.last_good import forget, is_known_as_good, last_good_path, load_or_last_good
from orchestration.generator.dags import build_dags

log = logging.getLogger(__name__)

_ready: dict[str, tuple[Loaded, DAG]] = {}
"""DAGs that were built before they were asked for, and of which configuration; see :func:`make_ready`."""


def make_ready() -> None:
    """Build the DAGs of the configuration in use beforehand, in a process from which tasks are forked.

    A task then finds its own, and builds it only when the file has changed since. What cannot be built, or is a broken
    file, is for the DAG processor to say.
    """
    with contextlib.suppress(ConfigError):
        loaded = load_or_last_good()
        _ready.update({dag_id: (loaded, dag) for dag_id, dag in build_dags(loaded.config, failed={}).items()})


def dags_in_force(only: str | None = None) -> dict[str, DAG]:
    """Return the DAGs by id: of the file in use, or of the last good one while not every DAG of that can be built.

    ``only`` is the one that a task needs. Where there is no last good file, a DAG that cannot be built is left out.
    Raises ConfigError when the file does not load and there has never been a good one here.
    """
    loaded = load_or_last_good(unbuildable if only is None or last_good_path().exists() else None)
    if only is not None:
        # Taken, not shared: whoever asks again gets one of its own.
        of, dag = _ready.pop(only, (None, None))
        if of is loaded and dag is not None:
            return {only: dag}
    failed: dict[str, Exception] = {}
    dags = build_dags(loaded.config, only, failed)
    for dag_id, error in failed.items():
        log.error("The DAG %s cannot be built: %s: %s", dag_id, type(error).__name__, error)
    if failed and loaded.source.name == str(config_path()):
        # It was good once, with another version of Airflow or of this project.
        forget()
    return dags


def raise_what_is_wrong() -> None:
    """Raise ConfigError with everything that keeps the file in use, or a DAG of it, from being in force."""
    loaded = load()
    if not is_known_as_good() and (problems := unbuildable(loaded)):
        raise ConfigError(loaded.source.name, problems)


def unbuildable(loaded: Loaded) -> list[Problem]:
    """Return a problem for each DAG of a configuration that Airflow cannot build or store."""
    from airflow.serialization.serialized_objects import DagSerialization

    failed: dict[str, Exception] = {}
    for dag_id, dag in build_dags(loaded.config, failed=failed).items():
        try:
            dag.validate()
            dag.check_cycle()
            DagSerialization.to_dict(dag)
        except Exception as error:
            failed[dag_id] = error
    return [
        loaded.source.problem(
            ("workflows", dag_id), f"the DAG {dag_id} cannot be built: {type(error).__name__}: {error}"
        )
        for dag_id, error in failed.items()
    ]
