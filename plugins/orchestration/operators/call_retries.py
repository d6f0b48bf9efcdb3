"""Which failed calls are made again, and when (DESIGN section 6)."""

from __future__ import annotations

import random
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow.sdk import RetryDecision, RetryPolicy
from airflow.sdk.exceptions import AirflowException

from orchestration.services.answers import CallResult

if TYPE_CHECKING:
    from airflow.sdk import Context


class CallFailed(AirflowException):
    """A call failed. ``result`` says why, and whether trying again can help."""

    def __init__(self, scraper: str, result: CallResult) -> None:
        self.result = result
        super().__init__(f"{scraper} failed ({result.error_type}): {result.error_message}")


class CallRetryPolicy(RetryPolicy):
    """Retries timeouts, connection errors, 429 and 5xx with growing delays; everything else fails at once.

    ``first`` and ``longest`` are seconds. A Retry-After of the service wins over both.
    """

    def __init__(self, first: float, longest: float) -> None:
        self.first, self.longest = first, longest

    def evaluate(
        self, exception: BaseException, try_number: int, max_tries: int, context: Context | None = None
    ) -> RetryDecision:
        """Return what to do after a failed try."""
        if not isinstance(exception, CallFailed):
            return RetryDecision.default()
        result = exception.result
        if not result.retryable:
            return RetryDecision.fail(f"{result.error_type} does not go away by itself")
        backoff = min(self.first * 2 ** (try_number - 1), self.longest) * random.uniform(1.0, 1.25)  # noqa: S311
        seconds = result.retry_after if result.retry_after is not None else backoff
        return RetryDecision.retry(timedelta(seconds=seconds), f"{result.error_type}: again in {seconds:.0f} s")

    def serialize(self) -> dict[str, Any]:
        """Return the delays."""
        return {"first": self.first, "longest": self.longest}

    @classmethod
    def deserialize(cls, data: dict[str, Any]) -> CallRetryPolicy:
        """Return the policy of :meth:`serialize`'s form."""
        return cls(**data)
