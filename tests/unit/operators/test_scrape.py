"""A try after one whose call has ended. Airflow does this only by chance, so it is imitated here."""

import asyncio
import json
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from types import SimpleNamespace

import pytest

from orchestration.decisions.whole import expected_game
from orchestration.operators import call_trigger
from orchestration.operators.call_trigger import RESUMED_AFTER, ScraperCallTrigger
from orchestration.operators.calls import OUTCOME_KEY, ScraperCall, call_row, shortfall_of
from orchestration.operators.retries import CallFailed
from orchestration.operators.scrape import REPORTED_KEY, ScrapeOperator
from orchestration.records.ids import TaskKey
from orchestration.runs.clock import RunClock
from orchestration.services.answers import CallResult, failed
from orchestration.services.scraper_service import ScraperService
from orchestration.vocabulary.answers import AnswerDescription
from orchestration.vocabulary.scrapers import Scraper
from orchestration.words import Outcome
from support.worlds import DAY, et, game

RETRIES = 3
LEFT = {"call": {"label": "oddsa_events"}, "try_number": 1, "outcome": "success", "execution_id": "e"}


class Store(dict):
    """Airflow's state store of a task, with a count of its writes."""

    writes = 0

    def set(self, key, value):
        self[key] = value
        self.writes += 1


def one_try(store, number, max_tries=RETRIES):
    """Run a try of the task; return its value and its pushes of XComs."""
    pushed = []
    decision = {
        "workflow": "betting_lines", "scrapers": ["oddsa_events"], "collected": {}, "target_date": DAY.isoformat(),
        "decision_id": "d",
    }  # fmt: skip
    ti = SimpleNamespace(
        dag_id="betting_lines", run_id="r", task_id="oddsa_events", map_index=-1, try_number=number,
        max_tries=max_tries, xcom_pull=lambda **_: decision, xcom_push=lambda *pair: pushed.append(pair),
    )  # fmt: skip
    dag_run = SimpleNamespace(
        run_id="r", run_type="manual", conf={}, start_date=et("12:00"), run_after=et("12:00"), logical_date=None,
        triggering_user_name="me",
    )  # fmt: skip
    operator = ScrapeOperator(
        task_id="oddsa_events", scraper="oddsa_events", timeout_seconds=1, retries=RETRIES, returns_events=True
    )
    context = {"ti": ti, "dag_run": dag_run, "task_state_store": store}
    return operator.execute(context), pushed


def second_try(monkeypatch, left, max_tries=RETRIES):
    monkeypatch.setenv("AIRFLOW_CONN_SCRAPER_SERVICE", "")
    monkeypatch.delenv("AIRFLOW_CONN_SCRAPER_SERVICE")
    returned, pushed = one_try(Store({REPORTED_KEY: {"left": left, "returned": ["event"]}}), 2, max_tries)
    return returned, dict(pushed)


def test_a_call_costs_two_xcoms_and_one_write_of_state_and_the_next_try_takes_it_over(monkeypatch, tmp_path):
    monkeypatch.setenv("ORCHESTRATION_OUTBOX", f"file://{tmp_path}")
    found = CallResult(Outcome.SUCCESS, record_count=1, event_ids=("event",))
    monkeypatch.setattr(ScraperService, "call", lambda *_, **__: found)
    store = Store()
    returned, [(_, begun), (_, ended)] = one_try(store, 1)
    assert (returned, begun["outcome"], ended["outcome"], store.writes) == (["event"], "failed", "success", 1)
    monkeypatch.setattr(ScraperService, "call", None)
    again, [(_, taken_over)] = one_try(store, 2)
    assert (again, taken_over) == (["event"], {**ended, "settled": 2})


def test_a_successful_call_is_not_made_again(monkeypatch):
    returned, pushed = second_try(monkeypatch, LEFT)
    assert returned == ["event"]
    assert pushed == {OUTCOME_KEY: {**LEFT, "again": False, "settled": 2}}


def test_a_failed_call_is_made_again(monkeypatch):
    with pytest.raises(CallFailed, match="scraper_service"):
        second_try(monkeypatch, {**LEFT, "outcome": "failed"})


def test_a_final_failure_is_taken_over_without_a_call(monkeypatch):
    row = {"error_message": "HTTP 404: no such scraper"}
    left = {**LEFT, "outcome": "failed", "error_type": "http_404", "row": row, "again": False, "settled": 1}
    with pytest.raises(CallFailed, match=r"oddsa_events failed \(http_404\): HTTP 404: no such scraper"):
        second_try(monkeypatch, left)


def test_a_cleared_task_makes_its_call_again(monkeypatch):
    with pytest.raises(CallFailed, match="scraper_service"):
        second_try(monkeypatch, LEFT, max_tries=1 + RETRIES)


@pytest.mark.lesson("F3")
@pytest.mark.parametrize("carried", [True, False], ids=["this release", "a decision of an earlier one"])
def test_the_row_of_a_partial_answer_says_what_it_lacks(carried):
    model = Scraper(answer={"games": "ids"}, expects={"games": "all"})
    games = [game(n, "19:00") for n in (1, 2)]
    more = {"slate": [expected_game(one) for one in games], "usual": {}} if carried else {}
    decision = {"workflow": "w", "decision_id": "d", "target_date": DAY.isoformat(), **more}
    result = CallResult(Outcome.SUCCESS, record_count=26, games=(games[0].game_id,), content_hash="c")
    travelled = CallResult.from_dict(json.loads(json.dumps(result.to_dict())))
    assert travelled == result
    call, clock = ScraperCall("x", "x", DAY), RunClock(et("12:00"), timedelta(), True, "schedule", et("12:00"))
    short = shortfall_of(call, model, travelled, decision)
    times = et("12:05"), et("12:06")
    row = call_row(call, travelled, TaskKey("w", "r", "x"), decision, clock, "test", *times, short)
    assert (row.status, row.content_hash) == (Outcome.SUCCESS, "c")
    assert (row.shortfall, row.missing_games, row.games_expected) == (
        ("1 of 2 games, missing LAL@BOS", (games[1].game_id,), 2) if carried else (None, (), None)
    )
    assert row.answered_whole is not carried


def test_a_result_without_games_has_the_form_of_the_last_release():
    known = CallResult(Outcome.SUCCESS, record_count=1).to_dict()
    assert not {"games", "game_count", "content_hash"} & known.keys()
    assert CallResult.from_dict(known) == CallResult(Outcome.SUCCESS, record_count=1)


def test_the_triggerer_gets_the_description_of_the_answer():
    description = AnswerDescription.model_validate({"records": "playerCount", "no_data": [{"status": 404}]})
    trigger = ScraperCallTrigger(
        scraper="x", parameters={"a": 1}, workflow="w", timeout_seconds=5,
        description=description.model_dump(mode="json"), event_source=True,
    )  # fmt: skip
    path, arguments = trigger.serialize()
    again = ScraperCallTrigger(**json.loads(json.dumps(arguments)))
    assert path.endswith("ScraperCallTrigger")
    assert (again.request.description, again.request.event_source) == (description, True)


class TestACallThatIsAnsweredAtOnce:
    """Airflow takes a task for failed if it resumes before the scheduler has seen its deferral."""

    @pytest.fixture
    def slept(self, monkeypatch):
        slept = []

        async def answered(*_, **__):
            return failed("http_404", "no such scraper", retryable=False)

        async def sleep(seconds):
            slept.append(seconds)

        @asynccontextmanager
        async def line(_):
            yield SimpleNamespace(call=answered)

        monkeypatch.setattr(ScraperService, "line", line)
        monkeypatch.setattr(call_trigger.asyncio, "sleep", sleep)
        return slept

    def event(self):
        async def first():
            return await anext(ScraperCallTrigger(scraper="x", parameters={}, workflow="w", timeout_seconds=5).run())

        return asyncio.run(first()).payload

    def test_is_handed_over_after_the_least_time(self, slept):
        self.event()
        assert len(slept) == 1
        assert timedelta(0) < timedelta(seconds=slept[0]) <= RESUMED_AFTER

    def test_its_duration_does_not_include_the_wait(self, slept, monkeypatch):
        monkeypatch.setattr(call_trigger, "RESUMED_AFTER", timedelta(hours=1))
        event = self.event()
        assert datetime.fromisoformat(event["ended"]) - datetime.fromisoformat(event["started"]) < timedelta(hours=1)

    def test_is_handed_over_at_once_if_it_took_long_enough(self, slept, monkeypatch):
        monkeypatch.setattr(call_trigger, "RESUMED_AFTER", timedelta(0))
        self.event()
        assert slept == []


def test_a_secret_among_the_parameters_is_sent_but_not_stored():
    call = ScraperCall(
        "x", "x", DAY, opts={"api_key": "in-the-file", "url": "https://x?token=in-the-file", "date": "2026-01-14"}
    )
    assert call.opts["api_key"] == "in-the-file"
    assert call.to_dict()["opts"] == {"api_key": "***", "url": "https://x?token=***", "date": "2026-01-14"}
