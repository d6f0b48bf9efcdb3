"""The daily check of everything outside that the configuration refers to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow.sdk.exceptions import AirflowFailException

from orchestration.alerts.memory import tell_once
from orchestration.alerts.model import Alert
from orchestration.operators.base import AlertingOperator

if TYPE_CHECKING:
    from airflow.sdk import Context


class CheckTablesOperator(AlertingOperator):
    """Looks up every table and column that workflows.yaml and our statements name; red when one is not there."""

    def execute(self, context: Context) -> None:
        """Look them up. A BigQuery that does not answer fails the task too, after its retries."""
        from orchestration.audit.references import broken_references
        from orchestration.audit.warehouse import Warehouse

        if problems := broken_references(Warehouse(self.config.settings), self.config):
            text = "Not as workflows.yaml and our statements have it: " + "; ".join(problems)
            alert = Alert("broken_references", "schedule_locker", text, "python -m orchestration init")
            tell_once(context, self.config, [alert], self.log)
            raise AirflowFailException(text)
