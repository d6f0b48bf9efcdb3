"""One call to the scraper service, as one task instance."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from airflow.configuration import conf
from airflow.sdk.exceptions import (
    AirflowSkipException,
    AirflowTaskTimeout,
    TaskDeferralError,
    TaskDeferralTimeout,
)

from orchestration.nba.games import Game
from orchestration.nba.teams import team
from orchestration.operators.base import AuditedOperator, task_key
from orchestration.operators.call_rows import KILLED, OF_DECISION, OUTCOME_KEY, Call, call_row, left_of
from orchestration.operators.call_trigger import ScraperCallTrigger
from orchestration.operators.decide import DECISION_KEY
from orchestration.operators.metrics import CALL_DURATION, CALLS
from orchestration.operators.retries import CallFailed
from orchestration.runs.clock import RunClock
from orchestration.services.answers import CallResult, failed
from orchestration.services.redaction import without_secrets
from orchestration.services.scraper_service import ScraperService
from orchestration.vocabulary.scrapers import answer_of, parameters_of
from orchestration.vocabulary.templates import Item, render
from orchestration.words import FanOut, Outcome

if TYPE_CHECKING:
    from airflow.sdk import Context

    from orchestration.records.ids import TaskKey
    from orchestration.records.tables import CallRecord

REPORTED_KEY = "reported"
"""Where a task keeps, across its tries, what the last one with a row came to."""
TIMEOUT_GRACE = timedelta(seconds=15)
"""A task's execution_timeout lies this far above the call's: it stops what the call's own limit does not."""
DEFERRAL_GRACE = timedelta(seconds=60)
"""A triggerer has this long beyond the call's own timeout, to pick the call up and to hand its result back."""
SHADOW = failed("shadow", "no call was made: the workflow is a shadow now", retryable=False)
"""Since its decision: whoever goes back to a shadow means the next call, not the next run (lesson A9)."""
NOTHING: list[Any] = [None]
"""What an empty list is mapped over: one instance, which is skipped and says why."""


class ScrapeOperator(AuditedOperator):
    """Calls one scraper for one item: a game, a team, an event, or nothing.

    ``item`` is the game's dict, the team's tricode or the event id. The task succeeds for ``success`` and ``no_data``.
    An event source returns its ``event_ids``; more than ``most_events`` are a failure. ``deferrable``: the triggerer
    makes the call and the task holds no worker slot meanwhile; None leaves it to Airflow's ``[operators]
    default_deferrable``.
    """

    several = False
    """Whether ``item`` is a list, with a call for each."""

    def __init__(
        self,
        *,
        scraper: str,
        fan_out: str = FanOut.NOTHING.value,
        item: Any = None,
        timeout_seconds: float,
        returns_events: bool = False,
        most_events: int | None = None,
        deferrable: bool | None = None,
        **arguments: Any,
    ) -> None:
        super().__init__(**arguments)
        self.scraper = scraper
        self.fan_out = fan_out
        self.item = item
        self.timeout_seconds = timeout_seconds
        self.returns_events = returns_events
        self.most_events = most_events
        if deferrable is None:
            deferrable = conf.getboolean("operators", "default_deferrable", fallback=False)
        self.deferrable = deferrable
        self._decided: dict[str, Any] | None = None

    def execute(self, context: Context) -> list[Any] | None:
        """Make the call, or have the triggerer make it."""
        decision, clock = self._decision(context), RunClock.of(context)
        [call] = self._calls(context, decision, clock)
        parameters = call.opts
        self.log.info("%s, with %s", call.label, without_secrets(dict(parameters)))
        if (made := self._made_already(context)) is not None:
            context["ti"].xcom_push(OUTCOME_KEY, made["left"])
            return made["returned"]
        asked_at = self._begin(context, decision, clock, call)
        if self.config.is_shadow(self.workflow):
            return self._end(context, call, SHADOW, asked_at, asked_at)
        description = answer_of(self.scraper, self.config.scrapers[self.scraper])
        if self.deferrable:
            limit = timedelta(seconds=self.timeout_seconds) + DEFERRAL_GRACE
            trigger = ScraperCallTrigger(
                self.scraper,
                parameters,
                decision["workflow"],
                self.timeout_seconds,
                description.model_dump(mode="json"),
                self.returns_events,
                self.config.settings.endpoint,
            )
            # What its row needs goes along, so that the task need not ask for it again.
            known = {"call": call.to_dict(), "decision": {name: decision[name] for name in OF_DECISION}}
            self.defer(trigger=trigger, method_name="answered", kwargs=known, timeout=limit)
        try:
            result = ScraperService(self.config.settings.endpoint).call(
                self.scraper,
                parameters,
                decision["workflow"],
                self.timeout_seconds,
                description,
                event_source=self.returns_events,
            )
        except AirflowTaskTimeout:
            result = self._late()
        return self._end(context, call, result, asked_at, clock.now())

    def answered(
        self,
        context: Context,
        event: Mapping[str, Any],
        call: Mapping[str, Any] | None = None,
        decision: dict[str, Any] | None = None,
    ) -> list[Any] | None:
        """Take over what the triggerer has got. A task that release 1.0 deferred has taken nothing else along."""
        clock, self._decided = RunClock.of(context), decision
        started, ended = (clock.of_wall(datetime.fromisoformat(event[name])) for name in ("started", "ended"))
        made = Call.from_dict(call or self._left(context)["call"])
        return self._end(context, made, CallResult.from_dict(event["result"]), started, ended)

    def resume_execution(self, next_method: str, next_kwargs: dict[str, Any] | None, context: Context) -> Any:
        """Resume after a deferral. One that nobody ended in time, or that broke, is a failed call like any other."""
        try:
            return super().resume_execution(next_method, next_kwargs, context)
        except TaskDeferralTimeout:
            result = self._late()
        except TaskDeferralError as error:
            result = failed("triggerer", f"the triggerer could not make the call: {error}", retryable=True)
        left = self._left(context)
        call, asked_at = Call.from_dict(left["call"]), datetime.fromisoformat(left["triggered_at"])
        return self._end(context, call, result, asked_at, RunClock.of(context).now())

    def _late(self) -> CallResult:
        return failed("timeout", f"the call outlived its {self.timeout_seconds:g} s and was given up", retryable=True)

    def _calls(self, context: Context, decision: Mapping[str, Any], clock: RunClock) -> list[Call]:
        """Return the calls to make. Raises AirflowSkipException, with the reason, when there are none."""
        if self.scraper not in decision["scrapers"]:
            raise AirflowSkipException(f"{self.scraper} is not among the scrapers that this run was asked for")
        of = self.item if self.several else [self.item]
        if of == NOTHING and self.fan_out != FanOut.NOTHING:
            context["call_label"] = f"no {self.fan_out}"
            raise AirflowSkipException(f"{self.scraper} is called for each {self.fan_out}, and there is none")
        items = [self._item(one) for one in of]
        first, last = items[0].label or self.scraper, items[-1].label
        label = context["call_label"] = first if len(items) == 1 else f"{first} … {last} ({len(items)})"
        had = decision["collected"].get(self.scraper, ())
        calls = [
            self._call(item, decision, clock, index if self.several else None)
            for index, item in enumerate(items)
            if item.game is None or item.game.game_id not in had
        ]
        if not calls:
            raise AirflowSkipException(f"{self.scraper} has brought {label} already")
        return calls

    def _call(self, item: Item, decision: Mapping[str, Any], clock: RunClock, index: int | None) -> Call:
        day = date.fromisoformat(decision["target_date"])
        templates = parameters_of(self.scraper, self.config.scrapers[self.scraper])
        return Call(
            scraper=self.scraper,
            label=f"{self.scraper} {item.label}".rstrip(),
            game_date=item.game.date if item.game else day,
            game_id=item.game.game_id if item.game else None,
            opts=render(templates, target_date=day, now=clock.tick, item=item),
            index=index,
        )

    def _item(self, of: Any) -> Item:
        match FanOut(self.fan_out):
            case FanOut.GAME:
                return Item(game=Game.from_dict(of))
            case FanOut.TEAM:
                return Item(team=team(of))
            case FanOut.EVENT:
                return Item(event_id=str(of))
            case FanOut.NOTHING:
                return Item()

    def _made_already(self, context: Context) -> dict[str, Any] | None:
        """Return what an earlier try brought, if this one was started although that had succeeded, and by nobody.

        Airflow can fail a task whose work is done: a process killed on its way out, or a deferred task that resumed
        while the scheduler was busy (apache/airflow#72716). The call is not made again. A cleared task does call again.
        """
        reported = self._reported(context)
        if reported is None or reported["left"]["try_number"] < self._first_try(context):
            return None
        if reported["left"]["outcome"] == Outcome.FAILED:
            return None
        self.log.warning("Try %d has made this call: %s", reported["left"]["try_number"], reported["left"]["outcome"])
        return reported

    def _first_try(self, context: Context) -> int:
        """Return the first try since somebody cleared the task, if anybody did."""
        return int(context["ti"].max_tries) - (self.retries or 0) + 1

    def _reported(self, context: Context) -> dict[str, Any] | None:
        if context["ti"].try_number == 1:
            return None
        reported: dict[str, Any] | None = context["task_state_store"].get(REPORTED_KEY)
        return reported

    def _begin(self, context: Context, decision: Mapping[str, Any], clock: RunClock, call: Call) -> datetime:
        """Leave word of the try before it makes its call, and of earlier ones that were killed; return the time."""
        key, now = task_key(context), clock.now()
        reported = self._reported(context)
        last = reported["left"]["try_number"] if reported else 0
        environment = self.config.environment
        for number in range(last + 1, key.try_number):
            silent = replace(key, try_number=number)
            row = call_row(call, KILLED, silent, decision, clock, environment, now, now)
            self.stage([row], unless_staged=True)
        self._leave(context, call, key, KILLED, now)
        return now

    def _end(
        self, context: Context, call: Call, result: CallResult, started: datetime, ended: datetime
    ) -> list[Any] | None:
        """Stage the row of the try, leave its outcome for ``finish``, and fail the task when the call failed."""
        decision, clock, key = self._decision(context), RunClock.of(context), task_key(context)
        # After a deferral this is another process than the one that made the call's label.
        label = context["call_label"] = call.label.removeprefix(self.scraper).strip() or self.scraper
        if self.most_events is not None and len(result.event_ids) > self.most_events:
            why = f"{len(result.event_ids)} events are more than Airflow maps tasks over ([core] max_map_length)"
            result = failed("too_many_events", f"{why}: give what is called for them calls_per_task", retryable=False)
        row = call_row(call, result, key, decision, clock, self.config.environment, started, ended)
        self.stage([row])
        self._measure(result, started, ended)
        left = self._leave(context, call, key, result, started, row)
        returned = (list(result.event_ids) or NOTHING) if self.returns_events else None
        context["task_state_store"].set(REPORTED_KEY, {"left": left, "returned": returned})
        if result.outcome is Outcome.FAILED:
            raise CallFailed(self.scraper, result)
        self.log.info("%s: %s, %s records", call.label, result.outcome, result.record_count)
        # So that the name of the instance goes with the word of its success: else that is a request of its own.
        context["ti"].rendered_map_index = label
        return returned

    def _measure(self, result: CallResult, started: datetime, ended: datetime) -> None:
        """Count a call that was made."""
        if result is not SHADOW:
            CALLS.count(scraper=self.scraper, outcome=result.outcome.value)
            CALL_DURATION.took(ended - started, scraper=self.scraper)

    def _leave(
        self,
        context: Context,
        call: Call,
        key: TaskKey,
        result: CallResult,
        at: datetime,
        row: CallRecord | None = None,
    ) -> dict[str, Any]:
        left = left_of(call, result, key, at, row)
        context["ti"].xcom_push(OUTCOME_KEY, left)
        return left

    def _left(self, context: Context) -> dict[str, Any]:
        ti = context["ti"]
        left: dict[str, Any] = ti.xcom_pull(task_ids=ti.task_id, key=OUTCOME_KEY, map_indexes=ti.map_index)
        return left

    def _decision(self, context: Context) -> dict[str, Any]:
        if self._decided is None:
            self._decided = context["ti"].xcom_pull(task_ids="decide", key=DECISION_KEY, map_indexes=-1)
        return self._decided
