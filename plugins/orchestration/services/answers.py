"""What an answer of the scraper service means. Pure: status, headers and body in, result out.

The models are the plain contract (docs/orchestration/09-scraper-contract.md). What a scraper calls otherwise is given
its plain name first, as its description in ``workflows.yaml`` says; then the models decide, for everybody (lesson A1).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
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

from orchestration.config.answers import PLAIN, AnswerDescription
from orchestration.services.plain import MAX_INT64, kept, text
from orchestration.words import Outcome

KEPT_OF_ODD_ANSWERS = 200
"""Characters kept of an answer that is not what the contract says."""
SHOWN = 60
"""Characters shown of a value that is not what the contract says."""
MAX_EVENTS = 1_000
"""More events than that are no day's; Airflow maps a task over 1,024 at most, unless told otherwise."""
MAX_WAIT_SECONDS = 10**9
"""A longer Retry-After is written as this one: infinity is no number for JSON."""


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


Id = Annotated[str, BeforeValidator(_number_as_text), Field(min_length=1, max_length=200), AfterValidator(_one_line)]
RunId = Annotated[Id | None, BeforeValidator(_nothing_for_empty)]
FilePath = Annotated[str, Field(max_length=1_200), AfterValidator(_one_line), AfterValidator(_inside)]
IfFit = WrapValidator(_or_none)
"""A field of another type than it should be is as if it were not there: a failure is a failure without it."""


class _Model(BaseModel):
    model_config = ConfigDict(strict=True, frozen=True, extra="ignore", use_attribute_docstrings=True)


class Summary(_Model):
    """What was found. Anything else may stand beside it, and is kept with the call's row up to 20,000 characters."""

    rowCount: int = Field(ge=0, le=MAX_INT64)
    """Records found; 0 says that nothing is published yet."""
    gcs_path: Annotated[FilePath | None, BeforeValidator(_nothing_for_empty)] = None
    """The file: ``gs://bucket/object``, or the object's name."""
    event_ids: list[Id] | None = Field(default=None, max_length=MAX_EVENTS)
    """Only from a scraper for whose events others are called: one id each."""


class UncountedSummary(Summary):
    """The same of a scraper that counts nothing (``records: none``)."""

    rowCount: None = None  # type: ignore[assignment]


class Success(_Model):
    """HTTP 200: the scraper ran."""

    status: Literal["success"]
    run_id: RunId = None
    """The service's own id of the call, under which its log has it."""
    data_summary: Summary


class UncountedSuccess(Success):
    """The same of a scraper that counts nothing."""

    data_summary: UncountedSummary


class Failure(_Model):
    """Any other answer. HTTP 429 and 5xx are asked again, everything else is not."""

    model_config = ConfigDict(json_schema_extra={"not": {"properties": {"status": {"const": "success"}}}})

    message: Annotated[str | None, IfFit] = None
    """What went wrong, for people."""
    error: Annotated[str | None, IfFit] = None
    """The same, where there is no message."""
    error_type: Annotated[Annotated[str, Field(max_length=100), AfterValidator(_one_line)] | None, IfFit] = None
    """The kind of error, one word."""
    run_id: Annotated[RunId, IfFit] = None
    """The service's own id of the call, under which its log has it."""
    retry_count: Annotated[Annotated[int, Field(ge=0)] | None, IfFit] = None
    """How often the service has tried the source again itself: we do not start that over."""
    available_scrapers: Annotated[list[str] | None, IfFit] = None
    """With HTTP 400: the names that the service knows."""
    data_summary: Annotated[dict[str, Any] | None, IfFit] = None
    """Kept with the call's row."""


def answer_schema_text() -> str:
    """Return ``docs/orchestration/scraper-answer.schema.json``. A test keeps the file current: ``make docs``."""
    schema = TypeAdapter(Success | Failure).json_schema()
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    schema["title"] = "The answer of a scraper"
    return json.dumps(schema, indent=2, sort_keys=True) + "\n"


@dataclass(frozen=True)
class CallResult:
    """The outcome of one call. ``retry_after``: seconds that the service asked to wait.

    ``service_retries``: how often the service tried its source again before it answered, None where it does not say.
    """

    outcome: Outcome
    run_id: str | None = None
    record_count: int | None = None
    gcs_path: str | None = None
    event_ids: tuple[str, ...] = ()
    summary: Mapping[str, Any] = field(default_factory=dict)
    error_type: str | None = None
    error_message: str | None = None
    retryable: bool = False
    retry_after: float | None = None
    service_retries: int | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return JSON's form, in which a result travels from the triggerer to the task."""
        return {**asdict(self), "event_ids": list(self.event_ids), "summary": dict(self.summary)}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> CallResult:
        """Return the result of :meth:`to_dict`'s form."""
        return cls(**{**data, "outcome": Outcome(data["outcome"]), "event_ids": tuple(data["event_ids"])})


def failed(error_type: str, message: str, *, retryable: bool, **more: Any) -> CallResult:
    """Return a failed result. ``message`` may be what others wrote: it becomes a text that every reader takes."""
    return CallResult(Outcome.FAILED, error_type=error_type, error_message=text(message), retryable=retryable, **more)


def interpret(
    status: int,
    headers: Mapping[str, str],
    body: bytes,
    description: AnswerDescription = PLAIN,
    *,
    event_source: bool = False,
) -> CallResult:
    """Return what the answer means. Never raises: whatever arrives becomes exactly one outcome.

    ``event_source``: other scrapers are called for each of its events, so that data without events is no success.
    """
    content = body.decode("utf-8", errors="replace")
    try:
        data = json.loads(content)
    except (ValueError, RecursionError):
        data = None
    answer = data if isinstance(data, dict) else {}
    said = Failure.model_validate(answer)
    if status == 200 and answer.get("status") == "success":
        result = _success(answer, content, description, event_source=event_source)
    else:
        result = _failure(status, headers, answer, said, content)
    if result.outcome is Outcome.FAILED:
        result = replace(result, run_id=said.run_id, summary=kept(said.data_summary or {}))
        message = said.message or said.error or content[:KEPT_OF_ODD_ANSWERS]
        if description.means_no_data(status, said.error_type or result.error_type, message):
            return replace(result, outcome=Outcome.NO_DATA, retryable=False, retry_after=None)
    return result


def _failure(
    status: int, headers: Mapping[str, str], answer: Mapping[str, Any], said: Failure, content: str
) -> CallResult:
    begins = content[:KEPT_OF_ODD_ANSWERS]
    message = f"HTTP {status}: {said.message or said.error or begins}"
    if status == 429 or status >= 500:
        kind = "rate_limited" if status == 429 else said.error_type or f"http_{status}"
        wait = _seconds(headers)
        return failed(kind, message, retryable=True, retry_after=wait, service_retries=said.retry_count)
    if status == 403:
        return failed("blocked", message, retryable=False)  # lesson E10
    if status == 400:
        known = said.available_scrapers
        return failed("bad_request", message + (f"; the service knows {', '.join(known)}" if known else ""),
                      retryable=False)  # fmt: skip
    if 300 <= status < 400:
        # Without what may be a secret: a query, or a login.
        target = re.sub("//[^/]*@", "//", re.split("[?#]", headers.get("Location") or "nowhere")[0])
        hint = f"; it leads to {target}. Redirects are not followed: correct the address of the connection"
        return failed(f"http_{status}", f"HTTP {status}: {begins}{hint}", retryable=False)
    if status == 200 and answer:
        what = f"the answer's status is {_short(answer.get('status'))}, not 'success'"
        return failed("contract", f"{what}: {begins}", retryable=False)
    return failed("not_json" if status == 200 else f"http_{status}", f"HTTP {status}: {begins}", retryable=False)


def _success(
    answer: Mapping[str, Any], content: str, description: AnswerDescription, *, event_source: bool
) -> CallResult:
    summary = answer.get("data_summary")
    names = {"rowCount": "", "gcs_path": description.file, "event_ids": description.event_ids}
    if isinstance(summary, dict):
        names["rowCount"] = next((key for key in description.records if summary.get(key) is not None), "")
        summary = {plain: summary[key] for plain, key in names.items() if key in summary}
    elif summary is None and not description.counted:
        summary = {}
    model = Success if description.counted else UncountedSuccess
    try:
        found = model.model_validate({**answer, "data_summary": summary})
    except ValidationError as error:
        return _contract("; ".join(_problems(error, names, description)), content)
    count, events = found.data_summary.rowCount, tuple(dict.fromkeys(found.data_summary.event_ids or ()))
    if event_source:
        if count is None and found.data_summary.event_ids is not None:
            count = len(events)
        if count is None or bool(count) != bool(events):
            what = f"counts {count or 'no'} records and names {len(events) or 'no'} events"
            where = f"in data_summary.{description.event_ids}, and other scrapers are called for each of them"
            return _contract(f"the answer {what} {where}", content)
    return _result(found, answer, count, events)


def _result(found: Success, answer: Mapping[str, Any], count: int | None, events: tuple[str, ...]) -> CallResult:
    return CallResult(
        Outcome.NO_DATA if count == 0 else Outcome.SUCCESS,
        run_id=found.run_id,
        record_count=count,
        gcs_path=found.data_summary.gcs_path,
        event_ids=events,
        summary=kept(answer.get("data_summary") or {}),
    )


def _contract(what: str, content: str) -> CallResult:
    return failed("contract", f"{what}: {content[:KEPT_OF_ODD_ANSWERS]}", retryable=False)


def _problems(error: ValidationError, names: Mapping[str, str], description: AnswerDescription) -> Iterator[str]:
    """Yield what is wrong with an answer, under the names that its service knows."""
    for one in error.errors(include_url=False)[:3]:
        path = [str(part) for part in one["loc"]]
        if path[-1] == "rowCount" and one["type"] == "missing":
            # Lesson K1: without a count nobody can tell data from none.
            yield (
                f"the answer's data_summary has no record count ({' or '.join(description.records)}); "
                "workflows.yaml says where it is: answer.records"
            )
            continue
        path[1:2] = [names.get(part, part) for part in path[1:2]]
        says = one["msg"].removeprefix("Value error, ")
        yield f"the answer's {'.'.join(path)}: {says} (it is {_short(one['input'])})"


def _short(value: Any) -> str:
    try:
        shown = repr(value)
    except (ValueError, RecursionError):
        shown = f"a {type(value).__name__}"
    return shown if len(shown) <= SHOWN else f"{shown[:SHOWN]}…"


def _seconds(headers: Mapping[str, str]) -> float | None:
    """Return Retry-After in seconds, or None when there is none that makes sense: our own back-off replaces it.

    A date counts from the answer's own ``Date``: whether the clocks agree is nothing to rely on.
    """
    value = headers.get("Retry-After", "").strip()
    if re.fullmatch(r"[0-9]+(\.[0-9]+)?", value):
        return min(float(value), MAX_WAIT_SECONDS)
    try:
        until, since = (_http_date(headers[name]) for name in ("Retry-After", "Date"))
    except (KeyError, ValueError, TypeError, OverflowError, IndexError):
        return None
    return min(max((until - since).total_seconds(), 0.0), MAX_WAIT_SECONDS)


def _http_date(value: str) -> datetime:
    return parsedate_to_datetime(value).replace(tzinfo=UTC)
