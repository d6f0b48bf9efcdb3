"""A new version of this package replaces the last release while runs are in progress."""

import contextlib
import json
import lzma
import os
import pkgutil
import shutil
import sqlite3
import sys
import tarfile
import threading
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import yaml

from orchestration.nba.eastern import et
from sandbox.airflow_api import AirflowApi
from sandbox.phase2 import client
from sandbox.stack import PROJECT, Stack
from support.days import LONG_AGO, PlayedDay, some_ports
from support.scripted import ScriptedService, found
from support.standins import PATIENCE_SECONDS
from support.worlds import ROOT

pytestmark = pytest.mark.drill
LAST_RELEASE = ROOT / "tests" / "support" / "data" / "release-1.0.0.tar.xz"
"""The files of the last release: dags, include/sql, plugins. A clone in CI has no history, so they are kept here."""
OURS = ("bigquery", "sandbox")
"""The processes of the stand-ins. All other processes belong to Airflow and run the deployed package."""
CALLS = "calls"
SCRAPERS = {
    "deferred": {"deferrable": True},
    "retried": {"deferrable": False, "retries": 2, "critical": False},
    "later": {"depends_on": ["deferred"]},
    "leaving": {"depends_on": ["deferred"], "critical": False},
    "harmless": {},
}
ARRIVING = {"arriving": {"depends_on": ["deferred"], "critical": False}}


def configuration(scrapers: dict, tick: datetime, but: Collection[str] = ()) -> dict:
    """Return a configuration with two workflows. Runs that ``tick`` starts are held for half an hour."""
    moment = f"{et(tick):%H:%M}"
    workflow = {
        "decision_type": "self_aware",
        "priority": "HIGH",
        "deadline_minutes": 60,
        "schedule": {"ideal_window": {"start_hour": 0, "end_hour": 24}},
    }
    return {
        "version": "1",
        "scrapers": {name: {"for_each": "nothing", "parameters": {}, **more} for name, more in scrapers.items()},
        "workflows": {
            name: {**workflow, "execution_plan": {"scrapers": plan, "type": "parallel"}}
            for name, plan in {CALLS: [n for n in scrapers if n != "harmless"], "held": ["harmless"]}.items()
            if name not in but
        },
        "settings": {
            "first_tick": moment,
            "last_tick": moment,
            "execution_delay_minutes": 30,
            "retries": {"first_delay_seconds": 20},
            "daily_schedule_lock": {"enabled": False},
        },
    }


ADD_COLUMNS = """
from orchestration.audit.setup import init
from support.old_system import Emulated
init(Emulated(), adopt=True)
"""


@dataclass
class Deployed(Stack):
    """A stack whose Airflow runs the package in ``home``/package."""

    @property
    def package(self) -> Path:
        return self.home / "package"

    @property
    def own_env(self) -> dict[str, str]:
        return {**super().own_env, "ORCHESTRATION_CONFIG": str(self.home / "workflows.yaml")}

    @property
    def deployed(self) -> dict[str, str]:
        return {
            "PYTHONPATH": str(self.package / "plugins"),
            "AIRFLOW__CORE__DAGS_FOLDER": str(self.package / "dags"),
            "AIRFLOW__CORE__PLUGINS_FOLDER": str(self.package / "plugins"),
        }

    def _spawn(self, name, command, more=()):
        return super()._spawn(name, command, {**dict(more), **({} if name in OURS else self.deployed)})

    def _run(self, name, command, more=(), **options):
        super()._run(name, command, {**dict(more), **self.deployed}, **options)

    def take(self, version: str) -> None:
        """Deploy a version: ``last`` or ``this``."""
        shutil.rmtree(self.package, ignore_errors=True)
        self.package.mkdir(parents=True)
        if version == "last":
            with lzma.open(LAST_RELEASE) as packed, tarfile.open(fileobj=packed) as files:
                files.extractall(self.package, filter="data")
        else:
            for part in ("dags", "plugins", "include/sql"):
                ignored = shutil.ignore_patterns("__pycache__")
                shutil.copytree(ROOT / part, self.package / part, ignore=ignored)

    def halt(self) -> list[str]:
        """Kill every Airflow process. Return their names."""
        stopped = [name for name in self.processes if name not in OURS]
        for name in stopped:
            self.kill(name)
        return stopped

    def roll_out(self, stopped: list[str]) -> None:
        """Replace the last version by this one, and restart Airflow."""
        self.take("this")
        # The emulator has a gap here; see support.old_system.Emulated.
        paths = os.pathsep.join(str(path) for path in (self.package / "plugins", ROOT / "tests", ROOT / "include"))
        super()._run("columns", [sys.executable, "-c", ADD_COLUMNS], {**self.deployed, "PYTHONPATH": paths})
        self._run("init-again", [sys.executable, "-m", "orchestration", "init", "--adopt"])
        for name in stopped:
            self.restart(name)
        self._await("api-server", f"{self.url}/api/v2/monitor/health")


class Rollout(PlayedDay):
    """The runs of the last release after the upgrade."""

    def __init__(self, stack: Deployed) -> None:
        self.stack, self.api, self.outbox = stack, AirflowApi(stack.url), stack.outbox
        self.bigquery = client(PROJECT, stack.env["BIGQUERY_EMULATOR_HOST"])

    def configure(self, scrapers: dict, tick: datetime) -> None:
        (self.stack.home / "workflows.yaml").write_text(yaml.safe_dump(configuration(scrapers, tick)))

    def states(self, dag: str, run: str) -> dict[str, str | None]:
        found = self.api.get(f"dags/{dag}/dagRuns/{run}/taskInstances", limit=100)["task_instances"]
        return {one["task_id"]: one["state"] for one in found}

    def run_state(self, dag: str, run: str) -> str:
        return str(self.api.get(f"dags/{dag}/dagRuns/{run}")["state"])

    def held(self) -> list[str]:
        found = self.api.get("dags/held/dagRuns/~/taskInstances", state="awaiting_input")["task_instances"]
        return [one["dag_run_id"] for one in found]

    def staged(self) -> list[Path]:
        return sorted(self.outbox.glob("*/*.json"))

    def audit(self, view: str, day: str) -> list[dict]:
        return self.rows(f"SELECT * FROM nba_orchestration.{view} WHERE DATE({day}) > {LONG_AGO}")


def stored_deadlines(database: Path) -> set[str]:
    """Return the import paths that Airflow stores for the deadlines of runs."""
    with contextlib.closing(sqlite3.connect(database)) as connection:
        found = connection.execute("SELECT reference, callback_def FROM deadline_alert").fetchall()
    said = [json.loads(text) for row in found for text in row]
    return {one.get("__class_path") or one["__data__"]["path"] for one in said}


@pytest.fixture(scope="module")
def rolled(tmp_path_factory):
    home = Path(tmp_path_factory.mktemp("rollout"))
    released, asked = threading.Event(), threading.Event()

    def first_fails(_request, number):
        if number == 1:
            asked.wait(PATIENCE_SECONDS)
            return 503, {"message": "not now"}
        return found()

    with ScriptedService().serving() as service:
        connection = {"conn_type": "http", "host": "127.0.0.1", "port": service.port}
        settings = {
            "AIRFLOW_CONN_SCRAPER_SERVICE": json.dumps(connection),
            "AIRFLOW__DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": "5",
        }
        stack = Deployed(home, some_ports(), on_schedule=True, settings=settings, dialect="plain")
        service.script(deferred=lambda *_: (released.wait(PATIENCE_SECONDS), found())[1], retried=first_fails)
        stack.take("last")
        far = datetime.now(UTC) + timedelta(hours=6)
        # The other DAG is added with the tick that will be held, so the day has no earlier run of it.
        (home / "workflows.yaml").write_text(yaml.safe_dump(configuration(SCRAPERS, far, but=["held"])))
        with stack:
            day = Rollout(stack)
            day.api.await_dags([CALLS, "cleanup"], PATIENCE_SECONDS)
            # Airflow starts a new DAG with its latest tick. Here that is hours ago, so the run is not held.
            day.wait_for(lambda: day.api.get(f"dags/{CALLS}/dagRuns")["total_entries"], "a tick of long ago")
            [day.run] = [run["dag_run_id"] for run in day.api.get(f"dags/{CALLS}/dagRuns")["dag_runs"]]
            day.wait_for(lambda: day.states(CALLS, day.run).get("deferred") == "deferred", "a deferred call")
            day.configure(SCRAPERS, datetime.now(UTC) - timedelta(minutes=1))
            day.api.await_dags(["held"], PATIENCE_SECONDS)
            day.wait_for(day.held, "a run that waits for a veto")
            [day.held_run] = day.held()
            # The row of the failed try stays in the outbox, in the format of the last release.
            day.wait_for(lambda: any(one["scraper"] == "retried" for one in service.asked), "the call that fails")
            stack.kill("bigquery")
            asked.set()
            day.wait_for(lambda: day.states(CALLS, day.run)["retried"] == "up_for_retry", "a call that is tried again")
            day.before = day.states(CALLS, day.run)
            stopped = stack.halt()
            day.deadlines = stored_deadlines(stack.home / "airflow" / "airflow.db")
            day.left = [json.loads(path.read_text()) for path in day.staged()]
            stack.restart("bigquery")
            stack.await_bigquery()
            day.configure({**{n: s for n, s in SCRAPERS.items() if n != "leaving"}, **ARRIVING}, far)
            stack.roll_out(stopped)
            day.api = AirflowApi(stack.url)
            released.set()
            url = f"{stack.url}/api/v2/dags/held/dagRuns/{day.held_run}/taskInstances/hold/-1/hitlDetails"
            body = {"chosen_options": ["Run now"], "params_input": {}}
            day.api.session.patch(url, json=body, timeout=PATIENCE_SECONDS).raise_for_status()
            over = ("success", "failed")
            day.wait_for(lambda: day.run_state(CALLS, day.run) in over, "the run with the calls")
            day.wait_for(lambda: day.run_state("held", day.held_run) in over, "the run that was held")
            day.cleanup = day.api.trigger("cleanup", datetime.now(UTC))
            day.wait_for(lambda: day.run_state("cleanup", day.cleanup) in over, "the cleanup")
            # This includes scheduled cleanups: a killed one is retried and writes its row.
            day.wait_for(lambda: day.api.unfinished() == 0, "all runs")
            day.asked = list(service.asked)
            yield day


def test_runs_of_the_last_release_succeed_under_this_one(rolled):
    assert rolled.before == {
        "decide": "success", "hold": "success", "skip": "skipped", "abort": "skipped", "deferred": "deferred",
        "retried": "up_for_retry", "later": None, "leaving": None, "finish": None,
    }  # fmt: skip
    assert rolled.run_state(CALLS, rolled.run) == "success", rolled.states(CALLS, rolled.run)
    assert rolled.run_state("held", rolled.held_run) == "success", rolled.states("held", rolled.held_run)


def test_each_such_run_has_one_execution_and_a_row_for_every_try(rolled):
    executions = {
        (row["workflow_name"], row["run_id"]): row for row in rolled.audit("v_workflow_executions", "execution_time")
    }
    mine, held = executions[CALLS, rolled.run], executions["held", rolled.held_run]
    assert (mine["status"], mine["scrapers_failed"]) == ("completed", 0)
    assert held["status"] == "completed"
    tries = [
        (row["scraper_name"], row["try_number"], row["status"])
        for row in rolled.audit("v_scraper_runs", "triggered_at")
        if (row["workflow"], row["dag_run_id"]) == (CALLS, rolled.run)
    ]
    assert sorted(tries) == [
        ("deferred", 1, "success"),
        ("later", 1, "success"),
        ("retried", 1, "failed"),
        ("retried", 2, "success"),
    ]


def test_rows_staged_by_the_last_release_reach_bigquery(rolled):
    assert rolled.left
    assert rolled.staged() == []
    assert list(rolled.outbox.glob("refused/*")) == []


def test_decisions_of_the_last_release_are_read_by_this_one(rolled):
    decided = rolled.audit("v_workflow_decisions", "decision_time")
    runs = {(row["workflow_name"], row["run_id"]) for row in decided if row["action"] == "RUN"}
    assert {(CALLS, rolled.run), ("held", rolled.held_run)} <= runs


def test_a_removed_scraper_is_not_called_and_a_new_one_waits_for_the_next_run(rolled):
    states = rolled.states(CALLS, rolled.run)
    assert states["leaving"] == "removed"
    assert {one["scraper"] for one in rolled.asked} == {"deferred", "retried", "later", "harmless"}
    assert states.get("arriving", "skipped") == "skipped"


def test_the_deadline_callbacks_of_the_last_release_exist_in_this_one(rolled):
    assert rolled.deadlines == {"orchestration.deadlines.RunQueued", "orchestration.deadlines.missed"}
    for address in rolled.deadlines:
        assert callable(pkgutil.resolve_name(address))
