"""Checks of ``self_aware`` (once a day, in a window) and ``freshness`` (when the last success is too old)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from orchestration.config.model import LOCK_LEAD_MINUTES
from orchestration.config.workflows import FreshnessWorkflow, SelfAwareWorkflow
from orchestration.decisions.case import Case, Check, day, run, skip, wait_for_required
from orchestration.decisions.model import Verdict
from orchestration.nba.eastern import after, at, clock, et_date, hours_between
from orchestration.words import Outcome

AWAITED = "awaited"
"""In the context of a RUN: others can decide nothing before it is through."""
MAX_AGE_BEFORE_LOCK_HOURS = 1.0
"""How old the last success may be at the tick before the lock."""


def _window(case: Case) -> tuple[int, int]:
    assert isinstance(case.workflow, SelfAwareWorkflow)
    window = case.workflow.schedule.ideal_window
    return window.start_hour, window.end_hour


def done_today(case: Case) -> Verdict | None:
    """SKIP when every critical call succeeded for this target date (lesson K4)."""
    done = [e for e in case.history.of(case.name, case.target_date) if e.done]
    if not done:
        return None
    start, _ = _window(case)
    tomorrow = case.wall(start, days=1)
    return skip(
        "done", f"Done for {case.target_date} at {clock(done[-1].tick)} ET", tomorrow, done_at=day(done[-1].tick)
    )


def before_window(case: Case) -> Verdict | None:
    """SKIP until the window opens."""
    start, end = _window(case)
    if case.tick >= case.wall(start):
        return None
    return skip("before_window", f"The window {start:02d}:00-{end:02d}:00 ET has not opened", case.wall(start))


def in_window(case: Case) -> Verdict | None:
    """RUN in the window."""
    start, end = _window(case)
    if case.tick > case.wall(end):
        return None
    return run(f"In the window {start:02d}:00-{end:02d}:00 ET, not done yet", window=[start, end])


def after_window(case: Case) -> Verdict | None:
    """RUN late rather than never, and say so."""
    start, end = _window(case)
    late = hours_between(case.wall(end), case.tick)
    return run(
        f"Catch-up: {late:.1f} h after the window {start:02d}:00-{end:02d}:00 ET and not done yet",
        alert=case.workflow.alerts.timing_drift,
        rule="catch_up",
        window=[start, end],
        late_hours=round(late, 2),
    )


def waiting_for_required(case: Case) -> Verdict | None:
    """SKIP while a required workflow is not done; ABORT once when the window of a daily workflow closes meanwhile."""
    closes = isinstance(case.workflow, SelfAwareWorkflow) and case.tick > case.wall(_window(case)[1])
    return wait_for_required(case, closes=closes)


SELF_AWARE: tuple[Check, ...] = (done_today, before_window, waiting_for_required, in_window, after_window)


def _before_lock(case: Case) -> bool:
    """Return whether the tick is the one before a lock, which must see the day's schedule."""
    settings = case.config.settings.daily_schedule_lock
    day = et_date(case.tick)
    locks = (at(day + timedelta(days=shift), settings.generation_time) for shift in (0, 1))
    lead = timedelta(minutes=LOCK_LEAD_MINUTES)
    return settings.enabled and any(timedelta() < lock - case.tick <= lead for lock in locks)


def _max_age(case: Case) -> float:
    assert isinstance(case.workflow, FreshnessWorkflow)
    max_age = case.config.max_age_hours(case.workflow)
    return min(max_age, MAX_AGE_BEFORE_LOCK_HOURS) if _before_lock(case) else max_age


def _last_success(case: Case) -> datetime | None:
    """Return when its scrapers last succeeded, in a run of its own or whoever else called them."""
    own = [execution.tick for execution in case.history.of(case.name) if execution.collected]
    calls = {
        scraper: [c.tick for c in case.history.calls if c.scraper == scraper and c.outcome is Outcome.SUCCESS]
        for scraper in case.workflow.execution_plan.scrapers
    }
    if all(calls.values()):
        own.append(min(max(ticks) for ticks in calls.values()))
    return max(own, default=None)


def fresh(case: Case) -> Verdict | None:
    """SKIP while the last success is young enough; before the lock it may be an hour old at the most."""
    if (last := _last_success(case)) is None:
        return None
    max_age, age = _max_age(case), hours_between(last, case.tick)
    if age >= max_age:
        return None
    reason = f"Last success {age:.1f} h ago; refreshed every {max_age:g} h"
    return skip("fresh", reason, after(last, timedelta(hours=max_age)), age_hours=round(age, 2), max_age_hours=max_age)


def stale(case: Case) -> Verdict | None:
    """RUN: too old, or never."""
    max_age = _max_age(case)
    settings = case.config.settings
    unknown = case.schedule.unknown_because(case.tick, settings.schedule_max_age_hours)
    awaited: dict[str, Any] = {AWAITED: True} if unknown and case.config.refreshes_schedule(case.name) else {}
    if (last := _last_success(case)) is None:
        return run("No success on record yet", max_age_hours=max_age, **awaited)
    age = hours_between(last, case.tick)
    lock = " before the lock" if _before_lock(case) else ""
    reason = f"Last success {age:.1f} h ago, at least the {max_age:g} h allowed{lock}"
    return run(reason, age_hours=round(age, 2), max_age_hours=max_age, **awaited)


FRESHNESS: tuple[Check, ...] = (fresh, waiting_for_required, stale)
