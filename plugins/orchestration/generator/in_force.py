"""The DAGs in force: of the present file if Airflow can build and store all of them, else of the last good file."""

from __future__ import annotations

import contextlib
import logging

from airflow.sdk import DAG

from orchestration.config import ConfigError, Loaded, Problem, config_path, load
from orchestration.config.last_good import forget, is_known_as_good, last_good_path, load_or_last_good
from orchestration.generator.dags import build_dags

log = logging.getLogger(__name__)

_ready: dict[str, tuple[Loaded, DAG]] = {}
"""DAGs built in advance, each with its configuration; see :func:`make_ready`."""


def make_ready() -> None:
    """Build the DAGs in use in advance, in the process from which tasks are forked.

    A task then builds its DAG only if the file has changed. Errors are ignored here, because the DAG processor reports
    them.
    """
    with contextlib.suppress(ConfigError):
        loaded = load_or_last_good()
        _ready.update({dag_id: (loaded, dag) for dag_id, dag in build_dags(loaded.config, failed={}).items()})


def dags_in_force(only: str | None = None) -> dict[str, DAG]:
    """Return the DAGs in force by id. If one DAG of the present file fails, all come from the last good file.

    ``only`` is the DAG that a task needs. Without a last good file, a DAG that cannot be built is left out. Raises
    ConfigError if the file does not load and this machine has never had a good one.
    """
    loaded = load_or_last_good(unbuildable if only is None or last_good_path().exists() else None)
    if only is not None:
        # Each caller gets a DAG of its own.
        of, dag = _ready.pop(only, (None, None))
        if of is loaded and dag is not None:
            return {only: dag}
    failed: dict[str, Exception] = {}
    dags = build_dags(loaded.config, only, failed)
    for dag_id, error in failed.items():
        log.error("The DAG %s cannot be built: %s: %s", dag_id, type(error).__name__, error)
    if failed and loaded.source.name == str(config_path()):
        # The file was good with another version of Airflow or of this project.
        forget()
    return dags


def raise_what_is_wrong() -> None:
    """Raise ConfigError with all reasons why the present file, or a DAG of it, is not in force."""
    loaded = load()
    if not is_known_as_good() and (problems := unbuildable(loaded)):
        raise ConfigError(loaded.source.name, problems)


def unbuildable(loaded: Loaded) -> list[Problem]:
    """Return a problem for each DAG that Airflow cannot build or store."""
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
