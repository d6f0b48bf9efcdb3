"""Corrections of our rows by the scraper service's own log, ``settings.service_log`` (lesson A2).

A correction is a new version of a row: same id, same day, later ``created_at``.
"""

from __future__ import annotations

import json
import logging
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta

from pydantic import BaseModel, ValidationError

from orchestration.audit.inputs import by_kind
from orchestration.audit.statements import statement
from orchestration.audit.warehouse import Parameter, Warehouse
from orchestration.config import Config
from orchestration.records.base import Moment
from orchestration.records.tables import CallRecord, ExecutionRecord
from orchestration.runs.execution import CallEnd, failures_in_short, not_made, status_of
from orchestration.services.contract import LogEntry
from orchestration.services.redaction import MESSAGE_LIMIT, clean_text, masked
from orchestration.vocabulary.answers import AnswerDescription
from orchestration.vocabulary.scrapers import answer_of
from orchestration.words import ExecutionStatus, Outcome

log = logging.getLogger(__name__)

DAY = timedelta(days=1)
"""The clock of the service, or the day of a replay, may differ from ours by this much."""
RECENT = timedelta(hours=3)
SAME_TIME = timedelta(minutes=10)
"""Two callers that follow the same schedule call within this time."""
CALLERS = frozenset({"workflow", "source", "group", "debug"})
"""Parameters in the log that say who called."""


def corrections(warehouse: Warehouse, config: Config, rows: Iterable[CallRecord], at: datetime) -> list[CallRecord]:
    """Return a new version of each row that the service's log corrects, made at the aware moment ``at``.

    One query reads the log for all rows. Without ``settings.service_log`` nothing is read.

    Raises WarehouseError when the log cannot be read.
    """
    asked = [row for row in rows if unexplained(row)] if config.settings.service_log else []
    if not asked:
        return []
    days = [moment.astimezone(UTC).date() for row in asked for moment in (row.triggered_at, row.created_at)]
    entries = log_entries(warehouse, {row.run_id for row in asked}, min(days), max(days))
    found = (
        corrected(row, entries[row.run_id], answer_of(row.scraper_name, config.scrapers.get(row.scraper_name)), at)
        for row in asked
        if row.run_id in entries
    )
    return [row for row in found if row is not None]


def log_entries(warehouse: Warehouse, run_ids: Iterable[str], first: date, last: date) -> dict[str, LogEntry]:
    """Return what the service's log says of each run, by run id. ``first``, ``last``: the days of the runs, UTC.

    Raises WarehouseError when the log cannot be read.
    """
    parameters: dict[str, Parameter] = {
        "run_ids": sorted(set(run_ids)),
        "first_date": first - DAY,
        "last_date": last + DAY,
    }
    entries: dict[str, LogEntry] = {}
    for row in warehouse.query(statement("service_log"), parameters):
        try:
            entries[row["execution_id"]] = LogEntry.model_validate(row)
        except ValidationError as error:
            # The other rows of the log are still read.
            problems = "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors())
            log.warning("A row of the service's log is left out (%s): %s", row["execution_id"], problems)
    return entries


def unexplained(row: CallRecord) -> bool:
    """Return whether the log can add the file or the cause of failure to a call's row.

    A call without an answer has an id of our own, which is not in the log.
    """
    if row.run_id == row.row_id:
        return False
    return row.status is Outcome.FAILED or (row.status is Outcome.SUCCESS and row.gcs_path is None)


def corrected(row: CallRecord, entry: LogEntry, description: AnswerDescription, at: datetime) -> CallRecord | None:
    """Return a call's row with what the log adds, or None if the log adds nothing.

    A success stays a success: the service of November 2025 logs nearly everything as ``no_data``.
    """
    values: dict[str, object] = {
        "gcs_path": row.gcs_path or entry.gcs_path or None,
        "service_retries": row.service_retries if entry.retry_count is None else entry.retry_count,
    }
    if row.status is Outcome.FAILED and entry.status != Outcome.SUCCESS:
        values["error_type"] = entry.error_type or row.error_type
        values["error_message"] = clean_text(masked(entry.error_message or "")) or row.error_message
        if description.means_no_data(None, entry.error_type, entry.error_message):
            values["status"] = Outcome.NO_DATA
    return row.changed(at, **values)


def corrected_execution(
    row: ExecutionRecord, calls: Sequence[CallRecord], config: Config, at: datetime
) -> ExecutionRecord | None:
    """Return an execution's row that counts its calls anew, or None if nothing changes.

    ``calls`` are the last tries of its calls. If one of them is missing, the row stays as it is.
    """
    known = config.workflows.get(row.workflow_name)
    if known is None or row.status is ExecutionStatus.COMPLETED or len(calls) != row.scrapers_triggered:
        return None
    plan = {scraper: place for place, scraper in enumerate(known.execution_plan.scrapers)}
    ends = [
        CallEnd(call.scraper_name, call.map_index, call.status, call.label or call.scraper_name,
                call.execution_id, call.error_type)
        for call in sorted(
            calls, key=lambda call: (plan.get(call.scraper_name, len(plan)), call.map_index, call.call_index or 0)
        )
    ]  # fmt: skip
    failed = sum(end.outcome is Outcome.FAILED for end in ends)
    if not ends or failed > row.scrapers_failed or len(row.error_message or "") >= MESSAGE_LIMIT:
        # A message that was cut no longer names every call that was not made.
        return None
    ends += not_made(row.error_message)
    return row.changed(
        at,
        scrapers_succeeded=len(calls) - failed,
        scrapers_failed=failed,
        scrapers_no_data=sum(end.outcome is Outcome.NO_DATA for end in ends),
        status=status_of(ends, config.critical_scrapers(row.workflow_name)),
        error_message=failures_in_short(ends),
    )


class LoggedRun(BaseModel):
    """A run in the service's log, ours or another caller's. ``opts``: its parameters, as JSON text."""

    execution_id: str
    scraper_name: str
    triggered_at: Moment
    opts: str | None = None

    @property
    def asked(self) -> tuple[str, str]:
        """The scraper and its own parameters, without who called it."""
        found = json.loads(self.opts or "null")
        found = json.loads(found) if isinstance(found, str) else found
        kept = {key: value for key, value in (found or {}).items() if key not in CALLERS}
        return self.scraper_name, json.dumps(kept, sort_keys=True)


def second_runs(warehouse: Warehouse, config: Config, now: datetime) -> tuple[list[LoggedRun], list[CallRecord]]:
    """Return the runs of the service's log and our calls, of :data:`RECENT` before the aware ``now``.

    Raises WarehouseError when the log cannot be read.
    """
    if config.settings.service_log is None:
        return [], []
    since = now.astimezone(UTC) - RECENT
    about = {"oldest": since, "first_date": since.date(), "last_date": (now.astimezone(UTC) + DAY).date()}
    rows = by_kind(warehouse.query(statement("second_runs"), about))
    return [LoggedRun.model_validate_json(row) for row in rows["logged"]], [
        CallRecord.read(row) for row in rows["call"]
    ]


def made_twice(logged: Sequence[LoggedRun], calls: Sequence[CallRecord]) -> tuple[list[LoggedRun], int]:
    """Return our runs that another caller made too, at about the same time, and the number of our runs in the log.

    A try of ours without an answer may have a run in the log, whose id we do not know.
    """
    ids = {call.run_id for call in calls if call.run_id != call.row_id}
    unanswered = [call.triggered_at for call in calls if call.run_id == call.row_id]
    ours = {run.execution_id: run for run in logged if run.execution_id in ids}
    others: dict[tuple[str, str], list[datetime]] = defaultdict(list)
    for run in logged:
        if run.execution_id not in ids and not any(abs(run.triggered_at - at) <= SAME_TIME for at in unanswered):
            others[run.asked].append(run.triggered_at)
    twice = [
        run for run in ours.values() if any(abs(run.triggered_at - at) <= SAME_TIME for at in others.get(run.asked, ()))
    ]
    return twice, len(ours)


def ahead_of_service(logged: Sequence[LoggedRun], calls: Sequence[CallRecord]) -> timedelta:
    """Return by how much a worker's clock is ahead of the service's at most: it notes a call after the run began."""
    began = {run.execution_id: run.triggered_at for run in logged}
    scheduled = (call for call in calls if call.triggered_by == "schedule" and call.run_id in began)
    return max((call.triggered_at - began[call.run_id] for call in scheduled), default=timedelta())
