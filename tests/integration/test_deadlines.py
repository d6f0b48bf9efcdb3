"""A missed deadline in Airflow's own supervisor of callbacks, with connections in three places."""

import contextlib
import json
import os
import subprocess
import sys
from types import SimpleNamespace

import pytest
from airflow import settings as airflow_settings
from airflow.models.connection import Connection  # noqa: TID251
from airflow.sdk.exceptions import AirflowFailException

from orchestration.alerts import deadlines, memory
from orchestration.alerts.channels import not_set_up
from orchestration.config import loads
from orchestration.operators import base
from orchestration.operators.finish import FinishOperator
from orchestration.operators.watch import WatchOperator
from orchestration.runs.execution import NOBODY
from support.airflow_state import StateStore
from support.letterbox import Letterbox
from support.rows import decision
from support.standins import PATIENCE_SECONDS
from support.worlds import ROOT, changed_file, et

WORKFLOW, MINUTES, TICK = "betting_lines", 60, et("12:00")
MISSED = "orchestration.alerts.deadlines.missed"


def run_of(run_id="scheduled__12"):
    """Return the run as the REST API describes it."""
    tick = TICK.isoformat()
    return {"dag_run_id": run_id, "state": "running", "run_type": "scheduled", "conf": {}, "logical_date": tick,
            "start_date": tick, "run_after": tick, "triggering_user_name": None}  # fmt: skip


class Late:
    """A run that misses its deadline, the letterbox of the alerts, and the memory of the watchdog."""

    def __init__(self, box, outbox, warehouse, monkeypatch, config) -> None:
        self.box, self.outbox, self.warehouse, self.config = box, outbox, warehouse, config
        self.memory = StateStore()
        self.monkeypatch = monkeypatch

    def miss(self, without=()) -> subprocess.CompletedProcess:
        """Run the callback in Airflow's supervisor, ``without`` some variables of the environment."""
        env = {name: value for name, value in os.environ.items() if name not in without}
        env["PYTHONPATH"] = f"{env['PYTHONPATH']}:{ROOT / 'tests'}"
        context = {"dag_run": run_of(), "deadline": {"id": "1", "deadline_time": et("13:00").isoformat()}}
        asked = {"path": MISSED, "kwargs": {"workflow": WORKFLOW, "minutes": MINUTES, "context": context}}
        command = [sys.executable, "-m", "support.callbacks", json.dumps(asked)]
        return subprocess.run(command, env=env, capture_output=True, text=True, check=False, timeout=PATIENCE_SECONDS)

    def errors(self) -> list[str]:
        """Drain the outbox, as the cleanup does, and return the errors of the executions in BigQuery."""
        self.outbox.drain()
        view = "nba_orchestration.v_workflow_executions"
        sql = f"SELECT error_message FROM {view} WHERE DATE(execution_time) > '2026-01-01'"
        return [row["error_message"] for row in self.warehouse.query(sql)]

    def context(self, dag_id, at):
        run = {**run_of("replay"), "conf": {"as_of": at.isoformat()}, "start_date": at, "run_after": at}
        ti = SimpleNamespace(dag_id=dag_id, run_id="replay", task_id="watch", map_index=-1, try_number=1)
        dag_run = SimpleNamespace(**{**run, "run_id": "replay", "logical_date": at})
        return {"ti": ti, "dag_run": dag_run, "params": {}, "asset_state_store": {memory.ALERTS: self.memory}}

    def watch(self, at) -> None:
        """Run the watchdog as a task, which may read connections in Airflow's database."""
        self.monkeypatch.setattr("orchestration.runs.clock.RunClock.now", lambda self: at)
        with contextlib.suppress(AirflowFailException):
            WatchOperator(task_id="watch").execute(self.context("cleanup", at))

    @property
    def posts(self) -> list[str]:
        """The alerts about a missed deadline."""
        return [post["text"] for _, post in self.box.posts if "deadline missed" in post["text"].lower()]


@pytest.fixture
def late(outbox, warehouse, monkeypatch, tmp_path):
    text = changed_file(
        settings__notifications={"warning_channels": ["slack"], "critical_channels": ["slack"]},
        settings__cleanup_processor__enabled=True,
    )
    (tmp_path / "workflows.yaml").write_text(text)
    monkeypatch.setenv("ORCHESTRATION_CONFIG", str(tmp_path / "workflows.yaml"))
    # The system was on before.
    outbox.stage([decision(WORKFLOW, "-1 12:00", "SKIP"), decision(WORKFLOW, "12:00")])
    outbox.drain()
    box = Letterbox()
    with box.open() as connections:
        monkeypatch.setenv("AIRFLOW_CONN_SLACK_DEFAULT", connections["AIRFLOW_CONN_SLACK_DEFAULT"])
        yield Late(box, outbox, warehouse, monkeypatch, loads(text).config)


REFUSED = ("AIRFLOW_CONN_SLACK_DEFAULT", "AIRFLOW_CONN_GOOGLE_CLOUD_DEFAULT")


def test_with_connections_in_the_environment_the_callback_sends_and_records(late):
    done = late.miss()
    assert done.returncode == 0, done.stdout + done.stderr
    assert len(late.posts) == 1
    assert late.outbox.staged() == []
    assert late.errors() == ["Deadline missed: not over 60 min after it was queued"]
    late.watch(et("13:50"))
    assert len(late.posts) == 1


@pytest.mark.lesson("F6")
def test_what_a_callback_may_not_read_the_watchdog_sends_once(late):
    done = late.miss(without=REFUSED)
    assert done.returncode != 0
    assert "AirflowSecretsBackendAccessDenied" in done.stdout + done.stderr
    assert late.posts == []
    [row] = late.outbox.staged()
    assert row.read_text().count(NOBODY) == 1
    assert late.errors() == [f"Deadline missed: not over 60 min after it was queued{NOBODY}"]
    late.watch(et("13:50"))
    assert len(late.posts) == 1
    late.watch(et("14:50"))
    assert len(late.posts) == 1


def test_an_alert_is_sent_although_the_callback_can_neither_stage_nor_append_the_row(late, monkeypatch):
    with monkeypatch.context() as bucket:
        bucket.setenv("ORCHESTRATION_OUTBOX", "s3://aws_default@no-bucket/outbox")
        done = late.miss(without=["AIRFLOW_CONN_GOOGLE_CLOUD_DEFAULT"])
    assert "The row of the missed deadline cannot be staged in s3://" in done.stdout + done.stderr
    assert len(late.posts) == 1
    assert late.errors() == []


@pytest.mark.lesson("F6")
def test_a_late_run_that_ends_before_the_watchdog_looks_sends_its_own_alert(late, monkeypatch):
    late.miss(without=REFUSED)
    monkeypatch.setattr(base, "load_or_last_good", lambda: SimpleNamespace(config=late.config))
    run = SimpleNamespace(**{**run_of(), "run_id": "scheduled__12", "run_after": TICK, "start_date": TICK,
                             "logical_date": TICK})  # fmt: skip
    clock = deadlines.RunClock.of_run(run)
    context = late.context(WORKFLOW, TICK) | {"dag_run": run}
    monkeypatch.setattr("orchestration.runs.clock.RunClock.now", lambda self: et("13:40"))
    finish = FinishOperator(task_id="finish", workflow=WORKFLOW)
    finish._send_unsent_deadline(context, clock)
    assert len(late.posts) == 1
    # The row is in BigQuery, and the watchdog shares the memory of the alerts.
    late.outbox.drain()
    assert deadlines.unsent(late.config, WORKFLOW, "scheduled__12", clock)
    late.watch(et("13:50"))
    assert len(late.posts) == 1


def test_init_says_which_connections_only_airflows_database_has(late, monkeypatch):
    monkeypatch.delenv("AIRFLOW_CONN_SLACK_DEFAULT")
    tables = Connection.metadata.tables
    Connection.metadata.create_all(airflow_settings.engine, tables=[tables["team"], tables["connection"]])
    assert deadlines.only_in_database(not_set_up(late.config).values()) == []
    with airflow_settings.Session() as session:
        session.add(Connection(conn_id="slack_default", conn_type="slackwebhook", host="https://example.com"))
        session.commit()
        try:
            assert deadlines.only_in_database(not_set_up(late.config).values()) == ["slack_default"]
        finally:
            session.query(Connection).filter_by(conn_id="slack_default").delete()
            session.commit()
