"""``self_aware``: once a day, in a window."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar, Literal

from pydantic import model_validator

from orchestration.decisions.case import Case, Check, run, skip, wait_for_required
from orchestration.decisions.model import Answer
from orchestration.nba.eastern import clock, day_and_time, hours_between
from orchestration.vocabulary.base import Strict
from orchestration.vocabulary.settings import Settings
from orchestration.vocabulary.ticks import Ticks
from orchestration.vocabulary.workflows import Hour, Workflow, WorkflowSchedule, no_tick_between


class HourWindow(Strict):
    """From the full hour ``start_hour`` to the full hour ``end_hour``, ET, both included."""

    start_hour: Hour
    end_hour: Hour

    @model_validator(mode="after")
    def _in_order(self) -> HourWindow:
        if self.start_hour > self.end_hour:
            raise ValueError(f"start_hour {self.start_hour} lies after end_hour {self.end_hour}")
        return self


class SelfAwareSchedule(WorkflowSchedule):
    """Run once a day, in a window."""

    ideal_window: HourWindow
    run_once_daily: Literal[True] = True
    """Descriptive: this decision type always runs once a day."""


def _window(case: Case) -> tuple[int, int]:
    assert isinstance(case.workflow, SelfAwareWorkflow)
    window = case.workflow.schedule.ideal_window
    return window.start_hour, window.end_hour


def done_today(case: Case) -> Answer | None:
    """SKIP when an execution for this target date had no failed critical call (lesson K4)."""
    done = [e for e in case.history.of(case.name, case.target_date) if e.done]
    if not done:
        return None
    start, _ = _window(case)
    tomorrow, tick = case.wall(start, days=1), done[-1].tick
    return skip("done", f"Done for {case.target_date} at {clock(tick)} ET", tomorrow, done_at=day_and_time(tick))


def before_window(case: Case) -> Answer | None:
    """SKIP until the window opens."""
    start, end = _window(case)
    if case.tick >= case.wall(start):
        return None
    return skip("before_window", f"The window {start:02d}:00-{end:02d}:00 ET has not opened", case.wall(start))


def in_window(case: Case) -> Answer | None:
    """RUN in the window."""
    start, end = _window(case)
    if case.tick > case.wall(end):
        return None
    return run(f"In the window {start:02d}:00-{end:02d}:00 ET, not done yet", window=[start, end])


def after_window(case: Case) -> Answer | None:
    """RUN after the window, with an alert."""
    start, end = _window(case)
    late = hours_between(case.wall(end), case.tick)
    return run(
        f"Catch-up: {late:.1f} h after the window {start:02d}:00-{end:02d}:00 ET and not done yet",
        alert=case.workflow.alerts.timing_drift,
        rule="catch_up",
        window=[start, end],
        late_hours=round(late, 2),
    )


def waiting_for_required(case: Case) -> Answer | None:
    """SKIP while a required workflow is not done; ABORT once after the window has closed."""
    return wait_for_required(case, closes=case.tick > case.wall(_window(case)[1]))


class SelfAwareWorkflow(Workflow):
    """Runs once a day, in a window."""

    checks: ClassVar[tuple[Check, ...]] = (done_today, before_window, waiting_for_required, in_window, after_window)
    daily: ClassVar[bool] = True

    decision_type: Literal["self_aware"]
    schedule: SelfAwareSchedule

    def impossible(self, ticks: Ticks) -> Iterator[tuple[str, str]]:
        """Yield the window if no tick lies in it."""
        window = self.schedule.ideal_window
        return no_tick_between("ideal_window", window.start_hour, window.end_hour, ticks)

    def in_words(self, settings: Settings) -> str:
        """Return the rule in one sentence."""
        w = self.schedule.ideal_window
        return f"It runs once a day, between {w.start_hour:02d}:00 and {w.end_hour:02d}:00 ET; later if it was missed."
