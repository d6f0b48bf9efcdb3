"""Remembers the channels that refuse alerts, until one takes a message again."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from orchestration.alerts.channels import Sent, deliver
from orchestration.alerts.heartbeat import UNSENT
from orchestration.alerts.message import subject_of
from orchestration.alerts.model import Alert, alert
from orchestration.config import Config
from orchestration.health.task_kinds import HEALED
from orchestration.nba.eastern import et
from orchestration.words import AlertLevel, plural

log = logging.getLogger(__name__)

MOST_MISSED = 10
"""The most alerts that are named to a channel when it takes messages again."""


def _key(channel: str) -> str:
    return f"channel {channel}"


def remember(store: Any, sent: Sent, alert: Alert, at: datetime) -> None:
    """Keep which channels took an alert and which did not, in ``store``, Airflow's state of the asset of the alerts.

    Where no channel has a connection, none is wanted, and nothing is kept.
    """
    if sent.nowhere:
        store.set(UNSENT, at.isoformat())
    for name in sent.by:
        if store.get(_key(name)):
            store.set(_key(name), "")
    if not (sent.by or sent.failed):
        return
    for name, why in {**sent.failed, **sent.missing}.items():
        known = store.get(_key(name)) or {"since": at.isoformat(), "missed": [], "more": 0}
        subject = subject_of(alert)
        missed, more = known["missed"], known["more"]
        if subject not in missed:
            missed, more = [*missed, subject][:MOST_MISSED], more + (len(missed) >= MOST_MISSED)
        store.set(_key(name), {**known, "missed": missed, "more": more, "why": why, "by": ", ".join(sent.by)})


def still_failing(store: Any, config: Config, at: datetime, link: str) -> Iterator[tuple[str, str]]:
    """Yield each channel that still refuses messages, and since when, why, and which channel has taken over.

    Each is sent one message that it works again, with the alerts that it missed. If it takes that, it is well.
    """
    for channel in config.settings.channels:
        known = store.get(_key(channel.name))
        if not known:
            continue
        since = f"{et(datetime.fromisoformat(known['since'])):%a %d %b %H:%M} ET"
        more = f", and {plural(known['more'], 'other')}" if known["more"] else ""
        what = f"{channel.name} takes alerts again. Since {since} it missed: {'; '.join(known['missed'])}{more}"
        problem = deliver(config, channel, alert(HEALED, channel.name, level=AlertLevel.INFO, what=what), at, link)
        if problem is None:
            log.info("The channel %s takes alerts again", channel.name)
            store.set(_key(channel.name), "")
            continue
        instead = f"{known['by']} has taken over" if known["by"] else "No other channel took them"
        yield channel.name, f"since {since} ({problem.why}). {instead}"
