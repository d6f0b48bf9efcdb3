"""The cleanup's inspection of the surroundings: one that fails stops no other. Real faults: test_faults."""

import logging
from types import SimpleNamespace

import pytest

from orchestration.operators import inspection
from orchestration.operators.inspection import inspect_surroundings
from orchestration.words import Surrounding
from support.worlds import DAY, changed, et

SHADOW = changed(settings__mode="shadow", settings__audit_dataset="ours_beside")


class Ti:
    """A task instance in an Airflow that does not know one of our DAGs yet."""

    def xcom_pull(self, **_):
        return None

    def get_dag(self, dag_id):
        if dag_id == "morning_operations":
            raise LookupError("DAG_NOT_FOUND")
        return SimpleNamespace(is_paused=dag_id in ("schedule_dependency", "referee_discovery"))

    def get_dr_count(self, dag_id, logical_dates=(), states=()):
        return len(RAN.intersection((dag_id, at) for at in logical_dates)) if states == ["success"] else 0


class Record:
    """A record with the decisions of one workflow at two ticks."""

    ahead = None

    def query(self, _, about):
        assert about["day"] == DAY
        return [{"workflow_name": "betting_lines", "slot_time": et(wall)} for wall in ("06:00", "07:00")]


RAN = {
    (name, et(wall)) for name in ("betting_lines", "schedule_locker") for wall in ("05:00", "07:00", "08:00", "10:00")
}
"""The runs that succeeded in Airflow."""


@pytest.fixture
def looked(monkeypatch, tmp_path):
    monkeypatch.setattr("orchestration.operators.inspection.components", dict)
    monkeypatch.setenv("ORCHESTRATION_OUTBOX", f"file://{tmp_path / 'outbox'}")

    def look(config=SHADOW):
        run = SimpleNamespace(
            run_id="r", run_type="scheduled", conf={}, start_date=et("10:20"), logical_date=et("10:20")
        )
        context = {"ti": Ti(), "dag_run": run}
        seen = inspect_surroundings(context, config, Record(), logging.getLogger(__name__))
        return [(one.kind, one.about, one.text) for one in seen]

    return look


def test_a_dag_that_airflow_does_not_know_yet_does_not_hide_a_paused_dag(looked, caplog):
    paused = {about for kind, about, _ in looked() if kind == Surrounding.PAUSED}
    assert paused == {"schedule_dependency", "referee_discovery"}
    assert "DAG_NOT_FOUND" in caplog.text


def test_runs_that_succeeded_and_left_no_row_are_found_by_tick(looked, monkeypatch):
    monkeypatch.setattr(inspection.RunClock, "wall", staticmethod(lambda: et("10:20")))
    found = {about: text for kind, about, text in looked() if kind == Surrounding.NO_ROW}
    # The run of 10:00 may still be running.
    assert found == {
        "betting_lines": "2026-01-14T08:00-05:00",
        "schedule_locker": "2026-01-14T05:00-05:00",
    }


def test_an_unwritable_outbox_is_found_while_bigquery_takes_rows(looked, monkeypatch, tmp_path):
    (tmp_path / "file").write_text("a file, where a folder is needed")
    monkeypatch.setenv("ORCHESTRATION_OUTBOX", f"file://{tmp_path / 'file' / 'outbox'}")
    [(_, about, text)] = [one for one in looked() if one[0] == Surrounding.OUTBOX]
    assert about == "outbox"
    assert text.startswith("cannot be written (file://")
    assert not list(tmp_path.glob("outbox/*"))


def test_a_service_that_restarts_is_asked_again_after_a_pause(monkeypatch):
    answers, waited = iter(["GET /health: refused", None]), []
    monkeypatch.setattr(inspection.time, "sleep", waited.append)
    monkeypatch.setattr("orchestration.services.scraper_service.ScraperService.problem", lambda *_: next(answers))
    monkeypatch.setattr("orchestration.operators.inspection.unknown_scrapers", lambda *_: [])
    assert list(inspection._service(changed(), et("12:20"))) == []
    assert waited == [inspection.BETWEEN_SECONDS]
