"""``discovery``: call until the source has published, a limited number of times a day."""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import time, timedelta
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
from orchestration.nba.eastern import after, clock, et_date, hours_between
from orchestration.vocabulary.base import WallTime
from orchestration.vocabulary.settings import Settings
from orchestration.vocabulary.ticks import Ticks, minutes_of
from orchestration.vocabulary.workflows import Hour, PositiveHours, Workflow, WorkflowSchedule
from orchestration.words import Action, AlertLevel

ATTEMPTS_USED_UP = "max_attempts_reached"
FOUND = "found"


class DiscoverySchedule(WorkflowSchedule):
    """Call until the source has published."""

    discovery_mode: Literal[True] = True
    """Descriptive: the decision type says it."""
    max_attempts_per_day: int = Field(gt=0, le=100)
    retry_interval_hours: PositiveHours
    requires_game_day: bool = True
    first_hour: Hour = 6
    """No attempt before this full ET hour (lesson T5)."""
    expected_by: WallTime | None = None
    """Warn when nothing is found by this ET time. Without it the usual hour of the days before counts."""
    discovery_duration_weeks: int | None = Field(default=None, gt=0, le=1000)
    """Descriptive: for how many weeks the publishing hour was to be studied."""


def _schedule(case: Case) -> DiscoverySchedule:
    assert isinstance(case.workflow, DiscoveryWorkflow)
    return case.workflow.schedule


def _once(case: Case, rule: str, level: AlertLevel) -> AlertLevel:
    """Return ``level`` the first time that ``rule`` answers for this date, then NONE (lesson C8)."""
    return AlertLevel.NONE if case.history.answered_by(case.name, rule, case.target_date) else level


def found(case: Case) -> Answer | None:
    """SKIP when every scraper has found data for this target date; no other date counts (lesson T4)."""
    plan = case.workflow.execution_plan.scrapers
    hits = [case.history.successes.get((scraper, case.target_date)) for scraper in plan]
    ticks = [tick for tick in hits if tick is not None]
    if len(ticks) < len(hits):
        return None
    at = max(ticks)
    reason = f"Found for {case.target_date} at {clock(at)} ET"
    level = _once(case, FOUND, case.workflow.alerts.discovery_complete)
    next_at = case.wall(_schedule(case).first_hour, days=1)
    return Answer(Action.SKIP, FOUND, reason, level, next_at, context={"found_at": clock(at)})


def game_day_unknown(case: Case) -> Answer | None:
    """ABORT when a game day is required, and the schedule is unknown."""
    return schedule_unknown(case) if _schedule(case).requires_game_day else None


def game_day_undecided(case: Case) -> Answer | None:
    """SKIP, later ABORT once, when a game day is required and the date has only unusable rows."""
    return only_unusable_rows(case) if _schedule(case).requires_game_day else None


def not_a_game_day(case: Case) -> Answer | None:
    """SKIP on a day without games, if a game day is required."""
    return no_games(case) if _schedule(case).requires_game_day else None


def before_first_hour(case: Case) -> Answer | None:
    """SKIP before ``first_hour``: attempts at night would use up the attempts of the day (lesson T5)."""
    first = _schedule(case).first_hour
    if case.tick >= case.wall(first):
        return None
    return skip("before_first_hour", f"No attempt before {first:02d}:00 ET", case.wall(first), first_hour=first)


def waiting_for_required(case: Case) -> Answer | None:
    """SKIP while a required workflow is not done; ABORT once at the day's last tick."""
    return wait_for_required(case, closes=et_date(case.ticks.next_after(case.tick)) > et_date(case.tick))


def attempts_used_up(case: Case) -> Answer | None:
    """SKIP with an alert when the day's attempts are used up."""
    allowed, made = _schedule(case).max_attempts_per_day, len(case.history.of(case.name, case.target_date))
    if made < allowed:
        return None
    level = _once(case, ATTEMPTS_USED_UP, case.workflow.alerts.max_attempts_reached)
    found = "nothing was found"
    if _only_partial(case):
        # The health check names the partial answers. A game postponed in the morning stays missing in them.
        level, found = AlertLevel.NONE, "the answers were partial"
    reason = f"All {allowed} attempts for {case.target_date} are used up; {found}"
    next_at = case.wall(_schedule(case).first_hour, days=1)
    seen = {"attempts": made, "max_attempts": allowed}
    return Answer(Action.SKIP, ATTEMPTS_USED_UP, reason, level, next_at, context=seen)


def _only_partial(case: Case) -> bool:
    """Return whether each scraper without a whole answer about the target date had a partial one."""
    about = [call for call in case.history.calls if call.target_date == case.target_date]
    partial = {call.scraper_name for call in about if call.shortfall is not None}
    plan = case.workflow.execution_plan.scrapers
    return all(scraper in partial or (scraper, case.target_date) in case.history.successes for scraper in plan)


def too_soon(case: Case) -> Answer | None:
    """SKIP within ``retry_interval_hours`` of the last attempt, tick to tick (lesson T6)."""
    attempts = case.history.of(case.name, case.target_date)
    if not attempts:
        return None
    interval, last = _schedule(case).retry_interval_hours, attempts[-1].tick
    ago = hours_between(last, case.tick)
    if ago >= interval:
        return None
    return skip(
        "too_soon",
        f"Last attempt {ago:.1f} h ago, at {clock(last)} ET; the interval is {interval:g} h",
        after(last, timedelta(hours=interval)),
        hours_since=round(ago, 2),
        retry_interval_hours=interval,
        attempts=len(attempts),
    )


def attempt(case: Case) -> Answer | None:
    """RUN the next attempt."""
    number = len(case.history.of(case.name, case.target_date)) + 1
    allowed = _schedule(case).max_attempts_per_day
    reason = f"Attempt {number} of {allowed} for {case.target_date}"
    return run(reason, case.games, attempt=number, max_attempts=allowed, games=len(case.games))


class DiscoveryWorkflow(Workflow):
    """Calls until the source has published, a limited number of times a day."""

    checks: ClassVar[tuple[Check, ...]] = (
        found,
        game_day_unknown,
        game_day_undecided,
        slate_vanished,
        not_a_game_day,
        before_first_hour,
        waiting_for_required,
        attempts_used_up,
        too_soon,
        attempt,
    )
    daily: ClassVar[bool] = True

    decision_type: Literal["discovery"]
    schedule: DiscoverySchedule

    @property
    def needs_games(self) -> bool:
        """Whether a game day is required."""
        return self.schedule.requires_game_day

    def impossible(self, ticks: Ticks) -> Iterator[tuple[str, str]]:
        """Yield ``expected_by`` if no attempt can be made by then."""
        by, first = self.schedule.expected_by, time(self.schedule.first_hour % 24)
        if by is not None and not any(first <= tick <= by for tick in ticks.times):
            yield "expected_by", f"no attempt is made by {by:%H:%M} ET, because the first is at {first:%H:%M} or later"

    def unreachable(self, ticks: Ticks) -> Iterator[tuple[str, str]]:
        """Yield the limit of the attempts if no day reaches it, because then nobody learns that nothing was found."""
        limit, most = self.schedule.max_attempts_per_day, self.most_attempts(ticks)
        if limit > most:
            s = self.schedule
            yield (
                "max_attempts_per_day",
                f"a day never reaches {limit} attempts, so nobody learns that nothing was found: with one every "
                f"{s.retry_interval_hours:g} h from {s.first_hour:02d}:00 ET it has {most} before its last tick. "
                f"Write {most} or less",
            )

    def most_attempts(self, ticks: Ticks) -> int:
        """Return the most attempts of a day after which it has another tick, which says that they are used up."""
        interval, last, most = self.schedule.retry_interval_hours * 60, -math.inf, 0
        minutes = [minutes_of(tick) for tick in ticks.times if minutes_of(tick) >= self.schedule.first_hour * 60]
        for minute in minutes[:-1]:
            if minute - last >= interval:
                last, most = minute, most + 1
        return most

    def in_words(self, settings: Settings) -> str:
        """Return the rule in one sentence."""
        s = self.schedule
        return (
            f"It runs until data is found: up to {s.max_attempts_per_day} attempts a day, every "
            f"{s.retry_interval_hours:g} h from {s.first_hour:02d}:00 ET{', on game days' * s.requires_game_day}."
            + (f" The data is expected by {s.expected_by:%H:%M} ET." if s.expected_by else "")
        )
