"""The last task of a RUN: its execution row, and a row for every call that could not write one itself."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from airflow.sdk.exceptions import AirflowFailException

from orchestration.execution import CallEnd, call_ends, failures_in_short, status_of
from orchestration.operators.base import AuditedOperator
from orchestration.operators.decide import DECISION_KEY
from orchestration.operators.scrape import OUTCOME_KEY, call_columns
from orchestration.run_clock import RunClock, task_key
from orchestration.words import ExecutionStatus, Outcome

if TYPE_CHECKING:
    from airflow.sdk import Context

    from orchestration.audit.ids import TaskKey
    from orchestration.audit.rows import ScraperRun

UNKNOWN_TRY = 0
"""Try number of a row made for a killed call: which try it was, nobody can tell any more."""


class FinishOperator(AuditedOperator):
    """Counts what the calls did. Runs whatever became of them; a failed execution turns the run red."""

    ui_color = "#e2f2e4"

    def execute(self, context: Context) -> None:
        """Stage the execution row, and fail when the execution failed."""
        assert self.workflow is not None
        ti, clock, config = context["ti"], RunClock.of(context), self.config
        decision: dict[str, Any] = ti.xcom_pull(task_ids="decide", key=DECISION_KEY)
        plan = config.workflows[self.workflow].execution_plan.scrapers
        states = ti.get_task_states(dag_id=ti.dag_id, run_ids=[ti.run_id]).get(ti.run_id, {})
        outcomes = {
            (scraper, int(left["map_index"])): left
            for scraper in plan
            for left in ti.xcom_pull(task_ids=[scraper], key=OUTCOME_KEY)
            if left is not None
        }
        ends = call_ends(plan, states, outcomes)
        status = status_of(ends, config.critical_scrapers(self.workflow))
        if states.get("hold") in ("failed", "upstream_failed"):
            status = ExecutionStatus.FAILED
        self._stage(context, clock, decision, ends, status)
        short = failures_in_short(ends)
        self.log.info("%s: %d calls, %s", status, len(ends), short or "none failed")
        if status is ExecutionStatus.FAILED:
            raise AirflowFailException(f"{self.workflow} failed: {short or 'held back: no call was made'}")

    def _stage(
        self,
        context: Context,
        clock: RunClock,
        decision: dict[str, Any],
        ends: list[CallEnd],
        status: ExecutionStatus,
    ) -> None:
        from orchestration.audit.ids import TaskKey, row_id
        from orchestration.audit.rows import ExecutionRow

        key, now = task_key(context), clock.now()
        made = [end for end in ends if end.outcome is not None]
        started = min([datetime.fromisoformat(e.triggered_at) for e in made if e.triggered_at], default=now)
        killed: list[ScraperRun] = []
        ids = []
        for end in made:
            its_key = TaskKey(key.dag_id, key.run_id, end.scraper, end.map_index, UNKNOWN_TRY)
            if not end.reported:
                killed.append(self._killed(clock, decision, end, its_key, now))
            ids.append(end.execution_id or row_id("call", its_key))
        failed = sum(end.outcome is Outcome.FAILED for end in made)
        row = ExecutionRow(
            execution_id=row_id("execution", key, per_try=False),
            execution_time=started,
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
            error_message=failures_in_short(ends),
            slot_time=clock.tick,
            target_date=date.fromisoformat(decision["target_date"]),
            environment=self.config.environment,
            created_at=now,
            **key.columns(),
        )
        self.stage([*killed, row])

    def _killed(
        self, clock: RunClock, decision: dict[str, Any], end: CallEnd, key: TaskKey, now: datetime
    ) -> ScraperRun:
        from orchestration.audit.ids import row_id
        from orchestration.audit.rows import ScraperRun

        identity = row_id("call", key)
        return ScraperRun(
            row_id=identity,
            execution_id=identity,
            run_id=identity,
            scraper_name=end.scraper,
            game_date=date.fromisoformat(decision["target_date"]),
            status=Outcome.FAILED,
            triggered_at=now,
            error_type="killed",
            error_message="The task ended without reporting an outcome: its process was killed",
            label=end.label,
            **call_columns(decision, clock, key, self.config.environment, now),
        )
