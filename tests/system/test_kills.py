"""Twenty kills in one day: tasks, executor, scheduler, triggerer, scraper service. No row is lost, none is doubled."""

import contextlib
import random
import sqlite3
import threading
import time
from datetime import UTC, datetime
from pathlib import Path

import psutil
import pytest
import requests
import yaml
from rich.console import Console

from sandbox.day import Day
from sandbox.stack import Stack
from support.days import LONG_AGO, PlayedDay, some_ports
from support.standins import PATIENCE_SECONDS
from support.worlds import DAY, ROOT, et

pytestmark = pytest.mark.drill
SEED = 7
KILLS = 20
TARGETS = ("task", "task", "executor", "scheduler", "triggerer", "sandbox")
EACH_ONCE = {"task", "scheduler", "triggerer", "sandbox"}
SECONDS_BETWEEN = (1.0, 5.0)
BLOCKING = ("nbac_team_boxscore", "nbac_play_by_play", "oddsa_game_lines")
TIMELINE = {
    "04:30": ["schedule_dependency"],
    "05:00": ["schedule_locker"],
    "06:00": ["morning_operations", "injury_discovery", "referee_discovery"],
    "17:00": ["betting_lines", "injury_discovery"],
    "19:00": ["betting_lines"],
    "22:00": ["post_game_window_1"],
    "+1 01:00": ["post_game_window_2"],
    "+1 04:00": ["post_game_window_3"],
    "+1 05:20": ["cleanup"],
    "+1 06:20": ["cleanup"],
    "+1 07:20": ["cleanup"],
}
SETTINGS = {
    "AIRFLOW__OPERATORS__DEFAULT_DEFERRABLE": "True",
    # Shorter timeouts for dead processes. Airflow's defaults are minutes.
    "AIRFLOW__SCHEDULER__SCHEDULER_HEALTH_CHECK_THRESHOLD": "10",
    "AIRFLOW__SCHEDULER__ORPHANED_TASKS_CHECK_INTERVAL": "5",
    "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "15",
    "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT_DETECTION_INTERVAL": "3",
    "AIRFLOW__TRIGGERER__TRIGGERER_HEALTH_CHECK_THRESHOLD": "10",
}


class Killer(threading.Thread):
    """Kills processes at random moments from one seed, and restarts those that nothing else restarts."""

    def __init__(self, day: Day) -> None:
        super().__init__(daemon=True)
        self.day, self.dice = day, random.Random(SEED)
        self.killed: list[str] = []
        self.over = threading.Event()
        self.failure: Exception | None = None

    def run(self) -> None:
        try:
            while len(self.killed) < KILLS and not self.over.wait(self.dice.uniform(*SECONDS_BETWEEN)):
                # The last kills hit the kinds that the random choice has left out.
                missing = sorted(EACH_ONCE - set(self.killed))
                target = self.dice.choice(missing if len(self.killed) + len(missing) >= KILLS else TARGETS)
                if target in ("task", "executor"):
                    if not self.kill_worker(target):
                        continue
                else:
                    self.kill_component(target)
                self.killed.append(target)
        except Exception as error:
            self.failure = error

    def kill_worker(self, kind: str) -> bool:
        """Kill the process of a task, or the executor's process that supervises one."""
        workers = []
        for process in psutil.Process(self.day.stack.processes["scheduler"].pid).children(recursive=True):
            with contextlib.suppress(psutil.Error):
                title = " ".join(process.cmdline())
                is_kind = ("LocalExecutor" in title) == (kind == "executor")
                if title.startswith("airflow worker -- ") and is_kind and "<idle>" not in title:
                    workers.append(process)
        if not workers:
            return False
        with contextlib.suppress(psutil.NoSuchProcess):
            self.dice.choice(sorted(workers, key=lambda process: process.pid)).kill()
            return True
        return False

    def kill_component(self, name: str) -> None:
        stack = self.day.stack
        if name == "sandbox":
            now = datetime.fromisoformat(requests.get(self.day.world, timeout=PATIENCE_SECONDS).json()["now"])
        stack.kill(name)
        stack.restart(name)
        if name == "sandbox":
            stack.await_sandbox()
            self.day.set_clock(now)


class HardDay(PlayedDay):
    """A day with short outages of the scraper service. Rows may stay staged until the cleanup."""

    def set_clock(self, moment: datetime) -> None:
        for _ in range(5 * PATIENCE_SECONDS):
            try:
                return super().set_clock(moment)
            except requests.ConnectionError:
                time.sleep(0.2)
        raise AssertionError("the service does not come back")

    def busy(self) -> bool:
        return bool(self.api.unfinished())


@pytest.fixture(scope="module")
def hard_day(tmp_path_factory: pytest.TempPathFactory):
    home = Path(tmp_path_factory.mktemp("kills"))
    config = yaml.safe_load((ROOT / "config" / "workflows.yaml").read_text())
    for scraper in BLOCKING:
        config["scrapers"][scraper]["deferrable"] = False
    config["settings"].setdefault("retries", {})["first_delay_seconds"] = 1
    (home / "workflows.yaml").write_text(yaml.safe_dump(config))
    settings = {**SETTINGS, "ORCHESTRATION_CONFIG": str(home / "workflows.yaml")}
    with Stack(home, some_ports(), seed=SEED, day=DAY, games=4, faults=0, lost=0, settings=settings) as stack:
        played = HardDay(stack, Console(quiet=True))
        played.api.await_dags({dag for dags in TIMELINE.values() for dag in dags})
        killer = Killer(played)
        killer.start()
        timeline = {et(moment).astimezone(UTC): dags for moment, dags in TIMELINE.items()}
        *before, last_but_one, last = timeline
        try:
            played.play({moment: timeline[moment] for moment in before})
        finally:
            killer.over.set()
            killer.join(60)
        played.play({moment: timeline[moment] for moment in (last_but_one, last)})
        played.killer = killer
        yield played


def tries(day) -> dict[tuple, str]:
    """Return every try of every call that Airflow knows, with its final state."""
    with sqlite3.connect(day.stack.home / "airflow" / "airflow.db") as database:
        found = database.execute(
            "SELECT run_id, task_id, map_index, try_number, state FROM task_instance WHERE operator LIKE 'Scrape%' "
            "UNION SELECT run_id, task_id, map_index, try_number, state FROM task_instance_history "
            "WHERE operator LIKE 'Scrape%'"
        ).fetchall()
    return {tuple(key): state for *key, state in found if state not in ("skipped", "upstream_failed", "removed")}


def test_the_day_had_all_kinds_of_kills(hard_day):
    assert hard_day.killer.failure is None
    assert len(hard_day.killer.killed) == KILLS, hard_day.killer.killed
    assert set(hard_day.killer.killed) >= EACH_ONCE


def test_no_row_stays_in_the_outbox(hard_day):
    assert list(hard_day.outbox.glob("**/*.json")) == []


@pytest.mark.lesson("E3")
def test_every_run_decision_has_exactly_one_execution(hard_day):
    executions = hard_day.executions_of_each_run()
    # A workflow does not run if a kill made its required workflow fail. So the number of RUNs depends on the kills.
    assert len(executions) >= 5
    assert set(executions) == {1}


def test_every_try_of_every_call_has_exactly_one_row(hard_day):
    found = hard_day.rows(
        f"SELECT dag_run_id, task_id, map_index, try_number, COUNTIF(status = 'failed') AS failed, COUNT(*) AS n, "
        f"COUNT(DISTINCT IFNULL(call_index, -1)) AS calls "
        f"FROM nba_orchestration.v_scraper_runs WHERE DATE(triggered_at) > {LONG_AGO} "
        f"GROUP BY dag_run_id, task_id, map_index, try_number",
    )
    logged = {(row["dag_run_id"], row["task_id"], row["map_index"], row["try_number"]) for row in found}
    assert [row for row in found if row["n"] != row["calls"]] == []
    made = tries(hard_day)
    # A retry after a try with only successful calls makes no call, so it has no row.
    succeeded = {
        (row["dag_run_id"], row["task_id"], row["map_index"]): row["try_number"] for row in found if not row["failed"]
    }
    assert [key for key in set(made) - logged if key[3] <= succeeded.get(key[:3], key[3])] == []
    # Airflow forgets a try whose scheduler died before the try resumed. Our audit keeps it.
    last = {key[:3]: max(other[3] for other in made if other[:3] == key[:3]) for key in made}
    assert [key for key in logged - set(made) if key[3] >= last.get(key[:3], 0)] == []


def test_the_rows_of_killed_tries_say_killed(hard_day):
    found = hard_day.rows(
        f"SELECT COUNT(*) AS n, COUNTIF(status = 'failed') AS failed FROM nba_orchestration.v_scraper_runs "
        f"WHERE DATE(triggered_at) > {LONG_AGO} AND error_type = 'killed'",
    )
    # A kill may or may not hit a call. test_runs always kills two calls.
    assert found[0]["n"] == found[0]["failed"]


def test_the_box_scores_of_the_day_are_collected(hard_day):
    found = hard_day.rows(f"SELECT DISTINCT game_id FROM nba_raw.nbac_team_boxscore WHERE game_date > {LONG_AGO}")
    assert len(found) == 4
