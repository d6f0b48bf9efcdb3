"""Two hours without BigQuery in the middle of a night, and every command that we name to people beside that night."""

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC

import pytest
import requests

from support.days import LONG_AGO, played_day
from support.documented import commands
from support.generators import generator
from support.standins import PATIENCE_SECONDS
from support.worlds import DAY, ROOT, et

pytestmark = pytest.mark.drill
TIMELINE = {
    "04:30": ["schedule_dependency"],
    "05:00": ["schedule_locker"],
    "22:00": ["post_game_window_1"],
    "+1 05:20": ["cleanup"],
}


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory):
    world = {"seed": 12, "day": DAY, "games": 3, "faults": 0, "lost": 0}
    with played_day(tmp_path_factory.mktemp("outage"), TIMELINE, **world) as played:
        yield played


ROW_IDS = {
    "workflow_decisions": ("v_workflow_decisions", "decision_id", "decision_time"),
    "workflow_executions": ("v_workflow_executions", "execution_id", "execution_time"),
    "scraper_execution_log": ("v_scraper_runs", "row_id", "triggered_at"),
}


@pytest.mark.lesson("K8")
def test_two_hours_without_a_database_abort_decisions_disturb_nothing_and_lose_no_row(day):
    def calls_made() -> int:
        return requests.get(day.world, timeout=PATIENCE_SECONDS).json()["calls"]

    before = calls_made()
    started = et("+1 09:30").astimezone(UTC)
    day.set_clock(started)
    running = day.api.trigger("post_game_window_3", started, force=True, target_date=str(DAY))
    day.wait_for(lambda: calls_made() > before + 2, "the first calls")
    day.stack.kill("bigquery")
    day.wait_for_runs()
    assert day.api.get(f"dags/post_game_window_3/dagRuns/{running}")["state"] == "success"
    for hour in ("10:00", "11:00"):
        runs = {
            dag: day.api.trigger(dag, et(f"+1 {hour}").astimezone(UTC))
            for dag in ("referee_discovery", "betting_lines")
        }
        day.wait_for_runs()
        assert {day.api.get(f"dags/{dag}/dagRuns/{run}")["state"] for dag, run in runs.items()} == {"failed"}
    staged = {table: [json.loads(path.read_text()) for path in day.outbox.glob(f"{table}/*.json")] for table in ROW_IDS}
    assert [(row["action"], row["rule"]) for row in staged["workflow_decisions"]] == [
        ("ABORT", "history_unreadable")
    ] * 4
    assert len(staged["workflow_executions"]) == 1
    assert staged["scraper_execution_log"]
    day.stack.restart("bigquery")
    day.stack.await_bigquery()
    day.play({et("+1 11:20").astimezone(UTC): ["cleanup"]})
    assert list(day.outbox.glob("**/*.json")) == []
    for table, (view, identity, moment) in ROW_IDS.items():
        found = day.rows(
            f"SELECT {identity} AS id, COUNT(*) AS n FROM nba_orchestration.{view} "
            f"WHERE DATE({moment}) > {LONG_AGO} GROUP BY {identity}",
        )
        assert {row["id"] for row in found} >= {row[identity] for row in staged[table]}
        assert {row["n"] for row in found} == {1}, view


alerts = generator("alerts")
RUN_ID = f"replay__{et('22:00').astimezone(UTC).isoformat()}"
FIRST = {
    said.command.replace(alerts.WORKFLOW, "post_game_window_1").replace(alerts.RUN_ID, RUN_ID)
    for said in alerts.sites()
}
"""The first commands of all alerts and findings, about a workflow and a run of this day."""
NAMED = [*commands(), *sorted(FIRST - set(commands()))]


@pytest.fixture(scope="module")
def named(day):
    """The result of every command of the documentation and the alerts, run beside this day, two at a time."""
    env = {**day.stack.env, "ORCHESTRATION_PYTHON": sys.executable}

    def run(command):
        return subprocess.run(["bash", "-c", command], env=env, cwd=ROOT, capture_output=True, text=True, check=False)

    with ThreadPoolExecutor(2) as pool:
        yield dict(zip(NAMED, pool.map(run, NAMED), strict=True))


@pytest.mark.parametrize("command", NAMED)
def test_every_command_of_the_documentation_and_of_the_alerts_runs(named, command):
    done = named[command]
    # What a report finds is in its exit code; 3 would mean that it could not find out.
    fine = (0, 1, 2) if "bin/orchestration" in command or "reconcile --days" in command else (0,)
    assert done.returncode in fine, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
