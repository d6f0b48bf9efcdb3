"""What an answer of the scraper service means. Pure: status, headers and body in, result out."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from orchestration.words import Outcome

KEPT_OF_ODD_ANSWERS = 200
"""Characters kept of an answer that is not what the contract says."""


@dataclass(frozen=True)
class CallResult:
    """The outcome of one call. ``retry_after``: seconds that the service asked to wait."""

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

    def to_dict(self) -> dict[str, Any]:
        """Return JSON's form, in which a result travels from the triggerer to the task."""
        return {**asdict(self), "event_ids": list(self.event_ids), "summary": dict(self.summary)}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> CallResult:
        """Return the result of :meth:`to_dict`'s form."""
        return cls(**{**data, "outcome": Outcome(data["outcome"]), "event_ids": tuple(data["event_ids"])})


def failed(error_type: str, message: str, *, retryable: bool, **more: Any) -> CallResult:
    """Return a failed result."""
    return CallResult(Outcome.FAILED, error_type=error_type, error_message=message, retryable=retryable, **more)


def interpret(status: int, headers: Mapping[str, str], body: bytes) -> CallResult:
    """Return what the answer means. Never raises: whatever arrives becomes exactly one outcome."""
    text = body.decode("utf-8", errors="replace")
    try:
        data = json.loads(text)
    except ValueError:
        data = None
    answer = data if isinstance(data, dict) else {}
    run_id = str(answer["run_id"]) if answer.get("run_id") else None
    said = str(answer.get("message") or answer.get("error") or text[:KEPT_OF_ODD_ANSWERS])
    if status == 429 or status >= 500:
        kind = "rate_limited" if status == 429 else str(answer.get("error_type") or f"http_{status}")
        retry_after = _seconds(headers.get("Retry-After"))
        return failed(kind, f"HTTP {status}: {said}", retryable=True, run_id=run_id, retry_after=retry_after)
    if status == 403:
        return failed("blocked", f"HTTP 403: {said}", retryable=False, run_id=run_id)  # lesson E10
    if status == 400:
        known = answer.get("available_scrapers")
        hint = f"; the service knows {', '.join(map(str, known))}" if isinstance(known, list) else ""
        return failed("bad_request", f"HTTP 400: {said}{hint}", retryable=False, run_id=run_id)
    if status != 200 or not isinstance(data, dict):
        kind = "not_json" if status == 200 else f"http_{status}"
        return failed(kind, f"HTTP {status}: {text[:KEPT_OF_ODD_ANSWERS]}", retryable=False, run_id=run_id)
    return _success(answer, run_id, text)


def _success(answer: Mapping[str, Any], run_id: str | None, text: str) -> CallResult:
    summary = answer.get("data_summary")
    count = summary.get("rowCount") if isinstance(summary, dict) else None
    if answer.get("status") != "success" or isinstance(count, bool) or not isinstance(count, int) or count < 0:
        # Lesson K1: without a count nobody can tell data from none.
        what = "the answer's data_summary has no record count (rowCount)"
        if answer.get("status") != "success":
            what = f"the answer's status is {answer.get('status')!r}"
        return failed("contract", f"{what}: {text[:KEPT_OF_ODD_ANSWERS]}", retryable=False, run_id=run_id)
    assert isinstance(summary, dict)
    events = summary.get("event_ids")
    return CallResult(
        Outcome.SUCCESS if count > 0 else Outcome.NO_DATA,
        run_id=run_id,
        record_count=count,
        gcs_path=summary.get("gcs_path"),
        event_ids=tuple(map(str, events)) if isinstance(events, list) else (),
        summary=summary,
    )


def _seconds(value: str | None) -> float | None:
    """Return Retry-After in seconds, or None when it is absent or a date (which our own back-off replaces)."""
    try:
        return max(float(value), 0.0) if value is not None else None
    except ValueError:
        return None
