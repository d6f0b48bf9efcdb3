"""The watchdog: what the health check would say, told once to somebody (DESIGN section 8)."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from orchestration.alerts.memory import alert_once
from orchestration.alerts.model import Alert, alert_of
from orchestration.health.verdict import TOLD_ELSEWHERE, assess
from orchestration.operators.base import AlertingOperator
from orchestration.planning.day import current_day, day_bounds
from orchestration.runs.clock import RunClock

if TYPE_CHECKING:
    from airflow.sdk import Context

MORNING = timedelta(hours=7)
"""So long after a lock the day before is still looked at: the night's box scores, what was to heal."""


class WatchOperator(AlertingOperator):
    """Raises the findings of the health check, each once per workflow, kind and ET day, and says what has healed."""

    def execute(self, context: Context) -> None:
        """Assess the day, and in the morning the day before too. What others tell themselves is left to them."""
        from orchestration.audit.facts import day_facts
        from orchestration.audit.warehouse import Warehouse, WarehouseError

        config, now = self.config, RunClock.of(context).now()
        today = current_day(config, now)
        alerts = []
        try:
            warehouse = Warehouse(config.settings)
            facts = [day_facts(warehouse, config, today, now)]
            if now < day_bounds(config, today)[0] + MORNING:
                before, earlier = (day_facts(warehouse, config, today - timedelta(days=n), now) for n in (1, 2))
                # With nothing before it, the day before is the one on which the system was set up: it was not whole.
                facts += [before] if earlier.decisions else []
            findings = [finding for day in facts for finding in assess(config, day, now).findings]
            for finding in findings:
                if finding.kind not in TOLD_ELSEWHERE:
                    workflow = config.workflows.get(finding.workflow)
                    alerts.append(alert_of(finding, workflow.alerts.failure if workflow else None))
        except WarehouseError as error:
            alerts.append(Alert("unreadable", "watchdog", f"the audit cannot be read: {error}"))
        alert_once(context, config, "watchdog", alerts, self.log)
