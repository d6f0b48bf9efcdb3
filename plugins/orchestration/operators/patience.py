"""Waiting, within a tick, for what a task must know: its tries are Airflow's own (DESIGN section 5)."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow.sdk import RetryDecision, RetryPolicy
from airflow.sdk.exceptions import AirflowException

from orchestration.config.model import Config
from orchestration.runs.clock import RunClock

if TYPE_CHECKING:
    from airflow.sdk import Context

ATTENDED_SHARE = 0.1
"""Somebody who looks on waits only so much of each delay."""


class NotYet(AirflowException):
    """What must be known is not known, and may be after ``delay`` seconds."""

    def __init__(self, why: str, delay: float) -> None:
        self.delay = delay
        super().__init__(f"{why}; tried again in {delay:.0f} s")


class Patience(RetryPolicy):
    """Waits as long as a :class:`NotYet` says; everything else is left to the task's own delay."""

    def evaluate(
        self, exception: BaseException, try_number: int, max_tries: int, context: Context | None = None
    ) -> RetryDecision:
        """Return what to do after a failed try."""
        if isinstance(exception, NotYet):
            return RetryDecision.retry(timedelta(seconds=exception.delay), str(exception))
        return RetryDecision.default()

    def serialize(self) -> dict[str, Any]:
        """Return nothing: it has no settings."""
        return {}

    @classmethod
    def deserialize(cls, data: dict[str, Any]) -> Patience:
        """Return the policy."""
        return cls()


def try_again(context: Context, config: Config, why: str) -> None:
    """Raise NotYet, unless this try is the task's last one.

    Airflow moves ``max_tries`` when a task is cleared, so that it has all its tries again.
    """
    ti, delays = context["ti"], config.decide_delays
    left = ti.max_tries - ti.try_number + 1
    if left <= 0 or not delays:
        return
    delay = delays[max(len(delays) - left, 0)]
    raise NotYet(why, delay * ATTENDED_SHARE if RunClock.of(context).attended else delay)
