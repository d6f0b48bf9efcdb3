"""Which keys a model allows at a place: what an unknown-key error offers instead."""

from __future__ import annotations

from collections.abc import Iterable
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel


def allowed_keys(model: type[BaseModel], path: Iterable[str | int]) -> set[str]:
    """Return the keys that are allowed at ``path`` (pydantic's, with union tags and model words in it)."""
    candidates: list[Any] = [model]
    for part in path:
        deeper = [found for candidate in candidates for found in _step(candidate, part)]
        candidates = deeper or candidates
    return {key for candidate in candidates for key in getattr(candidate, "model_fields", ())}


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
