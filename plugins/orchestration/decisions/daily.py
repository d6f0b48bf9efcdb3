"""Checks of ``self_aware`` (once a day, in a window) and ``freshness`` (when the last success is too old)."""

from __future__ import annotations

from datetime import timedelta

from orchestration.config.workflows import FreshnessWorkflow, SelfAwareWorkflow
from orchestration.decisions.case import Case, Check, day, run, skip
from orchestration.decisions.model import Verdict
from orchestration.nba.eastern import after, clock, hours_between


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


SELF_AWARE: tuple[Check, ...] = (done_today, before_window, in_window, after_window)


def _max_age(case: Case) -> float:
    assert isinstance(case.workflow, FreshnessWorkflow)
    return case.config.max_age_hours(case.workflow)


def fresh(case: Case) -> Verdict | None:
    """SKIP while the last success is young enough."""
    max_age = _max_age(case)
    successes = [e for e in case.history.of(case.name) if e.collected]
    if not successes:
        return None
    last = successes[-1].tick
    age = hours_between(last, case.tick)
    if age >= max_age:
        return None
    reason = f"Last success {age:.1f} h ago; refreshed every {max_age:g} h"
    return skip("fresh", reason, after(last, timedelta(hours=max_age)), age_hours=round(age, 2), max_age_hours=max_age)


def stale(case: Case) -> Verdict | None:
    """RUN: too old, or never."""
    max_age = _max_age(case)
    successes = [e for e in case.history.of(case.name) if e.collected]
    if not successes:
        return run("No success on record yet", max_age_hours=max_age)
    age = hours_between(successes[-1].tick, case.tick)
    reason = f"Last success {age:.1f} h ago, at least the {max_age:g} h allowed"
    return run(reason, age_hours=round(age, 2), max_age_hours=max_age)


FRESHNESS: tuple[Check, ...] = (fresh, stale)
