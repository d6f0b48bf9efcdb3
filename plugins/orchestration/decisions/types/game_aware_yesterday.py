"""``game_aware_yesterday``: a post-game window at a fixed time after the games."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import ClassVar, Literal

from pydantic import Field

from orchestration.decisions.case import (
    Case,
    Check,
    no_games,
    only_unusable_rows,
    run,
    schedule_unknown,
    skip,
    slate_vanished,
    wait_for_required,
)
from orchestration.decisions.model import Answer
from orchestration.nba.eastern import after, at, clock, day_and_time, hours_between, slate_date
from orchestration.nba.games import Game
from orchestration.vocabulary.base import WallTime
from orchestration.vocabulary.settings import Settings
from orchestration.vocabulary.workflows import Window, Workflow, WorkflowSchedule
from orchestration.words import AlertLevel, TargetDate, plural


class PostGameSchedule(WorkflowSchedule):
    """Run at a fixed time after the games."""

    game_aware: Literal[True] = True
    """Descriptive: the decision type says it."""
    target_date: TargetDate = TargetDate.SLATE
    fixed_time: WallTime
    tolerance_minutes: int = Field(default=30, ge=0, le=180)


def outside_fixed_time(case: Case) -> Answer | None:
    """SKIP outside the fixed time and its tolerance, measured on aware times (lesson T11)."""
    if (fixed := case.workflow.fixed_time) is None or case.window is not None:
        return None
    wall, tolerance = fixed
    upcoming = next(t for t in (at(case.today + timedelta(days=n), wall) for n in range(3)) if t > case.tick)
    minutes = int(tolerance.total_seconds() // 60)
    reason = f"Not at {wall:%H:%M} ET ± {minutes} min; next at {day_and_time(upcoming)}"
    return skip("outside_window", reason, upcoming, fixed_time=f"{wall:%H:%M}", tolerance_minutes=minutes)


def before_fixed_time(case: Case) -> Answer | None:
    """SKIP at a tick in the tolerance before the fixed time: at the fixed time itself, more games are over."""
    if case.window is None or case.tick >= case.window:
        return None
    reason = f"The window waits for its fixed time, {clock(case.window)} ET, when more games are over"
    return skip("before_fixed_time", reason, case.window, fixed_time=clock(case.window))


def _last_tick(case: Case) -> bool:
    """Return whether this is the window's last tick. Without a fixed time, the window is the slate."""
    upcoming = case.ticks.next_after(case.tick)
    if case.window is None:
        return slate_date(upcoming) > case.target_date
    fixed = case.workflow.fixed_time
    assert fixed is not None
    return upcoming > after(case.window, fixed[1])


def waiting_for_required(case: Case) -> Answer | None:
    """SKIP while a required workflow is not done for the date; ABORT once at the window's last tick."""
    return wait_for_required(case, closes=_last_tick(case))


def all_collected(case: Case) -> Answer | None:
    """SKIP when every game is collected (lesson K6: per game)."""
    if not all(case.collected(game) for game in case.games):
        return None
    return skip(
        "done", f"All {plural(len(case.games), 'game')} of {case.target_date} are collected", games=len(case.games)
    )


def _executed(case: Case) -> datetime | None:
    """Return the tick at which this window succeeded for this date, or None (lesson K5)."""
    fixed = case.workflow.fixed_time
    if case.window is None or fixed is None:
        return None
    executions = (e for e in case.history.of(case.name, case.target_date) if e.done)
    tolerance = fixed[1] / timedelta(hours=1)
    return next((e.tick for e in executions if abs(hours_between(case.window, e.tick)) <= tolerance), None)


def asks_from(case: Case, game: Game) -> datetime:
    """Return the moment from which the workflow requests a game."""
    assert isinstance(case.workflow, AfterGamesWorkflow)
    return case.workflow.asks_from(game)


def _missing(case: Case) -> tuple[Game, ...]:
    """Return the games to request: tipped and not collected. After the window has run, only those that are due.

    If per-game scrapers lack games, these games; otherwise the games that whole-date scrapers lack.
    """
    executed = _executed(case)
    lacking = {
        game: case.lacking(game)
        for game in case.games
        if asks_from(case, game) <= case.tick and (not executed or game.due <= case.tick)
    }
    per_game = frozenset(case.per_game_scrapers)
    found = [game for game, scrapers in lacking.items() if per_game.intersection(scrapers)]
    return tuple(found or [game for game, scrapers in lacking.items() if scrapers])


def nothing_to_ask_for(case: Case) -> Answer | None:
    """SKIP when no missing game has tipped, or when the window has run and no missing game is due."""
    if _missing(case):
        return None
    missing = [game for game in case.games if not case.collected(game)]
    if executed := _executed(case):
        due = min(max(game.due, asks_from(case, game)) for game in missing)
        ran = f"This window ran at {clock(executed)} ET for {case.target_date}"
        reason = f"{ran}; the next missing game is due {day_and_time(due)}"
        return skip("done", reason, due)
    begins = min(asks_from(case, game) for game in missing)
    return skip("not_tipped", f"No missing game has tipped yet; the next tip is {day_and_time(begins)}", begins)


def missing_games(case: Case) -> Answer | None:
    """RUN for every game that has tipped and is not collected (lesson E1).

    Alerts for games that were requested after their due time and are still missing.
    """
    missing = _missing(case)
    overdue = [game for game in missing if case.overdue(game)]
    reason = f"{len(missing)} of {plural(len(case.games), 'game')} of {case.target_date} to collect"
    lacking = {scraper for game in missing for scraper in case.lacking(game)}
    if not lacking.intersection(case.per_game_scrapers):
        reason = f"{', '.join(sorted(lacking))} of {case.target_date} to collect, for {plural(len(missing), 'game')}"
    if overdue:
        reason += f"; {len(overdue)} overdue: {', '.join(game.label for game in overdue[:3])}"
    return run(
        reason,
        missing,
        alert=case.workflow.alerts.missing_games if overdue else AlertLevel.NONE,
        rule="missing_games" if overdue else "run",
        games=len(case.games),
        missing=len(missing),
        overdue=[game.game_id for game in overdue],
        last_due=clock(max(game.due for game in case.games)),
    )


class AfterGamesWorkflow(Workflow):
    """A workflow that collects games after they were played."""

    after_games: ClassVar[bool] = True

    @property
    def needs_games(self) -> bool:
        """Always: the games are its target."""
        return True

    def asks_from(self, game: Game) -> datetime:
        """Return the moment from which a game is requested: its tip."""
        return game.begins

    def own_ticks(self, settings: Settings) -> tuple[time, ...]:
        """Return the fixed time, if there is one."""
        return () if self.fixed_time is None else (self.fixed_time[0],)

    @property
    def whose(self) -> str:
        """The date of the games in words: ``of the slate``."""
        target = self.schedule.target_date
        if target is TargetDate.SLATE or self.reads_yesterday_as_slate:
            return "of the slate"
        return "of the day before" if target is TargetDate.YESTERDAY else "of the date"


class PostGameWorkflow(AfterGamesWorkflow):
    """Runs at a fixed time after the games."""

    checks: ClassVar[tuple[Check, ...]] = (
        schedule_unknown,
        only_unusable_rows,
        slate_vanished,
        no_games,
        outside_fixed_time,
        all_collected,
        before_fixed_time,
        nothing_to_ask_for,
        waiting_for_required,
        missing_games,
    )

    decision_type: Literal["game_aware_yesterday"]
    schedule: PostGameSchedule

    @property
    def fixed_time(self) -> Window:
        """The fixed ET time and its tolerance."""
        return self.schedule.fixed_time, timedelta(minutes=self.schedule.tolerance_minutes)

    def in_words(self, settings: Settings) -> str:
        """Return the rule in one sentence."""
        s = self.schedule
        return (
            f"It runs at {s.fixed_time:%H:%M} ET (± {s.tolerance_minutes} min), for every game {self.whose} that is "
            "not collected yet."
        )
