"""The tasks of the DAG ``schedule_locker``: lock what should run today, and check what the configuration names."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from airflow.sdk.exceptions import AirflowFailException

from orchestration.alerts.channels import send_once
from orchestration.alerts.model import alert
from orchestration.assets import SLATE_SCHEDULED
from orchestration.audit.inputs import decision_inputs
from orchestration.audit.references import broken_references, misdated_tips
from orchestration.audit.warehouse import Warehouse, WarehouseError
from orchestration.decisions.request import LockRequest
from orchestration.health.kinds import BROKEN_REFERENCES, MISDATED_TIPS_CHECKED, PLAN_ABORTS, PLAN_EMPTY
from orchestration.health.slates import scheduled
from orchestration.nba.games import GameType
from orchestration.operators.asset_events import SlateOperator
from orchestration.operators.base import AlertingOperator, refuse_bad_request, request_of, task_key
from orchestration.operators.retries import retry_within_tick
from orchestration.planning.day import plan, rules_digest
from orchestration.records.ids import row_id
from orchestration.records.tables import ExpectedRun, SlateGame
from orchestration.runs.clock import RunClock
from orchestration.services.scraper_service import NoListing, unknown_scrapers
from orchestration.words import Action, plural

if TYPE_CHECKING:
    from airflow.sdk import Context


class LockOperator(SlateOperator):
    """Locks the expected RUNs of the orchestration day of the run's tick, as soon as the schedule is known.

    A second lock of a day does not replace the first, unless it was forced.
    """

    assets = (SLATE_SCHEDULED,)

    def execute(self, context: Context) -> None:
        """Plan the day and stage its expected runs. Fails if the plan contains an ABORT."""
        refuse_bad_request(context, LockRequest)
        clock, config = RunClock.of(context), self.config
        day = clock.tick.date()
        start, end = config.day_bounds(day)
        try:
            warehouse = Warehouse(config.settings)
            schedule, history = decision_inputs(warehouse, config, config.enabled, max(clock.tick, start))
        except WarehouseError as error:
            retry_within_tick(context, config, str(error))
            raise
        # A lock shows the schedule as it is now: an earlier lock of the day does not count.
        schedule = replace(schedule, locked=tuple(one for one in schedule.locked if one.day != day))
        decisions = list(plan(config, start, end, schedule, history))
        if unknown := next((d.reason for d in decisions if d.rule == "schedule_unknown"), None):
            retry_within_tick(context, config, unknown)
        key, written = task_key(context), clock.wall()
        games = schedule.on(day, GameType)
        undecided = [row for row in schedule.unusable_on(day, GameType) if row.game_id]
        slate = [SlateGame(game_id=game.game_id, code=game.code, tip=game.tip) for game in games]
        slate += [SlateGame(game_id=row.game_id, tip=row.tip) for row in undecided]
        expected = [
            ExpectedRun(
                expected_id=row_id("expected", key, decision.workflow, decision.tick.isoformat(), per_try=False),
                date=day,
                locked_at=clock.tick,
                workflow_name=decision.workflow,
                expected_run_time=decision.tick,
                reason=decision.reason,
                scrapers=list(decision.scrapers),
                games_today=len(schedule.on(decision.target_date, config.workflows[decision.workflow].game_types)),
                priority=decision.priority,
                schedule_version=config.version,
                rules=rules_digest(config, decision.workflow),
                slate=slate,
                generated_by=f"{key.dag_id}.{key.task_id}",
                forced=bool(request_of(context).get("force")),
                environment=config.environment,
                target_date=decision.target_date,
                created_at=written,
                **key.columns(),
            )
            for decision in decisions
            if decision.action is Action.RUN
        ]
        self.stage(expected)
        self.log.info("%s: %s locked", day, plural(len(expected), "expected run"))
        if schedule.on(day) and not expected and any(decision.rule != "halted" for decision in decisions):
            games_of_day = plural(len(schedule.on(day)), "game")
            send_once(context, config, [alert(PLAN_EMPTY, key.dag_id, day=day, games=games_of_day)], self.log)
        aborts = {decision.reason for decision in decisions if decision.action is Action.ABORT}
        if aborts:
            one = alert(PLAN_ABORTS, key.dag_id, day=day, runs=plural(len(expected), "run"), why="; ".join(aborts))
            send_once(context, config, [one], self.log)
            raise AirflowFailException(one.text)
        if schedule.on(day) and not config.is_shadow() and f"{day}" not in self.announced(context, SLATE_SCHEDULED):
            self.announce(context, SLATE_SCHEDULED, scheduled(day, schedule, clock.tick, len(expected)))


class CheckTablesOperator(AlertingOperator):
    """Looks up every table, column and scraper that workflows.yaml and our statements name. Fails if one is missing.

    It also alerts about tips off their game date. If the service does not list its scrapers, that is logged only.
    """

    def execute(self, context: Context) -> None:
        """Look them up. If BigQuery does not answer, the task fails after its retries."""
        config, warehouse = self.config, Warehouse(self.config.settings)
        problems, alerts = broken_references(warehouse, config), []
        try:
            problems += unknown_scrapers(config, RunClock.of(context).now())
        except NoListing as error:
            self.log.warning("The names of the scrapers cannot be checked: %s", error)
        if tips := misdated_tips(warehouse, config, RunClock.of(context).now()):
            alerts.append(alert(MISDATED_TIPS_CHECKED, "schedule_dependency", tips=tips))
        broken = [alert(BROKEN_REFERENCES, "schedule_locker", which="; ".join(problems))] if problems else []
        send_once(context, config, [*alerts, *broken], self.log)
        if broken:
            raise AirflowFailException(broken[0].text)
