"""One call to the scraper service, as one task instance."""

from __future__ import annotations

import random
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from airflow.sdk import RetryDecision, RetryPolicy
from airflow.sdk.exceptions import AirflowException, AirflowSkipException, AirflowTaskTimeout

from orchestration.config.scrapers import parameters_of
from orchestration.config.templates import Item, render
from orchestration.nba.games import Game
from orchestration.nba.teams import team
from orchestration.operators.base import AuditedOperator
from orchestration.operators.decide import DECISION_KEY
from orchestration.run_clock import RunClock, task_key
from orchestration.services.answers import CallResult, failed
from orchestration.services.scraper_service import ScraperService
from orchestration.words import FanOut, Outcome

if TYPE_CHECKING:
    from airflow.sdk import Context

    from orchestration.audit.ids import TaskKey

OUTCOME_KEY = "outcome"
"""The XCom in which every call leaves its outcome for ``finish``."""
TIMEOUT_GRACE = timedelta(seconds=15)
"""A task's execution_timeout lies this far above the call's: it stops an answer that drips in (lesson E8)."""


def call_columns(
    decision: Mapping[str, Any], clock: RunClock, key: TaskKey, environment: str, now: datetime
) -> dict[str, Any]:
    """Return what every row of a call of this run says: whose it is, for which decision, and when it was made."""
    columns = key.columns()
    return {
        "workflow": decision["workflow"],
        "decision_id": decision["decision_id"],
        "target_date": date.fromisoformat(decision["target_date"]),
        "slot_time": clock.tick,
        "source": clock.source,
        "triggered_by": clock.triggered_by,
        "environment": environment,
        "completed_at": now,
        "created_at": now,
        # In this table run_id is the service's.
        "dag_run_id": columns.pop("run_id"),
        **columns,
    }


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


class ScrapeOperator(AuditedOperator):
    """Calls one scraper for one item: a game, a team, an event, or nothing.

    ``item`` is the game's dict, the team's tricode or the event id. The task succeeds for ``success`` and ``no_data``.
    An event source returns its ``event_ids``.
    """

    template_fields = ("request",)
    overwrite_rtif_after_execution = True

    def __init__(
        self,
        *,
        scraper: str,
        fan_out: str = FanOut.NOTHING.value,
        item: Any = None,
        timeout_seconds: float,
        returns_events: bool = False,
        **arguments: Any,
    ) -> None:
        super().__init__(**arguments)
        self.scraper = scraper
        self.fan_out = fan_out
        self.item = item
        self.timeout_seconds = timeout_seconds
        self.returns_events = returns_events
        self.request: dict[str, Any] | None = None
        """What was sent; shown by the UI among the rendered fields."""

    def execute(self, context: Context) -> list[str] | None:
        """Make the call, stage its row, and fail the task when the call failed."""
        decision: dict[str, Any] = context["ti"].xcom_pull(task_ids="decide", key=DECISION_KEY, map_indexes=-1)
        if self.scraper not in decision["scrapers"]:
            raise AirflowSkipException(f"{self.scraper} is not among the scrapers that this run was asked for")
        clock, item = RunClock.of(context), self._item()
        context["call_label"] = item.label or self.scraper
        if item.game is not None and item.game.game_id in decision["collected"].get(self.scraper, ()):
            raise AirflowSkipException(f"{self.scraper} has brought {item.label} already")
        day = date.fromisoformat(decision["target_date"])
        parameters = render(
            parameters_of(self.scraper, self.config.scrapers[self.scraper]), target_date=day, now=clock.tick, item=item
        )
        self.request = {"scraper": self.scraper, **parameters}
        triggered_at = clock.now()
        result = self._call(parameters, decision["workflow"])
        self._stage(context, clock, decision, item, parameters, triggered_at, result)
        if result.outcome is Outcome.FAILED:
            raise CallFailed(self.scraper, result)
        self.log.info("%s: %s, %s records", self.scraper, result.outcome, result.record_count)
        return list(result.event_ids) if self.returns_events else None

    def _item(self) -> Item:
        match FanOut(self.fan_out):
            case FanOut.GAME:
                return Item(game=Game.from_dict(self.item))
            case FanOut.TEAM:
                return Item(team=team(self.item))
            case FanOut.EVENT:
                return Item(event_id=str(self.item))
            case FanOut.NOTHING:
                return Item()

    def _call(self, parameters: dict[str, Any], workflow: str) -> CallResult:
        try:
            return ScraperService().call(self.scraper, parameters, workflow, self.timeout_seconds)
        except AirflowTaskTimeout:
            return failed("timeout", f"the answer was not complete within {self.timeout_seconds:g} s", retryable=True)

    def _stage(
        self,
        context: Context,
        clock: RunClock,
        decision: dict[str, Any],
        item: Item,
        parameters: dict[str, Any],
        triggered_at: datetime,
        result: CallResult,
    ) -> None:
        from orchestration.audit.ids import row_id
        from orchestration.audit.rows import ScraperRun

        key, now = task_key(context), clock.now()
        identity = row_id("call", key)
        execution_id = result.run_id or identity
        row = ScraperRun(
            row_id=identity,
            execution_id=execution_id,
            run_id=execution_id,
            scraper_name=self.scraper,
            game_date=item.game.date if item.game else date.fromisoformat(decision["target_date"]),
            status=result.outcome,
            triggered_at=triggered_at,
            duration_seconds=round((now - triggered_at).total_seconds(), 3),
            gcs_path=result.gcs_path,
            data_summary=dict(result.summary) or None,
            error_type=result.error_type,
            error_message=result.error_message,
            retry_count=key.try_number - 1,
            opts=parameters,
            game_id=item.game.game_id if item.game else None,
            label=f"{self.scraper} {item.label}".rstrip(),
            record_count=result.record_count,
            **call_columns(decision, clock, key, self.config.environment, now),
        )
        self.stage([row])
        context["ti"].xcom_push(
            OUTCOME_KEY,
            {
                "execution_id": execution_id,
                "outcome": result.outcome.value,
                "label": row.label,
                "error_type": result.error_type,
                "triggered_at": triggered_at.isoformat(),
                "map_index": key.map_index,
            },
        )
