"""`finish` counts calls from the states in Airflow. Airflow itself runs it in tests/system/test_runs.py."""

from types import SimpleNamespace

from orchestration.operators import base
from orchestration.operators.calls import OUTCOME_KEY
from orchestration.operators.finish import FinishOperator
from support.airflow_state import StateStore
from support.worlds import DAY, changed, et


def crumb(task, index, state):
    return {"task_id": task, "map_index": index, "state": state, "operator": "ScrapeOperator", "duration": 1.0}


def left(scraper, index, outcome="success"):
    call = {"scraper": scraper, "label": scraper, "game_date": DAY.isoformat(), "game_id": None, "opts": {}}
    return {
        "call": call, "try_number": 1, "map_index": index, "execution_id": f"{scraper}{index}", "outcome": outcome,
        "error_type": None if outcome == "success" else "http_404", "triggered_at": et("12:00").isoformat(),
    }  # fmt: skip


def test_each_instance_counts_for_its_own_scraper(monkeypatch, tmp_path):
    config = changed(
        scrapers__props={"for_each": "event", "depends_on": ["oddsa_events"], "critical": False, "parameters": {}},
        scrapers__props_1={"critical": False, "parameters": {}},
        workflows__betting_lines__execution_plan={
            "step_1": {"type": "single", "scraper": "oddsa_events"},
            "step_2": {"type": "parallel", "scrapers": ["props", "props_1"]},
        },
    )
    monkeypatch.setattr(base, "load_or_last_good", lambda: SimpleNamespace(config=config))
    monkeypatch.setenv("ORCHESTRATION_OUTBOX", f"file://{tmp_path}")
    decision = {
        "workflow": "betting_lines", "decision_id": "d", "target_date": DAY.isoformat(),
        "scrapers": ["oddsa_events", "props", "props_1"],
    }  # fmt: skip
    done = {
        "oddsa_events": [left("oddsa_events", -1)],
        "props": [left("props", 0), left("props", 1)],
        "props_1": [left("props_1", -1, "failed")],
    }
    crumbs = [crumb("hold", -1, "success"), crumb("oddsa_events", -1, "success"), crumb("props", 0, "success"),
              crumb("props", 1, "success"), crumb("props_1", -1, "failed"), crumb("skip", -1, "skipped")]  # fmt: skip
    ti = SimpleNamespace(
        dag_id="betting_lines", run_id="r", task_id="finish", map_index=-1, try_number=1, max_tries=0,
        get_task_breadcrumbs=lambda **_: iter(crumbs),
        xcom_pull=lambda task_ids, key, **_: done[task_ids[0]] if key == OUTCOME_KEY else decision,
    )  # fmt: skip
    dag_run = SimpleNamespace(
        run_id="r", run_type="manual", conf={}, start_date=et("12:00"), run_after=et("12:00"), logical_date=None,
        triggering_user_name="me",
    )  # fmt: skip
    operator = FinishOperator(task_id="finish", workflow="betting_lines")
    operator.execute({"ti": ti, "dag_run": dag_run, "task_state_store": StateStore()})
    assert (operator.status, operator.calls, operator.failures) == ("partial", "4", "props_1: http_404")
