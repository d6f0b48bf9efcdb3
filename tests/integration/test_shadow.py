"""Shadow mode against the real endpoints: it decides and records, but calls and sends nothing."""

import json
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
import requests
import yaml
from airflow.sdk.exceptions import AirflowFailException

from orchestration.alerts.memory import ALERTS
from orchestration.audit.outbox import Outbox
from orchestration.audit.setup import init
from orchestration.audit.warehouse import Warehouse
from orchestration.cli import main
from orchestration.generator.dags import WORKFLOW_FORM
from orchestration.operators.cleanup import CleanupOperator
from orchestration.operators.decide import DecideOperator, HoldOperator
from orchestration.operators.lock import LockOperator
from orchestration.operators.reconcile import FindMakeupsOperator
from orchestration.operators.retries import CallFailed
from orchestration.operators.scrape import ScrapeOperator
from orchestration.operators.watch import WatchOperator
from orchestration.vocabulary.settings import Settings
from support.airflow_state import AssetEvents, StateStore
from support.old_system import create_old_tables, logged, shadow_settings, their_execution, write
from support.rows import add_schedule, call, decision
from support.standins import PATIENCE_SECONDS
from support.worlds import DAY, ROOT, et

OURS, THEIRS, PHASE_2 = "shadow_at_work", "system_beside", "phase_2_beside"
SETTINGS = shadow_settings(OURS, THEIRS, PHASE_2)


class Shadow:
    """Runs single tasks as Airflow would. The configuration may change between tasks."""

    def __init__(self, file, warehouse, outbox) -> None:
        self.file, self.warehouse, self.outbox = file, warehouse, outbox
        self.memory, self.branches, self.xcoms, self.asset_events = StateStore(), [], {}, AssetEvents()
        self.set_mode("shadow")

    def set_mode(self, mode) -> None:
        data = yaml.safe_load((ROOT / "config" / "workflows.yaml").read_text())
        data["settings"] |= SETTINGS | {"mode": mode}
        self.file.write_text(yaml.safe_dump(data))

    def context(self, operator, at, **params):
        run_id = f"scheduled__{at.isoformat()}"

        def pull(task_ids, key, **_):
            return self.xcoms.get(key)

        return {
            "ti": SimpleNamespace(
                dag_id="betting_lines", run_id=run_id, task_id=operator.task_id, map_index=-1, try_number=1,
                max_tries=0, xcom_push=self.xcoms.__setitem__, xcom_pull=pull,
            ),
            "dag_run": SimpleNamespace(
                run_id=run_id, run_type="scheduled", conf={"as_of": at.isoformat()}, run_after=at, logical_date=at,
                start_date=datetime.now(UTC), triggering_user_name=None,
            ),
            "params": params,
            "asset_state_store": {ALERTS: self.memory},
            **self.asset_events.context(),
            "task_state_store": StateStore(),
        }  # fmt: skip

    def decide(self, workflow, at, **params):
        operator = DecideOperator(task_id="decide", workflow=workflow)
        operator.do_branch = lambda _, branch: self.branches.append(branch)
        defaults = {name: param.value for name, param in WORKFLOW_FORM.items()}
        operator.execute(self.context(operator, at, **defaults | params))
        self.outbox.drain()
        return operator

    def run(self, operator, at, **params):
        context = self.context(operator, at, **params)
        result = operator.execute(context)
        self.asset_events.succeeded(operator, context)
        self.outbox.drain()
        return result

    def rows(self, sql):
        return self.warehouse.query(sql)


@pytest.fixture(scope="module")
def beside(google):
    """The other system's dataset, with one morning in it, and a schedule."""
    theirs = Warehouse(Settings(audit_dataset=THEIRS, schedule_table=SETTINGS["schedule_table"]))
    theirs.query(f"CREATE SCHEMA {PHASE_2}")
    theirs.query("CREATE TABLE {schedule_table} AS SELECT * FROM nba_raw.nbac_schedule WHERE game_date IS NULL")
    add_schedule(theirs, ("0022500001", DAY, "api_stats", et("05:00"), "Scheduled"))
    create_old_tables(theirs)
    write(theirs, "scraper_execution_log", logged("m1", "nbac_player_list", et("06:07")))
    write(theirs, "workflow_executions", their_execution("morning_operations", et("06:05"), ["m1"]))
    yield theirs
    for dataset in (THEIRS, PHASE_2):
        theirs.client.delete_dataset(dataset, delete_contents=True)


@pytest.fixture
def shadow(google, beside, tmp_path, monkeypatch):
    file = tmp_path / "workflows.yaml"
    monkeypatch.setenv("ORCHESTRATION_CONFIG", str(file))
    monkeypatch.setenv("AIRFLOW_HOME", str(tmp_path))
    monkeypatch.setenv("ORCHESTRATION_OUTBOX", f"file://{tmp_path}/outbox")
    warehouse = Warehouse(Settings(**SETTINGS))
    init(warehouse)
    world = f"http://127.0.0.1:{google.scrapers}/world"
    counted = ("calls", "processed", "recovered", "unreadable", "backlog")
    before = requests.get(world, timeout=PATIENCE_SECONDS).json()
    yield Shadow(file, warehouse, Outbox(warehouse=warehouse))
    after = requests.get(world, timeout=PATIENCE_SECONDS).json()
    assert [after.get(name) for name in counted] == [before.get(name) for name in counted]
    warehouse.client.delete_dataset(OURS, delete_contents=True)


DECISIONS = "SELECT action, rule, JSON_VALUE(context, '$.mode') AS mode FROM {audit}.v_workflow_decisions"


@pytest.mark.lesson("A9")
def test_a_shadow_records_a_run_and_skips_its_calls(shadow):
    operator = shadow.decide("betting_lines", et("15:00"))
    assert shadow.branches == ["skip"]
    assert (operator.action, operator.mode) == ("RUN", "shadow")
    assert shadow.rows(DECISIONS) == [{"action": "RUN", "rule": "run", "mode": "shadow"}]


@pytest.mark.lesson("A9")
@pytest.mark.parametrize("asked", [{"force": True}, {"dry_run": True}, {"force": True, "target_date": f"{DAY}"}])
def test_a_manual_run_of_a_shadow_makes_no_call(shadow, asked):
    shadow.decide("betting_lines", et("15:00"), **asked)
    assert shadow.branches == ["skip"]


@pytest.mark.lesson("A9")
def test_a_shadow_decides_by_the_runs_of_the_other_system(shadow):
    """Our RUNs make no execution. Without the other system's rows the morning would be due every hour."""
    shadow.decide("morning_operations", et("06:00"))
    shadow.decide("morning_operations", et("07:00"))
    assert [(row["action"], row["rule"]) for row in sorted(shadow.rows(DECISIONS), key=str)] == [
        ("RUN", "run"), ("SKIP", "done"),
    ]  # fmt: skip


def test_a_missed_window_of_the_other_system_is_recorded_without_an_alert(shadow):
    shadow.decide("betting_lines", et("22:00"))
    assert shadow.branches == ["skip"]
    assert shadow.rows(DECISIONS) == [{"action": "ABORT", "rule": "missed_window", "mode": "shadow"}]
    assert shadow.memory == {}


def test_a_shadow_that_cannot_decide_alerts_its_own_fault(shadow, monkeypatch):
    monkeypatch.setenv("BIGQUERY_EMULATOR_HOST", "http://127.0.0.1:9")
    operator = DecideOperator(task_id="decide", workflow="betting_lines")
    operator.do_branch = lambda _, branch: shadow.branches.append(branch)
    operator.execute(shadow.context(operator, et("15:00"), force=False))
    assert (operator.action, shadow.branches) == ("ABORT", ["abort"])


def test_a_shadow_locks_the_day_in_its_own_dataset(shadow):
    shadow.run(LockOperator(task_id="lock"), et("05:00"))
    locked = {row["workflow_name"] for row in shadow.rows("SELECT workflow_name FROM {audit}.v_expected_schedule")}
    assert {"betting_lines", "post_game_window_1"} <= locked
    assert shadow.asset_events.events == []


def test_a_day_with_an_abort_in_its_plan_is_locked_and_fails_the_lock(shadow):
    with pytest.raises(AirflowFailException, match="Schedule unknown"):
        shadow.run(LockOperator(task_id="lock"), et("+40 05:00"))
    assert "logged plan_aborts betting_lines" in shadow.memory


def test_the_cleanup_of_a_shadow_records_and_sends_nothing(shadow):
    """The file is from a call in live mode. Now only the other system may send its message."""
    lost = call("bdl_box_scores", "22:00", "success", 1, gcs_path="gs://b/lost.json", record_count=3)
    lost = lost.model_copy(update={"completed_at": et("22:06"), "scraper_name": "nbac_player_list"})
    shadow.outbox.stage([lost])
    shadow.outbox.drain()
    shadow.run(CleanupOperator(task_id="republish_lost_files"), et("23:20"))
    [row] = shadow.rows("SELECT * FROM {audit}.v_cleanup_operations")
    assert (row["files_checked"], row["missing_files_found"], row["republished_count"]) == (1, 1, 0)
    assert (row["pubsub_enabled"], list(row["errors"])) == (False, [])


def test_reconcile_of_a_shadow_starts_no_run(shadow, capsys):
    assert shadow.run(FindMakeupsOperator(task_id="find"), et("+1 09:00"), days=2, max_runs=5) == []
    assert main(["reconcile", "--as-of", et("+1 09:00").isoformat()]) == 0
    assert "shadow" in capsys.readouterr().out


def test_the_watchdog_of_a_shadow_alerts_only_its_own_faults(shadow):
    shadow.outbox.stage([decision("betting_lines", "06:00", context={"mode": "shadow"}, created_at=et("06:01"))])
    shadow.outbox.drain()
    with pytest.raises(AirflowFailException) as told:
        shadow.run(WatchOperator(task_id="watch"), et("15:20"))
    assert "No workflow made a decision from 06:00 to 14:00 ET" in str(told.value)
    for word in ("Data is missing", "RUN without execution", "failed"):
        assert word not in str(told.value)


@pytest.mark.lesson("A9")
def test_a_switch_to_shadow_stops_decided_calls_that_are_not_made_yet(shadow):
    shadow.set_mode("live")
    shadow.decide("betting_lines", et("15:00"))
    assert shadow.branches == ["hold"]
    shadow.set_mode("shadow")
    with pytest.raises(AirflowFailException, match="No call was made: the workflow became a shadow after its decision"):
        shadow.run(HoldOperator(task_id="hold", workflow="betting_lines"), et("15:00"))
    scrape = ScrapeOperator(task_id="oddsa_events", workflow="betting_lines", scraper="oddsa_events", timeout_seconds=9)
    with pytest.raises(CallFailed, match="the workflow is a shadow now"):
        shadow.run(scrape, et("15:00"))
    shadow.outbox.drain()
    [row] = shadow.rows("SELECT status, error_type FROM {audit}.v_scraper_runs")
    assert row == {"status": "failed", "error_type": "shadow"}


def test_health_check_and_status_name_the_shadow_mode_first(shadow, capsys):
    moment = ["--date", f"{DAY}", "--as-of", et("+1 04:00").isoformat()]
    for command in ("health", "status"):
        main([command, *moment])
        lines = capsys.readouterr().out.splitlines()
        assert f"SHADOW beside {THEIRS}: calls and sends nothing" in lines[:3]
        main([command, *moment, "--json"])
        assert json.loads(capsys.readouterr().out)["mode"] == "shadow"


def test_init_reports_a_history_dataset_that_does_not_exist(shadow, capsys, monkeypatch):
    data = yaml.safe_load(shadow.file.read_text())
    data["settings"]["history_dataset"] = "nowhere"
    shadow.file.write_text(yaml.safe_dump(data))
    assert main(["init", "--no-pools"]) == 1
    said = capsys.readouterr().err
    for table in ("workflow_executions", "scraper_execution_log"):
        assert f"settings.history_dataset: table nowhere.{table} does not exist" in said


def test_a_week_in_shadow_mode_has_no_missing_executions(shadow, capsys):
    shadow.run(LockOperator(task_id="lock"), et("05:00"))
    shadow.decide("betting_lines", et("15:00"))
    capsys.readouterr()
    main(["missing", "--date", f"{DAY}", "--as-of", (et("15:00") + timedelta(hours=2)).isoformat(), "--json"])
    rows = json.loads(capsys.readouterr().out)["rows"]
    assert not [row for row in rows if row["state"] == "NOT EXECUTED"]
    assert not [row for row in rows if row["workflow_name"] == "betting_lines" and "15:00" in str(row)]
