"""The rows of the five tables as validated models, one a table (lessons C3, C9)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from datetime import date as Date
from typing import Annotated, Any, ClassVar, Self

from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer

from orchestration.services.redaction import masked, without_secrets
from orchestration.words import Action, AlertLevel, Around, ExecutionStatus, Outcome, Priority, Source

UtcTime = Annotated[AwareDatetime, PlainSerializer(lambda value: value.astimezone(UTC).isoformat(), return_type=str)]


def _message(value: Any) -> Any:
    return masked(value) if isinstance(value, str) else value


Message = Annotated[str, BeforeValidator(_message)]


# BigQuery takes a JSON column as text, never as an object.
JsonColumn = Annotated[
    dict[str, Any],
    AfterValidator(without_secrets),
    PlainSerializer(lambda value: json.dumps(value, default=str, ensure_ascii=False, sort_keys=True), return_type=str),
]


class Row(BaseModel):
    """What every row has: which task made it, and when."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    TABLE: ClassVar[str]
    ID: ClassVar[str]
    JSON_COLUMNS: ClassVar[frozenset[str]] = frozenset()

    environment: str | None = None
    created_at: UtcTime
    dag_id: str
    task_id: str
    map_index: int = -1
    try_number: int = 1

    @property
    def key(self) -> str:
        """The row's deterministic id."""
        return str(getattr(self, self.ID))

    def to_json(self) -> dict[str, Any]:
        """Return the form that ``insertAll`` takes."""
        return self.model_dump(mode="json")

    @classmethod
    def from_columns(cls, columns: Mapping[str, Any]) -> Self:
        """Return the row that a query or :meth:`to_json` gives, JSON as text or not; columns of others are left out.

        Raises ValidationError for what no row of ours can be.
        """
        values = {name: columns[name] for name in cls.model_fields if columns.get(name) is not None}
        for name, value in values.items():
            if name in cls.JSON_COLUMNS and isinstance(value, str):
                values[name] = json.loads(value)
        return cls.model_validate(values)

    def changed(self, at: datetime, **values: Any) -> Self | None:
        """Return the version of this row with other values, or None where they are what it has.

        ``at``: when it is made. It is later than this one in any case, so that the views show it.
        """
        other = type(self).model_validate({**dict(self), **values})
        if other == self:
            return None
        return other.model_copy(update={"created_at": max(at, self.created_at + timedelta(microseconds=1))})


class ExpectedRun(Row):
    """``daily_expected_schedule``."""

    TABLE = "daily_expected_schedule"
    ID = "expected_id"

    expected_id: str
    date: Date
    locked_at: UtcTime
    workflow_name: str
    expected_run_time: UtcTime
    reason: Message | None = None
    scrapers: list[str] = []
    games_today: int | None = Field(default=None, ge=0)
    priority: Priority | None = None
    schedule_version: str | None = None
    generated_by: str | None = None
    forced: bool = False
    rules: str | None = None
    target_date: Date
    run_id: str


class DecisionRow(Row):
    """``workflow_decisions``."""

    TABLE = "workflow_decisions"
    ID = "decision_id"
    JSON_COLUMNS = frozenset({"context"})

    decision_id: str
    decision_time: UtcTime
    workflow_name: str
    action: Action
    reason: Message
    context: JsonColumn | None = None
    scrapers_triggered: list[str] = []
    target_games: list[str] = []
    next_check_time: UtcTime | None = None
    priority: Priority | None = None
    alert_level: AlertLevel | None = None
    controller_version: str | None = None
    triggered_by: str | None = None
    slot_time: UtcTime
    rule: str
    target_date: Date
    run_id: str


class ExecutionRow(Row):
    """``workflow_executions``."""

    TABLE = "workflow_executions"
    ID = "execution_id"

    execution_id: str
    execution_time: UtcTime
    workflow_name: str
    decision_id: str | None = None
    scrapers_requested: list[str] = []
    scrapers_triggered: int = Field(ge=0)
    scrapers_succeeded: int = Field(ge=0)
    scrapers_failed: int = Field(ge=0)
    scrapers_no_data: int = Field(ge=0)
    scraper_execution_ids: list[str] = []
    status: ExecutionStatus
    duration_seconds: float | None = Field(default=None, ge=0)
    error_message: Message | None = None
    deadline_missed: bool | None = None
    slot_time: UtcTime
    target_date: Date
    run_id: str


class ScraperRun(Row):
    """``scraper_execution_log``. ``run_id`` is the service's; Airflow's is ``dag_run_id``."""

    TABLE = "scraper_execution_log"
    ID = "row_id"
    JSON_COLUMNS = frozenset({"data_summary", "opts"})

    row_id: str
    execution_id: str
    scraper_name: str
    workflow: str | None = None
    game_date: Date | None = None
    status: Outcome
    triggered_at: UtcTime
    completed_at: UtcTime | None = None
    duration_seconds: float | None = Field(default=None, ge=0)
    timeout_seconds: float | None = Field(default=None, ge=0)
    source: Source
    triggered_by: str | None = None
    gcs_path: str | None = None
    data_summary: JsonColumn | None = None
    error_type: str | None = None
    error_message: Message | None = None
    retry_count: int = Field(default=0, ge=0)
    service_retries: int | None = Field(default=None, ge=0)
    recovery: bool = False
    run_id: str
    opts: JsonColumn | None = None
    slot_time: UtcTime
    target_date: Date
    game_id: str | None = None
    label: str | None = None
    call_index: int | None = Field(default=None, ge=0)
    record_count: int | None = None
    decision_id: str | None = None
    dag_run_id: str


class MissingFile(BaseModel):
    """One file that had not reached its table."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    scraper_name: str
    gcs_path: str
    triggered_at: UtcTime
    age_minutes: int
    republished: bool


class Seen(BaseModel):
    """Something around us that was not as it should be."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Around
    about: str
    text: Message


class CleanupRow(Row):
    """``cleanup_operations``."""

    TABLE = "cleanup_operations"
    ID = "cleanup_id"

    cleanup_id: str
    cleanup_time: UtcTime
    files_checked: int = Field(ge=0)
    missing_files_found: int = Field(ge=0)
    republished_count: int = Field(ge=0)
    missing_files: list[MissingFile] = []
    errors: list[Message] = []
    seen: list[Seen] = []
    duration_seconds: float | None = Field(default=None, ge=0)
    pubsub_enabled: bool | None = None
    run_id: str


ROW_MODELS: dict[str, type[Row]] = {
    model.TABLE: model for model in (ExpectedRun, DecisionRow, ExecutionRow, ScraperRun, CleanupRow)
}
