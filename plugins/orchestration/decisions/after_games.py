"""Checks of the post-game windows (``game_aware_yesterday``) and of the same-day rule (``game_aware_early``)."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, time, timedelta
from typing import Any

from orchestration.config.workflows import EarlyGameSchedule, EarlyGameWorkflow, PostGameWorkflow
from orchestration.decisions.case import (
    Case,
    Check,
    day,
    no_games,
    plural,
    run,
    schedule_unknown,
    skip,
    waiting_for_required,
)
from orchestration.decisions.model import Verdict
from orchestration.nba.eastern import after, at, clock, hours_between, nearest
from orchestration.nba.games import Game
from orchestration.words import AlertLevel


def _fixed(case: Case) -> tuple[time, timedelta] | None:
    assert isinstance(case.workflow, PostGameWorkflow | EarlyGameWorkflow)
    schedule = case.workflow.schedule
    return None if schedule.fixed_time is None else (schedule.fixed_time, timedelta(minutes=schedule.tolerance_minutes))


def outside_fixed_time(case: Case) -> Verdict | None:
    """SKIP outside the fixed time and its tolerance, measured on aware times (lesson T11)."""
    if (fixed := _fixed(case)) is None:
        return None
    wall, tolerance = fixed
    # Real hours, not a difference of wall times, which a daylight-saving change would put an hour off.
    if abs(hours_between(nearest(case.tick, wall), case.tick)) <= tolerance / timedelta(hours=1):
        return None
    upcoming = next(t for t in (at(case.today + timedelta(days=n), wall) for n in range(3)) if t > case.tick)
    minutes = int(tolerance.total_seconds() // 60)
    reason = f"Not at {wall:%H:%M} ET ± {minutes} min; next at {day(upcoming)}"
    return skip(
        "outside_window", reason, after(upcoming, -tolerance), fixed_time=f"{wall:%H:%M}", tolerance_minutes=minutes
    )


def already_executed(case: Case) -> Verdict | None:
    """SKIP when this window has been executed for this date; a failed execution does not count (lesson K5)."""
    if (fixed := _fixed(case)) is None:
        return None
    wall, tolerance = fixed
    window = nearest(case.tick, wall)
    for execution in case.history.of(case.name, case.target_date):
        if execution.done and abs(hours_between(window, execution.tick)) <= tolerance / timedelta(hours=1):
            return skip("done", f"This window was executed at {clock(execution.tick)} ET for {case.target_date}")
    return None


def all_collected(case: Case) -> Verdict | None:
    """SKIP when there is nothing left to collect (lesson K6: per game)."""
    if not all(case.collected(game) for game in case.games):
        return None
    return skip(
        "done", f"All {plural(len(case.games), 'game')} of {case.target_date} are collected", games=len(case.games)
    )


def _run_for(case: Case, missing: tuple[Game, ...], **context: Any) -> Verdict:
    """RUN for the missing games; alert for those that were asked for after their due time and still are missing."""
    overdue = [game for game in missing if case.overdue(game)]
    reason = f"{len(missing)} of {plural(len(case.games), 'game')} of {case.target_date} to collect"
    if overdue:
        reason += f"; {len(overdue)} should have been here: {', '.join(game.label for game in overdue[:3])}"
    return run(
        reason,
        missing,
        alert=case.workflow.alerts.missing_games if overdue else AlertLevel.NONE,
        rule="missing_games" if overdue else "run",
        games=len(case.games),
        missing=len(missing),
        overdue=[game.game_id for game in overdue],
        last_due=clock(max(game.due for game in case.games)),
        **context,
    )


def missing_games(case: Case) -> Verdict | None:
    """RUN for every game of the slate that is not collected yet (lesson E1)."""
    return _run_for(case, tuple(game for game in case.games if not case.collected(game)))


POST_GAME: tuple[Check, ...] = (
    schedule_unknown,
    no_games,
    waiting_for_required,
    outside_fixed_time,
    already_executed,
    all_collected,
    missing_games,
)


def _early(case: Case) -> tuple[EarlyGameSchedule, Case]:
    """Return the schedule and the case with only the games that tip before the cut-off hour (lesson T10)."""
    assert isinstance(case.workflow, EarlyGameWorkflow)
    schedule = case.workflow.schedule
    cutoff = schedule.early_game_cutoff_hour
    early = [game for game in case.games if game.tip < at(case.target_date, time(cutoff % 24)) or cutoff == 24]
    narrowed = replace(case, schedule=replace(case.schedule, games=tuple(early)))
    return schedule, narrowed


def no_early_games(case: Case) -> Verdict | None:
    """SKIP when no game of the date tips early."""
    schedule, narrowed = _early(case)
    if narrowed.games:
        return None
    cutoff = schedule.early_game_cutoff_hour
    return skip("no_games", f"No game on {case.target_date} tips before {cutoff:02d}:00 ET", games=len(case.games))


def early_games_collected(case: Case) -> Verdict | None:
    """SKIP when the early games are all here."""
    return all_collected(_early(case)[1])


def _ready_at(schedule: EarlyGameSchedule, game: Game) -> datetime:
    return after(game.tip, timedelta(hours=schedule.collection_delay_hours))


def none_ready(case: Case) -> Verdict | None:
    """SKIP while every missing early game tipped less than ``collection_delay_hours`` ago."""
    schedule, narrowed = _early(case)
    ready_at = [_ready_at(schedule, game) for game in narrowed.games if not narrowed.collected(game)]
    if min(ready_at) <= case.tick:
        return None
    delay = schedule.collection_delay_hours
    reason = f"The next early game is due {delay:g} h after its tip, at {clock(min(ready_at))} ET"
    return skip("not_due", reason, min(ready_at), collection_delay_hours=delay, missing=len(ready_at))


def early_missing_games(case: Case) -> Verdict | None:
    """RUN for the early games that are due and not collected."""
    schedule, narrowed = _early(case)
    missing = (game for game in narrowed.games if not narrowed.collected(game))
    ready = tuple(game for game in missing if _ready_at(schedule, game) <= case.tick)
    return _run_for(narrowed, ready, cutoff_hour=schedule.early_game_cutoff_hour)


EARLY: tuple[Check, ...] = (
    schedule_unknown,
    no_games,
    no_early_games,
    waiting_for_required,
    outside_fixed_time,
    already_executed,
    early_games_collected,
    none_ready,
    early_missing_games,
)
