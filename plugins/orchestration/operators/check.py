"""The daily check of everything outside that the configuration refers to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow.sdk.exceptions import AirflowFailException

from orchestration.alerts.memory import tell_once
from orchestration.alerts.model import Alert
from orchestration.operators.base import AlertingOperator
from orchestration.runs.clock import RunClock
from orchestration.words import AlertLevel

if TYPE_CHECKING:
    from airflow.sdk import Context

CHECK = "python -m orchestration init"
"""Looks everything up again; safe to repeat."""


class CheckTablesOperator(AlertingOperator):
    """Looks up every table, column and scraper that workflows.yaml and our statements name; red when one is not there.

    Tips that are no tips are told as well. A service that does not list its scrapers is said, and stops nothing.
    """

    def execute(self, context: Context) -> None:
        """Look them up. A BigQuery that does not answer fails the task too, after its retries."""
        from orchestration.audit.references import broken_references, misdated_tips
        from orchestration.audit.warehouse import Warehouse
        from orchestration.services.scraper_service import NoListing, unknown_scrapers

        config, warehouse = self.config, Warehouse(self.config.settings)
        problems, alerts = broken_references(warehouse, config), []
        try:
            problems += unknown_scrapers(config, RunClock.of(context).now())
        except NoListing as error:
            self.log.warning("The names of the scrapers are not checked: %s", error)
        if tips := misdated_tips(warehouse, config, RunClock.of(context).now()):
            alerts.append(Alert("misdated_tips", "schedule_dependency", tips, CHECK, AlertLevel.WARNING))
        text = "Not as workflows.yaml and our statements have it: " + "; ".join(problems)
        if problems:
            alerts.append(Alert("broken_references", "schedule_locker", text, CHECK))
        tell_once(context, config, alerts, self.log)
        if problems:
            raise AirflowFailException(text)
