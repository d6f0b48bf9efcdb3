"""Sends one message when an incident begins, gets worse or ends.

Airflow's database remembers which alerts were sent, so an outage of BigQuery loses none.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from airflow.sdk import Asset
from airflow.sdk.exceptions import AirflowFailException

from orchestration.alerts.channels import run_link, send
from orchestration.alerts.failing import remember
from orchestration.alerts.model import Alert, Memory, News, Open, all_clear, is_watched, news, placed, together
from orchestration.config import Config
from orchestration.nba.eastern import et_date
from orchestration.runs.clock import RunClock

if TYPE_CHECKING:
    from airflow.sdk import Context
    from airflow.sdk.types import Logger

ALERTS = Asset("orchestration_alerts")
"""The asset whose state store remembers the alerts."""


SENDING = timedelta(minutes=2)
"""A task that has been sending for longer was killed: the next one sends."""
WATCHDOG = "watchdog"
SOURCES = (WATCHDOG, "outbox", "cleanup", "reconcile")
"""The tasks that see when an alert is over."""


def alert_once(
    context: Context,
    config: Config,
    source: str,
    found: Iterable[Alert],
    log: Logger,
    looked_at: Collection[date] | None = (),
) -> None:
    """Send what is new about incidents, and the all-clears. Raises AirflowFailException if there is a new incident.

    ``source``: the task that found the alerts. An alert that this task no longer finds is over. An incident is over
    when no task finds any of its alerts. ``looked_at``: as in :func:`news`. The run fails only when the incident is
    new or worse, not in each hour that it lasts.
    """
    store, key = context["asset_state_store"][ALERTS], f"open {source}"
    was_open = store.get(key) or {}
    result = _send(context, config, found, log, was_open, looked_at)
    store.set(key, result.open)
    unsent = _send_all_clear(context, config, result.healed, log)
    store.set(key, result.open | {alert.key: alert.to_open() for alert in unsent})
    if result.raised:
        raise AirflowFailException("Needs a look: " + "; ".join(alert.text for alert in result.raised.values()))


def send_once(context: Context, config: Config, found: Iterable[Alert], log: Logger) -> News:
    """Send what is new about incidents, from a task that does not see when they are over: the watchdog sees that."""
    result = _send(context, config, found, log)
    store, key = context["asset_state_store"][ALERTS], f"open {WATCHDOG}"
    if watched := {name: kept for name, kept in result.open.items() if is_watched(Alert.from_open(kept))}:
        store.set(key, (store.get(key) or {}) | watched)
    return result


def _send(
    context: Context,
    config: Config,
    found: Iterable[Alert],
    log: Logger,
    was_open: Open | None = None,
    looked_at: Collection[date] | None = (),
) -> News:
    """Send the messages that are due. A message that no channel took does not count as sent (lesson F7).

    It is sent again at the next look. If no channel could even be tried, that retry is silent: the log has the alert.
    """
    store, now = context["asset_state_store"][ALERTS], RunClock.of(context).now()
    merged, day = together(found), et_date(now)
    merged = placed(merged, _known_today(store, day)) if merged else merged
    about = {alert.incident for alert in merged.values()}
    memory = {one: Memory.of(store.get(f"incident {one}"), store.get(f"told {one}")) for one in about}
    result = news(memory, was_open or {}, merged, day, looked_at)
    raised, known = {}, dict(result.memory)
    for incident, alert in result.raised.items():
        logged = store.get(f"logged {incident}") == day.isoformat()
        log.log(
            logging.INFO if logged else logging.ERROR,
            "%s (%s): %s%s",
            alert.kind,
            alert.workflow,
            alert.text,
            alert.command and f"; next: {alert.command}",
        )
        if not _claimed(store, incident):
            log.info("Another task is sending the message about %s", incident)
            del known[incident]
            continue
        here = run_link(context["ti"].dag_id, context["ti"].run_id)
        link = run_link(alert.workflow, alert.run_id) if alert.run_id else here
        sent = send(config, alert, now, link)
        store.set(f"sending {incident}", "")
        remember(store, sent, alert, now)
        if not sent.nowhere:
            store.set(f"told {incident}", day.isoformat())
        else:
            del known[incident]
            if not sent.failed:
                store.set(f"logged {incident}", day.isoformat())
        if not logged:
            raised[incident] = alert
    for incident, what in known.items():
        store.set(f"incident {incident}", what.to_json())
    for alert in merged.values():
        if alert.incident not in result.raised and alert.key != alert.incident:
            log.info("Known already (%s): %s", alert.incident, alert.text)
    return replace(result, raised=raised)


def _claimed(store: Any, incident: str) -> bool:
    """Return whether this task may send the message. Eight workflows can meet one cause in the same second."""
    now, since = RunClock.wall(), store.get(f"sending {incident}")
    if since and now - datetime.fromisoformat(since) < SENDING:
        return False
    store.set(f"sending {incident}", now.isoformat())
    return True


def _open_incidents(store: Any) -> list[str]:
    """Return the keys of the incidents that some task still found at its last look."""
    kept = (alert for source in SOURCES for alert in (store.get(f"open {source}") or {}).values())
    return list(dict.fromkeys(Alert.from_open(alert).incident for alert in kept))


def _known_today(store: Any, day: date) -> list[str]:
    """Return the open incidents that were sent or logged today: what follows from them needs no message of its own."""
    today = day.isoformat()
    return [one for one in _open_incidents(store) if today in (store.get(f"told {one}"), store.get(f"logged {one}"))]


def _send_all_clear(context: Context, config: Config, healed: Iterable[Alert], log: Logger) -> Collection[Alert]:
    """Send one all-clear for each incident that is over and that people know of. Return the alerts of those not sent.

    An incident gets one all-clear a day. One that comes and goes is sent twice a day; after that it is only logged.
    """
    store, now = context["asset_state_store"][ALERTS], RunClock.of(context).now()
    today, unsent, still = et_date(now).isoformat(), [], set(_open_incidents(store))
    over: dict[str, list[Alert]] = {}
    for alert in healed:
        log.info("Over: %s", alert.text)
        over.setdefault(alert.incident, []).append(alert)
    for incident, alerts in over.items():
        sent_on = store.get(f"told {incident}")
        if incident in still or not sent_on or store.get(f"healed {incident}") == today:
            continue
        was = Memory.of(store.get(f"incident {incident}"), sent_on)
        if not config.settings.notifications.healed:
            continue
        one = all_clear(incident, was if was.text else replace(was, text=alerts[0].text, workflow=alerts[0].workflow))
        sent = send(config, one, now, run_link(context["ti"].dag_id, context["ti"].run_id))
        remember(store, sent, one, now)
        if sent.nowhere:
            unsent += alerts
        else:
            store.set(f"healed {incident}", today)
            store.set(f"told {incident}", "")
    return unsent
