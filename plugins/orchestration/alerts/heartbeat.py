"""Calls the monitor that watches the watchdog (lesson F8): its silence is the alarm."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from airflow.sdk import BaseHook
from airflow.sdk.exceptions import AirflowNotFoundException

from orchestration.config import Config
from orchestration.nba.eastern import et
from orchestration.runs.clock import RunClock
from orchestration.services.errors import in_short

log = logging.getLogger(__name__)

SECONDS = 10
TRIES = 3
PAUSE_SECONDS = 1.0
BROKEN = 500
"""From this status on the monitor itself has a fault, and is called again."""
FAILING, UNSENT = "heartbeat", "unsent"
"""Keys of the memory of alerts: since when the monitor refuses calls, and when no channel took an alert."""


class Refused(Exception):
    """The monitor did not take the call. The text has no part of the address, which is a secret."""


def beat(store: Any, config: Config, clock: RunClock) -> None:
    """Call the monitor after a good look of the watchdog. Never raises.

    It is not called in a replay, which says nothing about the present, nor if no channel took an alert of this run.
    """
    heartbeat = config.settings.alerts.heartbeat
    if heartbeat is None or clock.shift:
        return
    unsent = store.get(UNSENT)
    if unsent and datetime.fromisoformat(unsent) >= clock.started:
        log.warning("No heartbeat: no channel took an alert")
        return
    try:
        call(heartbeat)
    except Refused as error:
        log.warning("The heartbeat was not taken: %s", error)
        since = (store.get(FAILING) or {}).get("since") or clock.now().isoformat()
        store.set(FAILING, {"since": since, "why": str(error)})
    else:
        if store.get(FAILING):
            store.set(FAILING, "")


def call(heartbeat: str) -> None:
    """Get the address ``heartbeat``, or that of the connection with this id. Raises Refused."""
    import requests

    address = ""
    try:
        address = address_of(heartbeat)
        for left in reversed(range(TRIES)):
            # urllib3 would log the address of each of its own retries.
            try:
                reply = requests.get(address, timeout=SECONDS)
            except (requests.ConnectionError, requests.Timeout):
                if not left:
                    raise
            else:
                if reply.ok or reply.status_code < BROKEN or not left:
                    reply.raise_for_status()
                    return
            time.sleep(PAUSE_SECONDS)
    except Exception as error:
        parts = urlsplit(address)
        raise Refused(in_short(error, (address, parts.path, parts.query, *parts.path.split("/")))) from None


def address_of(heartbeat: str) -> str:
    """Return the address of the monitor. The password of a connection is the secret end of the address.

    Raises AirflowNotFoundException for a connection that does not exist.
    """
    if "://" in heartbeat:
        return heartbeat
    to = BaseHook.get_connection(heartbeat)
    host = to.host or ""
    base = host if "://" in host else f"{to.schema or 'https'}://{host}"
    port = f":{to.port}" if to.port else ""
    return f"{base.rstrip('/')}{port}/{to.password or ''}".rstrip("/")


def not_taken(store: Any, config: Config) -> Iterator[tuple[str, str]]:
    """Yield since when the monitor takes no calls, and why."""
    known = store.get(FAILING)
    if known and config.settings.alerts.heartbeat is not None:
        yield "heartbeat", f"since {et(datetime.fromisoformat(known['since'])):%a %d %b %H:%M} ET ({known['why']})"


def no_address(config: Config) -> str | None:
    """Return why the heartbeat has no address, or None."""
    heartbeat = config.settings.alerts.heartbeat
    if heartbeat is None:
        return None
    try:
        address_of(heartbeat)
    except AirflowNotFoundException:
        return f"there is no connection {heartbeat}"
    return None
