"""Checks of ``game_aware``: repeatedly before the day's games, from some hours before the first tip."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from orchestration.config.workflows import GameAwareSchedule, GameAwareWorkflow
from orchestration.decisions.case import (
    Case,
    Check,
    abort,
    no_games,
    plural,
    run,
    schedule_unknown,
    skip,
    waiting_for_required,
)
from orchestration.decisions.model import Verdict
from orchestration.nba.eastern import after, clock, hours_between

MISSED_WINDOW = "missed_window"


def _schedule(case: Case) -> GameAwareSchedule:
    assert isinstance(case.workflow, GameAwareWorkflow)
    return case.workflow.schedule


def _opening(case: Case) -> datetime:
    return after(case.games[0].tip, -timedelta(hours=_schedule(case).window_before_game_hours))


def before_opening(case: Case) -> Verdict | None:
    """SKIP until ``window_before_game_hours`` before the first tip."""
    opening, tip = _opening(case), case.games[0].tip
    if case.tick >= opening:
        return None
    ahead, width = hours_between(case.tick, tip), _schedule(case).window_before_game_hours
    return skip(
        "before_opening",
        f"First tip {clock(tip)} ET is {ahead:.1f} h away; the window opens {width:g} h before, at {clock(opening)}",
        opening,
        games=len(case.games),
        first_tip=clock(tip),
        hours_to_tip=round(ahead, 2),
        window_before_game_hours=width,
    )


def before_business_hours(case: Case) -> Verdict | None:
    """SKIP before business hours."""
    start = _schedule(case).business_hours.start
    if case.tick >= case.wall(start):
        return None
    return skip("before_business_hours", f"Business hours start at {start:02d}:00 ET", case.wall(start), start=start)


def window_closed(case: Case) -> Verdict | None:
    """After the last tip or business hours: SKIP when collected or already reported, else ABORT: it was missed."""
    end, last_tip = _schedule(case).business_hours.end, case.games[-1].tip
    if case.tick < last_tip and case.tick <= case.wall(end):
        return None
    why = (
        f"last tip {clock(last_tip)} ET has passed"
        if case.tick >= last_tip
        else f"business hours ended at {end:02d}:00 ET"
    )
    collections = [e for e in case.history.of(case.name, case.target_date) if e.collected]
    seen: dict[str, Any] = {"last_tip": clock(last_tip), "business_hours_end": end, "collections": len(collections)}
    if collections:
        reason = f"The window is closed ({why}); collected {plural(len(collections), 'time')}"
        return skip("done", reason, **seen)
    if case.history.answered_by(case.name, MISSED_WINDOW, case.target_date):
        return skip("miss_already_reported", f"The window is closed ({why}) and its miss has been reported", **seen)
    return abort(case, MISSED_WINDOW, f"Missed window: {why} and nothing was collected for {case.target_date}", **seen)


def too_soon(case: Case) -> Verdict | None:
    """SKIP within ``frequency_hours`` of the last collection, measured tick to tick (lessons T6, K5)."""
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
        f"Collected {ago:.1f} h ago, at {clock(last)} ET; repeated every {frequency:g} h",
        after(last, timedelta(hours=frequency)),
        last_collection=clock(last),
        hours_since=round(ago, 2),
        frequency_hours=frequency,
    )


def due(case: Case) -> Verdict | None:
    """RUN for all games of the day."""
    ahead = hours_between(case.tick, case.games[0].tip)
    when = f"in {ahead:.1f} h" if ahead >= 0 else f"{-ahead:.1f} h ago"
    return run(
        f"{plural(len(case.games), 'game')}, first tip {clock(case.games[0].tip)} ET {when}",
        case.games,
        games=len(case.games),
        first_tip=clock(case.games[0].tip),
        hours_to_tip=round(ahead, 2),
    )


GAME_AWARE: tuple[Check, ...] = (
    schedule_unknown,
    no_games,
    waiting_for_required,
    before_opening,
    before_business_hours,
    window_closed,
    too_soon,
    due,
)
