"""One record for each audit table: its fields are the columns of ``include/sql/tables`` (lessons C3, C9). Pure.

To add a column, write one line in the table's SQL and one field here.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date as Date
from datetime import datetime, timedelta

from pydantic import BaseModel, ConfigDict, Field

from orchestration.nba.eastern import after
from orchestration.records.base import JsonColumn, Message, Moment, Record
from orchestration.words import (
    Action,
    AlertLevel,
    ExecutionStatus,
    FileState,
    Mode,
    Outcome,
    Priority,
    Source,
    Surrounding,
)

KILLED = "killed"
"""``error_type`` of a call whose process was killed before it could write its row."""


class SlateGame(BaseModel):
    """A game of a locked day. ``code`` is None while its teams are undecided."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    game_id: str
    code: str | None = None
    tip: Moment | None = None


class ExpectedRun(Record):
    """A run that the lock of a day expects: a row of ``daily_expected_schedule``."""

    TABLE = "daily_expected_schedule"
    ID = "expected_id"

    expected_id: str
    date: Date
    locked_at: Moment
    workflow_name: str
    expected_run_time: Moment
    reason: str | None = None
    scrapers: tuple[str, ...] = ()
    games_today: int | None = Field(default=None, ge=0)
    priority: Priority | None = None
    schedule_version: str | None = None
    generated_by: str | None = None
    forced: bool = False
    rules: str | None = None
    slate: tuple[SlateGame, ...] = ()
    calls: str | None = None
    target_date: Date
    run_id: str

    @property
    def tick(self) -> datetime:
        """The tick at which the run is expected, aware, ET."""
        return self.expected_run_time


class DecisionRecord(Record):
    """The decision of one workflow at one tick: a row of ``workflow_decisions``."""

    TABLE = "workflow_decisions"
    ID = "decision_id"

    decision_id: str
    decision_time: Moment
    workflow_name: str
    action: Action
    reason: str
    context: JsonColumn | None = None
    scrapers_triggered: tuple[str, ...] = ()
    target_games: tuple[str, ...] = ()
    next_check_time: Moment | None = None
    priority: Priority | None = None
    alert_level: AlertLevel | None = None
    controller_version: str | None = None
    triggered_by: str | None = None
    slot_time: Moment
    rule: str
    target_date: Date
    run_id: str

    @property
    def tick(self) -> datetime:
        """The tick of the decision, aware, ET."""
        return self.slot_time

    @property
    def shadow(self) -> bool:
        """Whether the decision was only recorded because another system does the work (lesson A9)."""
        return (self.context or {}).get("mode") == Mode.SHADOW


class ExecutionRecord(Record):
    """What one RUN did: a row of ``workflow_executions``. Counts are of calls."""

    TABLE = "workflow_executions"
    ID = "execution_id"

    execution_id: str
    execution_time: Moment
    workflow_name: str
    decision_id: str | None = None
    scrapers_requested: tuple[str, ...] = ()
    scrapers_triggered: int = Field(ge=0)
    scrapers_succeeded: int = Field(ge=0)
    scrapers_failed: int = Field(ge=0)
    scrapers_no_data: int = Field(ge=0)
    scraper_execution_ids: tuple[str, ...] = ()
    status: ExecutionStatus
    duration_seconds: float | None = Field(default=None, ge=0)
    error_message: str | None = None
    deadline_missed: bool | None = None
    slot_time: Moment
    target_date: Date
    run_id: str

    @property
    def tick(self) -> datetime:
        """The tick of its decision, aware, ET."""
        return self.slot_time

    @property
    def ended(self) -> datetime:
        """When it ended, aware, ET."""
        return after(self.execution_time, timedelta(seconds=self.duration_seconds or 0))

    @property
    def with_records(self) -> int:
        """How many calls brought records (lesson K5)."""
        return self.scrapers_succeeded - self.scrapers_no_data

    @property
    def done(self) -> bool:
        """Whether no critical call failed (lesson K4)."""
        return self.status is not ExecutionStatus.FAILED

    @property
    def collected(self) -> bool:
        """Whether it is done and a call brought records (lessons K2, K5)."""
        return self.done and self.with_records > 0


class CallRecord(Record):
    """One try of a call: a row of ``scraper_execution_log``.

    ``run_id`` is the service's; Airflow's is ``dag_run_id``.
    """

    TABLE = "scraper_execution_log"
    ID = "row_id"

    row_id: str
    execution_id: str
    scraper_name: str
    workflow: str | None = None
    game_date: Date | None = None
    status: Outcome
    triggered_at: Moment
    completed_at: Moment | None = None
    duration_seconds: float | None = Field(default=None, ge=0)
    timeout_seconds: float | None = Field(default=None, ge=0)
    source: Source
    triggered_by: str | None = None
    gcs_path: str | None = None
    data_summary: JsonColumn | None = None
    error_type: str | None = None
    error_message: str | None = None
    retry_count: int = Field(default=0, ge=0)
    service_retries: int | None = Field(default=None, ge=0)
    recovery: bool = False
    run_id: str
    opts: JsonColumn | None = None
    slot_time: Moment
    target_date: Date
    game_id: str | None = None
    label: str | None = None
    call_index: int | None = Field(default=None, ge=0)
    record_count: int | None = None
    games_expected: int | None = Field(default=None, ge=0)
    shortfall: str | None = None
    missing_games: tuple[str, ...] = ()
    content_hash: str | None = None
    decision_id: str | None = None
    dag_run_id: str

    @property
    def answered_whole(self) -> bool:
        """Whether it is a success and its answer held all that was expected (lesson F3)."""
        return self.status is Outcome.SUCCESS and self.shortfall is None

    @property
    def tick(self) -> datetime:
        """The tick of its decision, aware, ET."""
        return self.slot_time

    @property
    def killed(self) -> bool:
        """Whether the process of the try was killed, so that `finish` or a later try wrote the row."""
        return self.error_type == KILLED


class MissingFile(BaseModel):
    """A file that had not reached its table."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    scraper_name: str
    gcs_path: str
    triggered_at: Moment
    age_minutes: int
    republished: bool


class FollowedFile(BaseModel):
    """A file that was not in its table when it left the cleanup's look-back, and what became of it (lesson F2).

    ``call`` is the same for a repeated call: the parameters as JSON, or date and game if the row has none.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    scraper_name: str
    gcs_path: str
    triggered_at: Moment
    target_date: Date
    call: str
    state: FileState = FileState.OPEN
    why: str | None = None


class Seen(BaseModel):
    """A problem around the system that a cleanup saw."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Surrounding
    about: str
    text: Message


class CleanupRecord(Record):
    """One cleanup: a row of ``cleanup_operations``."""

    TABLE = "cleanup_operations"
    ID = "cleanup_id"

    cleanup_id: str
    cleanup_time: Moment
    files_checked: int = Field(ge=0)
    missing_files_found: int = Field(ge=0)
    republished_count: int = Field(ge=0)
    missing_files: tuple[MissingFile, ...] = ()
    errors: tuple[Message, ...] = ()
    seen: tuple[Seen, ...] = ()
    files_since: Moment | None = None
    followed_files: tuple[FollowedFile, ...] = ()
    duration_seconds: float | None = Field(default=None, ge=0)
    pubsub_enabled: bool | None = None
    run_id: str

    @property
    def oldest_missing_minutes(self) -> int:
        """Age of the oldest missing file, in minutes since its call; 0 where none is missing."""
        return max((file.age_minutes for file in self.missing_files), default=0)


RECORDS: dict[str, type[Record]] = {
    model.TABLE: model for model in (ExpectedRun, DecisionRecord, ExecutionRecord, CallRecord, CleanupRecord)
}


def last_tries(calls: Iterable[CallRecord]) -> list[CallRecord]:
    """Return the last try of each call."""
    last: dict[tuple[object, ...], CallRecord] = {}
    for call in sorted(calls, key=lambda call: call.try_number):
        last[call.workflow, call.dag_run_id, call.scraper_name, call.map_index, call.call_index] = call
    return list(last.values())
