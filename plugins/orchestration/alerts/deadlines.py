"""The deadline of a run, by Airflow's deadline alerts. They are still experimental, so only this module uses them."""

from __future__ import annotations

import logging
from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace
from typing import Any

# Airflow's own stub of airflow.sdk does not list these three yet.
from airflow.sdk import BaseDeadlineReference, DeadlineAlert, SyncCallback  # type: ignore[attr-defined]

from orchestration.alerts.channels import run_link, send
from orchestration.alerts.model import alert
from orchestration.audit.outbox import Outbox
from orchestration.audit.statements import statement
from orchestration.audit.warehouse import Warehouse, WarehouseError
from orchestration.config import Config
from orchestration.config.last_good import load_or_last_good
from orchestration.health import kinds
from orchestration.nba.eastern import et, et_date
from orchestration.records.ids import decision_id, execution_id
from orchestration.records.tables import ExecutionRecord
from orchestration.runs.clock import RunClock
from orchestration.words import AlertLevel, ExecutionStatus

log = logging.getLogger(__name__)

NOBODY = "; nobody could be told"
"""The end of the stored error of a missed deadline whose alert no channel took. A query reads it: never change it."""
TIMES = ("logical_date", "start_date", "run_after")


class RunQueued(BaseDeadlineReference):
    """The moment at which a run is queued, because Airflow evaluates this reference then.

    A run with Airflow's own DAGRUN_QUEUED_AT cannot be cleared (apache/airflow#70368).
    """

    def _evaluate_with(self, **_: Any) -> datetime:
        return datetime.now(UTC)


def deadline(workflow: str, minutes: float) -> DeadlineAlert:
    """Return the deadline alert for a run of ``workflow`` that has not ended ``minutes`` after it was queued."""
    return DeadlineAlert(
        reference=RunQueued(),
        interval=timedelta(minutes=minutes),
        callback=SyncCallback(missed, kwargs={"workflow": workflow, "minutes": minutes}),
    )


def missed(workflow: str, minutes: float, context: dict[str, Any]) -> None:
    """Record a run that missed its deadline, and send one alert per workflow and ET day.

    The executor calls this while the run continues. ``finish`` writes the run's own row later, with the same id.
    """
    if context["dag_run"]["state"] == "failed":
        # The run has sent its own alert. Airflow removes the deadline of a run only when the run succeeds.
        return
    config = load_or_last_good().config
    run_id = str(context["dag_run"]["dag_run_id"])
    clock = RunClock.of_run(_as_in_a_task(run_id, context["dag_run"]))
    late = f"not over {minutes:g} min after it was queued"
    at = datetime.fromisoformat(str(context["deadline"]["deadline_time"]))
    if _sent_before(config, workflow, run_id, clock):
        _record(config, workflow, run_id, clock, late, at)
        log.error("%s: %s. The alert about an earlier run was sent today", workflow, late)
        return
    level = max(AlertLevel.WARNING, config.workflows[workflow].alerts.failure, key=list(AlertLevel).index)
    tick = f"{et(clock.tick):%H:%M}"
    one = alert(kinds.DEADLINE_MISSED_NOW, workflow, level=level, run_id=run_id, at=tick, late=late)
    log.error("%s (%s): %s; next: %s", one.kind, workflow, one.text, one.command)
    sent = send(config, one, clock.now(), run_link(workflow, run_id))
    # If no channel took the alert, the next late run of the day sends it again.
    _record(config, workflow, run_id, clock, f"{late}{NOBODY * sent.nowhere}", at)
    if sent.failed:
        raise RuntimeError(f"{one.text}; not sent: {sent.failed}")


def _as_in_a_task(run_id: str, dag_run: dict[str, Any]) -> SimpleNamespace:
    """Return a run in the form of a task's context, from its form in the REST API."""
    times = {name: datetime.fromisoformat(dag_run[name]) if dag_run[name] else None for name in TIMES}
    return SimpleNamespace(**{**dag_run, **times, "run_id": run_id})


def _sent_before(config: Config, workflow: str, run_id: str, clock: RunClock) -> bool:
    """Return whether the alert about an earlier late run of this ET day was sent. False if BigQuery does not answer."""
    day = et_date(clock.tick)
    parameters: dict[str, str | date] = {
        "workflow": workflow,
        "run_id": run_id,
        "day": day,
        "next_day": day + timedelta(days=1),
        "untold": NOBODY,
    }
    try:
        return bool(Warehouse(config.settings).query(statement("deadlines_missed"), parameters))
    except WarehouseError as error:
        log.warning("BigQuery does not say whether an alert was sent today, so this one is sent: %s", error)
        return False


def _record(config: Config, workflow: str, run_id: str, clock: RunClock, late: str, at: datetime) -> None:
    """Append the row. If that fails, the row stays in the outbox for the cleanup."""
    row = ExecutionRecord(
        execution_id=execution_id(workflow, run_id),
        execution_time=clock.started,
        workflow_name=workflow,
        decision_id=decision_id(workflow, run_id),
        scrapers_triggered=0,
        scrapers_succeeded=0,
        scrapers_failed=0,
        scrapers_no_data=0,
        status=ExecutionStatus.FAILED,
        error_message=f"Deadline missed: {late}",
        deadline_missed=True,
        slot_time=clock.tick,
        target_date=et_date(clock.tick),
        environment=config.environment,
        # The run's own row has a later created_at, so that row wins.
        created_at=at.astimezone(UTC),
        dag_id=workflow,
        run_id=run_id,
        task_id="finish",
    )
    outbox = Outbox()
    try:
        outbox.append(row.TABLE, outbox.stage([row], unless_staged=True))
    except WarehouseError:
        log.exception("The row of the missed deadline stays in the outbox; the cleanup DAG appends it")
