"""The recorded answers of all scrapers in both states of the service, read over real HTTP."""

import json

import pytest
from airflow.sdk.definitions.retry_policy import RetryAction

from orchestration.operators.retries import CallFailed, CallRetryPolicy
from orchestration.services.scraper_service import CallRequest, ScraperService
from orchestration.vocabulary.scrapers import BUILT_IN, Scraper, answer_of
from orchestration.words import Outcome
from support.real_service import NOTHING_YET_IS_AN_ERROR, SCRAPERS, STATES, answered, count_key
from support.scripted import ScriptedService

RETRIES = 3
EVERY = [(scraper, state) for scraper in SCRAPERS for state in STATES]


@pytest.fixture(scope="module")
def service():
    with ScriptedService().serving() as running:
        yield running


@pytest.fixture(autouse=True)
def connection(service, monkeypatch):
    data = {"conn_type": "http", "host": "127.0.0.1", "port": service.port}
    monkeypatch.setenv("AIRFLOW_CONN_SCRAPER_SERVICE", json.dumps(data))


def made(scraper, description=None):
    """Make a call, and retry it as Airflow would by our retry policy. Return the last result."""
    policy = CallRetryPolicy(5, 300, 30)
    for number in range(1, RETRIES + 2):
        description = description or answer_of(scraper)
        result = ScraperService().call(CallRequest(scraper, {}, "w", 10, description, scraper == "oddsa_events"))
        if result.outcome is not Outcome.FAILED:
            break
        if policy.evaluate(CallFailed(scraper, result), number, RETRIES).action is not RetryAction.RETRY:
            break
    return result


def test_the_recording_has_every_known_scraper():
    assert set(SCRAPERS) == set(BUILT_IN)


@pytest.mark.lesson("A1")
@pytest.mark.parametrize(("scraper", "state"), EVERY)
def test_a_recorded_success_is_read_with_its_count_after_one_call(service, scraper, state):
    service.script(**{scraper: lambda *_: answered(scraper, state, 8)})
    result = made(scraper)
    assert len(service.asked) == 1
    if count_key(scraper, state) is None:
        assert (result.outcome, result.error_type) == (Outcome.FAILED, "unknown_scraper")
        return
    assert (result.outcome, result.record_count, result.gcs_path) == (Outcome.SUCCESS, 8, None)
    assert result.run_id == "633a4c76"
    assert len(result.event_ids) == (8 if scraper == "oddsa_events" else 0)


@pytest.mark.lesson("A1")
@pytest.mark.parametrize(("scraper", "state"), [(s, t) for s, t in EVERY if count_key(s, t)])
def test_a_source_without_data_is_no_data_or_a_500_without_a_cause(service, scraper, state):
    service.script(**{scraper: lambda *_: answered(scraper, state, 0)})
    result = made(scraper)
    if scraper in NOTHING_YET_IS_AN_ERROR:
        assert (result.outcome, result.error_type) == (Outcome.FAILED, "http_500")
        assert result.error_message == f"HTTP 500: {scraper} failed; the service has already retried its source"
        assert len(service.asked) == 1
        return
    assert (result.outcome, result.record_count, len(service.asked)) == (Outcome.NO_DATA, 0, 1)


@pytest.mark.lesson("A1")
@pytest.mark.parametrize("scraper", SCRAPERS)
def test_the_plain_contract_is_read_too(service, scraper):
    summary = {"rowCount": 3, "gcs_path": "gs://b/f.json", "event_ids": ["a", "b", "c"]}
    service.script(**{scraper: lambda *_: (200, {"status": "success", "run_id": "r", "data_summary": summary})})
    result = made(scraper)
    assert (result.outcome, result.record_count, result.gcs_path) == (Outcome.SUCCESS, 3, "gs://b/f.json")


@pytest.mark.lesson("A5")
def test_a_failure_after_the_services_own_retries_is_not_retried(service):
    ran = {"status": "error", "message": "br_season_roster failed", "scraper": "br_season_roster", "run_id": "633a4c76"}
    service.script(br_season_roster=lambda *_: (500, ran), another=lambda *_: (500, {**ran, "retry_count": 8}))
    assert made("br_season_roster").outcome is Outcome.FAILED
    assert made("another").outcome is Outcome.FAILED
    assert len(service.asked) == 2


@pytest.mark.lesson("A5")
def test_an_error_of_the_service_itself_is_retried(service):
    own = {"status": "error", "message": "out of memory", "scraper": "br_season_roster", "error_type": "MemoryError"}
    service.script(br_season_roster=lambda *_: (500, own))
    assert made("br_season_roster").error_type == "MemoryError"
    assert len(service.asked) == 1 + RETRIES


def test_a_scraper_without_a_count_needs_records_none(service):
    summary = {"gameId": "0022500555"}
    service.script(bdl_game_detail=lambda *_: (200, {"status": "success", "data_summary": summary}))
    assert made("bdl_game_detail").error_type == "contract"
    own = Scraper.model_validate({"answer": {"records": "none"}})
    result = made("bdl_game_detail", answer_of("bdl_game_detail", own))
    assert (result.outcome, result.record_count) == (Outcome.SUCCESS, None)


def test_a_failure_described_as_no_data_is_called_once(service):
    own = Scraper.model_validate({"answer": {"no_data": [{"status": 500, "text": "gamebook_pdf FAILED"}]}})
    service.script(nbac_gamebook_pdf=lambda *_: answered("nbac_gamebook_pdf", "HEAD", 0))
    result = made("nbac_gamebook_pdf", answer_of("nbac_gamebook_pdf", own))
    assert (result.outcome, result.error_type, len(service.asked)) == (Outcome.NO_DATA, "http_500", 1)
