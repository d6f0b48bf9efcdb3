"""The service's own log: `finish` and the cleanup correct our rows from it, and report when it is missing."""

import contextlib
import json
from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace

import pytest
from airflow.sdk.exceptions import AirflowFailException

from orchestration.alerts.memory import ALERTS
from orchestration.audit.facts import day_facts
from orchestration.audit.references import broken_references
from orchestration.audit.service_log import made_twice, second_runs
from orchestration.audit.warehouse import Warehouse, WarehouseError
from orchestration.cleanup.arrivals import Trace, arrived_files
from orchestration.health.verdict import assess
from orchestration.operators import base
from orchestration.operators.calls import OUTCOME_KEY, ScraperCall, call_report, call_row
from orchestration.operators.cleanup import CleanupOperator
from orchestration.operators.finish import FinishOperator
from orchestration.records.ids import TaskKey
from orchestration.runs.clock import RunClock
from orchestration.services.answers import interpret
from orchestration.services.files import FilePath
from orchestration.services.scraper_service import CallRequest, ScraperService
from orchestration.vocabulary.scrapers import answer_of
from orchestration.words import Outcome, Verdict
from sandbox.service_log import create_log
from support.airflow_state import StateStore
from support.old_system import stamp
from support.rows import PATH_FORMS, lost_file
from support.worlds import DAY, changed, et, ours

TICK = et("22:00")
WINDOW = "post_game_window_1"
ELSEWHERE = "phase_1.service_runs"
LOG = "nba_orchestration.scraper_execution_log"
NOTHING_YET = ("DownloadDataException", "Expected 2 teams for game 0022500555, got 0")
BLOCKED = ("DownloadDecodeMaxRetryException", "Max decode/download retries reached: 8")


class Run:
    """One run of a window: the rows of its calls, and `finish`."""

    def __init__(self, config, outbox, monkeypatch, tick=TICK):
        self.config, self.outbox, self.tick = config, outbox, tick
        monkeypatch.setattr(base, "load_or_last_good", lambda: SimpleNamespace(config=config))
        self.clock = RunClock(tick, timedelta(), True, "schedule", tick)
        self.decision = {
            "workflow": WINDOW, "decision_id": "d", "target_date": DAY.isoformat(),
            "scrapers": ["nbac_team_boxscore", "nbac_player_boxscore"],
        }  # fmt: skip
        self.left, self.store, self.rows = {}, StateStore(), []

    def call(self, scraper, run_id, outcome="success", index=0, append=True, **more):
        """A call with a known answer: 200 with a count and no file, or a 500 without a cause."""
        answer = {"status": "success", "run_id": run_id, "data_summary": {"teamCount": 2, "records_found": 9}}
        status = 200
        if outcome == "failed":
            status, answer = 500, {"status": "error", "message": f"{scraper} failed", "run_id": run_id}
        result = interpret(status, {}, json.dumps(answer).encode(), answer_of(scraper))
        call = ScraperCall(scraper, f"{scraper} {index}", DAY, f"002250055{index}")
        key = TaskKey(WINDOW, "r", scraper, index)
        row = call_row(call, result, key, self.decision, self.clock, "test", self.tick, self.tick)
        self.left.setdefault(scraper, []).append(json.loads(json.dumps(call_report(call, result, key, self.tick, row))))
        if append:
            self.outbox.stage([row])
            self.outbox.drain()
        return row

    def finish(self):
        crumbs = [
            {"task_id": scraper, "map_index": one["map_index"],
             "state": "failed" if one["outcome"] == "failed" else "success"}
            for scraper, left in self.left.items() for one in left
        ]  # fmt: skip
        ti = SimpleNamespace(
            dag_id=WINDOW, run_id="r", task_id="finish", map_index=-1, try_number=1, max_tries=0,
            get_task_breadcrumbs=lambda **_: iter(crumbs),
            xcom_pull=lambda task_ids, key, **_: (
                self.left.get(task_ids[0], []) if key == OUTCOME_KEY else self.decision
            ),
        )  # fmt: skip
        dag_run = SimpleNamespace(
            run_id="r", run_type="scheduled", conf={}, start_date=self.tick, run_after=self.tick,
            logical_date=self.tick, triggering_user_name=None,
        )  # fmt: skip
        operator = FinishOperator(task_id="finish", workflow=WINDOW)
        with contextlib.suppress(AirflowFailException):
            operator.execute(
                {
                    "ti": ti,
                    "dag_run": dag_run,
                    "task_state_store": self.store,
                    "asset_state_store": {ALERTS: StateStore()},
                }
            )
        self.outbox.drain()
        return operator


def noted(run_id, scraper, status, at=TICK, cause=(None, None), **more):
    """Return a row as the service writes it: only the old columns, its summary as text, its own scraper names."""
    return {
        "execution_id": run_id, "run_id": run_id, "scraper_name": scraper, "status": status, "source": "CONTROLLER",
        "triggered_at": stamp(at), "created_at": stamp(at + timedelta(seconds=9)), "error_type": cause[0],
        "error_message": cause[1], "data_summary": json.dumps({"record_count": 1}), **more,
    }  # fmt: skip


@pytest.fixture(params=[LOG, ELSEWHERE], ids=["in our table", "in one of its own"])
def log(request, google, warehouse):
    """A table of the service, and a function that writes to it."""
    if request.param != LOG:
        create_log(warehouse.client, request.param)
        warehouse.query(f"TRUNCATE TABLE {request.param}")

    def add(*rows):
        name = f"{warehouse.client.project}.{request.param}"
        assert warehouse.client.insert_rows_json(name, list(rows)) == []

    return SimpleNamespace(table=request.param, add=add, config=changed(settings__service_log=request.param))


@pytest.fixture
def run(log, outbox, monkeypatch):
    return Run(log.config, outbox, monkeypatch)


def calls(warehouse):
    rows = warehouse.query("SELECT * FROM {audit}.v_scraper_runs WHERE DATE(triggered_at) > '2026-01-01'")
    return {row["label"]: row for row in rows}


def execution(warehouse):
    [row] = warehouse.query("SELECT * FROM {audit}.v_workflow_executions WHERE DATE(execution_time) > '2026-01-01'")
    return row


def versions(warehouse):
    tables = ("scraper_execution_log", "workflow_executions")
    sql = "SELECT COUNT(*) AS rows_there FROM {audit}.%s WHERE DATE(created_at) > '2026-01-01' AND dag_id IS NOT NULL"
    return [warehouse.query(sql % table)[0]["rows_there"] for table in tables]


def cleanup(config, outbox, monkeypatch, at):
    """Run the cleanup once. Return its alerts."""
    monkeypatch.setattr(base, "load_or_last_good", lambda: SimpleNamespace(config=config))
    monkeypatch.setattr("orchestration.runs.clock.RunClock.now", lambda self: self.tick)
    run_id = f"replay__{at.isoformat()}"
    context = {
        "ti": SimpleNamespace(dag_id="cleanup", run_id=run_id, task_id="republish", map_index=-1, try_number=1),
        "dag_run": SimpleNamespace(
            run_id=run_id, run_type="scheduled", conf={}, start_date=at, run_after=at, logical_date=at,
            triggering_user_name=None,
        ),
        "params": {},
        "asset_state_store": {ALERTS: StateStore()},
    }  # fmt: skip
    alerts = ""
    try:
        CleanupOperator(task_id="republish").execute(context)
    except AirflowFailException as alert:
        alerts = str(alert)
    outbox.drain()
    return alerts


@pytest.mark.lesson("A2")
def test_finish_corrects_its_calls_from_the_log_and_counts_the_corrected_ones(run, log, warehouse, monkeypatch):
    run.call("nbac_team_boxscore", "aaaa0001")
    run.call("nbac_team_boxscore", "aaaa0002", "failed", 1)
    run.call("nbac_player_boxscore", "aaaa0003", append=False)
    log.add(
        noted("aaaa0001", "their_own_name", "success", gcs_path="gs://nba-scraped-data/x/1.json"),
        noted("aaaa0002", "nbac_team_boxscore", "failed", cause=NOTHING_YET, retry_count=8),
        noted("aaaa0003", "nbac_player_boxscore", "no_data", cause=NOTHING_YET),
        noted("another0", "nbac_player_boxscore", "failed", cause=BLOCKED),
    )
    asked = []
    query = Warehouse.query
    monkeypatch.setattr(Warehouse, "query", lambda self, *given: asked.append(given) or query(self, *given))
    finished = run.finish()
    assert len([sql for sql, *_ in asked if "ENDS_WITH(IFNULL(error_message" not in sql]) == 1
    assert (finished.status, finished.failures) == ("completed", "none")
    found = calls(warehouse)
    assert found["nbac_team_boxscore 0"]["gcs_path"] == "gs://nba-scraped-data/x/1.json"
    empty = found["nbac_team_boxscore 1"]
    assert (empty["status"], empty["error_type"], empty["error_message"]) == ("no_data", *NOTHING_YET)
    assert (empty["retry_count"], empty["service_retries"]) == (0, 8)
    row = execution(warehouse)
    assert (row["scrapers_triggered"], row["scrapers_failed"], row["scrapers_no_data"]) == (3, 0, 1)
    before = versions(warehouse)
    run.finish()
    assert calls(warehouse)["nbac_team_boxscore 1"]["status"] == "no_data"
    assert execution(warehouse)["status"] == "completed"
    assert versions(warehouse)[1] == before[1] + 1


@pytest.mark.lesson("A2")
def test_a_row_that_reached_bigquery_after_finish_is_still_corrected(run, log, warehouse, outbox):
    row = run.call("nbac_team_boxscore", "aaaa0001", "failed", append=False)
    run.call("nbac_player_boxscore", "aaaa0002")
    log.add(noted("aaaa0001", "nbac_team_boxscore", "failed", cause=NOTHING_YET))
    run.finish()
    outbox.stage([row])
    outbox.drain()
    assert calls(warehouse)["nbac_team_boxscore 0"]["status"] == "no_data"


@pytest.mark.lesson("A2")
def test_the_cleanup_corrects_from_late_log_rows_exactly_once(run, log, warehouse, outbox, monkeypatch):
    run.call("nbac_team_boxscore", "aaaa0001", "failed")
    run.call("nbac_player_boxscore", "aaaa0002", "failed")
    assert run.finish().status == "failed"
    assert execution(warehouse)["error_message"] == ("nbac_team_boxscore 0: http_500; nbac_player_boxscore 0: http_500")
    log.add(noted("aaaa0001", "nbac_team_boxscore", "failed", cause=NOTHING_YET))
    cleanup(log.config, outbox, monkeypatch, TICK + timedelta(minutes=20))
    row = execution(warehouse)
    assert (row["status"], row["error_message"]) == ("failed", "nbac_player_boxscore 0: http_500")
    assert (row["scrapers_failed"], row["scrapers_no_data"], row["scrapers_succeeded"]) == (1, 1, 1)
    kind, message = "DownloadDataException", "No player rows in leaguegamelog JSON."
    log.add(noted("aaaa0002", "nbac_player_boxscore", "failed", cause=(kind, message)))
    cleanup(log.config, outbox, monkeypatch, TICK + timedelta(minutes=80))
    row = execution(warehouse)
    assert (row["status"], row["error_message"], row["scrapers_failed"]) == ("completed", None, 0)
    assert row["execution_time"] == TICK
    before = versions(warehouse)
    cleanup(log.config, outbox, monkeypatch, TICK + timedelta(minutes=140))
    assert versions(warehouse) == before


def test_a_failure_with_a_cause_in_the_log_stays_a_failure_and_names_it(run, log, warehouse, outbox, monkeypatch):
    run.call("nbac_team_boxscore", "aaaa0001", "failed")
    run.call("nbac_player_boxscore", "aaaa0002")
    log.add(noted("aaaa0001", "nbac_team_boxscore", "failed", cause=BLOCKED))
    assert run.finish().failures == f"nbac_team_boxscore 0: {BLOCKED[0]}"
    before = versions(warehouse)
    cleanup(log.config, outbox, monkeypatch, TICK + timedelta(minutes=20))
    assert versions(warehouse) == before


def test_an_unusable_log_row_does_not_block_other_rows(run, log, monkeypatch):
    run.call("nbac_team_boxscore", "aaaa0001", "failed")
    run.call("nbac_player_boxscore", "aaaa0002", "failed")
    query = Warehouse.query

    def without_a_status(self, sql, parameters=None):
        rows = query(self, sql, parameters)
        return [{**row, "status": None} if row.get("execution_id") == "aaaa0002" else row for row in rows]

    log.add(
        noted("aaaa0001", "nbac_team_boxscore", "failed", cause=BLOCKED),
        noted("aaaa0002", "nbac_player_boxscore", "failed", cause=BLOCKED),
    )
    monkeypatch.setattr(Warehouse, "query", without_a_status)
    failures = run.finish().failures
    assert f"nbac_team_boxscore 0: {BLOCKED[0]}" in failures
    assert "nbac_player_boxscore" in failures


def test_an_unreadable_log_fails_no_run_and_the_cleanup_alerts_it(run, log, warehouse, outbox, monkeypatch, capfd):
    run.call("nbac_team_boxscore", "aaaa0001", "failed")
    run.call("nbac_player_boxscore", "aaaa0002")
    log.add(
        noted("aaaa0001", "nbac_team_boxscore", "failed", cause=NOTHING_YET),
        noted("aaaa0002", "nbac_player_boxscore", "success", gcs_path="gs://nba-scraped-data/x/1.json"),
    )
    query = Warehouse.query

    def unreadable(self, sql, parameters=None):
        if "{service_log}" in sql:
            raise WarehouseError("permission denied")
        return query(self, sql, parameters)

    with monkeypatch.context() as broken:
        broken.setattr(Warehouse, "query", unreadable)
        assert run.finish().status == "failed"
        assert "The service's log cannot be read; the cleanup tries again" in capfd.readouterr().out
        alerts = cleanup(log.config, outbox, monkeypatch, TICK + timedelta(minutes=80))
        assert "blind" not in alerts
        assert f"The service's log {log.table} cannot be read: permission denied" in alerts
    assert "log" not in cleanup(log.config, outbox, monkeypatch, TICK + timedelta(minutes=90))
    assert execution(warehouse)["status"] == "completed"


@pytest.mark.lesson("A2")
def test_novembers_log_names_no_file_and_changes_no_success(run, log, warehouse, outbox, monkeypatch):
    run.call("nbac_team_boxscore", "aaaa0001")
    run.call("nbac_player_boxscore", "aaaa0002")
    log.add(*(noted(f"aaaa000{n}", "nbac_team_boxscore", "no_data") for n in (1, 2)))
    assert run.finish().status == "completed"
    alerts = cleanup(log.config, outbox, monkeypatch, TICK + timedelta(minutes=80))
    assert {row["status"] for row in calls(warehouse).values()} == {"success"}
    assert "2 of 2 calls with data name no file" in alerts
    assert f"{log.table} (settings.service_log) names no file either" in alerts


@pytest.mark.lesson("A2")
def test_the_cleanup_reports_that_it_is_blind_without_a_log(outbox, warehouse, monkeypatch):
    config = changed(settings__service_log=None)
    run = Run(config, outbox, monkeypatch)
    run.call("nbac_team_boxscore", "aaaa0001")
    run.call("nbac_player_boxscore", "aaaa0002")
    run.finish()
    assert cleanup(config, outbox, monkeypatch, TICK + timedelta(minutes=20)) == ""
    seen = TICK + timedelta(minutes=80)
    alerts = cleanup(config, outbox, monkeypatch, seen)
    assert alerts.startswith("Needs a look: 2 of 2 calls with data name no file")
    assert alerts.endswith(". Set settings.service_log")
    found = assess(config, day_facts(warehouse, config, DAY, seen), seen).findings
    [blind] = [finding for finding in found if finding.kind == "cleanup_blind"]
    assert blind.verdict is Verdict.DEGRADED


@pytest.mark.parametrize("keys", [{"keeps_paths": "none"}, {"processed_in": None}], ids=["no paths", "no table"])
def test_the_cleanup_is_not_blind_if_no_table_keeps_paths(outbox, warehouse, monkeypatch, keys):
    paths = {f"scrapers__{name}__{key}": value for key, value in keys.items()
             for name in ("nbac_team_boxscore", "nbac_player_boxscore")}  # fmt: skip
    config = changed(settings__service_log=None, **paths)
    run = Run(config, outbox, monkeypatch)
    run.call("nbac_team_boxscore", "aaaa0001")
    run.call("nbac_player_boxscore", "aaaa0002")
    run.finish()
    assert cleanup(config, outbox, monkeypatch, TICK + timedelta(minutes=80)) == ""


@pytest.mark.lesson("A2")
@pytest.mark.lesson("A3")
def test_one_cleanup_corrects_from_the_log_and_checks_the_new_files(google, warehouse, outbox, monkeypatch):
    """The calls have real answers, rows in the service's log, and Phase 2's object names."""
    google.set_clock(et("06:00"))
    clock = RunClock(et("06:00"), timedelta(), True, "schedule", et("06:00"))
    decision = {"workflow": "morning_operations", "decision_id": "d", "target_date": DAY.isoformat()}
    for index, team in enumerate(("BOS", "LAL", "NYK")):
        description = answer_of("br_season_roster")
        result = ScraperService().call(CallRequest("br_season_roster", {"teamAbbr": team}, "w", 10, description))
        assert (result.outcome, result.gcs_path) == (Outcome.SUCCESS, None)
        key = TaskKey("morning_operations", "r", "br_season_roster", index)
        call = ScraperCall("br_season_roster", team, DAY)
        outbox.stage([call_row(call, result, key, decision, clock, "t", clock.tick, clock.tick)])
    outbox.drain()
    google.settle()
    lost = google.files()[result.run_id]
    name = lost.removeprefix("gs://nba-scraped-data/")
    there = "SELECT source_file_path AS path FROM nba_raw.br_rosters_current WHERE source_file_path = '%s'"
    assert warehouse.query(there % name) != []
    warehouse.query(f"DELETE FROM nba_raw.br_rosters_current WHERE source_file_path = '{name}'")
    before = google.settle()["recovered"]
    alerts = cleanup(ours(), outbox, monkeypatch, et("07:20"))
    assert google.settle()["recovered"] == before + 1
    assert alerts == ""
    assert warehouse.query(there % name) != []
    assert cleanup(ours(), outbox, monkeypatch, et("08:20")) == ""
    [first, second] = warehouse.query(
        "SELECT files_checked, missing_files_found, republished_count FROM {audit}.v_cleanup_operations "
        "WHERE DATE(cleanup_time) > '2026-01-01' ORDER BY cleanup_time"
    )
    assert list(first.values()) == [3, 1, 1]
    assert list(second.values()) == [3, 0, 0]


@pytest.mark.lesson("A4")
def test_an_older_schedule_file_is_never_republished_over_a_newer_one(google, warehouse, outbox, monkeypatch):
    recovered = google.settle()["recovered"]
    paths = []
    for hour in ("06:00", "08:00"):
        google.set_clock(et(hour))
        clock = RunClock(et(hour), timedelta(), True, "schedule", et(hour))
        decision = {"workflow": "schedule_dependency", "decision_id": "d", "target_date": DAY.isoformat()}
        result = ScraperService().call(
            CallRequest("nbac_schedule_api", {"season": "2025"}, "w", 10, answer_of("nbac_schedule_api"))
        )
        key = TaskKey("schedule_dependency", hour, "nbac_schedule_api")
        call = ScraperCall("nbac_schedule_api", hour, DAY)
        row = call_row(call, result, key, decision, clock, "t", clock.tick, clock.tick)
        outbox.stage([row])
        google.settle()
        paths.append(google.files()[result.run_id])
    outbox.drain()
    in_table = "SELECT DISTINCT source_file_path AS path FROM nba_raw.nbac_schedule WHERE game_date > '2026-01-01'"
    assert [row["path"] for row in warehouse.query(in_table)] == [paths[1].removeprefix("gs://nba-scraped-data/")]
    assert cleanup(ours(), outbox, monkeypatch, et("08:50")) == ""
    assert google.settle()["recovered"] == recovered
    # The message of the newer file is lost and the earlier file is still in the table, so the newer file is sent.
    old = paths[0].removeprefix("gs://nba-scraped-data/")
    warehouse.query(
        f"UPDATE nba_raw.nbac_schedule SET source_file_path = '{old}', "
        "processed_at = TIMESTAMP '2026-01-14 11:00:00+00' WHERE game_date > '2026-01-01'"
    )
    assert cleanup(ours(), outbox, monkeypatch, et("09:20")) == ""
    assert google.settle()["recovered"] == recovered + 1
    assert [row["path"] for row in warehouse.query(in_table)] == [paths[1].removeprefix("gs://nba-scraped-data/")]


@pytest.mark.lesson("A8")
def test_init_reports_a_log_that_does_not_exist(warehouse):
    config = changed(settings__service_log="nba_orchestration.scraper_log")
    problems = [p for p in broken_references(warehouse, config) if "service_log" in p]
    assert problems == [
        "settings.service_log: table nba_orchestration.scraper_log does not exist; create it, or correct workflows.yaml"
    ]
    assert not [p for p in broken_references(warehouse, ours()) if "service_log" in p]


@pytest.mark.lesson("A3")
@pytest.mark.parametrize("ours", ["gs://b/x/1.json", "x/1.json"])
@pytest.mark.parametrize("form", PATH_FORMS)
def test_every_form_of_a_stored_path_is_read(google, warehouse, form, ours):
    form = form.partition("?")[0]
    warehouse.query("DELETE FROM nba_raw.br_rosters_current WHERE TRUE")
    warehouse.query(f"INSERT INTO nba_raw.br_rosters_current VALUES ('{form}', TIMESTAMP '2026-01-15 00:21:00+00')")
    trace = Trace(replace(lost_file(), gcs_path=ours), DAY)
    traces = {"nba_raw.br_rosters_current": [trace, Trace(lost_file(2), DAY)]}
    arrived = {ours} if FilePath.of(form).fits(FilePath.of(ours)) else set()
    assert arrived_files(warehouse, traces, et("00:00")) == (arrived, {})


def test_the_log_shows_the_runs_of_another_caller_beside_ours(run, log, warehouse):
    row = run.call("nbac_player_boxscore", "r1", "success")
    opts = json.dumps({"game_id": "1", "workflow": WINDOW})
    log.add(
        noted("r1", "nbac_player_boxscore", "success", opts=opts),
        noted("other", "nbac_player_boxscore", "success", opts=opts),
        noted("third", "nbac_player_boxscore", "success", opts=json.dumps({"game_id": "2"})),
    )
    asked = Warehouse(log.config.settings)
    logged, calls = second_runs(asked, log.config, TICK + timedelta(minutes=20))
    assert {one.execution_id for one in logged} == {"r1", "other", "third"}
    assert [call.run_id for call in calls] == [row.run_id]
    twice, made = made_twice(logged, calls)
    assert ([one.execution_id for one in twice], made) == (["r1"], 1)
    assert second_runs(asked, changed(settings__service_log=None), TICK) == ([], [])
