"""``freshness``: when the last success is too old."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import Any, ClassVar, Literal

from orchestration.decisions.case import Case, Check, run, skip, wait_for_required
from orchestration.decisions.model import Answer
from orchestration.nba.eastern import after, at, et_date, hours_between
from orchestration.vocabulary.settings import Settings
from orchestration.vocabulary.ticks import minutes_of, wall_of
from orchestration.vocabulary.workflows import PositiveHours, Workflow, WorkflowSchedule

AWAITED = "awaited"
"""Key in the context of a RUN: other workflows of the tick wait for its data, so it is not held."""
LOCK_LEAD_MINUTES = 30
"""The workflow also ticks this long before the lock, so that the locker knows the day's games."""
MAX_AGE_BEFORE_LOCK_HOURS = 1.0
"""How old the last success may be at the tick before the lock."""


class FreshnessSchedule(WorkflowSchedule):
    """Run when the last success is ``max_age_hours`` old (default: settings.schedule_refresh_interval_hours)."""

    max_age_hours: PositiveHours | None = None


def waiting_for_required(case: Case) -> Answer | None:
    """SKIP while a required workflow is not done."""
    return wait_for_required(case, closes=False)


def _before_lock(case: Case) -> bool:
    """Return whether the tick is the last one before a lock: the lock must see the day's schedule."""
    settings = case.config.settings.daily_schedule_lock
    day = et_date(case.tick)
    locks = (at(day + timedelta(days=shift), settings.generation_time) for shift in (0, 1))
    lead = timedelta(minutes=LOCK_LEAD_MINUTES)
    return settings.enabled and any(timedelta() < lock - case.tick <= lead for lock in locks)


def _max_age(case: Case) -> float:
    assert isinstance(case.workflow, FreshnessWorkflow)
    max_age = case.workflow.max_age_hours(case.config.settings)
    return min(max_age, MAX_AGE_BEFORE_LOCK_HOURS) if _before_lock(case) else max_age


def _last_success(case: Case) -> datetime | None:
    """Return when the plan's scrapers last answered in full, in a run of this workflow or of any other."""
    plan = case.workflow.execution_plan.scrapers
    partial = {c.tick for c in case.history.calls if c.scraper_name in plan and c.shortfall is not None}
    own = [e.tick for e in case.history.of(case.name) if e.collected and e.tick not in partial]
    calls = {
        scraper: [c.tick for c in case.history.calls if c.scraper_name == scraper and c.answered_whole]
        for scraper in plan
    }
    if all(calls.values()):
        own.append(min(max(ticks) for ticks in calls.values()))
    return max(own, default=None)


def fresh(case: Case) -> Answer | None:
    """SKIP while the last success is younger than the limit; at the tick before the lock the limit is 1 h."""
    if (last := _last_success(case)) is None:
        return None
    max_age, age = _max_age(case), hours_between(last, case.tick)
    if age >= max_age:
        return None
    reason = f"Last success {age:.1f} h ago; the limit is {max_age:g} h"
    return skip("fresh", reason, after(last, timedelta(hours=max_age)), age_hours=round(age, 2), max_age_hours=max_age)


def stale(case: Case) -> Answer | None:
    """RUN: the last success is too old, or there is none."""
    max_age = _max_age(case)
    settings = case.config.settings
    unknown = case.schedule.unknown_because(case.tick, settings.schedule_max_age_hours)
    awaited: dict[str, Any] = {AWAITED: True} if unknown and case.config.refreshes_schedule(case.name) else {}
    if (last := _last_success(case)) is None:
        return run("No success on record yet", max_age_hours=max_age, **awaited)
    age = hours_between(last, case.tick)
    lock = " before the lock" if _before_lock(case) else ""
    reason = f"Last success {age:.1f} h ago; the limit{lock} is {max_age:g} h"
    return run(reason, age_hours=round(age, 2), max_age_hours=max_age, **awaited)


class FreshnessWorkflow(Workflow):
    """Runs when the last success is too old."""

    checks: ClassVar[tuple[Check, ...]] = (fresh, waiting_for_required, stale)
    daily: ClassVar[bool] = True

    decision_type: Literal["freshness"]
    schedule: FreshnessSchedule = FreshnessSchedule()

    def max_age_hours(self, settings: Settings) -> float:
        """Return the age in hours at which the last success is too old."""
        return self.schedule.max_age_hours or settings.schedule_refresh_interval_hours

    def own_ticks(self, settings: Settings) -> tuple[time, ...]:
        """Return the tick before the lock, if the lock is enabled."""
        lock = settings.daily_schedule_lock
        return (wall_of(minutes_of(lock.generation_time) - LOCK_LEAD_MINUTES),) if lock.enabled else ()

    def look_back_hours(self, settings: Settings) -> float:
        """Return the age limit and one hour."""
        return self.max_age_hours(settings) + 1

    def in_words(self, settings: Settings) -> str:
        """Return the rule in one sentence."""
        before = ", and before the lock" if settings.daily_schedule_lock.enabled else ""
        return f"It runs whenever the last success is {self.max_age_hours(settings):g} h old{before}."
