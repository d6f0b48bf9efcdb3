"""Sends each alert once, and the all-clear when it is over.

Airflow's database remembers which alerts were sent, so an outage of BigQuery loses none.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING

from airflow.sdk import Asset
from airflow.sdk.exceptions import AirflowFailException

from orchestration.alerts.channels import run_link, send
from orchestration.alerts.failing import remember
from orchestration.alerts.model import Alert, News, Open, all_clear, news, together
from orchestration.config import Config
from orchestration.nba.eastern import et_date
from orchestration.runs.clock import RunClock

if TYPE_CHECKING:
    from airflow.sdk import Context
    from airflow.sdk.types import Logger

ALERTS = Asset("orchestration_alerts")
"""The asset whose state store remembers the alerts."""


def alert_once(
    context: Context,
    config: Config,
    source: str,
    found: Iterable[Alert],
    log: Logger,
    looked_at: Collection[date] | None = (),
) -> None:
    """Send new alerts and the all-clear. Raises AirflowFailException if there is a new alert.

    ``source``: the task that found them. An alert that this task no longer finds is over. ``looked_at``: as in
    :func:`news`. The run fails only when the alert is new, not in each hour that the alert lasts.
    """
    store, key = context["asset_state_store"][ALERTS], f"open {source}"
    result = send_once(context, config, found, log, store.get(key) or {}, looked_at)
    unsent = _send_all_clear(context, config, source, result.healed, log)
    store.set(key, result.open | {alert.key: alert.to_open() for alert in unsent})
    if result.raised:
        raise AirflowFailException("Needs a look: " + "; ".join(alert.text for alert in result.raised))


def send_once(
    context: Context,
    config: Config,
    found: Iterable[Alert],
    log: Logger,
    was_open: Open | None = None,
    looked_at: Collection[date] | None = (),
) -> News:
    """Send the alerts that were not sent today. An alert that no channel took does not count as sent (lesson F7).

    It is sent again at the next look. If no channel could even be tried, that retry is silent: the log has the alert.
    """
    store, now = context["asset_state_store"][ALERTS], RunClock.of(context).now()
    merged, day = together(found), et_date(now)
    sent_on = {key: store.get(f"told {key}") for key in merged}
    result = news(sent_on, was_open or {}, merged, day, looked_at)
    raised = []
    for alert in result.raised:
        logged = store.get(f"logged {alert.key}") == day.isoformat()
        log.log(
            logging.INFO if logged else logging.ERROR,
            "%s (%s): %s%s",
            alert.kind,
            alert.workflow,
            alert.text,
            alert.command and f"; next: {alert.command}",
        )
        here = run_link(context["ti"].dag_id, context["ti"].run_id)
        link = run_link(alert.workflow, alert.run_id) if alert.run_id else here
        sent = send(config, alert, now, link)
        remember(store, sent, alert, now)
        if not sent.nowhere:
            store.set(f"told {alert.key}", day.isoformat())
        elif not sent.failed:
            store.set(f"logged {alert.key}", day.isoformat())
        raised += [] if logged else [alert]
    return replace(result, raised=tuple(raised))


def _send_all_clear(
    context: Context, config: Config, source: str, healed: Iterable[Alert], log: Logger
) -> Collection[Alert]:
    """Send one all-clear for the alerts that people received. If every channel fails, return those alerts.

    Each alert gets one all-clear a day. An alert that comes and goes is sent twice a day; after that it is only logged.
    """
    store, now = context["asset_state_store"][ALERTS], RunClock.of(context).now()
    today, due = et_date(now).isoformat(), []
    for alert in healed:
        log.info("Over: %s", alert.text)
        if store.get(f"told {alert.key}") and store.get(f"healed {alert.key}") != today:
            due.append(alert)
    if not due or not config.settings.notifications.healed:
        return ()
    over = all_clear(due, source)
    sent = send(config, over, now, run_link(context["ti"].dag_id, context["ti"].run_id))
    remember(store, sent, over, now)
    if sent.nowhere:
        return due
    for alert in due:
        store.set(f"healed {alert.key}", today)
        store.set(f"told {alert.key}", "")
    return ()
