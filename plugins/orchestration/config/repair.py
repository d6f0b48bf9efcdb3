"""A stand-in for a file with wrong shapes, so that its wrong names are reported in the same go."""

from __future__ import annotations

from collections.abc import Iterable
from copy import deepcopy
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from orchestration.config.model import Config
from orchestration.config.source import Path, Source

_ROUNDS = 4


def usable_part(source: Source, errors: Iterable[ErrorDetails]) -> Config | None:
    """Return the configuration without its misshapen values, or None when too little is left.

    It serves only to look for further problems; it is never run.
    """
    data = deepcopy(source.data)
    for _ in range(_ROUNDS):
        try:
            for error in errors:
                _drop(data, error)
            return Config.model_validate(data)
        except (LookupError, TypeError, AttributeError):
            # What is not even a mapping where one belongs: too little is left.
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
    # What lacks a key goes as a whole; anything else goes alone and leaves its default.
    container, key, depth = _find(data, path[:-1] if error["type"] == "missing" else path)
    if depth > 2 and isinstance(container, dict):
        del container[key]
    elif top == "scrapers":
        data[top][path[1]] = {}
    elif top == "workflows":
        # Its name must stay known, or everything that requires it would be reported too.
        whole = data[top][path[1]]
        plan = whole.get("execution_plan") if isinstance(whole, dict) else None
        data[top][path[1]] = {
            "decision_type": "freshness",
            "execution_plan": plan or {"scrapers": list(data["scrapers"])[:1]},
        }
    elif container is not None:
        del container[key]


def _find(data: Any, path: Path) -> tuple[Any, str | int, int]:
    """Walk down as far as the file goes; return the last container, the key in it, and how deep that is.

    Parts that only the models know (union tags, ``steps``) are passed over.
    """
    container: Any = None
    key, here, depth = path[-1], data, 0
    for part in path:
        if (isinstance(here, dict) and part in here) or (isinstance(here, list) and isinstance(part, int)):
            container, key, depth = here, part, depth + 1
            here = container[part]
    return container, key, depth
