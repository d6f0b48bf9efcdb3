"""Whole days in minutes: our code, the real hooks, emulators and scraper service; only Airflow itself is left out.

A workflow's run is made of the same parts as its DAG's tasks; lock, cleanup and watchdog are the operators themselves.
"""

from __future__ import annotations

import html
import re
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowFailException
from fastapi.testclient import TestClient

from orchestration.alerts.memory import ALERTS
from orchestration.audit.facts import day_facts
from orchestration.audit.ids import TaskKey, decision_id, execution_id
from orchestration.audit.inputs import decision_inputs
from orchestration.audit.outbox import Outbox
from orchestration.audit.rows import DecisionRow, ExecutionRow, ScraperRun
from orchestration.audit.service_log import corrections
from orchestration.audit.warehouse import Warehouse, WarehouseError
from orchestration.config.scrapers import answer_of, is_event_source, parameters_of
from orchestration.config.templates import Item, render
from orchestration.decisions.engine import aborted, decide
from orchestration.decisions.model import Decision
from orchestration.health.verdict import Health, assess
from orchestration.nba.eastern import et
from orchestration.operators.call_rows import Call, call_row
from orchestration.operators.cleanup import CleanupOperator
from orchestration.operators.lock import LockOperator
from orchestration.operators.slates import TellSlatesOperator
from orchestration.operators.watch import WatchOperator
from orchestration.planning.calls import PlannedCall, planned_calls
from orchestration.runs.clock import RunClock
from orchestration.runs.execution import CallEnd, failures_in_short, status_of
from orchestration.services.scraper_service import ScraperService
from orchestration.ui.looking import Looks
from orchestration.words import Action, Outcome
from sandbox.faults import Fault
from support.announced import Announced
from support.pages import Viewer, site
from support.standins import PATIENCE_SECONDS, GoogleStandIns
from support.worlds import ours


class Store(dict):
    set = dict.__setitem__


class SimulatedDays:
    """Plays moments, with a fault or without; ``raised`` is what the watchdog and the cleanup told people."""

    def __init__(self, google: GoogleStandIns, day: date, fault: Fault | None = None) -> None:
        self.google, self.day, self.fault = google, day, fault
        self.config, self.outbox = ours(), Outbox()
        self.memory, self.raised, self.announced = Store(), [], Announced()
        self.service = ScraperService()

    def play(self, timeline: dict[datetime, list[str]]) -> None:
        for moment, dag_ids in timeline.items():
            self.google.set_clock(moment)
            self._break_or_repair(moment)
            played = [d for d in dag_ids if self.fault is None or self.fault.plays(self.day, moment, d)]
            self._workflows(et(moment), [d for d in played if d in self.config.enabled])
            for operator in self._system(played):
                self._task(operator, moment)

    def health(self, day: date, now: datetime) -> Health:
        """What the health check says, and so does the page."""
        health = assess(self.config, day_facts(Warehouse(), self.config, day, now), now)
        with pytest.MonkeyPatch.context() as patch:
            pages = TestClient(site(patch, Looks(), Viewer(self.config)))
            page = pages.get("/orchestration/day", params={"day": day.isoformat(), "as_of": now.isoformat()})
        shown = html.unescape(page.text)
        [headline] = re.findall("<h1.*?</h1>", shown, re.DOTALL)
        assert health.headline[:600] in headline
        assert all(finding.command in shown for finding in health.findings)
        return health

    def repair(self) -> None:
        """Bring BigQuery back, and what was staged meanwhile into it."""
        self.google.start_bigquery()
        self._drain()

    def _break_or_repair(self, moment: datetime) -> None:
        if self.fault is None:
            return
        holds = self.fault.holds(self.day, moment)
        self.google.trouble(**(self.fault.world if holds else {}))
        if self.fault.bigquery and holds != ("bigquery" not in self.google.processes):
            self.google.stop_bigquery() if holds else self.google.start_bigquery()

    def _system(self, dag_ids: list[str]) -> Iterator[Any]:
        if "schedule_locker" in dag_ids:
            yield LockOperator(task_id="lock")
        if "cleanup" in dag_ids:
            yield CleanupOperator(task_id="republish_lost_files")
        if "watch" in dag_ids:
            yield WatchOperator(task_id="watch")
        if "tell_slates" in dag_ids:
            yield TellSlatesOperator(task_id="tell_slates")

    def _task(self, operator: Any, moment: datetime) -> None:
        run_id = f"replay__{moment.isoformat()}"
        context = {
            "ti": SimpleNamespace(
                dag_id="system", run_id=run_id, task_id=operator.task_id, map_index=-1, try_number=1, max_tries=0
            ),
            "dag_run": SimpleNamespace(
                run_id=run_id, run_type="scheduled", conf={}, start_date=moment, run_after=moment,
                logical_date=moment, triggering_user_name=None,
            ),
            "params": {},
            "asset_state_store": {ALERTS: self.memory},
            **self.announced.context(),
        }  # fmt: skip
        try:
            operator.execute(context)
            self.announced.succeeded(operator, context)
        except AirflowFailException as alert:
            self.raised.append(f"{et(moment):%d %H:%M} {alert}")
        except WarehouseError:
            pass
        self._drain()

    def _drain(self) -> None:
        try:
            self.outbox.drain()
        except WarehouseError:
            """What stays, stays staged."""

    def _workflows(self, tick: datetime, names: list[str]) -> None:
        """Decide all workflows of a tick, and make the calls of those that RUN."""
        if not names:
            return
        clock = RunClock(tick, timedelta(), True, "schedule", tick)
        try:
            schedule, history = decision_inputs(Warehouse(), self.config, names, tick)
            decisions = [decide(name, self.config, tick, schedule, history) for name in names]
        except WarehouseError as error:
            why = f"History unreadable: {error}"
            decisions = [aborted(name, self.config, tick, "history_unreadable", why) for name in names]
        rows: list[Any] = []
        for decision in decisions:
            run_id = f"scheduled__{tick.astimezone(UTC).isoformat()}"
            key = TaskKey(decision.workflow, run_id, "decide")
            rows.append(
                DecisionRow(
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
            if decision.action is Action.RUN:
                rows += self._run(decision, clock, run_id)
        self.outbox.stage(rows)
        self._drain()
        if "phase2_dead" not in (self.fault.world if self.fault else {}):
            self.google.settle()

    def _run(self, decision: Decision, clock: RunClock, run_id: str) -> list[Any]:
        """Return the rows of a run: of its calls, what the service's log corrects, as ``finish`` does, and its own."""
        rows: list[ScraperRun] = []
        last: list[ScraperRun] = []
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
                    result = self.service.call(
                        planned.scraper, call.opts, decision.workflow, PATIENCE_SECONDS, description,
                        event_source=is_event_source(planned.scraper, self.config.scrapers),
                    )  # fmt: skip
                    key = TaskKey(decision.workflow, run_id, planned.scraper, index, number)
                    rows.append(call_row(call, result, key, carried, clock, "test", clock.tick, clock.tick))
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
        execution = ExecutionRow(
            execution_id=execution_id(decision.workflow, run_id), execution_time=clock.tick,
            workflow_name=decision.workflow, decision_id=carried["decision_id"], scrapers_triggered=len(outcomes),
            scrapers_succeeded=len(outcomes) - failed, scrapers_failed=failed,
            scrapers_no_data=outcomes.count(Outcome.NO_DATA),
            status=status_of(ends, self.config.critical_scrapers(decision.workflow)),
            error_message=failures_in_short(ends), slot_time=clock.tick, target_date=decision.target_date,
            created_at=clock.tick, **TaskKey(decision.workflow, run_id, "finish").columns(),
        )  # fmt: skip
        return [*rows, *found.values(), execution]

    def _corrections(self, rows: list[ScraperRun], clock: RunClock) -> dict[str, ScraperRun]:
        try:
            found = corrections(Warehouse(), self.config, rows, clock.wall())
        except WarehouseError:
            return {}
        return {row.row_id: row for row in found}

    def _call(self, planned: PlannedCall, item: Item, decision: Decision, clock: RunClock) -> Call:
        templates = parameters_of(planned.scraper, self.config.scrapers[planned.scraper])
        return Call(
            scraper=planned.scraper,
            label=f"{planned.scraper} {item.label}".rstrip(),
            game_date=item.game.date if item.game else decision.target_date,
            game_id=item.game.game_id if item.game else None,
            opts=render(templates, target_date=decision.target_date, now=clock.tick, item=item),
        )
