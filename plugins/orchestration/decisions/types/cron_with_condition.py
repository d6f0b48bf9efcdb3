"""``cron_with_condition``: at given times of the day, if a condition on the games of the target date holds."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Discriminator, Field, Tag

from orchestration.decisions.case import (
    Case,
    Check,
    only_unusable_rows,
    run,
    schedule_unknown,
    skip,
    slate_vanished,
    wait_for_required,
)
from orchestration.decisions.model import Answer
from orchestration.nba.eastern import after, at, clock, day_and_time, et_date
from orchestration.vocabulary.base import Strict, WallTimes
from orchestration.vocabulary.settings import Settings
from orchestration.vocabulary.workflows import Workflow, WorkflowSchedule
from orchestration.words import plural

MOST_GAMES = 15
"""The most games of one date: each of the 30 teams plays once."""


class AtLeast(Strict):
    """At least this many games that count. 0 always holds, also while the schedule is unknown."""

    at_least: int = Field(ge=0, le=MOST_GAMES)


def _form(value: Any) -> str | None:
    if isinstance(value, str):
        return "word"
    return "count" if isinstance(value, dict | AtLeast) else None


Condition = Annotated[
    Annotated[Literal["any_game", "none"], Tag("word")] | Annotated[AtLeast, Tag("count")],
    Discriminator(_form, "condition", "must be any_game, none, or at_least: with a number"),
]
"""``any_game``: at least one game that counts; ``none``: no game; ``at_least``: at least this many games."""


class CronWithConditionSchedule(WorkflowSchedule):
    """Run at given times, if a condition on the games of the target date holds."""

    at: WallTimes = Field(min_length=1)
    condition: Condition = "any_game"
    tolerance_minutes: int = Field(default=60, ge=0, le=180)
    """How long after its time a failed or missed run is caught up at later ticks, in minutes."""


def _schedule(case: Case) -> CronWithConditionSchedule:
    assert isinstance(case.workflow, CronWithConditionWorkflow)
    return case.workflow.schedule


def not_its_time(case: Case) -> Answer | None:
    """SKIP unless a time in ``at`` was at most ``tolerance_minutes`` ago."""
    if case.window is not None:
        return None
    times = _schedule(case).at
    coming = (at(case.today + timedelta(days=shift), wall) for shift in (0, 1) for wall in sorted(times))
    upcoming = next(moment for moment in coming if moment > case.tick)
    walls = [f"{wall:%H:%M}" for wall in times]
    return skip("outside_window", f"Not at {', '.join(walls)} ET; next at {day_and_time(upcoming)}", upcoming, at=walls)


def games_unknown(case: Case) -> Answer | None:
    """ABORT when the condition needs the schedule, and the schedule is unknown."""
    return schedule_unknown(case) if case.workflow.needs_games else None


def games_undecided(case: Case) -> Answer | None:
    """SKIP, later ABORT once, when the condition needs games and the date has only unusable rows."""
    return only_unusable_rows(case) if case.workflow.needs_games else None


def condition_not_met(case: Case) -> Answer | None:
    """SKIP when the games of the date do not meet the condition."""
    schedule, count = _schedule(case), len(case.games)
    if count == 0 if schedule.condition == "none" else count >= _least(schedule):
        return None
    reason = f"{_found(case)}; it runs if there {_wanted(schedule)}"
    return skip("condition_not_met", reason, games=count, condition=_wanted(schedule))


def done_for_this_time(case: Case) -> Answer | None:
    """SKIP when an execution since this time of the day succeeded (lesson K5)."""
    assert case.window is not None
    executions = case.history.of(case.name, case.target_date)
    done = [execution for execution in executions if execution.done and execution.tick >= case.window]
    if not done:
        return None
    tick = done[-1].tick
    return skip("done", f"Done at {clock(tick)} ET for {clock(case.window)} ET", done_at=day_and_time(tick))


def waiting_for_required(case: Case) -> Answer | None:
    """SKIP while a required workflow is not done; ABORT once at the last tick of this time of the day."""
    return wait_for_required(case, closes=case.workflow.window_at(case.ticks.next_after(case.tick)) != case.window)


def time_and_condition(case: Case) -> Answer | None:
    """RUN: a time in ``at`` has come, and the condition holds."""
    assert case.window is not None
    wall = clock(case.window)
    late = f"; catch-up for {wall} ET" if case.tick > case.window else ""
    return run(f"{wall} ET, {_found(case)}{late}", case.games, games=len(case.games), fixed_time=wall)


def _least(schedule: CronWithConditionSchedule) -> int:
    return schedule.condition.at_least if isinstance(schedule.condition, AtLeast) else 1


def _found(case: Case) -> str:
    return f"{plural(len(case.games), 'game')} on {case.target_date:%a %d %b %Y}"


def _wanted(schedule: CronWithConditionSchedule) -> str:
    """Return the condition in words: ``are at least 3 games``."""
    if schedule.condition == "none":
        return "is no game"
    least = _least(schedule)
    return "is any game" if least == 1 else f"are at least {least} games"


class CronWithConditionWorkflow(Workflow):
    """Runs at given times, if a condition on the games of the target date holds."""

    checks: ClassVar[tuple[Check, ...]] = (
        not_its_time,
        games_unknown,
        games_undecided,
        slate_vanished,
        condition_not_met,
        done_for_this_time,
        waiting_for_required,
        time_and_condition,
    )
    daily: ClassVar[bool] = True
    nothing_to_do: ClassVar[frozenset[str]] = frozenset({"done", "condition_not_met"})

    decision_type: Literal["cron_with_condition"]
    schedule: CronWithConditionSchedule

    @property
    def needs_games(self) -> bool:
        """Whether the condition depends on the games."""
        return self.schedule.condition == "none" or _least(self.schedule) > 0

    def window_at(self, tick: datetime) -> datetime | None:
        """Return the last time in ``at`` up to the aware ``tick``, or None if the tolerance is over."""
        today = et_date(tick)
        times = (at(today - timedelta(days=shift), wall) for shift in (0, 1) for wall in self.schedule.at)
        last = max(moment for moment in times if moment <= tick)
        return last if tick <= after(last, timedelta(minutes=self.schedule.tolerance_minutes)) else None

    def own_ticks(self, settings: Settings) -> tuple[time, ...]:
        """Return the times in ``at``."""
        return self.schedule.at

    def in_words(self, settings: Settings) -> str:
        """Return the rule in one sentence."""
        s = self.schedule
        walls = [f"{wall:%H:%M}" for wall in s.at]
        listed = walls[0] if len(walls) == 1 else f"{', '.join(walls[:-1])} and {walls[-1]}"
        whose = {"today": "the date", "yesterday": "the day before", "slate": "the slate"}[s.target_date]
        condition = f", if there {_wanted(s)} of {whose}" if self.needs_games else ""
        until = f". A failed or missed run is caught up within {s.tolerance_minutes} min"
        return f"It runs at {listed} ET{condition}{until if s.tolerance_minutes else ''}."
