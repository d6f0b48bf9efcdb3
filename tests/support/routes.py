"""The addresses of all our pages, read from the application, so that no new page is forgotten."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote, urlencode

from fastapi.dependencies.utils import get_flat_dependant

from orchestration.ui.app import app


def addresses(values: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the path of every route, and an address with ``values`` filled in.

    Raises KeyError if a route needs a value that ``values`` lacks.
    """
    for route in app.routes:
        asked = get_flat_dependant(route.dependant)
        needed = [one.alias for one in asked.query_params if one.field_info.is_required()]
        path = route.path.format(**{one.alias: quote(str(values[one.alias]), safe="") for one in asked.path_params})
        yield route.path, f"{path}?{urlencode({name: values[name] for name in needed})}"
