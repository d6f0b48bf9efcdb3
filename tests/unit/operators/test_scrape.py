"""A try that follows one whose call had succeeded. Airflow cannot be made to do this at will; it is imitated here."""

from types import SimpleNamespace

import pytest
from airflow.sdk.exceptions import AirflowNotFoundException

from orchestration.operators.scrape import OUTCOME_KEY, REPORTED_KEY, ScrapeOperator
from support.worlds import DAY, et

RETRIES = 3
LEFT = {"try_number": 1, "outcome": "success", "execution_id": "e"}


class Store(dict):
    set = dict.__setitem__


def second_try(monkeypatch, left, max_tries=RETRIES):
    monkeypatch.setenv("AIRFLOW_CONN_SCRAPER_SERVICE", "")
    monkeypatch.delenv("AIRFLOW_CONN_SCRAPER_SERVICE")
    pushed = {}
    decision = {
        "workflow": "betting_lines", "scrapers": ["oddsa_events"], "collected": {}, "target_date": DAY.isoformat(),
        "decision_id": "d",
    }  # fmt: skip
    ti = SimpleNamespace(
        dag_id="betting_lines", run_id="r", task_id="oddsa_events", map_index=-1, try_number=2, max_tries=max_tries,
        xcom_pull=lambda **_: decision, xcom_push=pushed.__setitem__,
    )  # fmt: skip
    dag_run = SimpleNamespace(
        run_id="r", run_type="manual", conf={}, start_date=et("12:00"), run_after=et("12:00"), logical_date=None,
        triggering_user_name="me",
    )  # fmt: skip
    store = Store({REPORTED_KEY: {"left": left, "returned": ["event"]}})
    operator = ScrapeOperator(
        task_id="oddsa_events", scraper="oddsa_events", timeout_seconds=1, retries=RETRIES, returns_events=True
    )
    context = {"ti": ti, "dag_run": dag_run, "task_state_store": store}
    return operator.execute(context), pushed


def test_the_call_is_not_made_again(monkeypatch):
    returned, pushed = second_try(monkeypatch, LEFT)
    assert returned == ["event"]
    assert pushed == {OUTCOME_KEY: LEFT}


def test_after_a_failure_it_is(monkeypatch):
    with pytest.raises(AirflowNotFoundException):
        second_try(monkeypatch, {**LEFT, "outcome": "failed"})


def test_and_after_somebody_cleared_the_task(monkeypatch):
    with pytest.raises(AirflowNotFoundException):
        second_try(monkeypatch, LEFT, max_tries=1 + RETRIES)
