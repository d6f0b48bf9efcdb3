"""A short game day through the real scheduler: every step of the main job."""

import json
import shutil
from datetime import UTC, timedelta

import pytest

from orchestration.audit.inputs import decision_inputs
from orchestration.audit.warehouse import Warehouse
from orchestration.cli import main
from orchestration.planning.day import plan
from orchestration.words import Action
from support import metrics_checks
from support.collectors import StatsdServer
from support.days import LONG_AGO, played_day
from support.worlds import DAY, ROOT, et, ours

GAMES = 3
SEED = 12
DAGS = (*ours().workflows, "schedule_locker", "cleanup", "reconcile")
"""Return a seed: the first message of the schedule arrives, a later call fails at first, a later message is lost."""
TIMELINE = {
    "04:30": ["schedule_dependency"],
    "05:00": ["schedule_locker"],
    "06:00": ["morning_operations", "injury_discovery", "post_game_window_1"],
    "17:00": ["betting_lines"],
    "22:00": ["post_game_window_1"],
    "+1 01:00": ["post_game_window_2"],
    "+1 04:00": ["post_game_window_3"],
    "+1 04:30": ["schedule_dependency"],
    "+1 05:20": ["cleanup"],
    "+1 06:20": ["cleanup"],
}


@pytest.fixture(scope="module")
def collector():
    with StatsdServer() as running:
        yield running


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory, collector: StatsdServer):
    world = {"seed": SEED, "day": DAY, "games": GAMES, "faults": 0.04, "lost": 0.2}
    # The example DAG of the documentation, beside ours.
    dags = tmp_path_factory.mktemp("dags")
    for file in (*(ROOT / "dags").glob("*.py"), ROOT / "docs" / "examples" / "after_the_slate.py"):
        shutil.copy(file, dags)
    settings = {**collector.settings, "AIRFLOW__CORE__DAGS_FOLDER": str(dags)}
    with played_day(tmp_path_factory.mktemp("stack"), TIMELINE, settings=settings, **world) as played:
        yield played


def test_the_schedule_of_the_morning_feeds_the_evening(day):
    found = day.rows(
        f"SELECT workflow_name, action, rule FROM nba_orchestration.v_workflow_decisions "
        f"WHERE DATE(decision_time) > {LONG_AGO} ORDER BY slot_time, workflow_name",
    )
    assert [(r["workflow_name"], r["action"], r["rule"]) for r in found] == [
        ("schedule_dependency", "RUN", "run"),
        ("injury_discovery", "RUN", "run"),
        ("morning_operations", "RUN", "run"),
        ("post_game_window_1", "SKIP", "outside_window"),
        ("betting_lines", "RUN", "run"),
        ("post_game_window_1", "RUN", "run"),
        ("post_game_window_2", "RUN", "run"),
        ("post_game_window_3", "RUN", "run"),
        ("schedule_dependency", "RUN", "run"),
    ]


@pytest.mark.lesson("E4")
@pytest.mark.lesson("K10")
def test_every_run_has_exactly_one_execution_that_counts_all_its_calls(day):
    found = day.rows(
        f"""
        SELECT d.workflow_name, e.status, e.scrapers_triggered, ARRAY_LENGTH(e.scraper_execution_ids) AS ids
        FROM nba_orchestration.v_workflow_decisions AS d
        LEFT JOIN nba_orchestration.v_workflow_executions AS e ON e.decision_id = d.decision_id
        WHERE DATE(d.decision_time) > {LONG_AGO} AND d.action = 'RUN'
        ORDER BY d.slot_time, d.workflow_name
        """,
    )
    calls = {r["workflow_name"]: r["scrapers_triggered"] for r in found}
    assert len(found) == 8
    assert {r["status"] for r in found} == {"completed"}
    assert all(r["ids"] == r["scrapers_triggered"] for r in found)
    assert calls["morning_operations"] == 2 + 30
    assert calls["betting_lines"] == 1 + 2 * GAMES
    # All box scores arrive by 01:00 and are not fetched again.
    assert calls["post_game_window_3"] == 1 + 3 * GAMES


@pytest.mark.lesson("E1")
def test_every_game_was_called_and_is_collected(day):
    found = day.rows(
        f"""
        SELECT game_id, label, ANY_VALUE(game_date) AS game_date, COUNTIF(status = 'success') AS successes
        FROM nba_orchestration.v_scraper_runs
        WHERE DATE(triggered_at) > {LONG_AGO} AND scraper_name = 'nbac_team_boxscore'
        GROUP BY game_id, label
        """,
    )
    assert len(found) == GAMES
    assert all(r["successes"] == 1 and r["game_date"] == DAY for r in found)
    assert all(r["label"].startswith(f"nbac_team_boxscore {r['game_id']} ") and "@" in r["label"] for r in found)


def test_a_failed_try_has_its_row_and_was_retried(day):
    found = day.rows(
        f"SELECT status, retry_count, error_type FROM nba_orchestration.v_scraper_runs "
        f"WHERE DATE(triggered_at) > {LONG_AGO} AND (status = 'failed' OR retry_count > 0)",
    )
    assert {r["status"] for r in found} >= {"failed"}
    assert sum(r["status"] == "failed" for r in found) == sum(r["retry_count"] > 0 for r in found)


@pytest.mark.lesson("C1")
def test_lost_messages_are_republished_and_processed(day):
    cleanups = day.rows(
        f"SELECT missing_files_found AS missing, republished_count AS republished "
        f"FROM nba_orchestration.v_cleanup_operations WHERE DATE(cleanup_time) > {LONG_AGO} ORDER BY cleanup_time",
    )
    assert cleanups[0]["missing"] > 0
    assert cleanups[0]["republished"] == cleanups[0]["missing"]
    assert cleanups[1]["missing"] == 0


def test_the_lock_expected_the_runs_that_ran(day):
    expected = day.rows(
        "SELECT DISTINCT workflow_name, games_today FROM nba_orchestration.v_expected_schedule "
        f"WHERE date > {LONG_AGO}",
    )
    names = {r["workflow_name"] for r in expected}
    assert names >= {"morning_operations", "betting_lines", "post_game_window_1", "post_game_window_3"}
    assert {r["games_today"] for r in expected if r["workflow_name"] == "betting_lines"} == {GAMES}


def test_the_lock_equals_the_plan(day, monkeypatch):
    for name in ("BIGQUERY_EMULATOR_HOST", "AIRFLOW_CONN_GOOGLE_CLOUD_DEFAULT"):
        monkeypatch.setenv(name, day.stack.env[name])
    start, end = ours().day_bounds(DAY)
    schedule, past = decision_inputs(Warehouse(), ours(), ours().enabled, start)
    runs = [d for d in plan(ours(), start, end, schedule, past) if d.action is Action.RUN]
    locked = day.rows(
        "SELECT workflow_name, expected_run_time, reason FROM nba_orchestration.v_expected_schedule "
        f"WHERE date > {LONG_AGO}",
    )
    assert sorted((r["workflow_name"], r["expected_run_time"], r["reason"]) for r in locked) == sorted(
        (d.workflow, d.tick, d.reason) for d in runs
    )


def test_every_decision_is_reproduced_from_the_recorded_inputs(day, monkeypatch, capsys):
    for name in ("BIGQUERY_EMULATOR_HOST", "AIRFLOW_CONN_GOOGLE_CLOUD_DEFAULT"):
        monkeypatch.setenv(name, day.stack.env[name])
    # The tick at 04:30 belongs to the day before.
    span = ["--from", (DAY - timedelta(days=1)).isoformat(), "--to", DAY.isoformat()]
    code, shown = main(["backtest", *span]), capsys.readouterr()
    assert (shown.out, code) == ("9 decisions on record: 9 the same, 0 not\n", 0), shown.err


def test_statsd_receives_the_numbers_of_the_audit(day, collector):
    found = collector.settled()
    metrics_checks.decisions_are_counted(day, found)
    metrics_checks.calls_are_counted_and_timed(day, found)
    metrics_checks.cleanups_are_counted(day, found)
    assert (
        found.gauge(f"{metrics_checks.PREFIX}.games_due")
        == found.gauge(f"{metrics_checks.PREFIX}.games_collected")
        == GAMES
    )
    # From 05:00 to 06:20 of the next day, on which no lock ran.
    assert found.gauge(f"{metrics_checks.PREFIX}.lock_age_minutes") >= 25 * 60


def test_the_ui_shows_decision_and_outcome_beside_the_task(day):
    run = f"replay__{et('22:00').astimezone(UTC).isoformat()}"
    path = f"dags/post_game_window_1/dagRuns/{run}/taskInstances"
    decided = day.api.get(f"{path}/decide")["rendered_fields"]
    assert (decided["action"], decided["target_date"]) == ("RUN", DAY.isoformat())
    assert "games of 2026-01-14 to collect" in decided["reason"]
    finished = day.api.get(f"{path}/finish")["rendered_fields"]
    assert (finished["status"], finished["failures"]) == ("completed", "none")


def test_mapped_calls_are_labelled_for_people(day):
    run = f"replay__{et('22:00').astimezone(UTC).isoformat()}"
    instances = day.api.get(f"dags/post_game_window_1/dagRuns/{run}/taskInstances", limit=100)["task_instances"]
    labels = [i["rendered_map_index"] for i in instances if i["task_id"] == "nbac_team_boxscore"]
    assert len(labels) == GAMES
    assert all("@" in label for label in labels)


def log_of(day, moment, task):
    run = f"replay__{et(moment).astimezone(UTC).isoformat()}"
    return json.dumps(day.api.get(f"dags/cleanup/dagRuns/{run}/taskInstances/{task}/logs/1"))


@pytest.mark.lesson("C8")
def test_the_watchdog_alerts_each_problem_once(day):
    """This short day has many missing ticks. Only the first look is red for them. No channel is set up here."""
    first, second = (log_of(day, moment, "watch") for moment in ("+1 05:20", "+1 06:20"))
    assert "missing_ticks (all): Nothing ran from 07:00 to 23:00 ET" in first
    assert "Task failed with exception" in first
    assert "Task failed with exception" not in second


def events(day, name):
    # The scheduler marks an asset as active within a minute of its first event.
    assets = day.api.get("assets", limit=100, only_active="false")["assets"]
    [asset] = [one for one in assets if one["name"] == name]
    return [event["extra"] for event in day.api.get("assets/events", asset_id=asset["id"], limit=100)["asset_events"]]


def test_every_call_with_records_is_one_event_of_its_tables_asset(day):
    for table, scraper in (
        ("nbac_team_boxscore", "nbac_team_boxscore"),
        ("odds_api_game_lines", "oddsa_game_lines"),
        ("br_rosters_current", "br_season_roster"),
    ):
        rows = day.rows(
            "SELECT label, game_id, record_count, dag_run_id, run_id FROM nba_orchestration.v_scraper_runs "
            f"WHERE DATE(triggered_at) > {LONG_AGO} AND scraper_name = '{scraper}' AND status = 'success'",
        )
        said = [{name: event[name] for name in rows[0]} for event in events(day, f"bigquery://local/nba_raw/{table}")]
        assert sorted(said, key=str) == sorted(rows, key=str)
        assert {event["target_date"] for event in events(day, f"bigquery://local/nba_raw/{table}")} == {DAY.isoformat()}


def test_each_asset_of_the_slate_has_one_event_although_cleanups_failed(day):
    """Both cleanups of the morning failed because of the watchdog's alerts."""
    [locked], [lines], [complete] = (
        events(day, name) for name in ("slate_scheduled", "lines_collected", "slate_complete")
    )
    assert {one["target_date"] for one in (locked, lines, complete)} == {DAY.isoformat()}
    assert (complete["games"], complete["complete"], complete["missing"]) == (GAMES, True, [])


def test_reconcile_fetches_a_vanished_game_again(day):
    lost = day.rows(
        f"SELECT game_id, gcs_path FROM nba_orchestration.v_scraper_runs WHERE DATE(triggered_at) > {LONG_AGO} "
        "AND scraper_name = 'nbac_team_boxscore' AND status = 'success' ORDER BY game_id",
    )[0]
    (day.stack.home / "gcs" / lost["gcs_path"].removeprefix("gs://")).unlink()
    name = lost["gcs_path"].removeprefix("gs://").partition("/")[2]
    day.rows(f"DELETE FROM nba_raw.nbac_team_boxscore WHERE source_file_path = '{name}'")
    moment = et("+1 07:00").astimezone(UTC)
    day.set_clock(moment)
    day.api.trigger("reconcile", moment, days=1, max_runs=1)
    day.wait_for_runs()
    day.wait_for(lambda: not any(day.outbox.glob("*/*.json")), "the rows")
    found = day.rows(
        f"SELECT scraper_name, game_id, status, source, recovery, triggered_by, workflow FROM "
        f"nba_orchestration.v_scraper_runs WHERE DATE(triggered_at) > {LONG_AGO} AND triggered_by = 'reconcile'",
    )
    assert [(row["scraper_name"], row["game_id"], row["status"]) for row in found] == [
        ("nbac_team_boxscore", lost["game_id"], "success")
    ]
    assert (found[0]["source"], found[0]["recovery"]) == ("RECOVERY", True)
    [decision] = day.rows(
        f"SELECT reason, target_date FROM nba_orchestration.v_workflow_decisions "
        f"WHERE DATE(decision_time) > {LONG_AGO} AND triggered_by = 'reconcile'",
    )
    assert "reconcile: 1 game without nbac_team_boxscore" in decision["reason"]
    assert decision["target_date"] == DAY


def test_a_forced_dry_run_decides_and_calls_nothing(day):
    moment = et("+1 08:00").astimezone(UTC)
    run = day.api.trigger("post_game_window_3", moment, force=True, dry_run=True, target_date=DAY.isoformat())
    day.wait_for_runs()
    states = {
        i["task_id"]: i["state"]
        for i in day.api.get(f"dags/post_game_window_3/dagRuns/{run}/taskInstances", limit=100)["task_instances"]
    }
    assert (states["decide"], states["skip"], states["hold"], states["finish"]) == (
        "success",
        "success",
        "skipped",
        "skipped",
    )


def test_a_run_with_invalid_parameters_fails_with_the_reason(day):
    moment = et("+1 09:00").astimezone(UTC)
    run = day.api.trigger("post_game_window_3", moment, target_date=DAY.isoformat(), scrapers=["nbac_team_boxscor"])
    day.wait_for_runs()
    path = f"dags/post_game_window_3/dagRuns/{run}"
    assert day.api.get(path)["state"] == "failed"
    log = json.dumps(day.api.get(f"{path}/taskInstances/abort/logs/1"))
    assert "target_date needs force" in log
    assert "did you mean `nbac_team_boxscore`" in log


def test_a_dag_scheduled_on_the_slate_ran_once_with_its_date(day):
    """This test runs last: from here on the scheduler starts runs of this DAG by the wall clock."""
    for dag in DAGS:
        url = f"{day.stack.url}/api/v2/dags/{dag}"
        day.api.session.patch(url, json={"is_paused": True}, timeout=60).raise_for_status()
    day.stack.kill("scheduler")
    command, more = day.stack.commands["scheduler"]
    day.stack.commands["scheduler"] = (command, {**more, "AIRFLOW__SCHEDULER__USE_JOB_SCHEDULE": "True"})
    day.stack.restart("scheduler")
    day.wait_for(lambda: day.api.get("dags/after_the_slate/dagRuns")["total_entries"], "the run")
    day.wait_for_runs()
    [run] = day.api.get("dags/after_the_slate/dagRuns")["dag_runs"]
    assert (run["run_type"], run["state"]) == ("asset_triggered", "success")
    path = f"dags/after_the_slate/dagRuns/{run['dag_run_id']}"
    [event] = day.api.get(f"{path}/upstreamAssetEvents")["asset_events"]
    assert (event["extra"]["target_date"], event["source_task_id"]) == (DAY.isoformat(), "tell_slates")
    built = [one for one in day.api.get(f"{path}/taskInstances")["task_instances"] if one["task_id"] == "build_on"]
    assert [one["rendered_map_index"] for one in built] == [f"{DAY}: {GAMES} of {GAMES} games"]
