"""A night on the services of docker-compose.yaml: decisions as in the embedded form, an exact audit after faults."""

import contextlib
import os
from datetime import UTC, timedelta

import pytest

from orchestration.audit.facts import day_facts
from orchestration.audit.warehouse import Warehouse
from orchestration.health.verdict import assess
from sandbox.cluster import family
from support.clusters import FAULTS, played
from support.days import LONG_AGO, played_day
from support.worlds import DAY, et, ours

pytestmark = pytest.mark.drill
WORLD = {"seed": 12, "day": DAY, "games": 3, "faults": 0, "lost": 0}
TIMELINE = {
    "04:30": ["schedule_dependency"],
    "05:00": ["schedule_locker"],
    "17:00": ["betting_lines", "referee_discovery"],
    "22:00": ["post_game_window_1"],
    "+1 04:00": ["post_game_window_3"],
}
QUICK = ("worker_killed",)
"""The faults that run for every change. ``make cluster-drills`` runs all faults."""
CHOSEN = FAULTS if os.environ.get("CLUSTER_DRILLS") == "all" else QUICK
DEPLOYS = [("everything_restarted", "betting_lines")] if CHOSEN is FAULTS else []
"""A deployment during a workflow whose tasks make several calls each."""
CALLS = {"post_game_window_3": 1 + 4 * WORLD["games"], "betting_lines": 1 + 2 * WORLD["games"]}


@pytest.fixture(scope="module")
def night(tmp_path_factory: pytest.TempPathFactory):
    with played(tmp_path_factory.mktemp("cluster"), TIMELINE, **WORLD) as day, pytest.MonkeyPatch.context() as patch:
        for name in ("BIGQUERY_EMULATOR_HOST", "AIRFLOW_CONN_GOOGLE_CLOUD_DEFAULT"):
            patch.setenv(name, day.stack.env[name])
        yield day


def decisions(day):
    """Return every decision in the table, without its times of decision and writing."""
    found = day.rows(
        f"SELECT * EXCEPT (decision_time, created_at) FROM nba_orchestration.v_workflow_decisions "
        f"WHERE DATE(decision_time) > {LONG_AGO} ORDER BY slot_time, workflow_name",
    )
    return [(row["workflow_name"], row["slot_time"], row) for row in found]


def test_a_night_on_the_cluster_is_decided_as_on_one_machine(night, tmp_path):
    here = decisions(night)
    with played_day(tmp_path, TIMELINE, **WORLD) as embedded:
        there = decisions(embedded)
    assert len(here) == sum(len(dags) for dags in TIMELINE.values()) - 1
    assert here == there


def test_a_task_starts_with_the_modules_of_its_worker(night):
    """The worker's processes have loaded Google's client library before they fork a task."""
    for name in ("worker-1", "worker-2"):
        # One more child process removes old bundles.
        children = family(night.stack.processes[name].pid)[0].children()
        ready = [child for child in children if any("cygrpc" in one.path for one in child.memory_maps())]
        assert len(ready) == night.stack.slots


@pytest.fixture(scope="module")
def hour():
    """Return the next hour that has not been played yet."""
    return iter(range(8, 24))


@pytest.mark.parametrize(("fault", "workflow"), [*((fault, "post_game_window_3") for fault in CHOSEN), *DEPLOYS])
def test_a_fault_while_calls_are_made_leaves_the_audit_exact(night, hour, fault, workflow):
    """The only reaction to the fault is that of Docker: it restarts services that ended."""
    moment = et(f"+1 {next(hour):02}:00").astimezone(UTC)
    night.set_clock(moment)
    found, before = findings(moment), night.calls_made()
    run = night.api.trigger(workflow, moment, force=True, target_date=DAY.isoformat())
    night.wait_for(lambda: night.calls_made() > before, "the first call")
    FAULTS[fault](night)
    night.wait_for_runs()
    assert night.api.get(f"dags/{workflow}/dagRuns/{run}")["state"] == "success"
    drain(night, moment)
    assert findings(moment) <= found
    assert set(night.executions_of_each_run()) == {1}
    one_row_for_each_try(night)
    [execution] = night.rows(
        f"SELECT status, scrapers_triggered, scrapers_failed FROM nba_orchestration.v_workflow_executions "
        f"WHERE DATE(execution_time) > {LONG_AGO} AND run_id = '{run}' AND workflow_name = '{workflow}'",
    )
    assert execution == {"status": "completed", "scrapers_triggered": CALLS[workflow], "scrapers_failed": 0}


def drain(night, moment):
    """Run the cleanup until nothing is staged. The next cleanup appends rows that a busy BigQuery did not accept."""

    def staged():
        return [f"{file.parent.name}/{file.name}" for file in night.outbox.glob("**/*.json")]

    for minute in (30, 40, 50):
        night.play({moment.replace(minute=minute): ["cleanup"]})
        night.wait_for_runs()
        with contextlib.suppress(AssertionError):
            night.wait_for(lambda: not staged(), "the rows", seconds=60)
            return
    pytest.fail(f"three cleanups left {staged()}")


def findings(moment):
    """Return the health check's findings an hour after ``moment``. The short night always has many missing ticks."""
    seen = moment + timedelta(hours=1)
    health = assess(ours(), day_facts(Warehouse(), ours(), DAY, seen), seen)
    assert (health.collected, health.due) == (WORLD["games"], WORLD["games"])
    return {(one.kind, one.workflow) for one in health.findings}


def one_row_for_each_try(day):
    found = day.rows(
        f"SELECT dag_run_id, task_id, map_index, call_index, try_number, MIN(status) AS status, COUNT(*) AS n "
        f"FROM nba_orchestration.v_scraper_runs "
        f"WHERE DATE(triggered_at) > {LONG_AGO} GROUP BY dag_run_id, task_id, map_index, call_index, try_number",
    )
    assert {row["n"] for row in found} == {1}
    rows = {(row["dag_run_id"], row["task_id"], row["map_index"], row["try_number"]) for row in found}
    made = day.tries()
    # A try makes no call, and has no row, if an earlier try was killed only after its call had succeeded.
    done = {
        (row["dag_run_id"], row["task_id"], row["map_index"], row["try_number"])
        for row in found
        if row["status"] == "success"
    }
    without = set(made) - rows
    assert {key for key in without if not any(one[:3] == key[:3] and one[3] < key[3] for one in done)} == set()
    # Airflow may forget a try whose scheduler died before the try resumed. Our audit keeps it.
    assert [key for key in rows - set(made) if key[3] >= max(m[3] for m in made if m[:3] == key[:3])] == []
