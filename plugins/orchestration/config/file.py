"""The model of ``workflows.yaml`` with all decision types, its JSON Schema for editors, and problems of shape.

A problem of shape is an unknown key or a value of a wrong type.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from copy import deepcopy
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel, Field, ValidationError
from pydantic_core import ErrorDetails

from orchestration.decisions.types import NAMES, AnyWorkflow
from orchestration.vocabulary.base import IN_WORDS, DagId
from orchestration.vocabulary.model import Config
from orchestration.vocabulary.source import Path, Problem, Source
from orchestration.words import clipped, did_you_mean

_ROUNDS = 4


class WorkflowsFile(Config):
    """``workflows.yaml`` after loading."""

    workflows: dict[DagId, AnyWorkflow] = Field(min_length=1)


def schema_text() -> str:
    """Return the text of ``config/workflows.schema.json``. ``make schema`` writes the file; a test keeps it current."""
    schema = WorkflowsFile.model_json_schema()
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    schema["title"] = "workflows.yaml"
    # A plan has two forms in the file, and one after loading. Wall times are text in the file.
    step = {"$ref": "#/$defs/Step"}
    schema["$defs"]["ExecutionPlan"] = {
        "anyOf": [step, {"type": "object", "additionalProperties": step, "minProperties": 1}]
    }
    schema["$defs"]["Step"]["properties"]["scraper"] = {"type": "string"}
    schema["$defs"]["Step"].pop("required", None)
    return json.dumps(_readable(schema), indent=2, sort_keys=True) + "\n"


def _readable(node: object) -> object:
    """Allow one name or wall time in place of an array, and write wall times as ``HH:MM``."""
    if isinstance(node, list):
        return [_readable(one) for one in node]
    if not isinstance(node, dict):
        return node
    if node.get("format") == "time":
        return {**{k: v for k, v in node.items() if k != "format"}, "pattern": "^([01]?[0-9]|2[0-3]):[0-5][0-9]$"}
    if node.get("type") == "array" and node.get("items") in ({"type": "string"}, {"type": "string", "format": "time"}):
        kept = {k: v for k, v in node.items() if k in ("default", "title", "description")}
        one, least = _readable(node["items"]), {k: v for k, v in node.items() if k == "minItems"}
        return {**kept, "anyOf": [one, {"type": "array", "items": one, **least}]}
    return {key: _readable(value) for key, value in node.items()}


def problem_of(source: Source, details: ErrorDetails) -> Problem:
    """Return an error of pydantic as a problem at its place in the file."""
    path = details["loc"]
    match details["type"]:
        case "extra_forbidden":
            allowed = allowed_keys(WorkflowsFile, path[:-1])
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


def allowed_keys(model: type[BaseModel], path: Iterable[str | int]) -> set[str]:
    """Return the keys that are allowed at ``path``, pydantic's path with union tags and model names."""
    candidates = _walk(model, path, pass_over=True)
    return {key for candidate in candidates for key in getattr(candidate, "model_fields", ())}


def mistaken(source: Source, model: type[BaseModel]) -> Iterator[Problem]:
    """Yield every boolean or number that pydantic would convert: true to 1, 0 to false."""
    for path, value in _numbers(source.data, ()):
        found = {
            kind
            for candidate in _walk(model, path, pass_over=False)
            for kind in (map(type, get_args(candidate)) if get_origin(candidate) is Literal else [candidate])
        }
        if isinstance(value, bool) and found & {int, float} and bool not in found:
            yield source.problem(path, f"must be a number, not {str(value).lower()}")
        elif not isinstance(value, bool) and bool in found and not found & {int, float}:
            yield source.problem(path, f"must be true or false, not {value}")


def _numbers(data: Any, path: Path) -> Iterator[tuple[Path, bool | int | float]]:
    if isinstance(data, dict | list):
        for key, value in data.items() if isinstance(data, dict) else enumerate(data):
            yield from _numbers(value, (*path, key))
    elif isinstance(data, bool | int | float):
        yield path, data


def _walk(model: type[BaseModel], path: Iterable[str | int], *, pass_over: bool) -> list[Any]:
    """Return the types that are allowed at ``path``. ``pass_over``: skip unknown parts, such as a union's tag."""
    candidates: list[Any] = [model]
    for part in path:
        deeper = [found for candidate in candidates for found in _step(candidate, part)]
        candidates = deeper or (candidates if pass_over else [])
    return candidates


def _step(candidate: Any, part: str | int) -> list[Any]:
    if isinstance(candidate, type) and issubclass(candidate, BaseModel):
        field = candidate.model_fields.get(str(part))
        return _flatten(field.annotation) if field is not None else _tagged(candidate, part)
    origin, arguments = get_origin(candidate), get_args(candidate)
    if origin is dict:
        return _flatten(arguments[1])
    return _flatten(arguments[0]) if origin in (tuple, list) else []


def _tagged(candidate: type[BaseModel], part: str | int) -> list[Any]:
    """Return the model of a discriminated union that has the tag ``part``."""
    field = candidate.model_fields.get("decision_type")
    return [candidate] if field is not None and part in get_args(field.annotation) else []


def _flatten(annotation: Any) -> list[Any]:
    if get_origin(annotation) is Annotated:
        return _flatten(get_args(annotation)[0])
    if get_origin(annotation) in (Union, UnionType):
        return [found for argument in get_args(annotation) for found in _flatten(argument)]
    return [annotation]


def usable_part(source: Source, errors: Iterable[ErrorDetails]) -> Config | None:
    """Return the configuration without its values of a wrong shape, or None if too little is left.

    It serves only to find wrong names in the same pass, and is never run.
    """
    data = deepcopy(source.data)
    for _ in range(_ROUNDS):
        try:
            for error in errors:
                _drop(data, error)
            return WorkflowsFile.model_validate(data)
        except (LookupError, TypeError, AttributeError):
            # A value that must be a mapping is not one: too little is left.
            return None
        except ValidationError as still:
            errors = still.errors()
    return None


def _drop(data: dict[str, Any], error: ErrorDetails) -> None:
    path = error["loc"]
    top = path[0]
    if len(path) == 1:
        if error["type"] != "missing":
            data.pop(str(top), None)
        data.setdefault("version", "0")
        return
    # A mapping that lacks a key is removed as a whole. Any other value is removed alone and leaves its default.
    container, key, depth = _find(data, path[:-1] if error["type"] == "missing" else path)
    if depth > 2 and isinstance(container, dict):
        del container[key]
    elif top == "scrapers":
        data[top][path[1]] = {}
    elif top == "workflows":
        # Keep the name, or every workflow that requires it would be reported too.
        whole = data[top][path[1]]
        plan = whole.get("execution_plan") if isinstance(whole, dict) else None
        data[top][path[1]] = {
            "decision_type": "freshness",
            "execution_plan": plan or {"scrapers": list(data["scrapers"])[:1]},
        }
    elif container is not None:
        del container[key]


def _find(data: Any, path: Path) -> tuple[Any, str | int, int]:
    """Walk down ``path`` as far as the file goes, and return the last container, the key in it and the depth.

    Parts that only the models have (union tags, ``steps``) are skipped.
    """
    container: Any = None
    key, here, depth = path[-1], data, 0
    for part in path:
        if (isinstance(here, dict) and part in here) or (isinstance(here, list) and isinstance(part, int)):
            container, key, depth = here, part, depth + 1
            here = container[part]
    return container, key, depth
