"""The case of a decision: one workflow at one tick. And the checks that several decision types share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import cached_property
from typing import Any

from orchestration.decisions.collected import lacking, scrapers_about_games, whole_date_scrapers
from orchestration.decisions.model import Answer, History
from orchestration.nba.eastern import NOON, at, et_date, resolve_target_date
from orchestration.nba.games import Game, Schedule, named
from orchestration.nba.slate import SLATE_VANISHED, Changes, changes
from orchestration.vocabulary.model import Config
from orchestration.vocabulary.ticks import Ticks
from orchestration.vocabulary.workflows import Workflow
from orchestration.words import Action, AlertLevel, TargetDate


@dataclass(frozen=True)
class Case:
    """Everything that a check may read."""

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
        """The ticks of the workflow."""
        return self.config.ticks_of(self.name)

    @cached_property
    def today(self) -> date:
        """The ET date of the tick."""
        return et_date(self.tick)

    @cached_property
    def window(self) -> datetime | None:
        """The occurrence of the workflow's fixed time whose tolerance contains the tick, or None."""
        return self.workflow.window_at(self.tick)

    @cached_property
    def target_date(self) -> date:
        """The ET date of the data. In a window of a fixed time, the window decides the date, not the tick."""
        if self.target_date_override is not None:
            return self.target_date_override
        target = self.workflow.schedule.target_date
        if self.window is None:
            return resolve_target_date(
                TargetDate.SLATE if self.workflow.reads_yesterday_as_slate else target, self.tick
            )
        day = self.window.date()
        if target is TargetDate.TODAY or (target is TargetDate.SLATE and self.window.time() >= NOON):
            return day
        return day if self.workflow.reads_yesterday_as_slate else day - timedelta(days=1)

    @cached_property
    def games(self) -> tuple[Game, ...]:
        """The games of the target date that count for this workflow, oldest tip first, unknown tips last."""
        return self.schedule.on(self.target_date, self.workflow.game_types)

    @cached_property
    def since_lock(self) -> Changes | None:
        """How the locked slate of the target date changed, or None without a lock."""
        return changes(self.schedule, self.target_date, self.tick, self.workflow.game_types)

    @cached_property
    def tips(self) -> list[datetime]:
        """The known tips of these games."""
        return [game.tip for game in self.games if game.tip is not None]

    @cached_property
    def per_game_scrapers(self) -> tuple[str, ...]:
        """The plan's scrapers that are called once per game."""
        return self.config.per_game_scrapers(self.name)

    @cached_property
    def about_games(self) -> tuple[str, ...]:
        """The plan's scrapers that decide whether a game is collected, else all that are called once for the date."""
        found = scrapers_about_games(self.config, self.name, critical_only=False)
        return found or whole_date_scrapers(self.config, self.name)

    def wall(self, hour: int, *, days: int = 0) -> datetime:
        """Return the full ET ``hour`` of today plus ``days``. 24 is the last minute of the day."""
        return at(self.today + timedelta(days=days), time(hour) if hour < 24 else time(23, 59))

    def collected(self, game: Game) -> bool:
        """Return whether this workflow's scrapers have collected the game (lesson K6)."""
        return not self.lacking(game)

    def lacking(self, game: Game) -> tuple[str, ...]:
        """Return the plan's scrapers that have not returned this game."""
        if not self.about_games:
            executions = self.history.of(self.name, self.target_date)
            done = any(e.collected and e.tick >= game.due for e in executions)
            return () if done else self.workflow.execution_plan.scrapers
        return lacking(self.config, self.about_games, game, self.history.successes)

    def overdue(self, game: Game) -> bool:
        """Return whether the game is lacking though it was requested after it was due, by the rule of `lacking`."""
        if not self.about_games:
            return any(e.tick >= game.due for e in self.history.of(self.name, self.target_date))
        return self.history.asked_since(self.lacking(game), game, game.due)


Check = Callable[[Case], Answer | None]


def skip(rule: str, reason: str, next_at: datetime | None = None, **context: Any) -> Answer:
    """Return a SKIP."""
    return Answer(Action.SKIP, rule, reason, next_at=next_at, context=context)


def run(
    reason: str,
    targets: tuple[Game, ...] = (),
    alert: AlertLevel = AlertLevel.NONE,
    rule: str = "run",
    **context: Any,
) -> Answer:
    """Return a RUN for the games ``targets``."""
    return Answer(Action.RUN, rule, reason, alert, games=targets, context=context)


def abort(case: Case, rule: str, reason: str, **context: Any) -> Answer:
    """Return an ABORT. It always alerts: at the workflow's own failure level, at least WARNING."""
    level = case.workflow.alerts.failure
    loud = level if level is AlertLevel.CRITICAL else AlertLevel.WARNING
    return Answer(Action.ABORT, rule, reason, loud, context=context)


def schedule_unknown(case: Case) -> Answer | None:
    """ABORT when the schedule is unknown. A day without games is not unknown (lesson K13)."""
    max_age = case.config.settings.schedule_max_age_hours
    if (reason := case.schedule.unknown_because(case.tick, max_age, case.target_date)) is None:
        return None
    return abort(case, "schedule_unknown", f"Schedule unknown: {reason}", schedule_max_age_hours=max_age)


UNUSABLE_ROWS = "unusable_rows"


def only_unusable_rows(case: Case) -> Answer | None:
    """SKIP while the date has only unusable rows; ABORT once when the first of them should be over.

    Before that, undecided teams are normal, and some of these games are never played. A date that also has usable games
    runs for those.
    """
    rows = case.schedule.unusable_on(case.target_date, case.workflow.game_types)
    if case.games or not rows:
        return None
    text = f"No schedule row of {case.target_date} is usable: {'; '.join(named(rows))}"
    due = min((row.due for row in rows if row.due is not None), default=None)
    asked = case.window is not None or case.workflow.fixed_time is None
    if due is None or case.tick < due or not asked:
        return skip("undecided", text, due)
    if case.history.answered_by(case.name, UNUSABLE_ROWS, case.target_date):
        return skip("unusable_rows_reported", text)
    return abort(case, UNUSABLE_ROWS, text)


def slate_vanished(case: Case) -> Answer | None:
    """ABORT when no game of the date is left, and games of its lock vanished: this is no day without games."""
    since = case.since_lock
    if case.games or since is None or not since.vanished or not case.workflow.needs_games:
        return None
    return abort(case, SLATE_VANISHED, since.fault, vanished=[game.label for game in since.vanished])


def no_games(case: Case) -> Answer | None:
    """SKIP when no game that counts is played on the target date."""
    if case.games:
        return None
    since = f". {case.since_lock.normal}" if case.since_lock and case.since_lock.normal else ""
    return skip("no_games", f"No games on {case.target_date:%a %d %b %Y}{since}", games=0)


MISSED_WINDOW = "missed_window"


def unmet(case: Case) -> list[str]:
    """Return the required workflows that are not done for the target date.

    A workflow is done when it completed for that date or answered that nothing is left to do. A daily workflow counts
    for the orchestration day of the slate: at 04:00 this is yesterday.
    """
    return [name for name in case.workflow.dependencies.requires if not _met(case, name)]


def _met(case: Case, name: str) -> bool:
    required = case.config.workflows[name]

    def about(target: date, tick: datetime) -> bool:
        return target == case.target_date or (required.daily and case.config.current_day(tick) == case.target_date)

    return any(e.done and about(e.target_date, e.tick) for e in case.history.of(name)) or any(
        d.workflow_name == name and d.rule in required.nothing_to_do and about(d.target_date, d.tick)
        for d in case.history.decisions
    )


def waiting_for(case: Case, names: list[str]) -> str:
    """Return the names of required workflows in words, with a mark for those that are halted."""
    return ", ".join(f"{name} (halted)" if case.config.halt_at(case.tick, name) else name for name in names)


def wait_for_required(case: Case, *, closes: bool) -> Answer | None:
    """SKIP while a required workflow is not done; ABORT once when the window ``closes``."""
    if not (missing := unmet(case)):
        return None
    who = waiting_for(case, missing)
    if not closes:
        return skip("waiting_for_required", f"Waiting for {who}, not done for {case.target_date}", waiting_for=missing)
    if case.history.answered_by(case.name, MISSED_WINDOW, case.target_date):
        reason = f"Waiting for {who}; the missed window was reported already"
        return skip("miss_already_reported", reason, waiting_for=missing)
    reason = f"Missed window: it waited for {who}, not done for {case.target_date}"
    return abort(case, MISSED_WINDOW, reason, waiting_for=missing)
