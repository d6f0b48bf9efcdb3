"""The state of Airflow's components, from its own health page. The page needs no login."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

SECONDS = 5


class NoHealthPage(Exception):
    """Airflow's health page does not answer. The text names the page and the reason."""


def components(base: str) -> dict[str, dict[str, Any]]:
    """Return the ``status`` and heartbeat of each component of the Airflow at ``base``. Raises NoHealthPage."""
    import requests

    try:
        reply = requests.get(f"{base}/api/v2/monitor/health", timeout=SECONDS)
        reply.raise_for_status()
        found: dict[str, dict[str, Any] | None] = reply.json()
    except (requests.RequestException, ValueError) as error:
        raise NoHealthPage(f"{base} does not answer ({type(error).__name__})") from error
    return {name: state or {} for name, state in found.items()}


def ill(found: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """Return the unhealthy components, each with its last heartbeat or status in words."""
    ill = {}
    for name, state in found.items():
        if state.get("status") not in ("healthy", None):
            beat = next((str(value) for key, value in state.items() if key.startswith("latest_") and value), None)
            ill[name] = f"its last heartbeat was {beat}" if beat else f"it is {state['status']}"
    return ill
