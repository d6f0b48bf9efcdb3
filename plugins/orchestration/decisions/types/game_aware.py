"""``game_aware``: repeatedly before the day's games, from some hours before the first tip."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any, ClassVar, Literal

from pydantic import model_validator

from orchestration.decisions.case import (
    MISSED_WINDOW,
    Case,
    Check,
    abort,
    no_games,
    only_unusable_rows,
    run,
    schedule_unknown,
    skip,
    slate_vanished,
    unmet,
    wait_for_required,
    waiting_for,
)
from orchestration.decisions.model import Answer
from orchestration.nba.eastern import after, clock, hours_between
from orchestration.vocabulary.base import Strict
from orchestration.vocabulary.settings import Settings
from orchestration.vocabulary.ticks import Ticks
from orchestration.vocabulary.workflows import Hour, PositiveHours, Workflow, WorkflowSchedule, no_tick_between
from orchestration.words import plural


class BusinessHours(Strict):
    """From the full hour ``start`` to the full hour ``end``, ET, both included."""

    start: Hour
    end: Hour

    @model_validator(mode="after")
    def _in_order(self) -> BusinessHours:
        if self.start > self.end:
            raise ValueError(f"start {self.start} lies after end {self.end}")
        return self


class GameAwareSchedule(WorkflowSchedule):
    """Run repeatedly before the day's games."""

    game_aware: Literal[True] = True
    """Descriptive: the decision type says it."""
    window_before_game_hours: PositiveHours = 6
    business_hours: BusinessHours = BusinessHours(start=8, end=20)
    frequency_hours: PositiveHours = 2


def _schedule(case: Case) -> GameAwareSchedule:
    assert isinstance(case.workflow, GameAwareWorkflow)
    return case.workflow.schedule


def _closed_because(case: Case) -> str | None:
    """Return why the window is closed, or None. While a tip is unknown, only business hours close it."""
    end = _schedule(case).business_hours.end
    if len(case.tips) == len(case.games) and case.tick >= case.tips[-1]:
        return f"last tip {clock(case.tips[-1])} ET has passed"
    return f"business hours ended at {end:02d}:00 ET" if case.tick > case.wall(end) else None


def waiting_for_required(case: Case) -> Answer | None:
    """SKIP while a required workflow is not done for the date."""
    return None if _closed_because(case) else wait_for_required(case, closes=False)


def before_opening(case: Case) -> Answer | None:
    """SKIP until ``window_before_game_hours`` before the first known tip, if there is one."""
    if not case.tips:
        return None
    tip, width = case.tips[0], _schedule(case).window_before_game_hours
    opening, ahead = after(tip, -timedelta(hours=width)), hours_between(case.tick, tip)
    if case.tick >= opening:
        return None
    return skip(
        "before_opening",
        f"First tip {clock(tip)} ET is {ahead:.1f} h away; the window opens {width:g} h before, at {clock(opening)}",
        opening,
        games=len(case.games),
        first_tip=clock(tip),
        hours_to_tip=round(ahead, 2),
        window_before_game_hours=width,
    )


def before_business_hours(case: Case) -> Answer | None:
    """SKIP before business hours."""
    start = _schedule(case).business_hours.start
    if case.tick >= case.wall(start):
        return None
    return skip("before_business_hours", f"Business hours start at {start:02d}:00 ET", case.wall(start), start=start)


def window_closed(case: Case) -> Answer | None:
    """After the last tip or business hours: SKIP if collected or reported already, else ABORT for the missed window."""
    if (why := _closed_because(case)) is None:
        return None
    collections = [e for e in case.history.of(case.name, case.target_date) if e.collected]
    last_tip = clock(case.tips[-1]) if len(case.tips) == len(case.games) else None
    end = _schedule(case).business_hours.end
    seen: dict[str, Any] = {"last_tip": last_tip, "business_hours_end": end, "collections": len(collections)}
    if collections:
        reason = f"The window is closed ({why}); collected {plural(len(collections), 'time')}"
        return skip("done", reason, **seen)
    if case.history.answered_by(case.name, MISSED_WINDOW, case.target_date):
        return skip("miss_already_reported", f"The window is closed ({why}); the miss was reported already", **seen)
    reason = f"Missed window: {why} and nothing was collected for {case.target_date}"
    if missing := unmet(case):
        reason += f"; it waited for {waiting_for(case, missing)}"
        seen["waiting_for"] = missing
    return abort(case, MISSED_WINDOW, reason, **seen)


def too_soon(case: Case) -> Answer | None:
    """SKIP within ``frequency_hours`` of the last collection, measured from tick to tick (lessons T6, K5)."""
    frequency = _schedule(case).frequency_hours
    collections = [e for e in case.history.of(case.name, case.target_date) if e.collected]
    if not collections:
        return None
    last = collections[-1].tick
    ago = hours_between(last, case.tick)
    if ago >= frequency:
        return None
    return skip(
        "too_soon",
        f"Collected {ago:.1f} h ago, at {clock(last)} ET; the interval is {frequency:g} h",
        after(last, timedelta(hours=frequency)),
        last_collection=clock(last),
        hours_since=round(ago, 2),
        frequency_hours=frequency,
    )


def due(case: Case) -> Answer | None:
    """RUN for all games of the day."""
    games = plural(len(case.games), "game")
    if not case.tips:
        return run(f"{games}, no tip is known yet", case.games, games=len(case.games))
    first = case.tips[0]
    ahead = hours_between(case.tick, first)
    when = f"in {ahead:.1f} h" if ahead >= 0 else f"{-ahead:.1f} h ago"
    return run(
        f"{games}, first tip {clock(first)} ET {when}",
        case.games,
        games=len(case.games),
        first_tip=clock(first),
        hours_to_tip=round(ahead, 2),
    )


class GameAwareWorkflow(Workflow):
    """Runs repeatedly before the day's games."""

    checks: ClassVar[tuple[Check, ...]] = (
        schedule_unknown,
        only_unusable_rows,
        slate_vanished,
        no_games,
        waiting_for_required,
        before_opening,
        before_business_hours,
        window_closed,
        too_soon,
        due,
    )

    decision_type: Literal["game_aware"]
    schedule: GameAwareSchedule = GameAwareSchedule()

    @property
    def needs_games(self) -> bool:
        """Always: the window depends on the tips."""
        return True

    def impossible(self, ticks: Ticks) -> Iterator[tuple[str, str]]:
        """Yield the business hours if no tick lies in them."""
        hours = self.schedule.business_hours
        return no_tick_between("business_hours", hours.start, hours.end, ticks)

    def in_words(self, settings: Settings) -> str:
        """Return the rule in one sentence."""
        s, hours = self.schedule, self.schedule.business_hours
        return (
            f"It runs on game days, every {s.frequency_hours:g} h from {s.window_before_game_hours:g} h before the "
            f"first tip to the last one, between {hours.start:02d}:00 and {hours.end:02d}:00 ET."
        )
