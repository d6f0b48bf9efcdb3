"""When Airflow runs a failed try again: of a call, and of a task that must know something first (DESIGN 5 and 6)."""

from __future__ import annotations

import random
from collections.abc import Iterable
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow.sdk import RetryDecision, RetryPolicy
from airflow.sdk.definitions.retry_policy import RetryAction
from airflow.sdk.exceptions import AirflowException

from orchestration.config import Config
from orchestration.runs.clock import RunClock
from orchestration.services.answers import CallResult

if TYPE_CHECKING:
    from airflow.sdk import Context

DOUBLINGS = 20
"""Beyond that a delay is longer than any that is allowed."""
ATTENDED_SHARE = 0.1
"""Somebody who looks on waits only so much of each delay."""


class CallFailed(AirflowException):
    """A call failed. ``result`` says why, and whether trying again can help."""

    def __init__(self, scraper: str, result: CallResult) -> None:
        self.result = result
        super().__init__(f"{scraper} failed ({result.error_type}): {result.error_message}")


class CallsFailed(AirflowException):
    """Some calls of a task failed. ``decision``: whether it is tried again for one of them, and when."""

    def __init__(self, message: str, decision: RetryDecision) -> None:
        self.decision = decision
        super().__init__(message)


def together(decisions: Iterable[RetryDecision]) -> RetryDecision:
    """Return what to do with a task some of whose calls failed: it waits for the last of those that are made again."""
    made = list(decisions)
    again = [decision for decision in made if decision.action is RetryAction.RETRY]
    if again:
        return max(again, key=lambda decision: decision.retry_delay or timedelta())
    return RetryDecision.fail("; ".join(dict.fromkeys(decision.reason or "" for decision in made)))


class CallRetryPolicy(RetryPolicy):
    """Retries timeouts, connection errors, 429 and 5xx with growing delays; everything else fails at once.

    ``first`` and ``longest`` are seconds, ``deadline_minutes`` those from the run's start to its deadline. Nobody waits
    beyond the deadline: a service that asks for more than what is left fails the call, and says so; our own delay is
    cut. Without a run, the longest delay is what may be asked for. A call whose service has tried its source again
    itself is not made again: 4 tries of 9 are 36 requests (lesson A5).
    """

    def __init__(self, first: float, longest: float, deadline_minutes: float | None = None) -> None:
        self.first, self.longest, self.deadline_minutes = first, longest, deadline_minutes

    def evaluate(
        self, exception: BaseException, try_number: int, max_tries: int, context: Context | None = None
    ) -> RetryDecision:
        """Return what to do after a failed try."""
        if isinstance(exception, CallsFailed):
            return exception.decision
        if not isinstance(exception, CallFailed):
            return RetryDecision.default()
        result = exception.result
        if not result.retryable:
            return RetryDecision.fail(f"{result.error_type} does not go away by itself")
        if result.service_retries:
            return RetryDecision.fail(f"the service has tried its source again {result.service_retries} times itself")
        left = self._left(context)
        if left is not None and left <= 0:
            return RetryDecision.fail(f"{result.error_type}: the run's deadline has passed")
        limit, of_what = (self.longest, "the longest delay") if left is None else (left, "what is left of the run")
        if result.retry_after is not None and result.retry_after > limit:
            wish = f"the service asks for {result.retry_after:.0f} s"
            return RetryDecision.fail(f"{result.error_type}: {wish}, and {of_what} is {limit:.0f} s")
        backoff = self.first * 2 ** min(try_number - 1, DOUBLINGS) * random.uniform(1.0, 1.25)  # noqa: S311
        # A wish for no wait at all is none.
        seconds = result.retry_after or min(backoff, self.longest, limit)
        return RetryDecision.retry(timedelta(seconds=seconds), f"{result.error_type}: again in {seconds:.0f} s")

    def _left(self, context: Context | None) -> float | None:
        """Return the seconds until the run's deadline, or None where that is not known."""
        dag_run = (context or {}).get("dag_run")
        if self.deadline_minutes is None or dag_run is None:
            return None
        # Tasks are not told when their run was queued; a run that was cleared starts anew, as its deadline does.
        started = dag_run.start_date or dag_run.run_after
        return self.deadline_minutes * 60 - (RunClock.wall() - started).total_seconds()

    def serialize(self) -> dict[str, Any]:
        """Return the delays."""
        return {"first": self.first, "longest": self.longest, "deadline_minutes": self.deadline_minutes}

    @classmethod
    def deserialize(cls, data: dict[str, Any]) -> CallRetryPolicy:
        """Return the policy of :meth:`serialize`'s form."""
        return cls(**data)


class NotKnownYet(AirflowException):
    """What must be known is not known, and may be after ``delay`` seconds."""

    def __init__(self, why: str, delay: float) -> None:
        self.delay = delay
        super().__init__(f"{why}; tried again in {delay:.0f} s")


class TickRetryPolicy(RetryPolicy):
    """Waits as long as a :class:`NotKnownYet` says; everything else is left to the task's own delay."""

    def evaluate(
        self, exception: BaseException, try_number: int, max_tries: int, context: Context | None = None
    ) -> RetryDecision:
        """Return what to do after a failed try."""
        if isinstance(exception, NotKnownYet):
            return RetryDecision.retry(timedelta(seconds=exception.delay), str(exception))
        return RetryDecision.default()

    def serialize(self) -> dict[str, Any]:
        """Return nothing: it has no settings."""
        return {}

    @classmethod
    def deserialize(cls, data: dict[str, Any]) -> TickRetryPolicy:
        """Return the policy."""
        return cls()


def retry_within_tick(context: Context, config: Config, why: str) -> None:
    """Raise NotKnownYet, unless this try is the task's last one.

    Airflow moves ``max_tries`` when a task is cleared, so that it has all its tries again.
    """
    ti, delays = context["ti"], config.decide_delays
    left = ti.max_tries - ti.try_number + 1
    if left <= 0 or not delays:
        return
    delay = delays[max(len(delays) - left, 0)]
    raise NotKnownYet(why, delay * ATTENDED_SHARE if RunClock.of(context).attended else delay)
