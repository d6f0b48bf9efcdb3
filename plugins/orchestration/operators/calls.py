"""The calls of a task: their audit rows, their reports, and the ledger that goes from try to try."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import field
from datetime import date, datetime
from typing import Annotated, Any

from pydantic import PlainSerializer, TypeAdapter
from pydantic.dataclasses import dataclass

from orchestration.decisions.whole import Shortfall, Usual, compared
from orchestration.records.ids import TaskKey, row_id
from orchestration.records.tables import CallRecord
from orchestration.runs.clock import RunClock
from orchestration.services.answers import CallResult, failed
from orchestration.services.redaction import without_secrets
from orchestration.vocabulary.scrapers import Scraper, fan_out_of
from orchestration.words import FanOut, Outcome, Source

OUTCOME_KEY = "outcome"
"""The XCom in which every task leaves the reports of its calls for ``finish``."""
OF_DECISION = ("workflow", "decision_id", "target_date", "slate", "usual")
"""The fields of a decision that the row of a call needs. A decision of an earlier release lacks the last two."""
NO_ITEMS: list[Any] = [None]
"""This list replaces an empty list. Airflow maps one task instance over it, and that one skips itself with a reason."""
KILLED = failed("killed", "The try left no result: its process was killed, or a person set its state", retryable=True)
"""The result of a try until it reports another one."""
SHADOW = failed("shadow", "no call was made: the workflow is a shadow now", retryable=False)
"""The result of a call whose workflow became a shadow after the decision (lesson A9)."""

CallReport = dict[str, Any]
"""What a try of a call reports, as JSON; see :func:`call_report`.

A :class:`CallLedger` adds two fields. ``again``: whether a retry makes the call again. ``settled``: a try number. Each
try of the task up to this one has staged its row for the call, or needs no row.
"""


@dataclass(frozen=True)
class ScraperCall:
    """One call of a run: a scraper and its parameters. ``index``: its place in a task of several calls, else None."""

    scraper: str
    label: str
    game_date: date
    game_id: str | None = None
    opts: Annotated[Mapping[str, Any], PlainSerializer(lambda opts: without_secrets(dict(opts)))] = field(
        default_factory=dict
    )
    index: int | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the call as JSON, without secrets."""
        left: dict[str, Any] = _CALL.dump_python(self, mode="json")
        return left

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> ScraperCall:
        """Return the call that :meth:`to_dict` wrote."""
        return _CALL.validate_python(data)


_CALL = TypeAdapter(ScraperCall)


def shortfall_of(
    call: ScraperCall, model: Scraper, result: CallResult, decision: Mapping[str, Any]
) -> Shortfall | None:
    """Return why the answer to a call is partial, or None if it is whole (lesson F3)."""
    if result.outcome is not Outcome.SUCCESS:
        return None
    whole_date = fan_out_of(call.scraper, model) is FanOut.NOTHING
    usual = (decision.get("usual") or {}).get(call.scraper)
    return compared(
        model.expects,
        Usual(**usual) if usual else None,
        (decision.get("slate") or ()) if whole_date else (),
        records=result.record_count,
        listed=result.games,
        counted=result.game_count,
    )


def call_row(
    call: ScraperCall,
    result: CallResult,
    key: TaskKey,
    decision: Mapping[str, Any],
    clock: RunClock,
    environment: str,
    triggered_at: datetime,
    completed_at: datetime,
    short: Shortfall | None = None,
) -> CallRecord:
    """Return the audit row of the try ``key`` of a call, made between two aware moments.

    Its id depends only on the try, and in a task of several calls on the index of the call. ``short``: why
    its answer is partial.
    """
    columns = key.columns()
    identity = row_id("call", key, *(() if call.index is None else (call.index,)))
    execution_id = result.run_id or identity
    return CallRecord(
        row_id=identity,
        execution_id=execution_id,
        run_id=execution_id,
        scraper_name=call.scraper,
        workflow=decision["workflow"],
        game_date=call.game_date,
        status=result.outcome,
        triggered_at=triggered_at,
        completed_at=completed_at,
        duration_seconds=max(round((completed_at - triggered_at).total_seconds(), 3), 0.0),
        timeout_seconds=result.timeout_seconds,
        source=clock.source,
        triggered_by=clock.triggered_by,
        gcs_path=result.gcs_path,
        data_summary=dict(result.summary) or None,
        error_type=result.error_type,
        error_message=result.error_message,
        retry_count=max(key.try_number - 1, 0),
        service_retries=result.service_retries,
        opts=dict(call.opts) or None,
        recovery=clock.source is Source.RECOVERY,
        slot_time=clock.tick,
        target_date=date.fromisoformat(decision["target_date"]),
        game_id=call.game_id,
        label=call.label,
        call_index=call.index,
        record_count=result.record_count,
        games_expected=len(slate) if (slate := decision.get("slate")) is not None else None,
        shortfall=short.text if short is not None else None,
        missing_games=short.missing_games if short is not None else (),
        content_hash=result.content_hash,
        decision_id=decision["decision_id"],
        environment=environment,
        created_at=clock.wall(),
        # In this table run_id is the service's.
        dag_run_id=columns.pop("run_id"),
        **columns,
    )


def call_report(
    call: ScraperCall, result: CallResult, key: TaskKey, triggered_at: datetime, row: CallRecord | None = None
) -> CallReport:
    """Return what the try ``key`` of a call reports to ``finish`` and to the next try. ``row``: its row, if staged."""
    return {
        "call": call.to_dict(),
        "try_number": key.try_number,
        "map_index": key.map_index,
        "execution_id": None if row is None else row.execution_id,
        "outcome": result.outcome.value,
        "error_type": result.error_type,
        "triggered_at": triggered_at.isoformat(),
        # `finish` may correct the row, and must not depend on BigQuery having it.
        "row": None if row is None else {name: value for name, value in row.to_json().items() if value is not None},
    }


def reports_by_task(ti: Any, plan: Iterable[str]) -> dict[tuple[str, int], list[CallReport]]:
    """Return the reports of a run's calls by scraper and map index. A task without a report is left out."""
    return {
        (scraper, int(left["map_index"])): left.get("calls", [left])
        for scraper in plan
        for left in ti.xcom_pull(task_ids=[scraper], key=OUTCOME_KEY)
        if left is not None
    }


class CallLedger:
    """The bookkeeping of a task's calls in the try ``key``: their reports, and which calls are still to be made.

    ``known`` are the reports of earlier tries. A call of a try before ``first_try`` is made again, because a person has
    cleared the task since then. ``write`` takes the reports of all calls, for ``finish``, and the known reports, for
    the next try.
    """

    def __init__(
        self,
        key: TaskKey,
        calls: Sequence[ScraperCall],
        known: Sequence[CallReport],
        first_try: int,
        write: Callable[[list[CallReport], list[CallReport]], None],
    ) -> None:
        self.key, self.calls, self._write = key, calls, write
        self.known = {report["call"].get("index"): dict(report) for report in known}
        self.pending = {call.index: call for call in calls if self._is_pending(call, first_try)}
        self.failures: dict[int | None, CallResult] = {}
        """The calls that failed in this try."""
        self._lock, self._changes, self._written = asyncio.Lock(), 0, 0

    def _is_pending(self, call: ScraperCall, first_try: int) -> bool:
        report = self.known.get(call.index)
        if report is None or report["call"]["label"] != call.label:
            return True
        return bool(report["try_number"] < first_try or report["again"])

    def silent(self) -> Iterator[tuple[ScraperCall, int]]:
        """Yield each call that is still to be made, once for each earlier try without a report, with its number."""
        for index, call in self.pending.items():
            settled = self.known[index]["settled"] if index in self.known else 0
            for number in range(settled + 1, self.key.try_number):
                yield call, number

    def begin(self, at: datetime) -> None:
        """Report every call as killed at the aware ``at``, before the first one is made."""
        self._begun = at
        for index, report in self.known.items():
            if index not in self.pending:
                report["settled"] = self.key.try_number
        self.write()

    def reports(self) -> list[CallReport]:
        """Return the present report of each call, in the order of the calls."""
        return [
            call_report(call, KILLED, self.key, self._begun) if call.index in self.pending else self.known[call.index]
            for call in self.calls
        ]

    def report(self, call: ScraperCall, result: CallResult, at: datetime, row: CallRecord) -> None:
        """Keep the result of a call that was made at the aware ``at``, and whose ``row`` is staged."""
        report = call_report(call, result, self.key, at, row)
        self.known[call.index] = {**report, "again": result.retryable, "settled": self.key.try_number}
        del self.pending[call.index]
        if result.outcome is Outcome.FAILED:
            self.failures[call.index] = result

    def write(self) -> None:
        """Write all reports."""
        self._write(*self._reported())

    def _reported(self) -> tuple[list[CallReport], list[CallReport]]:
        return self.reports(), list(self.known.values())

    async def save(self) -> None:
        """Write all reports and return when they are written. Calls that end during a write share the next write."""
        self._changes += 1
        mine = self._changes
        async with self._lock:
            if self._written < mine:
                upto = self._changes
                await asyncio.to_thread(self._write, *self._reported())
                self._written = upto

    def close(self, again: Container[int | None]) -> None:
        """Write which of the failed calls a retry makes again."""
        for index, report in self.known.items():
            report["again"] = index in again
        self.write()
