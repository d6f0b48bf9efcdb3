"""The tasks of the DAG ``reconcile``: they find missing games of the last days, and alert about those still missing."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow.sdk.exceptions import AirflowSkipException

from orchestration.alerts.memory import alert_once
from orchestration.alerts.model import Alert, alert
from orchestration.audit.warehouse import Warehouse, WarehouseError
from orchestration.cleanup.makeup_inputs import find_makeups
from orchestration.config import Config
from orchestration.decisions.request import ReconcileRequest
from orchestration.health.kinds import GAMES_NOT_RECONCILED
from orchestration.nba.eastern import at
from orchestration.operators.base import AlertingOperator, AuditedOperator, refuse_bad_request, request_of
from orchestration.operators.retries import retry_within_tick
from orchestration.planning.makeups import Makeup
from orchestration.runs.clock import RECONCILE, RunClock
from orchestration.words import AlertLevel, few, plural

if TYPE_CHECKING:
    from airflow.sdk import Context


ALL = 100
"""A limit that no number of make-up runs reaches."""
SOURCE = "reconcile"
"""The source of these alerts in the memory of alerts."""


def _find(context: Context, config: Config, most: int) -> list[Makeup]:
    """Return at most ``most`` make-up runs. A run by hand looks at all days, others only at days with decisions."""
    clock = RunClock.of(context)
    on_record_only = not clock.triggered_by.startswith("manual")
    warehouse, days = Warehouse(config.settings), int(request_of(context)["days"])
    return find_makeups(warehouse, config, clock.now(), days, most, on_record_only=on_record_only)


class FindMakeupsOperator(AuditedOperator):
    """Returns the make-up runs for TriggerDagRunOperator: for the games and the files that are missing."""

    def execute(self, context: Context) -> list[dict[str, Any]]:
        """Return the runs to start. Fails, and starts none, if something cannot be read after all tries."""
        refuse_bad_request(context, ReconcileRequest, AirflowSkipException)
        if self.config.is_shadow():
            self.log.info("Shadow: no run is started")
            return []
        clock, params = RunClock.of(context), request_of(context)
        try:
            found = _find(context, self.config, int(params["max_runs"]))
        except WarehouseError as error:
            retry_within_tick(context, self.config, str(error))
            raise
        for makeup in found:
            self.log.info("%s for %s: %s", makeup.workflow, makeup.target_date, makeup.conf["reason"])
        if not found:
            self.log.info("Last days checked: %s. Nothing is missing, no run is started", params["days"])
        replay = {"as_of": params["as_of"]} if params.get("as_of") else {}
        return [
            {
                "trigger_dag_id": makeup.workflow,
                "trigger_run_id": f"{RECONCILE}{makeup.target_date}__{clock.tick.isoformat()}",
                "conf": {**makeup.conf, **replay},
            }
            for makeup in found
        ]


class ReportOpenGamesOperator(AlertingOperator):
    """Alerts once, after the day's last reconcile, about the games that it could not fetch, and fails."""

    def execute(self, context: Context) -> None:
        """Look for missing games again. Only the day's last scheduled run alerts, not an earlier run or one by hand."""
        refuse_bad_request(context, ReconcileRequest)
        clock, times = RunClock.of(context), self.config.reconcile_ticks.times
        by_hand = clock.triggered_by.startswith("manual")
        if by_hand or not times or clock.tick < at(clock.tick.date(), times[-1]):
            self.log.info("No alerts yet: they are sent after the day's last reconcile")
            return
        alerts = [self._alert(makeup) for makeup in _find(context, self.config, ALL) if makeup.games]
        days = [clock.tick.date() - timedelta(days=n) for n in range(int(request_of(context)["days"]) + 1)]
        alert_once(context, self.config, SOURCE, alerts, self.log, days)

    def _alert(self, makeup: Makeup) -> Alert:
        critical = any(self.config.scrapers[scraper].critical for scraper in makeup.scrapers)
        return alert(
            GAMES_NOT_RECONCILED,
            makeup.workflow,
            level=AlertLevel.CRITICAL if critical else AlertLevel.WARNING,
            day=makeup.target_date,
            scrapers=few(makeup.scrapers),
            games=plural(len(makeup.games), "game"),
            which=few(makeup.games),
        )
