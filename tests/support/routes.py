"""The addresses of our pages, taken from the application itself: a new one cannot be forgotten."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote, urlencode

from fastapi.dependencies.utils import get_flat_dependant

from orchestration.ui.app import app


def addresses(values: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the path of every route, and an address of it that has ``values`` where it asks for them.

    Raises KeyError for what a route needs and ``values`` does not have: a new route is to be given some.
    """
    for route in app.routes:
        asked = get_flat_dependant(route.dependant)
        needed = [one.alias for one in asked.query_params if one.field_info.is_required()]
        path = route.path.format(**{one.alias: quote(str(values[one.alias]), safe="") for one in asked.path_params})
        yield route.path, f"{path}?{urlencode({name: values[name] for name in needed})}"
