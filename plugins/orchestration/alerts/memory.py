"""Raising alerts from a task, with a memory in Airflow's database, so that it outlives BigQuery's outages."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from airflow.sdk import Asset
from airflow.sdk.exceptions import AirflowFailException

from orchestration.alerts.channels import run_link, send
from orchestration.alerts.model import Alert, News, news, together
from orchestration.config.model import Config
from orchestration.nba.eastern import et_date
from orchestration.runs.clock import RunClock

if TYPE_CHECKING:
    from airflow.sdk import Context
    from airflow.sdk.types import Logger

ALERTS = Asset("orchestration_alerts")
"""Where the memory hangs."""


def alert_once(context: Context, config: Config, source: str, found: Iterable[Alert], log: Logger) -> None:
    """Tell what is new and log what has healed; raise AirflowFailException when there is anything new.

    ``source`` is whose findings these are: what it no longer finds has healed. The run is red once for an alert, not
    in every hour that it lasts.
    """
    store = context["asset_state_store"][ALERTS]
    said = tell_once(context, config, found, log, store.get(source) or {})
    store.set(source, said.open)
    for text in said.healed:
        log.info("Healed: %s", text)
    if said.raised:
        raise AirflowFailException("Needs a look: " + "; ".join(alert.text for alert in said.raised))


def tell_once(
    context: Context, config: Config, found: Iterable[Alert], log: Logger, was_open: dict[str, str] | None = None
) -> News:
    """Send what nobody was told today. What no channel takes, though one should, is not told: it comes again."""
    store, now = context["asset_state_store"][ALERTS], RunClock.of(context).now()
    merged, day = together(found), et_date(now)
    told = {key: store.get(f"told {key}") for key in merged}
    said = news(told, was_open or {}, merged, day)
    for alert in said.raised:
        log.error("%s (%s): %s%s", alert.kind, alert.workflow, alert.text, alert.command and f"; next: {alert.command}")
        here = run_link(context["ti"].dag_id, context["ti"].run_id)
        link = run_link(alert.workflow, alert.run_id) if alert.run_id else here
        if not send(config, alert, now, link).nowhere:
            store.set(f"told {alert.key}", day.isoformat())
    return said
