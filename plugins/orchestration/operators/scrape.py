"""One call to the scraper service, as one task instance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
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
from orchestration.nba.league import team
from orchestration.operators.base import AuditedOperator, task_key
from orchestration.operators.call_trigger import ScraperCallTrigger
from orchestration.operators.calls import (
    KILLED,
    NO_ITEMS,
    OF_DECISION,
    OUTCOME_KEY,
    SHADOW,
    CallLedger,
    CallReport,
    ScraperCall,
    call_row,
    shortfall_of,
)
from orchestration.operators.decide import DECISION_KEY
from orchestration.operators.metrics import CALL_DURATION, CALLS
from orchestration.operators.retries import CallFailed
from orchestration.records.tables import CallRecord
from orchestration.runs.clock import RunClock
from orchestration.services.answers import CallResult, failed
from orchestration.services.redaction import without_secrets
from orchestration.services.scraper_service import CallRequest, ScraperService
from orchestration.vocabulary.scrapers import answer_of, parameters_of
from orchestration.vocabulary.templates import Item, references, render
from orchestration.words import FanOut, Outcome

if TYPE_CHECKING:
    from airflow.sdk import Context

REPORTED_KEY = "reported"
"""The key in Airflow's state store of the reports that a task passes from try to try."""
TIMEOUT_GRACE = timedelta(seconds=15)
"""A task's execution_timeout is this much longer than its call's timeout, for a call that does not stop in time."""
DEFERRAL_GRACE = timedelta(seconds=60)
"""The time, beyond the call's timeout, for a triggerer to take the call over and to return its result."""


class ScrapeOperator(AuditedOperator):
    """Calls one scraper for one item: a game, a team, an event, or nothing.

    ``item`` is the game's dict, the team's tricode or the event id. The task succeeds for ``success`` and ``no_data``.
    An event source returns its ``event_ids``. More than ``most_events`` of them are a failure. ``deferrable``: the
    triggerer makes the call while the task holds no worker slot. None means Airflow's ``[operators]
    default_deferrable``.
    """

    several = False
    """Whether ``item`` is a list, with one call for each of its elements."""

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
        self._events: list[Any] | None = None
        """What an event source returns."""

    def execute(self, context: Context) -> list[Any] | None:
        """Make the call, or have the triggerer make it."""
        decision = self._decision(context)
        [call] = self._calls(context, decision)
        self.log.info("%s, with %s", call.label, without_secrets(dict(call.opts)))
        ledger, asked_at = self._begin(context, [call])
        if not ledger.pending:
            return self._take_over(*ledger.reports())
        if self.config.is_shadow(self.workflow):
            return self._end(context, ledger, SHADOW, asked_at, asked_at)
        endpoint, request = self.config.settings.endpoint, self._request(call, decision)
        if self.deferrable:
            limit = timedelta(seconds=self.timeout_seconds) + DEFERRAL_GRACE
            # The task's next process receives what the row needs, so it reads no XCom for that.
            known = {"call": call.to_dict(), "decision": {name: decision.get(name) for name in OF_DECISION}}
            trigger = ScraperCallTrigger(endpoint, **asdict(request))
            self.defer(trigger=trigger, method_name="answered", kwargs=known, timeout=limit)
        try:
            result = ScraperService(endpoint).call(request)
        except AirflowTaskTimeout:
            result = self._late()
        return self._end(context, ledger, result, asked_at, RunClock.of(context).now())

    def answered(
        self,
        context: Context,
        event: Mapping[str, Any],
        call: Mapping[str, Any] | None = None,
        decision: dict[str, Any] | None = None,
    ) -> list[Any] | None:
        """Record the triggerer's result. A task that release 1.0 deferred passes neither call nor decision."""
        clock, self._decided = RunClock.of(context), decision
        started, ended = (clock.of_wall(datetime.fromisoformat(event[name])) for name in ("started", "ended"))
        ledger = self._ledger(context, [ScraperCall.from_dict(call or self._report(context)["call"])])
        return self._end(context, ledger, CallResult.from_dict(event["result"]), started, ended)

    def resume_execution(self, next_method: str, next_kwargs: dict[str, Any] | None, context: Context) -> Any:
        """Resume after a deferral. A deferral that timed out or broke is a failed call."""
        try:
            return super().resume_execution(next_method, next_kwargs, context)
        except TaskDeferralTimeout:
            result = self._late()
        except TaskDeferralError as error:
            result = failed("triggerer", f"the triggerer could not make the call: {error}", retryable=True)
        report = self._report(context)
        ledger = self._ledger(context, [ScraperCall.from_dict(report["call"])])
        asked_at = datetime.fromisoformat(report["triggered_at"])
        return self._end(context, ledger, result, asked_at, RunClock.of(context).now())

    def _request(self, call: ScraperCall, decision: Mapping[str, Any]) -> CallRequest:
        model = self.config.scrapers[self.scraper]
        answer, looked_up = answer_of(self.scraper, model), references(parameters_of(self.scraper, model))
        workflow, limit = decision["workflow"], self.timeout_seconds
        return CallRequest(self.scraper, call.opts, workflow, limit, answer, self.returns_events, looked_up)

    def _late(self) -> CallResult:
        return failed("timeout", f"the call did not end within its {self.timeout_seconds:g} s", retryable=True)

    def _calls(self, context: Context, decision: Mapping[str, Any]) -> list[ScraperCall]:
        """Return the calls to make. Raises AirflowSkipException, with the reason, when there are none."""
        if self.scraper not in decision["scrapers"]:
            raise AirflowSkipException(f"{self.scraper} is not among the scrapers that this run calls")
        of = self.item if self.several else [self.item]
        if of == NO_ITEMS and self.fan_out != FanOut.NOTHING:
            context["call_label"] = f"no {self.fan_out}"
            raise AirflowSkipException(f"{self.scraper} is called for each {self.fan_out}, and there is none")
        items = [self._item(one) for one in of]
        first, last = items[0].label or self.scraper, items[-1].label
        label = context["call_label"] = first if len(items) == 1 else f"{first} … {last} ({len(items)})"
        collected = decision["collected"].get(self.scraper, ())
        clock = RunClock.of(context)
        calls = [
            self._call(item, decision, clock, index if self.several else None)
            for index, item in enumerate(items)
            if item.game is None or item.game.game_id not in collected
        ]
        if not calls:
            raise AirflowSkipException(f"{self.scraper} has already collected {label}")
        return calls

    def _call(self, item: Item, decision: Mapping[str, Any], clock: RunClock, index: int | None) -> ScraperCall:
        day = date.fromisoformat(decision["target_date"])
        templates = parameters_of(self.scraper, self.config.scrapers[self.scraper])
        return ScraperCall(
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

    def _begin(self, context: Context, calls: Sequence[ScraperCall]) -> tuple[CallLedger, datetime]:
        """Return the ledger of the task's calls and its start time. Stage the rows of tries that were killed."""
        ledger, now = self._ledger(context, calls), RunClock.of(context).now()
        silent = (self._row(context, call, KILLED, now, now, number) for call, number in ledger.silent())
        self.stage(silent, unless_staged=True)
        ledger.begin(now)
        return ledger, now

    def _ledger(self, context: Context, calls: Sequence[ScraperCall]) -> CallLedger:
        """Return the ledger of the task's calls, with the reports of its earlier tries."""
        ti, store = context["ti"], context["task_state_store"]
        kept = (store.get(REPORTED_KEY) if ti.try_number > 1 else None) or {}
        reports = kept.get("calls", []) if self.several else [kept["left"]] if "left" in kept else []
        self._events = kept.get("returned")
        # Reports of release 1.0 lack these two fields. That release retried every failed call.
        known = [{"again": one["outcome"] == Outcome.FAILED, "settled": one["try_number"], **one} for one in reports]
        first_try = ti.max_tries - (self.retries or 0) + 1

        def write(reports: list[CallReport], known: list[CallReport]) -> None:
            if known:
                calls = {"calls": known} if self.several else {"left": known[0], "returned": self._events}
                store.set(REPORTED_KEY, calls)
            ti.xcom_push(OUTCOME_KEY, {"map_index": ti.map_index, "calls": reports} if self.several else reports[0])

        return CallLedger(task_key(context), calls, known, first_try, write)

    def _take_over(self, report: CallReport) -> list[Any] | None:
        """Return what an earlier try returned, or fail as it did: this try makes no call.

        Airflow can start another try although the call was made: the process was killed at its end, or the deferred
        task resumed while the scheduler was busy (apache/airflow#72716). A cleared task makes its call again.
        """
        self.log.warning("Try %d has made this call: %s", report["try_number"], report["outcome"])
        if report["outcome"] == Outcome.FAILED:
            message = (report["row"] or {}).get("error_message")
            raise CallFailed(self.scraper, failed(report["error_type"], message or "", retryable=False))
        return self._events

    def _end(
        self, context: Context, ledger: CallLedger, result: CallResult, started: datetime, ended: datetime
    ) -> list[Any] | None:
        """Record the call, return the events of an event source, and fail the task when the call failed."""
        [call] = ledger.calls
        # After a deferral this is another process than the one that made the call's label.
        label = context["call_label"] = call.label.removeprefix(self.scraper).strip() or self.scraper
        if self.most_events is not None and len(result.event_ids) > self.most_events:
            why = f"{len(result.event_ids)} events are more than Airflow maps tasks over ([core] max_map_length)"
            message = f"{why}: set calls_per_task for the scrapers of the events"
            result = failed("too_many_events", message, retryable=False)
        self._events = (list(result.event_ids) or NO_ITEMS) if self.returns_events else None
        ledger.report(call, result, started, self._record(context, call, result, started, ended))
        ledger.write()
        if result.outcome is Outcome.FAILED:
            raise CallFailed(self.scraper, result)
        self.log.info("%s: %s, %s records", call.label, result.outcome, result.record_count)
        # Airflow sends the label with the message of the task's success, without a request of its own.
        context["ti"].rendered_map_index = label
        return self._events

    def _record(
        self, context: Context, call: ScraperCall, result: CallResult, started: datetime, ended: datetime
    ) -> CallRecord:
        """Stage the row of a call and return it; count the call if it was made."""
        row = self._row(context, call, result, started, ended, context["ti"].try_number)
        self.stage([row])
        if result is not SHADOW:
            CALLS.count(scraper=self.scraper, outcome=result.outcome.value)
            CALL_DURATION.took(ended - started, scraper=self.scraper)
        return row

    def _row(
        self, context: Context, call: ScraperCall, result: CallResult, started: datetime, ended: datetime, number: int
    ) -> CallRecord:
        """Return the row of a call in the try ``number`` of the task."""
        key, clock, decision = (
            replace(task_key(context), try_number=number),
            RunClock.of(context),
            self._decision(context),
        )
        if short := shortfall_of(call, self.config.scrapers[self.scraper], result, decision):
            self.log.warning("%s: the answer is partial: %s", call.label, short.text)
        return call_row(call, result, key, decision, clock, self.config.environment, started, ended, short)

    def _report(self, context: Context) -> CallReport:
        """Return the report that this task left before it deferred."""
        ti = context["ti"]
        report: CallReport = ti.xcom_pull(task_ids=ti.task_id, key=OUTCOME_KEY, map_indexes=ti.map_index)
        return report

    def _decision(self, context: Context) -> dict[str, Any]:
        if self._decided is None:
            self._decided = context["ti"].xcom_pull(task_ids="decide", key=DECISION_KEY, map_indexes=-1)
        return self._decided
