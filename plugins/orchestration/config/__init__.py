"""``workflows.yaml``: models, loading, and errors that name their line. Pure but for reading the one file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path as FilePath

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from orchestration.config import checks
from orchestration.config.base import IN_WORDS
from orchestration.config.environment import variable
from orchestration.config.errors import ConfigError, Problem, clipped, did_you_mean
from orchestration.config.fields import allowed_keys, mistaken
from orchestration.config.model import Config
from orchestration.config.repair import usable_part
from orchestration.config.source import Source, parse
from orchestration.decisions.types import NAMES

__all__ = ["Config", "ConfigError", "Loaded", "Problem", "config_path", "load", "loads", "read"]

ENVIRONMENT_VARIABLE = "ORCHESTRATION_CONFIG"


@dataclass(frozen=True)
class Loaded:
    """A usable configuration, the warnings of its file, already as text, and where everything stands in it."""

    config: Config
    warnings: tuple[str, ...]
    source: Source


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
    """Return the content of a configuration file. Raises ConfigError when it cannot be read."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise ConfigError(str(path), [Problem(0, 0, "", f"cannot be read: {error.strerror}")]) from error


def loads(text: bytes | str, name: str = "workflows.yaml") -> Loaded:
    """Return the configuration in ``text``; ``name`` is the file's name for messages. Raises as :func:`load`."""
    source = parse(text.encode() if isinstance(text, str) else text, name)
    if not isinstance(source.data, dict):
        found = "empty" if source.data is None else f"a {type(source.data).__name__}"
        raise ConfigError(name, [Problem(0, 0, "", f"must be a mapping with scrapers and workflows; it is {found}")])
    try:
        config = Config.model_validate(source.data)
    except ValidationError as error:
        shapes = [_problem(source, details) for details in error.errors()]
        usable = usable_part(source, error.errors())
        names = checks.errors(usable, source) if usable is not None else ()
        raise ConfigError(name, {*shapes, *names, *mistaken(source, Config)}) from None
    if problems := [*mistaken(source, Config), *checks.errors(config, source)]:
        raise ConfigError(name, problems)
    return Loaded(config, tuple(p.text(name) for p in sorted(checks.warnings(config, source))), source)


def _problem(source: Source, details: ErrorDetails) -> Problem:
    path = details["loc"]
    match details["type"]:
        case "extra_forbidden":
            allowed = allowed_keys(Config, path[:-1])
            message = f"unknown key{did_you_mean(str(path[-1]), allowed)}; allowed: {', '.join(sorted(allowed))}"
        case "union_tag_invalid" | "enum" | "literal_error":
            context = details.get("ctx", {})
            value = context.get("tag", details["input"])
            if details["type"] == "union_tag_invalid":
                path, words = (*path, "decision_type"), list(NAMES)
            else:
                words = [word.strip(" '") for word in str(context["expected"]).replace(" or ", ",").split(",")]
            message = f"{clipped(repr(value))} is not one of {', '.join(words)}{did_you_mean(str(value), words)}"
        case "missing":
            message = "is required"
        case "union_tag_not_found":
            message = "decision_type is required"
        case _:
            value = details["input"]
            shown = "" if isinstance(value, dict | list | BaseModel) else f" (it is {clipped(repr(value))})"
            pattern = details.get("ctx", {}).get("pattern", "")
            message = IN_WORDS.get(pattern) or details["msg"].removeprefix("Value error, ")
            message += shown
    problem = source.problem(path, message)
    if details["type"] == "missing":
        return Problem(problem.line, problem.column, f"{problem.key}.{path[-1]}".lstrip("."), message)
    return problem
