"""What the models allow at a place of the file: the keys, and which plain types."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel

from orchestration.config.errors import Problem
from orchestration.config.source import Path, Source


def allowed_keys(model: type[BaseModel], path: Iterable[str | int]) -> set[str]:
    """Return the keys that are allowed at ``path`` (pydantic's, with union tags and model words in it)."""
    candidates = _walk(model, path, pass_over=True)
    return {key for candidate in candidates for key in getattr(candidate, "model_fields", ())}


def mistaken(source: Source, model: type[BaseModel]) -> Iterator[Problem]:
    """Yield every true, false or number that pydantic would read as something else: true as 1, 0 as false."""
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
    """Return what can stand at ``path``. ``pass_over``: parts that lead nowhere, such as a union's tag."""
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
    """A discriminated union's tag narrows the candidates to the model that carries it."""
    field = candidate.model_fields.get("decision_type")
    return [candidate] if field is not None and part in get_args(field.annotation) else []


def _flatten(annotation: Any) -> list[Any]:
    if get_origin(annotation) is Annotated:
        return _flatten(get_args(annotation)[0])
    if get_origin(annotation) in (Union, UnionType):
        return [found for argument in get_args(annotation) for found in _flatten(argument)]
    return [annotation]
