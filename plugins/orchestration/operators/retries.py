"""Retry policies: for calls, and for tasks that wait within their tick until something is known (DESIGN 5 and 6)."""

from __future__ import annotations

import random
from collections.abc import Collection
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Self

from airflow.sdk import RetryDecision, RetryPolicy
from airflow.sdk.definitions.retry_policy import RetryAction
from airflow.sdk.exceptions import AirflowException

from orchestration.config import Config
from orchestration.runs.clock import RunClock
from orchestration.services.answers import CallResult
from orchestration.words import plural

if TYPE_CHECKING:
    from airflow.sdk import Context

DOUBLINGS = 20
"""The most doublings of a delay. With more it would be longer than any allowed delay."""
ATTENDED_SHARE = 0.1
"""A run that a person started waits for this share of each delay."""


class CallFailed(AirflowException):
    """A call failed. ``result`` says why, and whether a retry can help."""

    def __init__(self, scraper: str, result: CallResult) -> None:
        self.result = result
        super().__init__(f"{scraper} failed ({result.error_type}): {result.error_message}")


class CallsFailed(AirflowException):
    """Some calls of a task failed. ``decision`` says whether and when the task is retried."""

    def __init__(self, message: str, decision: RetryDecision) -> None:
        self.decision = decision
        super().__init__(message)


def together(decisions: Collection[RetryDecision]) -> RetryDecision:
    """Return the decision for a task from the decisions for its failed calls. The longest delay counts."""
    again = [decision for decision in decisions if decision.action is RetryAction.RETRY]
    if again:
        return max(again, key=lambda decision: decision.retry_delay or timedelta())
    return RetryDecision.fail("; ".join(dict.fromkeys(decision.reason or "" for decision in decisions)))


@dataclass
class _StoredPolicy(RetryPolicy):
    """A policy whose fields Airflow stores with the DAG."""

    def serialize(self) -> dict[str, Any]:
        """Return the fields."""
        return asdict(self)

    @classmethod
    def deserialize(cls, data: dict[str, Any]) -> Self:
        """Return the policy that :meth:`serialize` wrote."""
        return cls(**data)


@dataclass
class CallRetryPolicy(_StoredPolicy):
    """Retries timeouts, connection errors, 429 and 5xx with growing delays. Other failures are final.

    ``first`` and ``longest`` are delays in seconds. ``deadline_minutes`` is the time from the run's start to its
    deadline. No retry starts after the deadline, and our own delay is cut to the time left. If the service asks for a
    longer wait than the time left, the call fails for good. Without a deadline, ``longest`` is the limit.

    If the service has already retried its source, the call is not retried: 4 tries of 9 are 36 requests (lesson A5).
    """

    first: float
    longest: float
    deadline_minutes: float | None = None

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
            return RetryDecision.fail(f"{result.error_type} is not retried: it does not go away by itself")
        if result.service_retries:
            tried = plural(result.service_retries, "time")
            return RetryDecision.fail(f"the service has already retried its source {tried}")
        left = self._left(context)
        if left is not None and left <= 0:
            return RetryDecision.fail(f"{result.error_type}: the run's deadline has passed")
        limit, of_what = (self.longest, "the longest delay") if left is None else (left, "what is left of the run")
        if result.retry_after is not None and result.retry_after > limit:
            wish = f"the service asks for {result.retry_after:.0f} s"
            return RetryDecision.fail(f"{result.error_type}: {wish}, and {of_what} is {limit:.0f} s")
        backoff = self.first * 2 ** min(try_number - 1, DOUBLINGS) * random.uniform(1.0, 1.25)  # noqa: S311
        # A Retry-After of 0 counts as none.
        seconds = result.retry_after or min(backoff, self.longest, limit)
        return RetryDecision.retry(timedelta(seconds=seconds), f"{result.error_type}: again in {seconds:.0f} s")

    def _left(self, context: Context | None) -> float | None:
        """Return the seconds until the run's deadline, or None if it is unknown."""
        dag_run = (context or {}).get("dag_run")
        if self.deadline_minutes is None or dag_run is None:
            return None
        # A task does not know when its run was queued. A cleared run starts again, with a new deadline.
        started = dag_run.start_date or dag_run.run_after
        return self.deadline_minutes * 60 - (RunClock.wall() - started).total_seconds()


class NotKnownYet(AirflowException):
    """The task needs something that is not known yet. It may be known after ``delay`` seconds."""

    def __init__(self, why: str, delay: float) -> None:
        self.delay = delay
        super().__init__(f"{why}; next try in {delay:.0f} s")


class TickRetryPolicy(_StoredPolicy):
    """Waits for the delay of a :class:`NotKnownYet`. Other failures wait for the task's own delay."""

    def evaluate(
        self, exception: BaseException, try_number: int, max_tries: int, context: Context | None = None
    ) -> RetryDecision:
        """Return what to do after a failed try."""
        if isinstance(exception, NotKnownYet):
            return RetryDecision.retry(timedelta(seconds=exception.delay), str(exception))
        return RetryDecision.default()


def retry_within_tick(context: Context, config: Config, why: str) -> None:
    """Raise NotKnownYet, unless this is the last try of the task.

    A cleared task has all its tries again, because Airflow raises its ``max_tries``.
    """
    ti, delays = context["ti"], config.decide_delays
    left = ti.max_tries - ti.try_number + 1
    if left <= 0 or not delays:
        return
    delay = delays[max(len(delays) - left, 0)]
    raise NotKnownYet(why, delay * ATTENDED_SHARE if RunClock.of(context).attended else delay)
