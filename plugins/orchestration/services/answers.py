"""What an answer of the scraper service means. Pure: status, headers and body in, result out.

A scraper's description in ``workflows.yaml`` says which names its answer uses. The names of the plain contract replace
them. The contract's models then check every answer (lesson A1).
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from pydantic import ValidationError

from orchestration.services.body import text
from orchestration.services.contract import Failure, Success, UncountedSuccess
from orchestration.services.redaction import clean_text, kept_summary, masked, without
from orchestration.vocabulary.answers import PLAIN, AnswerDescription
from orchestration.words import PLATFORM, Outcome

KEPT_OF_ODD_ANSWERS = 200
"""Characters kept of an answer that breaks the contract."""
SHOWN = 60
"""Characters shown of a value that breaks the contract."""
HEADERS = ("Location", "Retry-After", "Date")
"""The headers of an answer that are read here."""
MAX_WAIT_SECONDS = 10**9
"""The limit for Retry-After. JSON has no infinity."""


@dataclass(frozen=True)
class CallResult:
    """The outcome of one call.

    ``retry_after``: the seconds that the service asks us to wait. ``service_retries``: the number of times that the
    service itself retried its source, or None if the answer does not give it. ``timeout_seconds``: the call's limit.
    ``games`` and ``game_count``: the games that the answer lists, and how many it says it has. ``content_hash``: a hash
    of its content. Each is None if the scraper's description names no key for it, or the answer lacks it.
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
    timeout_seconds: float | None = None
    games: tuple[str, ...] | None = None
    game_count: int | None = None
    content_hash: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the result as JSON, for its way from the triggerer to the task.

        A field that earlier releases do not know is left out if it is empty: the task may still be one of theirs.
        """
        known = {**asdict(self), "event_ids": list(self.event_ids), "summary": dict(self.summary)}
        for name in ("games", "game_count", "content_hash"):
            if known[name] is None:
                del known[name]
        return known

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> CallResult:
        """Return the result that :meth:`to_dict` wrote."""
        games = None if data.get("games") is None else tuple(data["games"])
        lists = {"event_ids": tuple(data["event_ids"]), "games": games}
        return cls(**{**data, "outcome": Outcome(data["outcome"]), **lists})


def failed(error_type: str, message: str, *, retryable: bool, **more: Any) -> CallResult:
    """Return a failed result. Secrets and odd characters are removed from ``message``, which may come from others."""
    said = clean_text(masked(message))
    return CallResult(Outcome.FAILED, error_type=error_type, error_message=said, retryable=retryable, **more)


def interpret(
    status: int,
    headers: Mapping[str, str],
    body: bytes,
    description: AnswerDescription = PLAIN,
    *,
    event_source: bool = False,
    secrets: Collection[str] = (),
    credentials: Collection[str] = (),
) -> CallResult:
    """Return the meaning of an answer. Never raises: every answer becomes exactly one outcome.

    ``event_source``: other scrapers are called for each of its events, so data without events is not a success.
    ``secrets``: the values of the request that may be secret. They are removed from texts for people, but not from ids
    and paths: a header may hold the name of a bucket. ``credentials``: those that surely are secret. They are removed
    from ids and paths too.
    """
    content = text(headers, body)
    result = _interpret(status, headers, content, description, event_source=event_source)
    if not secrets:
        return result
    read = {name: without(headers[name], secrets) for name in HEADERS if name in headers}
    clean = _interpret(status, read, without(content, secrets), description, event_source=event_source)
    return replace(
        result,
        run_id=_without(result.run_id, credentials),
        gcs_path=_without(result.gcs_path, credentials),
        event_ids=_without(result.event_ids, credentials),
        games=_without(result.games, credentials),
        error_message=clean.error_message,
        error_type=clean.error_type,
        summary=clean.summary,
    )


def _without(value: Any, credentials: Collection[str]) -> Any:
    if isinstance(value, tuple):
        return tuple(without(one, credentials) for one in value)
    return value and without(value, credentials)


def _interpret(
    status: int, headers: Mapping[str, str], content: str, description: AnswerDescription, *, event_source: bool
) -> CallResult:
    try:
        data = json.loads(content)
    except (ValueError, RecursionError):
        data = None
    answer = data if isinstance(data, dict) else {}
    said = Failure.model_validate(answer)
    if status == 200 and answer.get("status") == "success":
        result = _success(answer, content, description, event_source=event_source)
    elif status >= 400 and (data is not answer or isinstance(answer.get("error"), dict)):
        result = _of_the_platform(status, headers, content)
    else:
        result = _failure(status, headers, answer, said, content, description)
    if result.outcome is Outcome.FAILED:
        result = replace(result, run_id=said.run_id, summary=kept_summary(said.data_summary or {}))
        message = said.message or said.error or content[:KEPT_OF_ODD_ANSWERS]
        if description.means_no_data(status, said.error_type or result.error_type, message):
            return replace(result, outcome=Outcome.NO_DATA, retryable=False, retry_after=None)
    return result


def _of_the_platform(status: int, headers: Mapping[str, str], content: str) -> CallResult:
    """Return the failure of an error that the service did not write: it is no JSON, or Google's own JSON (lesson F11).

    Such as the 403 of Cloud Run without the role run.invoker, its 429 ``Rate exceeded.``, or a proxy's 502.
    """
    message = f"HTTP {status}, not from the service itself: {masked(content)[:KEPT_OF_ODD_ANSWERS]}"
    again = status == 429 or status >= 500
    return failed(f"{PLATFORM}{status}", message, retryable=again, retry_after=_seconds(headers) if again else None)


def _failure(
    status: int,
    headers: Mapping[str, str],
    answer: Mapping[str, Any],
    said: Failure,
    content: str,
    description: AnswerDescription,
) -> CallResult:
    begins = masked(content)[:KEPT_OF_ODD_ANSWERS]
    message = f"HTTP {status}: {said.message or said.error or begins}"
    if status == 429 or status >= 500:
        kind = "rate_limited" if status == 429 else said.error_type or f"http_{status}"
        wait = _seconds(headers)
        if description.retried and status == 500 and said.run_id and not said.error_type:
            # An error without a type comes from the scraper, not from the service. Each retry of ours would repeat all
            # tries of the service: four tries of nine are 36 requests (lesson A5).
            return failed(kind, f"{message}; the service has already retried its source", retryable=False)
        return failed(kind, message, retryable=True, retry_after=wait, service_retries=said.retry_count)
    if status == 403:
        return failed("blocked", message, retryable=False)  # lesson E10
    if status == 400:
        known = said.available_scrapers
        if known:
            return failed("unknown_scraper", f"{message}; the service knows {', '.join(known)}", retryable=False)
        return failed("bad_request", message, retryable=False)
    if 300 <= status < 400:
        # The query and the login of an address may be secret.
        target = re.sub("//[^/]*@", "//", re.split("[?#]", headers.get("Location") or "nowhere")[0])
        hint = f"; it redirects to {target}. Redirects are not followed: correct the address in the connection"
        return failed(f"http_{status}", f"HTTP {status}: {begins}{hint}", retryable=False)
    if status == 200 and answer:
        what = f"the answer's status is {_short(answer.get('status'))}, not 'success'"
        return failed("contract", f"{what}: {begins}", retryable=False)
    return failed("not_json" if status == 200 else f"http_{status}", f"HTTP {status}: {begins}", retryable=False)


def _success(
    answer: Mapping[str, Any], content: str, description: AnswerDescription, *, event_source: bool
) -> CallResult:
    summary = answer.get("data_summary")
    names = {"gcs_path": description.file, "event_ids": description.event_ids}
    if isinstance(summary, dict):
        counts = [key for key in description.records if summary.get(key) is not None] if description.counted else []
        if counts:
            names["rowCount"] = counts[0]
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
            where = f"in data_summary.{description.event_ids}, but other scrapers are called for each event"
            return _contract(f"the answer {what} {where}", content)
    said = answer.get("data_summary") or {}
    return CallResult(
        Outcome.NO_DATA if count == 0 else Outcome.SUCCESS,
        run_id=found.run_id,
        record_count=count,
        gcs_path=found.data_summary.gcs_path,
        event_ids=events,
        summary=kept_summary(said),
        games=description.games_in(said),
        game_count=description.game_count_in(said),
        content_hash=description.content_hash_of(said),
    )


def _contract(what: str, content: str) -> CallResult:
    return failed("contract", f"{what}: {masked(content)[:KEPT_OF_ODD_ANSWERS]}", retryable=False)


def _problems(error: ValidationError, names: Mapping[str, str], description: AnswerDescription) -> Iterator[str]:
    """Yield the problems of an answer, under the names that its service uses."""
    for one in error.errors(include_url=False)[:3]:
        path = [str(part) for part in one["loc"]]
        if path[-1] == "rowCount" and one["type"] == "missing":
            # Lesson K1: without a count, an answer with data looks like one without.
            yield (
                f"the answer's data_summary has no record count ({' or '.join(description.records)}); "
                "name its key in workflows.yaml: answer.records"
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
    shown = masked(shown)
    return shown if len(shown) <= SHOWN else f"{shown[:SHOWN]}…"


def _seconds(headers: Mapping[str, str]) -> float | None:
    """Return Retry-After in seconds, or None if it is missing or makes no sense. Without it our own back-off applies.

    A date is compared with the answer's own ``Date``, because our clock may differ from the service's.
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
