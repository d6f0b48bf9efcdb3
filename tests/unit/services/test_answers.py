"""The meaning of an answer of the scraper service."""

import json
import math
import re

import pytest

from orchestration.services.answers import CallResult, interpret
from orchestration.services.contract import answer_schema_text
from orchestration.vocabulary.answers import BUILT_IN_SIGNS, AnswerDescription, Sign
from orchestration.vocabulary.scrapers import answer_of
from orchestration.words import Outcome
from support.worlds import ROOT


def answer(body, status=200, headers=None):
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return interpret(status, headers or {}, content)


def success(**summary):
    return {"status": "success", "message": "ok", "scraper": "x", "run_id": "r1", "data_summary": summary}


def test_an_answer_with_records_is_a_success_with_file_events_and_run_id():
    result = answer(success(rowCount=3, gcs_path="gs://b/f.json", event_ids=["a", "b"]))
    assert (result.outcome, result.run_id, result.record_count) == (Outcome.SUCCESS, "r1", 3)
    assert (result.gcs_path, result.event_ids) == ("gs://b/f.json", ("a", "b"))


def test_zero_records_are_no_data_and_not_an_error():
    assert answer(success(rowCount=0)).outcome is Outcome.NO_DATA


@pytest.mark.lesson("K1")
@pytest.mark.parametrize("summary", [{}, {"rowCount": None}, {"rowCount": "3"}, {"rowCount": True}, {"rowCount": -1}])
def test_an_answer_without_a_record_count_breaks_the_contract(summary):
    result = answer(success(**summary))
    assert (result.outcome, result.error_type, result.retryable) == (Outcome.FAILED, "contract", False)


@pytest.mark.lesson("E10")
def test_a_blocked_call_is_failed_not_no_data():
    result = answer({"message": "forbidden"}, 403)
    assert (result.outcome, result.error_type, result.retryable) == (Outcome.FAILED, "blocked", False)


def test_an_unknown_scraper_is_never_retried_and_the_message_names_the_known_ones():
    result = answer({"error": "unknown scraper 'x'", "available_scrapers": ["a", "b"]}, 400)
    assert not result.retryable
    assert "the service knows a, b" in result.error_message


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_a_status_that_may_pass_is_retried(status):
    assert answer({"status": "error", "message": "later"}, status).retryable


@pytest.mark.parametrize("body", [b"<html>hello</html>", b"", b"[1]", b"\xff\xfe", b'{"status": "succ'])
def test_an_odd_answer_is_a_failure_and_keeps_its_beginning(body):
    result = answer(body)
    assert (result.outcome, result.error_type) == (Outcome.FAILED, "not_json")
    assert result.error_message.startswith("HTTP 200: ")
    assert len(answer(b"x" * 5000).error_message) <= 211


@pytest.mark.parametrize("status", [301, 302, 404, 418])
def test_any_other_status_is_a_failure_that_is_not_retried(status):
    result = answer({"message": "moved"}, status)
    assert (result.error_type, result.retryable) == (f"http_{status}", False)


PLATFORMS = {
    "Cloud Run without run.invoker": (403, b"<html>Your client does not have permission to get URL</html>", False),
    "Cloud Run at its limit": (429, b"Rate exceeded.", True),
    "no service at the address": (404, b"<html><title>404 Page not found</title></html>", False),
    "no instance": (503, b"The request failed because no available instance", True),
    "a proxy without an upstream": (502, b"", True),
    "Google's own JSON": (403, {"error": {"code": 403, "status": "PERMISSION_DENIED", "message": "no"}}, False),
    "a list": (500, b"[]", True),
}


@pytest.mark.lesson("F11")
@pytest.mark.parametrize(("status", "body", "retryable"), PLATFORMS.values(), ids=PLATFORMS)
def test_an_error_that_the_service_did_not_write_is_that_of_its_platform(status, body, retryable):
    result = answer(body, status)
    assert (result.outcome, result.error_type) == (Outcome.FAILED, f"platform_{status}")
    assert result.retryable is retryable
    assert result.error_message.startswith(f"HTTP {status}, not from the service itself: ")


def read(body, status=200, *, event_source=False, headers=None, **description):
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return interpret(
        status, headers or {}, content, AnswerDescription.model_validate(description), event_source=event_source
    )


@pytest.mark.lesson("A1")
def test_the_count_is_read_from_the_key_in_the_description():
    assert read(success(playerCount=15, season="2025-26"), records="playerCount").record_count == 15
    assert read(success(rowCount=15), records="playerCount").error_type == "contract"


@pytest.mark.lesson("A1")
def test_the_first_key_present_gives_the_count():
    keys = ["total_records", "records"]
    assert read(success(records=0), records=keys).outcome is Outcome.NO_DATA
    assert read(success(total_records=7, records=3), records=keys).record_count == 7
    assert read(success(total_records=None, records=3), records=keys).record_count == 3


@pytest.mark.lesson("A1")
@pytest.mark.parametrize("body", [success(gameId="1"), {"status": "success", "run_id": "r"}])
def test_a_scraper_that_does_not_count_succeeds_without_a_count(body):
    result = read(body, records="none")
    assert (result.outcome, result.record_count, result.error_type) == (Outcome.SUCCESS, None, None)


def test_file_and_events_are_read_from_the_keys_in_the_description():
    body = success(rowCount=2, path="nba-com/x.json", ids=["a", 7])
    result = read(body, file="path", event_ids="ids", event_source=True)
    assert (result.gcs_path, result.event_ids) == ("nba-com/x.json", ("a", "7"))


def test_a_missing_count_is_reported_under_the_name_that_the_service_uses():
    message = read(success(rows=1), records=["playerCount", "rowCount"]).error_message
    assert "no record count (playerCount or rowCount); name its key in workflows.yaml: answer.records" in message


@pytest.mark.parametrize(
    ("sign", "nothing_yet"),
    [
        ({"status": 500, "text": "NOT published"}, True),
        ({"error_type": "DownloadDataException"}, True),
        ({"status": 500, "error_type": "DownloadDataException", "text": "published"}, True),
        ({"status": 404, "text": "published"}, False),
        ({"error_type": "downloaddataexception"}, False),
        ({"text": "blocked"}, False),
    ],
)
def test_a_failure_that_matches_every_part_of_a_sign_is_no_data(sign, nothing_yet):
    body = {"status": "error", "message": "Not published yet", "error_type": "DownloadDataException", "run_id": "r"}
    result = read(body, 500, no_data=[{"text": "something else"}, sign])
    assert result.outcome is (Outcome.NO_DATA if nothing_yet else Outcome.FAILED)
    assert result.retryable is not nothing_yet
    # What was said stays in the row.
    assert (result.error_type, result.run_id) == ("DownloadDataException", "r")


def test_signs_apply_to_the_services_log_which_has_no_status():
    signs = AnswerDescription.model_validate({"no_data": [{"status": 500, "text": "404"}, {"error_type": "NotThere"}]})
    assert signs.means_no_data(None, "NotThere", None)
    assert not signs.means_no_data(None, "Other", "404")


def test_a_sign_never_turns_a_success_into_no_data():
    assert read(success(rowCount=1), no_data=[{"status": 200}]).outcome is Outcome.SUCCESS


def test_the_summary_of_a_failure_is_kept():
    assert answer({"status": "error", "data_summary": {"pages": 3}}, 500).summary == {"pages": 3}
    assert answer(success(rows=3)).summary == {"rows": 3}


@pytest.mark.parametrize(
    ("summary", "says"),
    [
        ({"rowCount": 9}, "counts 9 records and names no events in data_summary.event_ids"),
        ({"rowCount": 9, "event_ids": []}, "counts 9 records and names no events"),
        ({"rowCount": 9, "event_ids": None}, "counts 9 records and names no events"),
        ({"rowCount": 0, "event_ids": ["a"]}, "counts no records and names 1 events"),
    ],
)
def test_an_event_source_with_contradicting_count_and_events_is_failed(summary, says):
    result = read(success(**summary), event_source=True)
    assert (result.outcome, result.error_type) == (Outcome.FAILED, "contract")
    assert says in result.error_message
    assert result.event_ids == ()


def test_an_event_source_without_events_and_records_has_no_data():
    assert read(success(rowCount=0), event_source=True).outcome is Outcome.NO_DATA
    assert read(success(event_ids=[]), event_source=True, records="none").outcome is Outcome.NO_DATA
    assert read(success(event_ids=["a", "b"]), event_source=True, records="none").record_count == 2
    assert read(success(), event_source=True, records="none").error_type == "contract"


def test_an_event_listed_twice_gets_one_call():
    assert answer(success(rowCount=3, event_ids=["b", "a", "b"])).event_ids == ("b", "a")


@pytest.mark.parametrize(
    ("body", "names"),
    [
        (success(rowCount=2**63), "data_summary.rowCount"),
        (success(rowCount=10**30), "data_summary.rowCount"),
        (success(rowCount=-1), "data_summary.rowCount"),
        (success(rowCount=True), "data_summary.rowCount"),
        (success(rowCount=3.0), "data_summary.rowCount"),
        (success(rowCount=math.nan), "data_summary.rowCount"),
        (success(rowCount="12"), "data_summary.rowCount"),
        (success(rowCount=[1]), "data_summary.rowCount"),
        (success(rowCount=1, event_ids="abc"), "data_summary.event_ids"),
        (success(rowCount=1, event_ids={"a": 1}), "data_summary.event_ids"),
        (success(rowCount=1, event_ids=["a", None]), "data_summary.event_ids.1"),
        (success(rowCount=1, event_ids=["a\0"]), "data_summary.event_ids.0"),
        (success(rowCount=1, event_ids=["\ud800"]), "data_summary.event_ids.0"),
        (success(rowCount=1, event_ids=[""]), "data_summary.event_ids.0"),
        (success(rowCount=1, event_ids=["x" * 201]), "data_summary.event_ids.0"),
        (success(rowCount=1, event_ids=[f"{n}" for n in range(10_001)]), "data_summary.event_ids"),
        (success(rowCount=1, gcs_path=7), "data_summary.gcs_path"),
        (success(rowCount=1, gcs_path={"bucket": "b"}), "data_summary.gcs_path"),
        (success(rowCount=1, gcs_path="gs://b/../../etc/passwd"), "data_summary.gcs_path"),
        (success(rowCount=1, gcs_path="gs://b/\x1b[31m"), "data_summary.gcs_path"),
        (success(rowCount=1, gcs_path="x" * 2000), "data_summary.gcs_path"),
        ({**success(rowCount=1), "run_id": {"id": 1}}, "run_id"),
        ({**success(rowCount=1), "run_id": "x" * 10_000_000}, "run_id"),
        ({**success(rowCount=1), "run_id": "a\0b"}, "run_id"),
        ({**success(), "data_summary": [1]}, "data_summary"),
        ({**success(), "data_summary": "rowCount"}, "data_summary"),
        ({**success(), "data_summary": None}, "data_summary"),
    ],
    ids=lambda value: repr(value)[-60:],
)
def test_a_wrong_field_is_a_contract_error_that_names_the_field(body, names):
    result = answer(body)
    assert (result.outcome, result.error_type, result.retryable) == (Outcome.FAILED, "contract", False)
    assert f"the answer's {names}: " in result.error_message
    assert len(result.error_message) <= 1000
    assert (result.record_count, result.gcs_path, result.event_ids) == (None, None, ())


def test_a_wrong_field_has_the_name_that_the_service_uses():
    assert "data_summary.playerCount: " in read(success(playerCount="15"), records="playerCount").error_message


@pytest.mark.parametrize(
    "body", [b"[" * 100_000, b'{"a":' * 100_000, b'{"status": "success", "n": ' + b"9" * 5000 + b"}"]
)
def test_a_body_that_python_cannot_parse_is_not_json(body):
    result = answer(body)
    assert (result.outcome, result.error_type) == (Outcome.FAILED, "not_json")


def test_wrong_fields_of_a_failure_are_read_as_missing():
    odd = {"message": {"a": 1}, "error_type": ["x"], "run_id": {"a": 1}, "data_summary": "s", "retry_count": "9"}
    result = answer({"status": "error", **odd}, 500)
    assert (result.error_type, result.run_id, result.service_retries) == ("http_500", None, None)
    assert result.error_message.startswith('HTTP 500: {"status": "error"')
    assert answer({"error_type": "two\nlines"}, 500).error_type == "http_500"


def test_a_redirect_names_its_target_without_possible_secrets():
    result = answer(b"", 302, {"Location": "https://me:pw@login.example.com/in?token=abc#x"})
    assert "it redirects to https://login.example.com/in. Redirects are not followed" in result.error_message


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry-After": "7"}, 7),
        ({"Retry-After": "1.5"}, 1.5),
        ({"Retry-After": "0"}, 0),
        ({"Retry-After": "1764081871000"}, 10**9),
        ({"Retry-After": "9" * 5000}, 10**9),
        ({"Retry-After": "inf"}, None),
        ({"Retry-After": "nan"}, None),
        ({"Retry-After": "1e999"}, None),
        ({"Retry-After": "-5"}, None),
        ({"Retry-After": "\u0661"}, None),
        ({"Retry-After": "soon"}, None),
        ({}, None),
        ({"Retry-After": "Wed, 21 Oct 2026 07:28:00 GMT"}, None),
        ({"Retry-After": "Wed, 21 Oct 2026 07:28:00 GMT", "Date": "Wed, 21 Oct 2026 07:27:30 GMT"}, 30),
        ({"Retry-After": "Wed, 21 Oct 2026 07:28:00 GMT", "Date": "Wed, 21 Oct 2026 08:00:00 GMT"}, 0),
        ({"Retry-After": "Wed, 99 Oct 99999 07:28:00 GMT", "Date": "x"}, None),
    ],
)
def test_retry_after_is_a_number_of_seconds_or_nothing(headers, seconds):
    assert answer({}, 429, headers).retry_after == seconds


def test_the_number_of_the_services_own_retries_is_read():
    assert answer({"status": "error", "retry_count": 8}, 500).service_retries == 8
    assert answer({"status": "error"}, 500).service_retries is None


def test_a_summary_is_kept_in_a_form_that_every_database_takes():
    nested = 1
    for _ in range(600):
        nested = [nested]
    body = success(rowCount=1, a="x\0y\ud800", b=math.inf, c=10**40, d=nested, **{"k\0": "\x1b[31m"})
    summary = answer(body).summary
    assert (summary["a"], summary["b"], summary["c"]) == ("x\ufffdy\ufffd", "inf", str(10**40))
    assert summary["k\ufffd"] == "\ufffd[31m"
    assert json.dumps(summary["d"]).count("[") == 20


def test_a_part_of_a_large_summary_is_kept_and_marked_as_a_part():
    result = answer(success(rowCount=5, big="x" * 300_000, small=1))
    assert (result.outcome, result.record_count) == (Outcome.SUCCESS, 5)
    assert result.summary == {"rowCount": 5, "small": 1, "left_out": "1 of 3 keys"}


def test_a_result_survives_its_json_form():
    result = read(success(rowCount=1, event_ids=["a"]), event_source=True)
    assert CallResult.from_dict(json.loads(json.dumps(result.to_dict()))) == result


def test_the_schema_of_an_answer_is_current_and_fits_the_sandboxes_plain_answers():
    import jsonschema

    text = (ROOT / "docs" / "orchestration" / "scraper-answer.schema.json").read_text()
    assert text == answer_schema_text(), "run: make docs"
    check = jsonschema.Draft202012Validator(json.loads(text))
    assert check.is_valid(success(rowCount=3, gcs_path="gs://b/f.json", event_ids=["a"]))
    assert check.is_valid({"status": "error", "message": "boom", "scraper": "x", "run_id": "r"})
    for bad in (success(), success(rowCount="3"), success(rowCount=-1), success(rowCount=1, event_ids="a")):
        assert not check.is_valid(bad)


@pytest.mark.parametrize(
    "message",
    [
        "GET https://api.example.com/v4?apiKey=abc123&x=1",
        "https://me:abc123@example.com/",
        "Authorization: Bearer abc123",
    ],
)
def test_a_secret_in_a_message_reaches_no_log_and_no_row(message):
    for body in ({"status": "error", "message": message}, {"status": message}, message):
        for status in (200, 404, 500):
            assert "abc123" not in answer(body, status).error_message


def test_a_hostile_message_is_read_in_little_time():
    for text in ("a-" * 400_000, "token" * 100_000, " " * 900_000, "bearer " * 100_000, "://" * 300_000):
        assert len(answer({"status": "error", "message": text}, 500).error_message) <= 1000


def test_an_undescribed_key_is_not_a_count():
    assert answer(success(**{"": 5})).error_type == "contract"
    assert read(success(none=5), records="none").record_count is None


@pytest.mark.lesson("F15")
def test_the_page_lists_every_built_in_sign_with_the_years_of_its_service():
    text = (ROOT / "docs" / "orchestration" / "09-scraper-contract.md").read_text()
    lines = [
        [cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if line.startswith("| `")
    ]
    listed = {
        (name, years, Sign(error_type=kind.strip("`"), text=text.strip("`") or None))
        for names, years, kind, text in (cells for cells in lines if len(cells) == 4)
        for name in re.findall(r"`(\w+)`", names)
    }
    assert listed == {(name, *sign) for name, signs in BUILT_IN_SIGNS.items() for sign in signs}


@pytest.mark.lesson("F15")
@pytest.mark.parametrize("scraper", BUILT_IN_SIGNS)
def test_a_wrong_address_is_a_failure_even_if_a_404_is_a_sign(scraper):
    result = interpret(404, {}, b"<title>404 Not Found</title>", answer_of(scraper))
    assert (result.outcome, result.error_type) == (Outcome.FAILED, "platform_404")


@pytest.mark.lesson("F18")
def test_a_credential_that_we_sent_is_in_no_id_and_no_path_but_the_name_of_a_bucket_stays():
    body = json.dumps(
        {
            "status": "success",
            "run_id": "run-pa55word",
            "data_summary": {"rowCount": 1, "gcs_path": "gs://production/pa55word.json", "event_ids": ["e pa55word"]},
        }
    )
    result = interpret(200, {}, body.encode(), secrets={"production", "pa55word"}, credentials={"pa55word"})
    assert (result.run_id, result.gcs_path) == ("run-***", "gs://production/***.json")
    assert result.event_ids == ("e ***",)
    assert "pa55word" not in repr(result)
