"""The case before a check: one workflow at one tick, and the questions that several checks ask."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import cached_property
from typing import Any

from orchestration.config.checks import reads_yesterday_as_slate
from orchestration.config.model import Config
from orchestration.config.ticks import Ticks
from orchestration.config.workflows import Workflow
from orchestration.decisions.model import History, Verdict
from orchestration.nba.eastern import at, et, et_date, resolve_target_date
from orchestration.nba.games import Game, Schedule
from orchestration.words import Action, AlertLevel, Outcome, TargetDate


@dataclass(frozen=True)
class Case:
    """Everything a check may look at."""

    name: str
    config: Config
    tick: datetime
    schedule: Schedule
    history: History
    target_date_override: date | None = None

    @property
    def workflow(self) -> Workflow:
        """The workflow being decided."""
        return self.config.workflows[self.name]

    @cached_property
    def ticks(self) -> Ticks:
        """Its ticks."""
        return self.config.ticks_of(self.name)

    @cached_property
    def today(self) -> date:
        """The ET date of the tick."""
        return et_date(self.tick)

    @cached_property
    def target_date(self) -> date:
        """The ET date that the data is about."""
        if self.target_date_override is not None:
            return self.target_date_override
        slate = reads_yesterday_as_slate(self.workflow)
        return resolve_target_date(TargetDate.SLATE if slate else self.workflow.schedule.target_date, self.tick)

    @cached_property
    def games(self) -> tuple[Game, ...]:
        """The games of the target date that count for this workflow, by tip-off."""
        return self.schedule.on(self.target_date, self.workflow.game_types)

    @cached_property
    def per_game_scrapers(self) -> tuple[str, ...]:
        """The plan's scrapers that are called once per game."""
        return self.config.per_game_scrapers(self.name)

    def wall(self, hour: int, *, days: int = 0) -> datetime:
        """Return the full ET ``hour`` of today, or of so many days later; 24 is the last minute of the day."""
        return at(self.today + timedelta(days=days), time(hour) if hour < 24 else time(23, 59))

    def collected(self, game: Game) -> bool:
        """Return whether every per-game scraper of the plan has brought this game's data (lesson K6)."""
        if not self.per_game_scrapers:
            return any(e.collected for e in self.history.of(self.name, self.target_date))
        return not self.lacking(game)

    def lacking(self, game: Game) -> tuple[str, ...]:
        """Return the per-game scrapers of the plan that have not brought this game's data."""
        calls = self.history.calls_for(game.game_id, self.per_game_scrapers)
        done = {call.scraper for call in calls if call.outcome is Outcome.SUCCESS}
        return tuple(scraper for scraper in self.per_game_scrapers if scraper not in done)

    def overdue(self, game: Game) -> bool:
        """Return whether a scraper that lacks this game has asked for it when it was already due."""
        return any(call.tick >= game.due for call in self.history.calls_for(game.game_id, self.lacking(game)))


Check = Callable[[Case], Verdict | None]


def skip(rule: str, reason: str, next_at: datetime | None = None, **context: Any) -> Verdict:
    """Return a SKIP."""
    return Verdict(Action.SKIP, rule, reason, next_at=next_at, context=context)


def run(
    reason: str,
    targets: tuple[Game, ...] = (),
    alert: AlertLevel = AlertLevel.NONE,
    rule: str = "run",
    **context: Any,
) -> Verdict:
    """Return a RUN for the games ``targets``."""
    return Verdict(Action.RUN, rule, reason, alert, games=targets, context=context)


def abort(case: Case, rule: str, reason: str, **context: Any) -> Verdict:
    """Return an ABORT. It always alerts: at the workflow's own failure level, at least WARNING."""
    level = case.workflow.alerts.failure
    loud = level if level is AlertLevel.CRITICAL else AlertLevel.WARNING
    return Verdict(Action.ABORT, rule, reason, loud, context=context)


def plural(count: int, noun: str) -> str:
    """Return ``1 game`` or ``2 games``."""
    return f"{count} {noun}{'' if count == 1 else 's'}"


def day(value: datetime) -> str:
    """Return an aware moment for people: ``Thu 15 Jan 19:10 ET``."""
    return et(value).strftime("%a %d %b %H:%M ET")


def schedule_unknown(case: Case) -> Verdict | None:
    """ABORT when the schedule cannot be relied on. An empty day is something else (lesson K13)."""
    max_age = case.config.settings.schedule_max_age_hours
    if (reason := case.schedule.unknown_because(case.tick, max_age)) is None:
        return None
    return abort(case, "schedule_unknown", f"Schedule unknown: {reason}", schedule_max_age_hours=max_age)


def no_games(case: Case) -> Verdict | None:
    """SKIP when nothing that counts is played on the target date."""
    if case.games:
        return None
    return skip("no_games", f"No games on {case.target_date:%a %d %b %Y}", games=0)


def _nothing_to_do(case: Case, workflow: str) -> bool:
    """Return whether a required workflow's own answer today was that no game is played."""
    return any(
        d.workflow == workflow and d.rule == "no_games" and et_date(d.tick) == case.today
        for d in case.history.decisions
    )


def waiting_for_required(case: Case) -> Verdict | None:
    """SKIP until every required workflow is done today, or had nothing to do."""
    missing = [
        name
        for name in case.workflow.dependencies.requires
        if not any(e.done and et_date(e.tick) == case.today for e in case.history.of(name))
        and not _nothing_to_do(case, name)
    ]
    if not missing:
        return None
    return skip("waiting_for_required", f"Waiting for {', '.join(missing)}, not done yet today", waiting_for=missing)
