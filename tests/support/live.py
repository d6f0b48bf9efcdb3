"""A real Airflow with test workflows, a scripted service and a letterbox, and queries on its audit."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import time
from collections.abc import Collection, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import yaml

from orchestration.nba.eastern import et
from sandbox.airflow_api import AirflowApi
from sandbox.phase2 import client
from sandbox.stack import PROJECT, Stack
from support.days import some_ports
from support.letterbox import Letterbox
from support.scripted import ScriptedService
from support.standins import PATIENCE_SECONDS

AS_OF = datetime(2026, 1, 14, 15, tzinfo=UTC)
EVENT = {"for_each": "event", "depends_on": ["events"], "critical": False}
BATCH = {"calls_per_task": 4, "pool": "source", "parameters": {"event_id": "{{ event_id }}"}}
SCRAPERS = {
    "events": {},
    "props": {**EVENT, "parameters": {"event_id": "{{ event_id }}"}},
    "props_1": {},
    "deferred": {},
    "late": {"timeout_seconds": 1, "retries": 0, "critical": False},
    "once_wrong": {"retries": 0},
    "killed_once": {"deferrable": False, "retries": 1, "critical": False},
    "killed": {"deferrable": False, "retries": 0, "critical": False},
    "slow": {"deferrable": False, "timeout_seconds": 120},
    "tells": {"deferrable": False, "retries": 0},
    "tells_deferred": {"processed_in": "nba_raw.nbac_team_boxscore"},
    "tells_its_log": {"deferrable": False, "retries": 0},
    "batch": {**EVENT, **BATCH, "retries": 1},
    "batch_killed": {**EVENT, **BATCH, "retries": 0},
}
HELD = "held"
WORKFLOWS = {
    "fan_out": ["events", "props"],
    "named_alike": ["events", "props", "props_1"],
    "calls": ["deferred", "late", "killed_once", "killed"],
    "cleared": ["once_wrong"],
    HELD: ["deferred"],
    "overdue": ["slow"],
    "batches": ["events", "batch", "batch_killed"],
    "secretive": ["tells", "tells_deferred", "tells_its_log"],
}
SECRETS = {
    name: f"{name}-s3cr3t-{number}"
    for number, name in enumerate(
        ["password", "header", "key", "url", "token", "encoded", "login", "nested", "file", "log", "refusal"]
    )
}
SERVICE = {
    "login": "me",
    "password": SECRETS["password"],
    "extra": {"X-Pass": SECRETS["header"], "X-Api-Key": SECRETS["key"]},
}
DEADLINE_SECONDS = 6
CALLBACK_SECONDS = 10


def configuration(first_tick: datetime, but: Collection[str] = ()) -> dict:
    moment = f"{et(first_tick):%H:%M}"
    return {
        "version": "1",
        "scrapers": {name: {"for_each": "nothing", "parameters": {}, **more} for name, more in SCRAPERS.items()},
        "workflows": {
            name: {
                "decision_type": "self_aware",
                "priority": "HIGH",
                "schedule": {"ideal_window": {"start_hour": 0, "end_hour": 24}},
                "execution_plan": {"scrapers": scrapers, "type": "parallel"},
                "deadline_minutes": DEADLINE_SECONDS / 60 if name == "overdue" else 60,
            }
            for name, scrapers in WORKFLOWS.items()
            if name not in but
        },
        "settings": {
            "first_tick": moment,
            "last_tick": moment,
            "execution_delay_minutes": 30,
            "retries": {"first_delay_seconds": 1},
            "pools": {"source": 2},
            "daily_schedule_lock": {"enabled": False},
            "cleanup_processor": {"enabled": False},
            "service_log": "nba_orchestration.scraper_execution_log",
            "notifications": {"email_to": ["duty@example.com"], "warning_channels": ["email", "slack"]},
        },
    }


class Live:
    """A stack with a scripted service and a letterbox, and queries on its audit."""

    def __init__(self, stack: Stack, service: ScriptedService, box: Letterbox) -> None:
        self.stack, self.service, self.box = stack, service, box
        self.api = AirflowApi(stack.url)
        self.bigquery = client(PROJECT, stack.env["BIGQUERY_EMULATOR_HOST"])

    def run(self, workflow: str, as_of: datetime = AS_OF, **conf: object) -> str:
        run = self.api.trigger(workflow, as_of, force=True, **conf)
        self.await_run(workflow, run)
        return run

    def state(self, workflow: str, run: str) -> str:
        return self.api.get(f"dags/{workflow}/dagRuns/{run}")["state"]

    def await_run(self, workflow: str, run: str) -> None:
        self.wait(lambda: self.state(workflow, run) in ("success", "failed"), "the run to end")
        over = time.monotonic()
        self.wait(lambda: not self.staged() or time.monotonic() - over > CALLBACK_SECONDS, "the callbacks")
        if self.staged():
            # Airflow ran no callback for a try, because it took a resumed deferred task for a failed one
            # (apache/airflow#72716). These tests run no cleanup, so they drain the outbox here.
            code = "from orchestration.audit.outbox import Outbox; Outbox().drain()"
            subprocess.run([sys.executable, "-c", code], env=self.stack.env, check=True)

    def staged(self) -> list[Path]:
        return list((self.stack.home / "outbox").glob("*/*.json"))

    def wait(self, done, what: str, seconds: float = 600) -> None:
        deadline = time.monotonic() + seconds
        while not done():
            self.stack.check()
            assert time.monotonic() < deadline, f"waited {seconds} s for {what}"
            time.sleep(0.3)

    def rows(self, view: str, day: str, run: str, column: str = "run_id") -> list[dict]:
        text = (
            f"SELECT * FROM nba_orchestration.{view} "
            f"WHERE DATE({day}) > DATE '2026-01-01' AND {column} = '{run}' ORDER BY task_id, try_number"
        )
        return [dict(row) for row in self.bigquery.query(text).result(timeout=PATIENCE_SECONDS)]

    def calls(self, run: str, scraper: str) -> list[dict]:
        return [
            row
            for row in self.rows("v_scraper_runs", "triggered_at", run, "dag_run_id")
            if row["scraper_name"] == scraper
        ]

    def executions(self, workflow: str, run: str) -> list[dict]:
        found = self.rows("v_workflow_executions", "execution_time", run)
        return [row for row in found if row["workflow_name"] == workflow]

    def execution(self, workflow: str, run: str) -> dict:
        [row] = self.executions(workflow, run)
        return row

    def instances(self, workflow: str, run: str) -> dict[tuple[str, int], dict]:
        path = f"dags/{workflow}/dagRuns/{run}/taskInstances"
        return {(i["task_id"], i["map_index"]): i for i in self.api.get(path, limit=100)["task_instances"]}

    def log(self, workflow: str, run: str, task: str, map_index: int = -1) -> str:
        path = f"dags/{workflow}/dagRuns/{run}/taskInstances/{task}/logs/1"
        return json.dumps(self.api.get(path, map_index=map_index))


@contextlib.contextmanager
def live_airflow(home: Path) -> Iterator[Live]:
    """Start everything under ``home``, and wait until Airflow knows all DAGs."""
    config = home / "workflows.yaml"
    # No tick falls into the tests, because a held run would block all other runs of its DAG. The DAG with a held run is
    # added later, with its tick, so the day has no earlier run of it.
    config.write_text(yaml.safe_dump(configuration(datetime.now(UTC) + timedelta(hours=6), but=[HELD])))
    box = Letterbox()
    with ScriptedService().serving() as service, box.open() as channels:
        connection = {"conn_type": "http", "host": "127.0.0.1", "port": service.port, **SERVICE}
        settings = {
            "ORCHESTRATION_CONFIG": str(config),
            "AIRFLOW_CONN_SCRAPER_SERVICE": json.dumps(connection),
            "AIRFLOW__OPERATORS__DEFAULT_DEFERRABLE": "True",
            **channels,
        }
        with Stack(home, some_ports(), on_schedule=True, settings=settings) as stack:
            running = Live(stack, service, box)
            running.api.await_dags(set(WORKFLOWS) - {HELD})
            # Airflow starts a new DAG with its latest tick. Here that is hours ago, so the run is not held.
            runs = "dags/calls/dagRuns"
            running.wait(lambda: running.api.get(runs)["total_entries"] and not running.api.unfinished(), "them")
            yield running
