"""Load ``workflows.yaml``, or raise every error with its line. Pure except for reading the one file."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path as FilePath

from pydantic import ValidationError

from orchestration.config import alert_checks, checks, parameter_checks
from orchestration.config.file import WorkflowsFile, mistaken, problem_of, usable_part
from orchestration.vocabulary.model import CLEANUP, LOCKER, RECONCILE, SYSTEM_DAGS, Config
from orchestration.vocabulary.source import ConfigError, Problem, Source, parse

__all__ = [
    "CLEANUP", "LOCKER", "RECONCILE", "SYSTEM_DAGS", "Config", "ConfigError", "Loaded", "Problem", "airflow_home",
    "config_path", "load", "loads", "read", "variable",
]  # fmt: skip

ENVIRONMENT_VARIABLE = "ORCHESTRATION_CONFIG"
MOST_ROUNDS = 10
"""The most times that variables in AIRFLOW_HOME are expanded: a variable may contain itself."""


CHECKS = (checks, alert_checks, parameter_checks)


@dataclass(frozen=True)
class Loaded:
    """A usable configuration, its warnings as texts, and the parsed file."""

    config: Config
    warnings: tuple[str, ...]
    source: Source

    @property
    def refused(self) -> tuple[Problem, ...]:
        """The problems that ``validate`` refuses. In a file of the replaced system (version 1) they are warnings."""
        return () if self.config.version.startswith("1.") else tuple(checks.refused(self.config, self.source))


def variable(name: str) -> str | None:
    """Return an environment variable, or None if it is unset or empty: compose passes unset variables as empty.

    Quotes around the value are removed, because some readers of env-files leave them in.
    """
    value = os.environ.get(name, "").strip()
    quoted = len(value) > 1 and value[0] == value[-1] and value[0] in "\"'"
    return (value[1:-1] if quoted else value) or None


def airflow_home() -> FilePath:
    """Return AIRFLOW_HOME as an absolute path, read as Airflow reads it (a test compares them).

    ``~`` and variables in it are expanded until nothing changes; a user without a home keeps the ``~``.
    """
    text = os.environ.get("AIRFLOW_HOME", "~/airflow")
    for _ in range(MOST_ROUNDS):
        text = os.path.expanduser(os.path.expandvars(text))
    return FilePath(text).absolute()


def config_path() -> FilePath:
    """Return the file in use: ``ORCHESTRATION_CONFIG``, else ``config/workflows.yaml`` of this project."""
    default = FilePath(__file__).resolve().parents[3] / "config" / "workflows.yaml"
    return FilePath(variable(ENVIRONMENT_VARIABLE) or default)


def load(path: FilePath | str | None = None) -> Loaded:
    """Return the configuration in the file ``path`` (default: :func:`config_path`).

    Raises ConfigError, listing every problem with line, column and a suggestion (DESIGN section 4).
    """
    path = FilePath(path) if path is not None else config_path()
    return loads(read(path), str(path))


def read(path: FilePath) -> bytes:
    """Return the content of a configuration file. Raises ConfigError if the file cannot be read."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise ConfigError(str(path), [Problem(0, 0, "", f"cannot be read: {error.strerror}")]) from error


def loads(text: bytes | str, name: str = "workflows.yaml") -> Loaded:
    """Return the configuration in ``text``; ``name`` is the file's name for messages. Raises as :func:`load`."""
    source = parse(text.encode() if isinstance(text, str) else text, name)
    if not isinstance(source.data, dict):
        found = "empty" if source.data is None else f"a {type(source.data).__name__}"
        raise ConfigError(
            name, [Problem(0, 0, "", f"must be a mapping with scrapers and workflows, but it is {found}")]
        )
    try:
        config = WorkflowsFile.model_validate(source.data)
    except ValidationError as error:
        shapes = [problem_of(source, details) for details in error.errors()]
        usable = usable_part(source, error.errors())
        names = checks.errors(usable, source) if usable is not None else ()
        raise ConfigError(name, {*shapes, *names, *mistaken(source, WorkflowsFile)}) from None
    wrong = [problem for one in CHECKS for problem in one.errors(config, source)]
    if problems := [*mistaken(source, WorkflowsFile), *wrong]:
        raise ConfigError(name, problems)
    odd = sorted(
        problem for one in (checks, alert_checks, parameter_checks) for problem in one.warnings(config, source)
    )
    return Loaded(config, tuple(problem.text(name) for problem in odd), source)
