"""Whole days in minutes: our code with the real hooks, emulators and scraper service, but without Airflow.

A workflow's run uses the same parts as the tasks of its DAG. Lock, cleanup and watchdog are the real operators.
"""

from __future__ import annotations

import contextlib
import html
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowFailException
from fastapi.testclient import TestClient

from orchestration.alerts.channels import Sent
from orchestration.alerts.memory import ALERTS
from orchestration.alerts.model import Alert
from orchestration.audit.facts import day_facts
from orchestration.audit.inputs import decision_inputs
from orchestration.audit.outbox import Outbox
from orchestration.audit.service_log import corrections
from orchestration.audit.warehouse import Warehouse, WarehouseError
from orchestration.config import Config, config_path
from orchestration.config.last_good import load_or_last_good
from orchestration.decisions.engine import aborted, decide
from orchestration.decisions.model import Decision
from orchestration.health.verdict import Health, assess
from orchestration.nba.eastern import et
from orchestration.operators.calls import ScraperCall, call_row, shortfall_of
from orchestration.operators.cleanup import CleanupOperator, DrainOutboxOperator
from orchestration.operators.decide import DECISION_KEY, LOUD, AbortOperator, DecideOperator
from orchestration.operators.finish import FinishOperator
from orchestration.operators.lock import CheckTablesOperator, LockOperator, SlateEventsOperator
from orchestration.operators.watch import WatchOperator
from orchestration.planning.calls import PlannedCall, planned_calls
from orchestration.records.ids import TaskKey, decision_id, execution_id
from orchestration.records.tables import CallRecord, DecisionRecord, ExecutionRecord
from orchestration.runs.clock import RunClock
from orchestration.runs.execution import CallEnd, failures_in_short, status_of
from orchestration.services.scraper_service import CallRequest, ScraperService
from orchestration.ui.data import PageData
from orchestration.vocabulary.scrapers import answer_of, is_event_source, parameters_of
from orchestration.vocabulary.templates import Item, render
from orchestration.words import Action, ExecutionStatus, Outcome
from sandbox.faults import Fault
from support.airflow_state import AssetEvents, StateStore
from support.pages import Viewer, site
from support.standins import PATIENCE_SECONDS, GoogleStandIns
from support.worlds import ROOT

SLOW = 0.9
"""Share of its timeout that a call takes while the service is slow."""
CALLS_MINUTES = 1
"""Estimated minutes of a run's failing calls, which take no time here."""
AIRFLOW = {"metadatabase": "healthy", "scheduler": "healthy", "triggerer": "healthy", "dag_processor": "healthy"}
"""The states of Airflow's components on its health page."""


@dataclass
class Ti:
    """The parts of a task instance that our operators use."""

    days: SimulatedDays
    run_id: str
    task_id: str
    moment: datetime
    xcoms: dict[str, Any]
    dag_id: str = "system"
    map_index: int = -1
    try_number: int = 1
    max_tries: int = 0

    def xcom_push(self, key: str, value: Any) -> None:
        self.days.xcoms[self.run_id, self.task_id, key] = value

    def xcom_pull(self, task_ids: str, key: str) -> Any:
        return self.xcoms.get(key, self.days.xcoms.get((self.run_id, task_ids, key)))

    def get_dag(self, dag_id: str) -> Any:
        paused = self.days.fault.paused if self.days.fault and self.days.holds(self.moment) else ""
        return SimpleNamespace(is_paused=dag_id == paused)

    def get_dr_count(self, dag_id: str, states: list[str], logical_dates: list[datetime] | None = None) -> int:
        if logical_dates is not None:
            return 0
        assert states == ["running"]
        return int(dag_id in self.days.stuck)

    def get_ti_count(self, dag_id: str, task_ids: list[str], states: list[str]) -> int:
        assert states == ["scheduled"]
        fault = self.days.fault
        pools = {self.days.config.scrapers[name].pool for name in task_ids}
        return self.days.stuck.get(dag_id, 0) if fault and fault.pool in pools else 0


class SimulatedDays:
    """Plays ticks, with or without a fault.

    ``failures`` holds those of the watchdog and the cleanup, ``alerts`` every alert with the moment it was sent.
    """

    def __init__(self, google: GoogleStandIns, day: date, fault: Fault | None = None) -> None:
        self.google, self.day, self.fault = google, day, fault
        self.outbox = Outbox()
        self.memory, self.failures, self.asset_events = StateStore(), [], AssetEvents()
        self.alerts: list[tuple[datetime, Alert]] = []
        self.stuck: dict[str, int] = {}
        """Workflows with a stuck run, and the number of its calls that wait for a slot."""
        self.service = ScraperService()
        self.xcoms: dict[tuple[str, str, str], Any] = {}

    @property
    def config(self) -> Config:
        return load_or_last_good(lambda loaded: ()).config

    def record(self, _: Config, alert: Alert, now: datetime, link: str) -> Sent:
        """Record an alert in place of the channels."""
        self.alerts.append((et(now), alert))
        return Sent(("mail",), {})

    def play(self, timeline: dict[datetime, list[str]]) -> None:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("orchestration.alerts.memory.send", self.record)
            patch.setattr("orchestration.operators.inspection.BETWEEN_SECONDS", 0.0)
            self._play(timeline)

    def _play(self, timeline: dict[datetime, list[str]]) -> None:
        for moment, dag_ids in timeline.items():
            self.google.set_clock(moment)
            self._break_or_repair(moment)
            played = [d for d in dag_ids if self.fault is None or self.fault.plays(self.day, moment, d)]
            self._workflows(et(moment), [d for d in played if d in self.config.enabled])
            for operator in self._system(played):
                self._task(operator, moment)

    def health(self, day: date, now: datetime) -> Health:
        """Return the health check, and assert that the page shows the same."""
        health = assess(self.config, day_facts(Warehouse(), self.config, day, now), now)
        with pytest.MonkeyPatch.context() as patch:
            pages = TestClient(site(patch, PageData(), Viewer(self.config)))
            page = pages.get("/orchestration/day", params={"day": day.isoformat(), "as_of": now.isoformat()})
        shown = html.unescape(page.text)
        [headline] = re.findall("<h1.*?</h1>", shown, re.DOTALL)
        assert health.headline[:600] in headline
        assert all(finding.command in shown for finding in health.findings)
        return health

    def repair(self) -> None:
        """Start BigQuery again, and drain the outbox."""
        self.google.start_bigquery()
        self._drain()

    def _break_or_repair(self, moment: datetime) -> None:
        if self.fault is None:
            return
        holds = self.fault.holds(self.day, moment)
        # Slow calls take no real time here. Their rows hold the time that they would take.
        self.google.trouble(**({**self.fault.world, "slow": 0} if holds else {}))
        if self.fault.refuses:
            self.google.refuse(**(self.fault.refuses if holds else {}))
        if self.fault.dropped and holds:
            Warehouse().query(f"DROP TABLE IF EXISTS {self.fault.dropped}")
        if statement := self.fault.sql(self.day, moment):
            Warehouse().query(statement)
        if self.fault.deployed:
            ours = (ROOT / "config" / "workflows.yaml").read_text()
            config_path().write_text(self.fault.file(self.day, ours) if holds else ours)
        AIRFLOW.update({self.fault.dead: "unhealthy"} if holds and self.fault.dead else {"triggerer": "healthy"})
        if self.fault.bigquery and holds != ("bigquery" not in self.google.processes):
            self.google.stop_bigquery() if holds else self.google.start_bigquery()

    def holds(self, moment: datetime) -> bool:
        return self.fault is not None and self.fault.holds(self.day, moment)

    def _system(self, dag_ids: list[str]) -> Iterator[Any]:
        if "schedule_locker" in dag_ids:
            yield LockOperator(task_id="lock")
            yield CheckTablesOperator(task_id="check_tables")
        if "cleanup" in dag_ids:
            yield DrainOutboxOperator(task_id="drain_outbox")
            yield CleanupOperator(task_id="republish_lost_files")
        if "watch" in dag_ids:
            yield WatchOperator(task_id="watch")
        if "tell_slates" in dag_ids:
            yield SlateEventsOperator(task_id="tell_slates")

    def _task(self, operator: Any, moment: datetime) -> None:
        context = self._context(operator.task_id, moment)
        try:
            operator.execute(context)
            self.asset_events.succeeded(operator, context)
        except AirflowFailException as alert:
            self.failures.append(f"{et(moment):%d %H:%M} {alert}")
        except WarehouseError:
            pass
        self._drain()

    def _context(self, task_id: str, moment: datetime, **xcoms: Any) -> Any:
        run_id = f"replay__{moment.isoformat()}"
        return {
            "ti": Ti(self, run_id, task_id, moment, xcoms),
            "dag_run": SimpleNamespace(
                run_id=run_id, run_type="scheduled", conf={}, start_date=moment, run_after=moment,
                logical_date=moment, triggering_user_name=None,
            ),
            "params": {},
            "asset_state_store": {ALERTS: self.memory},
            **self.asset_events.context(),
        }  # fmt: skip

    def _drain(self) -> None:
        try:
            self.outbox.drain()
        except WarehouseError:
            """The rows stay staged."""

    def _workflows(self, tick: datetime, names: list[str]) -> None:
        """Decide all workflows of a tick, and make the calls of those that RUN."""
        if not names:
            return
        clock = RunClock(tick, timedelta(), True, "schedule", tick)
        try:
            schedule, history = decision_inputs(Warehouse(), self.config, names, tick)
            decisions = [decide(name, self.config, tick, schedule, history) for name in names]
        except WarehouseError as error:
            why = str(error)
            decisions = [aborted(name, self.config, tick, "history_unreadable", why) for name in names]
        rows: list[Any] = []
        for decision in decisions:
            run_id = f"scheduled__{tick.astimezone(UTC).isoformat()}"
            key = TaskKey(decision.workflow, run_id, "decide")
            rows.append(
                DecisionRecord(
                    decision_id=decision_id(decision.workflow, run_id),
                    decision_time=tick,
                    workflow_name=decision.workflow,
                    action=decision.action,
                    reason=decision.reason,
                    alert_level=decision.alert_level,
                    slot_time=tick,
                    scrapers_triggered=list(decision.scrapers),
                    target_games=[game.game_id for game in decision.games],
                    rule=decision.rule,
                    target_date=decision.target_date,
                    created_at=tick,
                    **key.columns(),
                )
            )
            self._tell(decision, clock)
            if decision.action is Action.RUN and not self._stands_still(decision):
                rows += self._run(decision, clock, run_id)
        self.outbox.stage(rows)
        self._drain()
        # BigQuery refuses Phase 2's rows too.
        if self.holds(tick) and self.fault and {"forbidden", "quota"} & set(self.fault.refuses):
            return
        if self.fault is None or not (self.fault.dropped or "phase2_dead" in self.fault.world):
            self.google.settle()

    def _tell(self, decision: Decision, clock: RunClock) -> None:
        """Send the alerts of the run's first tasks. The alert of an ABORT follows its retries."""
        if decision.action is Action.ABORT:
            waited = sum(self.config.settings.decide_retries.first_delay_seconds * 2**n for n in range(2))
            moment = clock.tick + timedelta(seconds=waited)
            with contextlib.suppress(AirflowFailException):
                AbortOperator(task_id="abort", workflow=decision.workflow).execute(
                    self._context("abort", moment, **{DECISION_KEY: decision.to_dict()})
                )
        elif decision.alert_level in LOUD:
            DecideOperator(task_id="decide", workflow=decision.workflow)._send_alert(
                self._context("decide", clock.tick), decision
            )

    def _stands_still(self, decision: Decision) -> bool:
        """Return whether the run waits for a dead triggerer or for a slot of a full pool."""
        if self.fault is None or not self.holds(decision.tick):
            return False
        waiting = [name for name in decision.scrapers if self.config.scrapers[name].pool == self.fault.pool]
        if not self.fault.dead and not (self.fault.pool and waiting):
            return False
        self.stuck[decision.workflow] = len(waiting)
        return True

    def _run(self, decision: Decision, clock: RunClock, run_id: str) -> list[Any]:
        """Return the rows of a run: its calls, the corrections from the service's log, and its execution."""
        rows: list[CallRecord] = []
        last: list[CallRecord] = []
        not_made: list[CallEnd] = []
        events: list[str] = []
        carried = {**decision.to_dict(), "decision_id": decision_id(decision.workflow, run_id)}
        number_of: Counter[str] = Counter()
        for planned in planned_calls(self.config, decision):
            items = [Item(event_id=event) for event in events] if planned.per_event_of else [planned.item]
            if planned.per_event_of and not events and last[0].status is Outcome.FAILED:
                not_made.append(CallEnd(planned.scraper, -1, None, planned.scraper))
            for item in items:
                index = number_of[planned.scraper]
                number_of[planned.scraper] += 1
                call = self._call(planned, item, decision, clock)
                for number in range(1, self.config.retries(planned.scraper) + 2):
                    description = answer_of(planned.scraper, self.config.scrapers[planned.scraper])
                    events_of = is_event_source(planned.scraper, self.config.scrapers)
                    request = (planned.scraper, call.opts, decision.workflow, PATIENCE_SECONDS, description, events_of)
                    result = self.service.call(CallRequest(*request))
                    key = TaskKey(decision.workflow, run_id, planned.scraper, index, number)
                    ended = clock.tick + timedelta(
                        seconds=SLOW * (result.timeout_seconds or 0) if self._slow(clock, planned.scraper) else 0
                    )
                    short = shortfall_of(call, self.config.scrapers[planned.scraper], result, carried)
                    rows.append(call_row(call, result, key, carried, clock, "test", clock.tick, ended, short))
                    if result.outcome is not Outcome.FAILED or not result.retryable:
                        break
                events += result.event_ids
                last.append(rows[-1])
        found = self._corrections(last, clock)
        known = [found.get(row.row_id, row) for row in last]
        ends = [
            CallEnd(row.scraper_name, row.map_index, row.status, str(row.label), row.row_id, row.error_type)
            for row in known
        ] + not_made
        outcomes = [row.status for row in known]
        failed = outcomes.count(Outcome.FAILED)
        execution = ExecutionRecord(
            execution_id=execution_id(decision.workflow, run_id), execution_time=clock.tick,
            workflow_name=decision.workflow, decision_id=carried["decision_id"], scrapers_triggered=len(outcomes),
            scrapers_succeeded=len(outcomes) - failed, scrapers_failed=failed,
            scrapers_no_data=outcomes.count(Outcome.NO_DATA),
            status=status_of(ends, self.config.critical_scrapers(decision.workflow)),
            error_message=failures_in_short(ends), slot_time=clock.tick, target_date=decision.target_date,
            created_at=clock.tick, **TaskKey(decision.workflow, run_id, "finish").columns(),
        )  # fmt: skip
        if execution.status is ExecutionStatus.FAILED:
            finish = FinishOperator(task_id="finish", workflow=decision.workflow)
            after_calls = clock.tick + timedelta(minutes=self.config.settings.execution_delay_minutes + CALLS_MINUTES)
            context = self._context("finish", after_calls)
            if finish.stands(ends):
                finish._send_alert(context, clock, execution.error_message or "no call was made", ends)
        return [*rows, *found.values(), execution]

    def _slow(self, clock: RunClock, scraper: str) -> bool:
        world = self.fault.world if self.fault is not None and self.holds(clock.tick) else {}
        return bool(world.get("slow")) and scraper in world.get("slow_only", (scraper,))

    def _corrections(self, rows: list[CallRecord], clock: RunClock) -> dict[str, CallRecord]:
        try:
            found = corrections(Warehouse(), self.config, rows, clock.wall())
        except WarehouseError:
            return {}
        return {row.row_id: row for row in found}

    def _call(self, planned: PlannedCall, item: Item, decision: Decision, clock: RunClock) -> ScraperCall:
        templates = parameters_of(planned.scraper, self.config.scrapers[planned.scraper])
        return ScraperCall(
            scraper=planned.scraper,
            label=f"{planned.scraper} {item.label}".rstrip(),
            game_date=item.game.date if item.game else decision.target_date,
            game_id=item.game.game_id if item.game else None,
            opts=render(templates, target_date=decision.target_date, now=clock.tick, item=item),
        )
