"""What the scraper service's own log says of our calls, and what follows for our rows. Pure (lesson A2).

A corrected row is a new version of the same row: same id, same day, later ``created_at``.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from orchestration.config import Config
from orchestration.records.tables import CallRecord, ExecutionRecord
from orchestration.runs.execution import CallEnd, failures_in_short, not_made, status_of
from orchestration.services.contract import LogEntry
from orchestration.services.redaction import MESSAGE_LIMIT, masked
from orchestration.services.sanitize import clean_text
from orchestration.vocabulary.answers import AnswerDescription
from orchestration.words import ExecutionStatus, Outcome


def unexplained(row: CallRecord) -> bool:
    """Return whether the log can know more of a call than its answer said: the file, or why it failed.

    A call without an answer has an id of our own, which is in nobody's log.
    """
    if row.run_id == row.row_id:
        return False
    return row.status is Outcome.FAILED or (row.status is Outcome.SUCCESS and row.gcs_path is None)


def corrected(row: CallRecord, entry: LogEntry, description: AnswerDescription, at: datetime) -> CallRecord | None:
    """Return the call's row as the log has it, or None where the log says nothing new.

    A success stays one, whatever the log's status: the service of November 2025 calls nearly everything ``no_data``.
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
    """Return an execution's row as its calls are known by now, or None where they say nothing new.

    ``calls``: the last tries of its calls, as far as they are known; with one of them missing nothing is said. A call
    that was not made stays so.
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
        # A message that was cut does not say any more what was not made.
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
