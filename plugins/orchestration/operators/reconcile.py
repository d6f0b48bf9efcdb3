"""Fetching anew what late sources and vanished files left open: the DAG ``reconcile``'s first task."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from orchestration.operators.base import AuditedOperator
from orchestration.runs.clock import RECONCILE, RunClock

if TYPE_CHECKING:
    from airflow.sdk import Context


class FindMakeupsOperator(AuditedOperator):
    """Returns, for TriggerDagRunOperator, one run for each target date of the last days with something missing."""

    def execute(self, context: Context) -> list[dict[str, Any]]:
        """Look, and return the runs to start. Fails, and starts none, when anything cannot be read."""
        from orchestration.audit.warehouse import Warehouse
        from orchestration.cleanup.reconcile import find_makeups

        if self.config.is_shadow():
            self.log.info("Shadow: nothing is started")
            return []
        clock, params = RunClock.of(context), context["params"]
        warehouse, days, most = Warehouse(self.config.settings), int(params["days"]), int(params["max_runs"])
        found = find_makeups(warehouse, self.config, clock.now(), days, most)
        for makeup in found:
            self.log.info("%s for %s: %s", makeup.workflow, makeup.target_date, makeup.conf["reason"])
        if not found:
            self.log.info("Nothing is missing of the last %s days; nothing is started", params["days"])
        replay = {"as_of": params["as_of"]} if params.get("as_of") else {}
        return [
            {
                "trigger_dag_id": makeup.workflow,
                "trigger_run_id": f"{RECONCILE}{makeup.target_date}__{clock.tick.isoformat()}",
                "conf": {**makeup.conf, **replay},
            }
            for makeup in found
        ]
