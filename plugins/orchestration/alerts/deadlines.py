"""The deadline of a run, by Airflow's deadline alerts. They are still experimental, so only this module uses them."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace
from typing import Any

# Airflow's own stub of airflow.sdk does not list these three yet.
from airflow.sdk import BaseDeadlineReference, DeadlineAlert, SyncCallback  # type: ignore[attr-defined]
from airflow.sdk.exceptions import AirflowSecretsBackendAccessDenied

from orchestration.alerts.channels import run_link, send
from orchestration.alerts.model import Alert, alert
from orchestration.audit.outbox import Outbox, outbox_url
from orchestration.audit.statements import statement
from orchestration.audit.warehouse import Warehouse, WarehouseError
from orchestration.config import Config
from orchestration.config.last_good import load_or_last_good
from orchestration.health import kinds
from orchestration.nba.eastern import et, et_date
from orchestration.records.ids import decision_id, execution_id
from orchestration.records.tables import ExecutionRecord
from orchestration.runs.clock import RunClock
from orchestration.runs.execution import NOBODY
from orchestration.services.errors import in_short
from orchestration.words import AlertLevel, ExecutionStatus, loudness

log = logging.getLogger(__name__)

_NO_CONNECTION = re.compile(r"there is no connection (\w+)")
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
    late = not_over(minutes)
    at = datetime.fromisoformat(str(context["deadline"]["deadline_time"]))
    row = _row(config, workflow, run_id, clock, late, at)
    # The row comes first. If this process ends early, the row says that nobody was alerted.
    first = _staged([_unsent(row)])
    if _sent_before(config, workflow, run_id, clock):
        log.error("%s: %s. The alert about an earlier run was sent today", workflow, late)
        _append(first + _staged([_newer(row)]))
        return
    one = missed_alert(config, workflow, run_id, clock, late)
    log.error("%s (%s): %s; next: %s", one.kind, workflow, one.text, one.command)
    why, nowhere = _send(config, one, clock, workflow, run_id)
    _append(first if nowhere else first + _staged([_newer(row)]))
    if why:
        raise RuntimeError(f"{one.text}; not sent{nowhere * '; the watchdog sends it within the hour'}: {why}")


def not_over(minutes: float) -> str:
    """Return how a run missed its deadline, in words."""
    return f"not over {minutes:g} min after it was queued"


def missed_alert(config: Config, workflow: str, run_id: str, clock: RunClock, late: str) -> Alert:
    """Return the alert about a run that missed its deadline, at the level of the workflow, at least WARNING."""
    level = max(AlertLevel.WARNING, config.workflows[workflow].alerts.failure, key=loudness)
    tick = f"{et(clock.tick):%H:%M}"
    return alert(kinds.DEADLINE_MISSED_NOW, workflow, level=level, run_id=run_id, at=tick, late=late)


def unsent(config: Config, workflow: str, run_id: str, clock: RunClock) -> bool:
    """Return whether the run missed its deadline and nobody was alerted. The row is in the outbox or in BigQuery."""
    key, table = execution_id(workflow, run_id), ExecutionRecord.TABLE
    try:
        waiting = [file.read_text() for file in Outbox().staged(table) if file.name.startswith(f"{key}.")]
        if waiting:
            # A row without these words is newer: the alert was sent.
            return all(NOBODY in text for text in waiting)
        day = clock.started.astimezone(UTC).date()
        about: dict[str, str | date] = {"workflow": workflow, "run_id": run_id, "untold": NOBODY, "day": day}
        return bool(Warehouse(config.settings).query(statement("deadline_unsent"), about))
    except (WarehouseError, OSError) as error:
        log.warning("Whether anybody was alerted about the missed deadline is unknown: %s", error)
        return False


def _send(config: Config, one: Alert, clock: RunClock, workflow: str, run_id: str) -> tuple[str, bool]:
    """Send the alert. Return the errors of the channels, and whether nobody took the alert.

    Airflow refuses a callback the connections in its database, also those that do not exist.
    """
    try:
        sent = send(config, one, clock.now(), run_link(workflow, run_id))
    except AirflowSecretsBackendAccessDenied as error:
        return in_short(error), True
    return "; ".join(f"{channel}: {why}" for channel, why in sent.failed.items()), sent.nowhere


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


def _row(config: Config, workflow: str, run_id: str, clock: RunClock, late: str, at: datetime) -> ExecutionRecord:
    return ExecutionRecord(
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


def _unsent(row: ExecutionRecord) -> ExecutionRecord:
    """Return the row of a deadline about which nobody was alerted."""
    return row.model_copy(update={"error_message": f"{row.error_message}{NOBODY}"})


def _newer(row: ExecutionRecord) -> ExecutionRecord:
    """Return the row with a later ``created_at``: it wins over :func:`_unsent`."""
    return row.model_copy(update={"created_at": row.created_at + timedelta(microseconds=1)})


def _staged(rows: list[ExecutionRecord]) -> list[str]:
    """Stage the rows and return the names of their files. An error is logged, because the alert must still be sent."""
    try:
        return Outbox().stage(rows)
    except Exception:
        log.exception("The row of the missed deadline cannot be staged in %s", outbox_url())
        return []


def _append(names: list[str]) -> None:
    """Append the staged rows. If that fails, the rows stay in the outbox for the cleanup."""
    try:
        Outbox().append(ExecutionRecord.TABLE, names)
    except WarehouseError:
        log.exception("The row of the missed deadline stays in the outbox; the cleanup DAG appends it")


def only_in_database(reasons: Iterable[str]) -> list[str]:
    """Return the connections that only Airflow's database has, of those that ``reasons`` of ``not_set_up`` miss.

    A command sees the environment and the secrets backend, as a deadline's callback does.
    """
    from airflow.secrets.metastore import MetastoreBackend

    missing = [conn_id for why in reasons for conn_id in _NO_CONNECTION.findall(why)]
    try:
        return sorted({conn_id for conn_id in missing if MetastoreBackend().get_connection(conn_id) is not None})
    except Exception as error:
        log.debug("Airflow's database is not here: %s", in_short(error))
        return []


def where_to_put(names: list[str]) -> str:
    """Return what follows from connections that only Airflow's database has, and the cure."""
    return (
        f"{', '.join(names)}: only in Airflow's database, which Airflow refuses to the alert of a missed deadline. The "
        "watchdog sends that alert within the hour. For an alert at once, set the connection in the environment "
        "(AIRFLOW_CONN_…) or in a secrets backend"
    )
