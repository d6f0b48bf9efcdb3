"""Every broken answer of the scraper service becomes exactly one outcome with a clear cause."""

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orchestration.services.scraper_service import CallRequest, ScraperService
from orchestration.words import Outcome
from support.faulty_service import FAULTS, FaultyService, http
from support.scripted import ScriptedService

EXPECTED = {
    "html": ("not_json", False, "HTTP 200: <html>maintenance</html>"),
    "empty": ("not_json", False, "HTTP 200: "),
    "no count": ("contract", False, "no record count"),
    "cut": ("transport", True, "the answer could not be read"),
    "not utf-8": ("not_json", False, "HTTP 200: "),
    "unknown": ("unknown_scraper", False, "the service knows a"),
    "blocked": ("platform_403", False, "HTTP 403, not from the service itself: go away"),
    "limited": ("rate_limited", True, "HTTP 429"),
    "broken": ("KeyError", True, "HTTP 500: boom"),
    "broken without cause": ("platform_500", True, "HTTP 500, not from the service itself: "),
    "redirect": ("http_302", False, "HTTP 302: "),
    "garbage": ("transport", True, "the answer could not be read"),
    "large": ("too_large", False, "more than"),
    "closes": ("connection", True, "the service could not be reached"),
    "bomb": ("too_large", False, "more than 1,000,000 bytes long"),
    "bomb in a bomb": ("not_json", False, "HTTP 200: "),
    "not gzip": ("transport", True, "the answer could not be read"),
    "cut gzip": ("transport", True, "the answer could not be read: BrokenOff: gzip"),
    "nested": ("not_json", False, "HTTP 200: [[["),
    "late": ("http_503", True, "HTTP 503: {}"),
    "odd headers": ("http_500", True, "HTTP 500"),
    "long header": ("transport", True, "the answer could not be read"),
    "many headers": ("transport", True, "the answer could not be read"),
    "two lengths": ("transport", True, "the answer could not be read"),
    "negative length": ("transport", True, "the answer could not be read"),
    "broken chunks": ("transport", True, "the answer could not be read"),
    "status 999": ("http_999", True, "HTTP 999"),
    "status 0": ("transport", True, "the answer could not be read"),
    "no content": ("http_204", False, "HTTP 204: "),
    "large count": ("contract", False, "data_summary.rowCount: Input should be less than"),
    "count as text": ("contract", False, "data_summary.rowCount: Input should be a valid integer (it is '12')"),
    "NaN": ("contract", False, "data_summary.rowCount: Input should be a valid integer (it is nan)"),
    "events as text": ("contract", False, "data_summary.event_ids: Input should be a valid list (it is 'abc')"),
    "path as number": ("contract", False, "data_summary.gcs_path: Input should be a valid string (it is 7)"),
    "lone surrogate": ("contract", False, "data_summary.event_ids.0: "),
    "NUL in a message": ("http_500", True, "HTTP 500: a\N{REPLACEMENT CHARACTER}b"),
    "hangs": ("timeout", True, "no complete answer within 0.6 s"),
    "drips": ("timeout", True, "no complete answer within 0.6 s"),
}


@pytest.fixture
def service(monkeypatch):
    with FaultyService().serving() as faulty:
        connection = {"conn_type": "http", "schema": "http", "host": "127.0.0.1", "port": faulty.port}
        monkeypatch.setenv("AIRFLOW_CONN_SCRAPER_SERVICE", json.dumps(connection))
        yield faulty


def test_the_faulty_service_can_also_give_a_valid_answer(service):
    assert ScraperService().call(CallRequest("x", {}, "w", 5)).outcome is Outcome.SUCCESS


def test_every_fault_has_a_test_case():
    assert set(EXPECTED) == {*FAULTS, "hangs", "drips"} - {"fine"}


@pytest.mark.lesson("E8")
@pytest.mark.parametrize("fault", EXPECTED)
def test_a_fault_is_one_failed_call_with_its_cause(service, fault):
    service.fault = fault
    result = ScraperService().call(CallRequest("x", {}, "w", 0.6 if fault in ("hangs", "drips") else 10))
    kind, retryable, says = EXPECTED[fault]
    assert (result.outcome, result.error_type, result.retryable) == (Outcome.FAILED, kind, retryable)
    assert says in result.error_message
    assert len(result.error_message) < 1000


def test_retry_after_reaches_the_result(service):
    service.fault = "limited"
    assert ScraperService().call(CallRequest("x", {}, "w", 5)).retry_after == 3


LINES = st.text(st.characters(codec="latin-1"), max_size=30).map(lambda text: text.encode("latin-1"))
ANSWERS = st.binary(max_size=300) | st.builds(
    lambda status, names, body: b"HTTP/1.1 " + status + b"\r\n" + b"\r\n".join(names) + b"\r\n\r\n" + body,
    st.sampled_from([b"200 OK", b"429 Later", b"500 Oh", b"302 There"]) | LINES,
    st.lists(st.sampled_from([b"Content-Length: 5", b"Transfer-Encoding: chunked", b"Content-Encoding: br"]) | LINES),
    st.binary(max_size=100) | st.just(http("200 OK", b"{}")),
)


@settings(
    max_examples=150, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(ANSWERS)
def test_any_bytes_from_the_service_are_one_outcome_and_no_exception(service, answer):
    service.fault = answer
    result = ScraperService().call(CallRequest("x", {}, "w", 5))
    assert result.outcome is Outcome.FAILED
    assert result.error_message


def test_a_redirect_is_not_followed_and_sends_no_secret_elsewhere(service, monkeypatch):
    with ScriptedService().serving() as elsewhere:
        place = f"Location: http://127.0.0.1:{elsewhere.port}/scrape"
        connection = {"conn_type": "http", "host": "127.0.0.1", "port": service.port, "login": "me", "password": "pw",
                      "extra": {"X-Api-Key": "secret", "allow_redirects": True}}  # fmt: skip
        monkeypatch.setenv("AIRFLOW_CONN_SCRAPER_SERVICE", json.dumps(connection))
        for status in (301, 302, 303, 307, 308):
            service.fault = http(f"{status} Moved", b"", place)
            result = ScraperService().call(CallRequest("x", {}, "w", 5))
            assert (result.error_type, result.retryable) == (f"http_{status}", False)
            assert "Redirects are not followed" in result.error_message
            assert ScraperService().problem(5) == f"GET /health: HTTP {status}"
        assert elsewhere.asked == elsewhere.headers == elsewhere.got == []
