"""Locks what should run today, adds the events of the slates, and checks what the configuration names."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from airflow.sdk import Asset
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException

from orchestration.alerts.memory import send_once
from orchestration.alerts.model import Alert, alert
from orchestration.assets import LINES_COLLECTED, OF_SLATES, SLATE_COMPLETE, SLATE_SCHEDULED, SLATES
from orchestration.audit.facts import day_facts
from orchestration.audit.inputs import decision_inputs
from orchestration.audit.references import broken_references, misdated_tips
from orchestration.audit.warehouse import Warehouse, WarehouseError
from orchestration.cleanup.arrivals import Trace, arrived_files
from orchestration.decisions.request import CleanupRequest, LockRequest
from orchestration.health import slates
from orchestration.health.facts import DayFacts
from orchestration.health.findings import GRACE
from orchestration.health.kinds import MISDATED_TIPS_CHECKED, NO_CLEANUP, NO_CLEANUP_CHECKED
from orchestration.health.surroundings import cleanup_problems
from orchestration.health.task_kinds import BROKEN_REFERENCES, PLAN_ABORTS, PLAN_EMPTY
from orchestration.nba.eastern import after
from orchestration.nba.games import GameType
from orchestration.operators.base import AlertingOperator, refuse_bad_request, request_of, task_key
from orchestration.operators.retries import retry_within_tick
from orchestration.planning.day import calls_digest, plan, rules_digest
from orchestration.records.ids import row_id
from orchestration.records.tables import ExpectedRun, SlateGame
from orchestration.runs.clock import RunClock
from orchestration.services.files import LostFile
from orchestration.services.scraper_service import NoListing, unknown_scrapers
from orchestration.words import Action, few, plural

if TYPE_CHECKING:
    from airflow.sdk import Context


REMEMBERED = 1000
"""The number of an asset's latest events that are read. Three seasons have fewer slates."""


class SlateOperator(AlertingOperator):
    """An operator that may add events to the assets of slates, once for each slate and asset.

    The events that Airflow has stored show what was added before. Airflow stores new events only when the task
    succeeds. If the task dies or fails, the next run adds them.
    """

    assets: Collection[Asset] = OF_SLATES
    """The assets whose events the operator reads and adds to."""

    def __init__(self, **arguments: Any) -> None:
        super().__init__(outlets=[SLATES], inlets=self.assets, **arguments)

    def announced(self, context: Context, asset: Asset) -> set[str]:
        """Return the target dates of the slates for which ``asset`` has an event."""
        events = context["inlet_events"][asset].ascending(False).limit(REMEMBERED)
        return {str(event.extra.get("target_date")) for event in events if event.extra}

    def announce(self, context: Context, asset: Asset, extra: dict[str, Any]) -> None:
        """Add an event with ``extra`` to ``asset``."""
        context["outlet_events"][SLATES].add(asset, extra)
        self.log.info("%s: %s", asset.name, extra)


class SlateEventsOperator(SlateOperator):
    """Adds the due events of today's slate and of the days that reconcile looks at.

    A shadow adds none: the slates belong to the other system.
    """

    def execute(self, context: Context) -> None:
        """Add the missing events that are due. If BigQuery cannot be read, the next hour tries again."""
        refuse_bad_request(context, CleanupRequest, AirflowSkipException)
        if self.config.is_shadow():
            self.log.info("Shadow: no events")
            return
        now, warehouse = RunClock.of(context).now(), Warehouse(self.config.settings)
        announced = {asset.name: self.announced(context, asset) for asset in OF_SLATES}
        day = self.config.current_day(now)
        try:
            today = day_facts(warehouse, self.config, day, now)
            self._announce_due(context, warehouse, today, now, announced)
            for before in (day - timedelta(days=back + 1) for back in range(self.config.settings.reconcile.days)):
                if today.schedule.on(before) and before.isoformat() not in announced[SLATE_COMPLETE.name]:
                    facts = day_facts(warehouse, self.config, before, now)
                    self._announce_due(context, warehouse, facts, now, announced)
        except WarehouseError as error:
            # The watchdog alerts people.
            self.log.warning("BigQuery cannot be read; the next hour adds the missing events: %s", error)

    def _announce_due(
        self, context: Context, warehouse: Warehouse, facts: DayFacts, now: datetime, announced: Mapping[str, set[str]]
    ) -> None:
        """Add each event of one slate that is due and is not in ``announced`` (target dates by asset) yet."""
        missing = {name for name, days in announced.items() if facts.day.isoformat() not in days}
        if not slates.system_was_on(facts):
            return
        if SLATE_SCHEDULED.name in missing and facts.locked_at is not None and now >= after(facts.locked_at, GRACE):
            # The task that locked the slate adds this event, unless the task failed after the lock.
            runs = len(facts.expected)
            self.announce(context, SLATE_SCHEDULED, slates.scheduled(facts.day, facts.schedule, facts.locked_at, runs))
        if LINES_COLLECTED.name in missing and (extra := slates.lines_collected(self.config, facts)) is not None:
            self.announce(context, LINES_COLLECTED, extra)
        if (
            SLATE_COMPLETE.name in missing
            and slates.worth_looking(self.config, facts, now)
            and (extra := slates.complete(self.config, facts, now, self._arrived(warehouse, facts))) is not None
        ):
            self.announce(context, SLATE_COMPLETE, extra)

    def _arrived(self, warehouse: Warehouse, facts: DayFacts) -> set[str]:
        """Return the files of the slate that are in their tables. Files of an unreadable table are left out."""
        by_table: dict[str, dict[str, Trace]] = defaultdict(dict)
        for _, scraper, calls in slates.bringing(self.config, facts):
            for call in sorted(calls, key=lambda call: call.triggered_at, reverse=True):
                if call.gcs_path:
                    file = LostFile(scraper, call.gcs_path, "", call.workflow, None, call.triggered_at)
                    by_table[str(self.config.scrapers[scraper].processed_in)][call.gcs_path] = Trace(file, facts.day)
        start, _ = self.config.day_bounds(facts.day)
        arrived, errors = arrived_files(warehouse, {t: list(found.values()) for t, found in by_table.items()}, start)
        for table, why in sorted(errors.items()):
            self.log.warning("%s cannot be read; its files of the slate count as missing: %s", table, why)
        return arrived


class LockOperator(SlateOperator):
    """Locks the RUNs that are expected on the orchestration day of the tick. Waits until the schedule is known.

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
                calls=calls_digest(config, decision.workflow),
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
            self.announce(context, SLATE_SCHEDULED, slates.scheduled(day, schedule, clock.tick, len(expected)))


class CheckTablesOperator(AlertingOperator):
    """Looks up every table, column and scraper that workflows.yaml and our statements name. Fails if one is missing.

    It also alerts about tips that are not on their game date, and about a cleanup that has not run. If the service does
    not list its scrapers, that is only logged.
    """

    def execute(self, context: Context) -> None:
        """Look them up. If BigQuery does not answer, the task fails after its retries."""
        config, warehouse = self.config, Warehouse(self.config.settings)
        problems, alerts = broken_references(warehouse, config), []
        try:
            problems += unknown_scrapers(config, RunClock.of(context).now())
        except NoListing as error:
            self.log.warning("The names of the scrapers cannot be checked: %s", error)
        alerts += self._missing_cleanup(warehouse, RunClock.of(context).now())
        if tips := misdated_tips(warehouse, config, RunClock.of(context).now()):
            alerts.append(alert(MISDATED_TIPS_CHECKED, "schedule_dependency", tips=tips))
        broken = [alert(BROKEN_REFERENCES, "schedule_locker", which=few(problems))] if problems else []
        send_once(context, config, [*alerts, *broken], self.log)
        if broken:
            raise AirflowFailException(broken[0].text)

    def _missing_cleanup(self, warehouse: Warehouse, now: datetime) -> list[Alert]:
        """Return the alert about a cleanup that has not run. The watchdog is a task of the cleanup, so it is silent."""
        config = self.config
        day = config.current_day(now) - timedelta(days=1)
        facts = day_facts(warehouse, config, day, now)
        if not facts.first:
            return []
        found = cleanup_problems(config, facts, now)
        since = [one for one in found if one.of is NO_CLEANUP]
        return [alert(NO_CLEANUP_CHECKED, one.workflow, day=day, text=one.text) for one in since]
