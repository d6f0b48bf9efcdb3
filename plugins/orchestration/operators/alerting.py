"""Raising alerts from a task, with a memory in Airflow's database, so that it outlives BigQuery's outages."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from airflow.sdk import Asset
from airflow.sdk.exceptions import AirflowFailException

from orchestration.health.alerts import Alert, news
from orchestration.nba.eastern import et_date
from orchestration.run_clock import RunClock

if TYPE_CHECKING:
    from airflow.sdk import Context
    from airflow.sdk.types import Logger

ALERTS = Asset("orchestration_alerts")
"""Where the memory hangs: an operator that raises alerts has it among its inlets."""


def alert_once(context: Context, source: str, found: Iterable[Alert], log: Logger) -> None:
    """Log what is new and what has healed; raise AirflowFailException when there is anything new.

    ``source`` is whose findings these are: what it no longer finds has healed. The run is red once for an alert, not
    in every hour that it lasts.
    """
    store = context["asset_state_store"][ALERTS]
    said = news(store.get(source) or {}, found, et_date(RunClock.of(context).now()))
    store.set(source, said.known)
    for text in said.healed:
        log.info("Healed: %s", text)
    for alert in said.raised:
        log.error("%s (%s): %s%s", alert.kind, alert.workflow, alert.text, alert.command and f"; next: {alert.command}")
    if said.raised:
        raise AirflowFailException("Needs a look: " + "; ".join(alert.text for alert in said.raised))
