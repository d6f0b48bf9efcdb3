"""The audit rows of calls: one for each try, whoever reports it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from orchestration.runs.clock import RunClock
from orchestration.services.answers import CallResult, failed
from orchestration.services.redaction import without_secrets
from orchestration.words import Source

if TYPE_CHECKING:
    from orchestration.records.ids import TaskKey
    from orchestration.records.tables import CallRecord

OUTCOME_KEY = "outcome"
"""The XCom in which every call leaves its outcome for ``finish``."""
OF_DECISION = ("workflow", "decision_id", "target_date")
"""What the row of a call takes from its decision."""
KILLED = failed(
    "killed", "The try ended without a word: its process was killed, or somebody set its state", retryable=True
)


@dataclass(frozen=True)
class Call:
    """One call of a run: who is asked for what. ``to_dict`` is what a call leaves of itself before it is made.

    ``index``: its place among the calls of one task, None where that makes no other.
    """

    scraper: str
    label: str
    game_date: date
    game_id: str | None = None
    opts: Mapping[str, Any] = field(default_factory=dict)
    index: int | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return JSON's form."""
        return {
            "scraper": self.scraper,
            "label": self.label,
            "game_date": self.game_date.isoformat(),
            "game_id": self.game_id,
            "opts": without_secrets(dict(self.opts)),
            "index": self.index,
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Call:
        """Return the call of :meth:`to_dict`'s form."""
        return cls(**{**data, "game_date": date.fromisoformat(data["game_date"])})


def call_row(
    call: Call,
    result: CallResult,
    key: TaskKey,
    decision: Mapping[str, Any],
    clock: RunClock,
    environment: str,
    triggered_at: datetime,
    completed_at: datetime,
) -> CallRecord:
    """Return the row of the try ``key`` of a call, made between two aware moments.

    Its id depends on the try alone, and on the call's index where its task makes several.
    """
    from orchestration.records.ids import row_id
    from orchestration.records.tables import CallRecord

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
        decision_id=decision["decision_id"],
        environment=environment,
        created_at=clock.wall(),
        # In this table run_id is the service's.
        dag_run_id=columns.pop("run_id"),
        **columns,
    )


def left_of(
    call: Call, result: CallResult, key: TaskKey, triggered_at: datetime, row: CallRecord | None = None
) -> dict[str, Any]:
    """Return what a call leaves for ``finish`` and the next try, as JSON. ``row``: that of the try, if it has one."""
    return {
        "call": call.to_dict(),
        "try_number": key.try_number,
        "map_index": key.map_index,
        "execution_id": None if row is None else row.execution_id,
        "outcome": result.outcome.value,
        "error_type": result.error_type,
        "triggered_at": triggered_at.isoformat(),
        # What `finish` may have to correct, whether BigQuery has it by then or not.
        "row": None if row is None else {name: value for name, value in row.to_json().items() if value is not None},
    }


def left_by_calls(ti: Any, plan: Iterable[str]) -> dict[tuple[str, int], list[dict[str, Any]]]:
    """Return what the calls of a run left, by their scraper and map index, for those that left anything."""
    return {
        (scraper, int(left["map_index"])): left.get("calls", [left])
        for scraper in plan
        for left in ti.xcom_pull(task_ids=[scraper], key=OUTCOME_KEY)
        if left is not None
    }
