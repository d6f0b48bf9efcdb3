"""The plain contract of the scraper service, as models (docs/orchestration/09-scraper-contract.md). Pure."""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    TypeAdapter,
    ValidationError,
    WrapValidator,
)

from orchestration.services.redaction import MAX_INT64, struck_out

MAX_EVENTS = 10_000
"""The most events of an answer. Airflow maps a task over 1,024 items by default; calls_per_task allows for more."""


def _number_as_text(value: Any) -> Any:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _one_line(value: str) -> str:
    if not value.isprintable() or not value.strip():
        raise ValueError("must be one line of printable characters")
    return value


def _inside(value: str) -> str:
    if ".." in value.split("/"):
        raise ValueError("must not climb with ..")
    return value


def _or_none(value: Any, handler: Any) -> Any:
    try:
        return handler(value)
    except ValidationError:
        return None


def _nothing_for_empty(value: Any) -> Any:
    return None if value == "" else value


Id = Annotated[
    str,
    BeforeValidator(_number_as_text),
    Field(min_length=1, max_length=200),
    AfterValidator(_one_line),
    AfterValidator(struck_out),
]
RunId = Annotated[Id | None, BeforeValidator(_nothing_for_empty)]
FilePath = Annotated[
    str, Field(max_length=1_200), AfterValidator(_one_line), AfterValidator(_inside), AfterValidator(struck_out)
]
ErrorType = Annotated[str, Field(max_length=100), AfterValidator(_one_line), AfterValidator(struck_out)]
IfFit = WrapValidator(_or_none)
"""A field of the wrong type is read as missing, because a failure stays a failure without the field."""


class _Model(BaseModel):
    model_config = ConfigDict(strict=True, frozen=True, extra="ignore", use_attribute_docstrings=True)


class Summary(_Model):
    """What the scraper found. Further keys are allowed; the call's row keeps up to 20,000 characters of them."""

    rowCount: int = Field(ge=0, le=MAX_INT64)
    """Records found. 0 means that nothing is published yet."""
    gcs_path: Annotated[FilePath | None, BeforeValidator(_nothing_for_empty)] = None
    """The file: ``gs://bucket/object``, or the name of the object."""
    event_ids: list[Id] | None = Field(default=None, max_length=MAX_EVENTS)
    """The ids of the events, from a scraper for whose events other scrapers are called."""


class UncountedSummary(Summary):
    """The summary of a scraper that does not count records (``records: none``)."""

    rowCount: None = None  # type: ignore[assignment]


class Success(_Model):
    """HTTP 200: the scraper ran."""

    status: Literal["success"]
    run_id: RunId = None
    """The service's own id of the call. Its log uses the same id."""
    data_summary: Summary


class UncountedSuccess(Success):
    """The success of a scraper that does not count records."""

    data_summary: UncountedSummary


class Failure(_Model):
    """Any other answer. HTTP 429 and 5xx are retried, all others are not."""

    model_config = ConfigDict(json_schema_extra={"not": {"properties": {"status": {"const": "success"}}}})

    message: Annotated[str | None, IfFit] = None
    """What went wrong, for people."""
    error: Annotated[str | None, IfFit] = None
    """The same, read if there is no message."""
    error_type: Annotated[ErrorType | None, IfFit] = None
    """The kind of error, one word."""
    run_id: Annotated[RunId, IfFit] = None
    """The service's own id of the call. Its log uses the same id."""
    retry_count: Annotated[Annotated[int, Field(ge=0)] | None, IfFit] = None
    """How often the service has retried its source. If it has, we do not retry the call."""
    available_scrapers: Annotated[list[str] | None, IfFit] = None
    """With HTTP 400: the scrapers that the service knows."""
    data_summary: Annotated[dict[str, Any] | None, IfFit] = None
    """Kept with the call's row."""


class LogEntry(_Model):
    """A scraper's run in the service's own log. A field that does not fit is read as missing."""

    status: str
    gcs_path: Annotated[Annotated[FilePath, Field(pattern="[^/]/+[^/]")] | None, IfFit] = None
    error_type: Annotated[ErrorType | None, IfFit] = None
    error_message: str | None = None
    retry_count: Annotated[Annotated[int, Field(ge=0)] | None, IfFit] = None


def answer_schema_text() -> str:
    """Return the text of ``docs/orchestration/scraper-answer.schema.json``, which ``make docs`` writes."""
    schema = TypeAdapter(Success | Failure).json_schema()
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    schema["title"] = "The answer of a scraper"
    return json.dumps(schema, indent=2, sort_keys=True) + "\n"
