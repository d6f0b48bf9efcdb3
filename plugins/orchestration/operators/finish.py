"""The last tasks of a RUN: the execution row with the rows that calls did not leave, and the events of the tables."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from airflow.sdk.exceptions import AirflowFailException

from orchestration.alerts import deadlines
from orchestration.alerts.memory import send_once
from orchestration.alerts.model import alert
from orchestration.assets import OF_A_CALL, event_of_call, table_alias, table_asset
from orchestration.audit.service_log import corrections
from orchestration.audit.warehouse import Warehouse, WarehouseError
from orchestration.health.causes import in_words
from orchestration.health.incidents import cause_of_calls
from orchestration.health.kinds import EXECUTION_FAILED_NOW, VETOED_NOW
from orchestration.health.losses import at_most, lost, named
from orchestration.nba.eastern import et
from orchestration.operators.base import AlertingOperator, AuditedOperator, first_time, task_key
from orchestration.operators.calls import KILLED, CallReport, ScraperCall, call_row, reports_by_task
from orchestration.operators.decide import DECISION_KEY, VETO_KEY
from orchestration.records.ids import execution_id
from orchestration.records.tables import CallRecord, ExecutionRecord
from orchestration.runs.clock import RunClock
from orchestration.runs.execution import VETOED, CallEnd, call_ends, failures_in_short, status_of
from orchestration.words import PLATFORM, ExecutionStatus, Outcome

if TYPE_CHECKING:
    from airflow.sdk import Context

Reports = dict[tuple[str, int], list[CallReport]]
"""The reports of a run's calls, by scraper and map index."""
UNKNOWN_TRY = 0
"""The try number in the row of a call that was killed before it left a report. Its real number is unknown."""
STOPPED = "No call was made: `hold` was stopped. Airflow's audit log (Browse, Audit Log) names the person"


class FinishOperator(AlertingOperator):
    """Counts the outcomes of the calls and fails if the execution failed. It runs after failed calls too."""

    ui_color = "#e2f2e4"
    # The UI shows these fields beside the task.
    template_fields = ("status", "calls", "failures")
    overwrite_rtif_after_execution = True
    status = calls = failures = ""

    def execute(self, context: Context) -> None:
        """Stage the execution row. Fails if the execution failed."""
        assert self.workflow is not None
        ti, clock, config = context["ti"], RunClock.of(context), self.config
        decision: dict[str, Any] = ti.xcom_pull(task_ids="decide", key=DECISION_KEY)
        plan = config.workflows[self.workflow].execution_plan.scrapers
        # The keys of `get_task_states` are ambiguous: `props_1` is a task, or an instance of `props`.
        crumbs = ti.get_task_breadcrumbs(dag_id=ti.dag_id, run_id=ti.run_id)
        states = {(crumb["task_id"], int(crumb["map_index"])): str(crumb["state"]) for crumb in crumbs}
        ends = call_ends(plan, states, self._corrected(reports_by_task(ti, plan), clock))
        status = status_of(ends, config.critical_scrapers(self.workflow))
        short = failures_in_short(ends)
        if states.get(("hold", -1)) in ("failed", "upstream_failed"):
            status = ExecutionStatus.FAILED
            short = ti.xcom_pull(task_ids="hold", key=VETO_KEY) or STOPPED
        if status is not ExecutionStatus.FAILED:
            self._send_unsent_deadline(context, clock)
        self._stage(context, clock, decision, ends, status, short)
        self.status, self.calls, self.failures = status.value, str(len(ends)), short or "none"
        self.log.info("%s: %d calls, %s", status, len(ends), short or "none failed")
        if status is ExecutionStatus.FAILED:
            if not config.is_shadow(self.workflow) and self.stands(ends):
                self._send_alert(context, clock, short or "no call was made", ends)
            raise AirflowFailException(f"{self.workflow} failed: {short}")

    def stands(self, ends: list[CallEnd]) -> bool:
        """Return whether the execution stays failed, even if the service's log later explains some of its failures.

        The log can be a minute late. It may then say that a failed call found no data yet. The cleanup reads the log
        again, and the watchdog alerts about the failures that remain.
        """
        assert self.workflow is not None
        settings = self.config.settings
        if settings.service_log is None or not settings.cleanup_processor.enabled or not ends:
            return True
        hoped = [replace(end, outcome=Outcome.NO_DATA) if _may_be_explained(end) else end for end in ends]
        return status_of(hoped, self.config.critical_scrapers(self.workflow)) is ExecutionStatus.FAILED

    def _corrected(self, reports: Reports, clock: RunClock) -> Reports:
        """Return the reports of the calls, corrected from the service's log; stage the corrected rows.

        The log may not have all calls yet. The cleanup reads it again.
        """
        found = _corrections(self, _rows(reports), clock)
        self.stage(found)
        for row in found:
            self.log.info("%s: the service's log says %s", row.label, row.error_type or row.gcs_path)
        changed = {row.row_id: {"outcome": row.status.value, "error_type": row.error_type} for row in found}
        return {
            place: [{**one, **changed.get((one.get("row") or {}).get("row_id", ""), {})} for one in of_task]
            for place, of_task in reports.items()
        }

    def _stage(
        self,
        context: Context,
        clock: RunClock,
        decision: dict[str, Any],
        ends: list[CallEnd],
        status: ExecutionStatus,
        message: str | None,
    ) -> None:
        key, now = task_key(context), clock.now()
        made = [end for end in ends if end.outcome is not None]
        started = min([datetime.fromisoformat(e.triggered_at) for e in made if e.triggered_at], default=now)
        killed = [self._killed(context, clock, decision, end, now) for end in made if not end.reported]
        ids = [*(end.execution_id for end in made if end.execution_id), *(row.execution_id for row in killed)]
        failed = sum(end.outcome is Outcome.FAILED for end in made)
        row = ExecutionRecord(
            execution_id=execution_id(key.dag_id, key.run_id),
            execution_time=first_time(context, clock.started),
            workflow_name=decision["workflow"],
            decision_id=decision["decision_id"],
            scrapers_requested=decision["scrapers"],
            scrapers_triggered=len(made),
            scrapers_succeeded=len(made) - failed,
            scrapers_failed=failed,
            scrapers_no_data=sum(end.outcome is Outcome.NO_DATA for end in made),
            scraper_execution_ids=ids,
            status=status,
            duration_seconds=max(round((now - started).total_seconds(), 3), 0.0),
            error_message=message,
            slot_time=clock.tick,
            target_date=date.fromisoformat(decision["target_date"]),
            environment=self.config.environment,
            created_at=clock.wall(),
            **key.columns(),
        )
        self.stage(killed, unless_staged=True)
        self.stage([row])

    def _send_alert(self, context: Context, clock: RunClock, why: str, ends: list[CallEnd]) -> None:
        """Send the alert of a failed execution, at the level of the workflow. The watchdog has the same kinds."""
        assert self.workflow is not None
        vetoed, config = why.startswith(VETOED), self.config
        failed = [(end.scraper, end.error_type) for end in ends if end.outcome is Outcome.FAILED]
        bad = sum(end.outcome in (None, Outcome.FAILED) for end in ends)
        is_lost = lost(config, self.workflow, clock.tick, share=bad / len(ends) if ends else 1.0)
        runs = named(self.workflow, [clock.tick])
        one = alert(
            VETOED_NOW if vetoed else EXECUTION_FAILED_NOW,
            self.workflow,
            level=None if vetoed else at_most(config.workflows[self.workflow].alerts.failure, is_lost=is_lost),
            run_id=context["ti"].run_id,
            day=config.current_day(clock.tick),
            cause=cause_of_calls(config, failed),
            hits=runs,
            losses=runs if is_lost else (),
            at=f"{et(clock.tick):%H:%M}",
            why=in_words(why),
        )
        send_once(context, self.config, [one], self.log)

    def _send_unsent_deadline(self, context: Context, clock: RunClock) -> None:
        """Send the alert of a missed deadline that the deadline's callback could not send (lesson F6).

        This run's row replaces the row of the callback, so the watchdog no longer sees that nobody was alerted.
        """
        assert self.workflow is not None
        minutes, run = self.config.deadline_minutes(self.workflow), context["dag_run"]
        late = clock.wall() - run.run_after >= timedelta(minutes=minutes)
        if late and deadlines.unsent(self.config, self.workflow, run.run_id, clock):
            one = deadlines.missed_alert(self.config, self.workflow, run.run_id, clock, deadlines.not_over(minutes))
            send_once(context, self.config, [one], self.log)

    def _killed(
        self, context: Context, clock: RunClock, decision: dict[str, Any], end: CallEnd, now: datetime
    ) -> CallRecord:
        """Return the row of a call whose last try was killed, from the report that the try wrote when it began."""
        first = 0 if self.config.scrapers[end.scraper].calls_per_task > 1 else None
        day = date.fromisoformat(decision["target_date"])
        number, at, call = UNKNOWN_TRY, now, ScraperCall(end.scraper, end.label, day, index=first)
        if end.left is not None:
            number, at = end.left["try_number"], datetime.fromisoformat(end.left["triggered_at"])
            call = ScraperCall.from_dict(end.left["call"])
        key = replace(task_key(context), task_id=end.scraper, map_index=end.map_index, try_number=number)
        return call_row(call, KILLED, key, decision, clock, self.config.environment, at, now)


def _may_be_explained(end: CallEnd) -> bool:
    """Return whether the service has given no cause for a failure."""
    return end.outcome is Outcome.FAILED and (end.error_type or "").startswith(("http_5", f"{PLATFORM}5"))


def _rows(reports: Reports) -> list[CallRecord]:
    return [CallRecord.whole(one["row"]) for of_task in reports.values() for one in of_task if one.get("row")]


def _corrections(operator: AuditedOperator, rows: list[CallRecord], clock: RunClock) -> list[CallRecord]:
    """Return the rows that the service's log corrects; none if the log cannot be read."""
    try:
        return corrections(Warehouse(operator.config.settings), operator.config, rows, clock.wall())
    except WarehouseError as error:
        operator.log.warning("The service's log cannot be read; the cleanup tries again: %s", error)
        return []


def _call_key(event: Mapping[str, Any]) -> tuple[Any, ...]:
    """Return what identifies the call of an event. The file does not: the service's log may name it only later."""
    return tuple(event.get(column) for column in OF_A_CALL if column != "gcs_path")


class TableEventsOperator(AuditedOperator):
    """Adds an event for each call of a run that fetched records, to the asset of the call's table.

    One task beside ``finish`` does this for all calls, for three reasons:

    * Airflow takes no event from a failed task. One failed call fails a task of several calls.
    * The service's log names the files only after the calls.
    * If two tasks add events to a new asset at the same time, Airflow fails one of them. No call may fail for that.
    """

    def __init__(self, *, tables: Collection[str], **arguments: Any) -> None:
        aliases = [table_alias(table) for table in tables]
        super().__init__(inlets=aliases, outlets=aliases, **arguments)

    def execute(self, context: Context) -> None:
        """Add the events. A cleared task adds no event twice."""
        assert self.workflow is not None
        plan = self.config.workflows[self.workflow].execution_plan.scrapers
        tables = {scraper: table for scraper in plan if (table := self.config.scrapers[scraper].processed_in)}
        rows = [
            row
            for row in _rows(reports_by_task(context["ti"], plan))
            if row.status is Outcome.SUCCESS and row.scraper_name in tables
        ]
        self.log.info("Calls that fetched records: %d", len(rows))
        if not rows:
            return
        # The service's log names the files that the answers do not name.
        logged = {row.row_id: row for row in _corrections(self, rows, RunClock.of(context))}
        announced = self._announced(context) if context["ti"].try_number > 1 else []
        project = Warehouse(self.config.settings).project
        for row in rows:
            table, event = tables[row.scraper_name], event_of_call(logged.get(row.row_id, row).to_json())
            if _call_key(event) not in announced:
                context["outlet_events"][table_alias(table)].add(table_asset(table, project), event)

    def _announced(self, context: Context) -> list[tuple[Any, ...]]:
        """Return the keys of the calls of this run that have an event."""
        run = context["dag_run"]
        # A cleared run has a later start, but the same tick.
        since = min(filter(None, (run.start_date, run.run_after))).isoformat()
        events = (event for alias in self.outlets for event in context["inlet_events"][alias].after(since))
        return [_call_key(event.extra) for event in events if event.extra]
