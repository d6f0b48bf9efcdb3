"""Every way to break the contract becomes exactly one outcome that a person can act on."""

import json

import pytest

from orchestration.services.scraper_service import ScraperService
from orchestration.words import Outcome
from support.faults import FAULTS, FaultyService

EXPECTED = {
    "html": ("not_json", False, "HTTP 200: <html>maintenance</html>"),
    "empty": ("not_json", False, "HTTP 200: "),
    "no count": ("contract", False, "no record count"),
    "cut": ("transport", True, "the answer could not be read"),
    "not utf-8": ("not_json", False, "HTTP 200: "),
    "unknown": ("bad_request", False, "the service knows a"),
    "blocked": ("blocked", False, "HTTP 403: go away"),
    "limited": ("rate_limited", True, "HTTP 429"),
    "broken": ("KeyError", True, "HTTP 500: boom"),
    "broken without cause": ("http_500", True, "HTTP 500: "),
    "redirect": ("http_302", False, "HTTP 302: "),
    "garbage": ("transport", True, "the answer could not be read"),
    "large": ("too_large", False, "more than"),
    "closes": ("connection", True, "the service could not be reached"),
    "hangs": ("timeout", True, "no complete answer within 0.6 s"),
    "drips": ("timeout", True, "no complete answer within 0.6 s"),
}


@pytest.fixture
def service(monkeypatch):
    with FaultyService().serving() as faulty:
        connection = {"conn_type": "http", "schema": "http", "host": "127.0.0.1", "port": faulty.port}
        monkeypatch.setenv("AIRFLOW_CONN_SCRAPER_SERVICE", json.dumps(connection))
        yield faulty


def test_the_test_server_can_also_answer_as_it_should(service):
    assert ScraperService().call("x", {}, "w", 5).outcome is Outcome.SUCCESS


def test_every_fault_is_tried():
    assert set(EXPECTED) == {*FAULTS, "hangs", "drips"} - {"fine"}


@pytest.mark.lesson("E8")
@pytest.mark.parametrize("fault", EXPECTED)
def test_a_fault_is_one_failed_outcome_with_its_cause(service, fault):
    service.fault = fault
    result = ScraperService().call("x", {}, "w", 0.6 if fault in ("hangs", "drips") else 10)
    kind, retryable, says = EXPECTED[fault]
    assert (result.outcome, result.error_type, result.retryable) == (Outcome.FAILED, kind, retryable)
    assert says in result.error_message
    assert len(result.error_message) < 1000


def test_retry_after_reaches_the_result(service):
    service.fault = "limited"
    assert ScraperService().call("x", {}, "w", 5).retry_after == 3
