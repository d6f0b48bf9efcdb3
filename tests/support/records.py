"""Records as queries give them: what a test does not say has a plausible value."""

from __future__ import annotations

import dataclasses
from datetime import date, datetime, timedelta
from typing import Any

from orchestration.health.facts import FirstDecision
from orchestration.records.base import Record
from orchestration.records.tables import (
    CallRecord,
    CleanupRecord,
    DecisionRecord,
    ExecutionRecord,
    ExpectedRun,
    MissingFile,
)
from orchestration.words import Action, ExecutionStatus, Mode, Outcome
from support.worlds import ours


def replace(holder: Any, **changes: Any) -> Any:
    """As dataclasses.replace; of records too, whose names are checked likewise."""
    if isinstance(holder, Record):
        return type(holder).known(**{**dict(holder), **changes})
    return dataclasses.replace(holder, **changes)


def expected_run(workflow: str, tick: datetime, reason: str = "", **more: Any) -> ExpectedRun:
    """A run that was expected, locked at the day's lock."""
    lock = ours().day_bounds(ours().current_day(tick))[0]
    values = {"workflow_name": workflow, "expected_run_time": tick, "reason": reason, "locked_at": lock, **more}
    return ExpectedRun.known(**values)


def a_decision(
    workflow: str, tick: datetime, action: Action, rule: str, reason: str = "", *, shadow: bool = False, **more: Any
) -> DecisionRecord:
    """A decision that was made at its tick."""
    values = {
        "decision_id": f"{workflow} {tick}", "decision_time": tick, "workflow_name": workflow, "action": action,
        "reason": reason, "context": {"mode": Mode.SHADOW} if shadow else None, "slot_time": tick, "rule": rule,
        "target_date": tick.date(), "run_id": f"scheduled__{tick.isoformat()}", "created_at": tick,
    }  # fmt: skip
    return DecisionRecord.known(**{**values, **more})


def an_execution(
    workflow: str, tick: datetime, day: date, calls: int = 5, no_data: int = 0, decision_id: str | None = None,
    **more: Any,
) -> ExecutionRecord:  # fmt: skip
    """An execution that began at its tick and completed."""
    values = {
        "execution_id": f"{workflow} {tick}", "execution_time": tick, "workflow_name": workflow,
        "decision_id": decision_id, "scrapers_triggered": calls, "scrapers_succeeded": calls, "scrapers_failed": 0,
        "scrapers_no_data": no_data, "status": ExecutionStatus.COMPLETED, "slot_time": tick, "target_date": day,
        "run_id": f"scheduled__{tick.isoformat()}",
        "created_at": tick + timedelta(seconds=more.get("duration_seconds") or 0),
    }  # fmt: skip
    return ExecutionRecord.known(**{**values, **more})


def a_call(
    scraper: str, workflow: str, tick: datetime, day: date, status: Outcome = Outcome.SUCCESS,
    game_id: str | None = None, **more: Any,
) -> CallRecord:  # fmt: skip
    """A call that was made at its tick."""
    values = {
        "row_id": f"{workflow} {tick} {scraper} {game_id}", "execution_id": f"{workflow} {tick} {scraper} {game_id}",
        "scraper_name": scraper, "workflow": workflow, "status": status, "triggered_at": tick, "slot_time": tick,
        "target_date": day, "game_id": game_id, "label": "", "dag_run_id": f"scheduled__{tick.isoformat()}",
        "created_at": tick,
    }  # fmt: skip
    return CallRecord.known(**{**values, **more})


def a_cleanup(at: datetime, checked: int = 10, missing: int = 0, republished: int = 0, **more: Any) -> CleanupRecord:
    """A cleanup that looked at ``at``."""
    values = {
        "cleanup_time": at, "files_checked": checked, "missing_files_found": missing, "republished_count": republished,
    }  # fmt: skip
    return CleanupRecord.known(**{**values, **more})


def missing_file(path: str, age: int, scraper: str = "nbac_player_boxscore", at: datetime | None = None) -> MissingFile:
    """A file that a cleanup did not find in its table, ``age`` minutes after its call."""
    moment = at or datetime.fromisoformat("2026-01-15T00:20+00:00")
    return MissingFile(scraper_name=scraper, gcs_path=path, triggered_at=moment, age_minutes=age, republished=False)


def missing_files(count: int, age: int) -> tuple[MissingFile, ...]:
    """Some files that a cleanup did not find."""
    return tuple(missing_file(f"gs://b/{number}.json", age) for number in range(count))


def first_decision(workflow: str, tick: datetime, at: datetime | None = None) -> FirstDecision:
    """A workflow's first decision on record, made at its tick unless said otherwise."""
    return FirstDecision(workflow_name=workflow, tick=tick, decided_at=at or tick)


def micros(moment: datetime) -> int:
    """A moment as our statements select it: microseconds since 1970."""
    return round(moment.timestamp() * 1_000_000)
