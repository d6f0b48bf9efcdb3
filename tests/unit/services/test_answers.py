"""What an answer of the scraper service means."""

import json

import pytest

from orchestration.services.answers import interpret
from orchestration.words import Outcome


def answer(body, status=200, headers=None):
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return interpret(status, headers or {}, content)


def success(**summary):
    return {"status": "success", "message": "ok", "scraper": "x", "run_id": "r1", "data_summary": summary}


def test_records_are_a_success_with_file_events_and_run_id():
    result = answer(success(rowCount=3, gcs_path="gs://b/f.json", event_ids=["a", "b"]))
    assert (result.outcome, result.run_id, result.record_count) == (Outcome.SUCCESS, "r1", 3)
    assert (result.gcs_path, result.event_ids) == ("gs://b/f.json", ("a", "b"))


def test_none_is_no_data_and_no_error():
    assert answer(success(rowCount=0)).outcome is Outcome.NO_DATA


@pytest.mark.lesson("K1")
@pytest.mark.parametrize("summary", [{}, {"rowCount": None}, {"rowCount": "3"}, {"rowCount": True}, {"rowCount": -1}])
def test_without_a_record_count_nobody_can_tell(summary):
    result = answer(success(**summary))
    assert (result.outcome, result.error_type, result.retryable) == (Outcome.FAILED, "contract", False)


@pytest.mark.lesson("E10")
def test_blocked_is_failed_not_nothing_published():
    result = answer({"message": "forbidden"}, 403)
    assert (result.outcome, result.error_type, result.retryable) == (Outcome.FAILED, "blocked", False)


def test_an_unknown_scraper_is_never_retried_and_the_message_names_the_known_ones():
    result = answer({"error": "unknown scraper 'x'", "available_scrapers": ["a", "b"]}, 400)
    assert not result.retryable
    assert "the service knows a, b" in result.error_message


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_what_can_pass_is_retried(status):
    assert answer({"status": "error", "message": "later"}, status).retryable


def test_retry_after_is_honoured():
    assert answer({}, 429, {"Retry-After": "7"}).retry_after == 7
    assert answer({}, 429, {"Retry-After": "Wed, 21 Oct 2026 07:28:00 GMT"}).retry_after is None


@pytest.mark.parametrize("body", [b"<html>hello</html>", b"", b"[1]", b"\xff\xfe", b'{"status": "succ'])
def test_an_odd_answer_is_a_failure_that_keeps_its_beginning(body):
    result = answer(body)
    assert (result.outcome, result.error_type) == (Outcome.FAILED, "not_json")
    assert result.error_message.startswith("HTTP 200: ")
    assert len(answer(b"x" * 5000).error_message) <= 211


@pytest.mark.parametrize("status", [301, 302, 404, 418])
def test_any_other_status_is_a_failure_that_is_not_retried(status):
    result = answer(b"moved", status)
    assert (result.error_type, result.retryable) == (f"http_{status}", False)
