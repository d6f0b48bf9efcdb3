"""make bench: many workflows at one tick on SQLite, on PostgreSQL and on Celery.

The runs wait in paused DAGs until all DAGs are unpaused at one moment. Each run decides SKIP and writes its row. Each
form runs eight tasks at a time. From 500 workflows on, the settings are those that the page Scale recommends. Each form
runs once; the report shows medians over its decisions.

BENCH_FORMS: the forms with their numbers of workflows (sqlite:200 postgres:200 celery:200 celery:1000).
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / folder) for folder in ("plugins", "include", "tests", "bench")]

import yaml
from calls import cpu_seconds, moment
from figures import keep

from sandbox.airflow_api import AirflowApi
from sandbox.cluster import Cluster, ClusterPorts
from sandbox.stack import Ports, Stack
from support.ports import free_ports

FORMS = "sqlite:200 postgres:200 celery:200 celery:1000"
AT_A_TIME = 8
TICK = datetime(2026, 1, 14, 17, tzinfo=UTC)
LONGEST_SECONDS = 900
MANY = 500
SETTINGS_OF_MANY = {
    "AIRFLOW__DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": "300",
    "AIRFLOW__SCHEDULER__MAX_DAGRUNS_PER_LOOP_TO_SCHEDULE": "100",
    "AIRFLOW__SCHEDULER__MAX_TIS_PER_QUERY": "100",
}
PAGE = 2000
CONNECTIONS = "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'"
STANDINS = ("postgres", "redis", "bigquery", "sandbox")


def configuration(count: int) -> dict[str, Any]:
    """Return a configuration with ``count`` workflows. None of them is due at the tick."""
    scrapers = {"espn_roster": {"for_each": "nothing", "parameters": {}}}
    workflow = {
        "decision_type": "self_aware",
        "priority": "HIGH",
        "schedule": {"ideal_window": {"start_hour": 20, "end_hour": 23}},
        "execution_plan": {"scrapers": ["espn_roster"], "type": "parallel"},
    }
    return {"version": "1", "scrapers": scrapers, "workflows": {f"evening_{n}": dict(workflow) for n in range(count)}}


def stack_of(form: str, home: Path, count: int) -> Stack:
    """Return the stack of a form, with eight tasks at a time."""
    settings = {
        "ORCHESTRATION_CONFIG": str(home / "workflows.yaml"),
        "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "True",
        "AIRFLOW__API__MAXIMUM_PAGE_LIMIT": str(PAGE),
        "AIRFLOW__LOGGING__WORKER_LOG_SERVER_PORT": str(free_ports(1)[0]),
        **(SETTINGS_OF_MANY if count >= MANY else {}),
    }
    if form != "celery":  # Celery's workers limit the number of tasks themselves
        settings["AIRFLOW__CORE__PARALLELISM"] = str(AT_A_TIME)
    names = ["api", "execution", "bigquery", "bigquery_grpc", "scrapers", "pubsub"]
    if form == "sqlite":
        return Stack(
            home, Ports(**dict(zip(names, free_ports(6), strict=True))), settings=settings, report=lambda _: None
        )
    names += ["postgres", "redis", "health"]
    ports = ClusterPorts(**dict(zip(names, free_ports(9), strict=True)))
    if form == "postgres":
        settings["AIRFLOW__CORE__EXECUTOR"] = "LocalExecutor"
    workers = 2 if form == "celery" else 0
    return Cluster(home, ports, settings=settings, report=lambda _: None, workers=workers, slots=AT_A_TIME // 2)


def decided(api: AirflowApi) -> list[datetime]:
    """Return the moments at which the decisions were written."""
    found = api.get("dags/~/dagRuns/~/taskInstances", task_id="decide", state="success", limit=PAGE)["task_instances"]
    return [moment(one["end_date"]) for one in found]


def total(api: AirflowApi, path: str) -> int:
    """Return the number of items in a listing."""
    return int(api.get(path, limit=1)["total_entries"])


def measure(form: str, count: int) -> dict[str, Any]:
    """Start one form, let all workflows tick once, and return the figures."""
    home = Path(tempfile.mkdtemp(prefix="bench-"))
    (home / "workflows.yaml").write_text(yaml.safe_dump(configuration(count)))
    with stack_of(form, home, count) as stack:
        api, started = AirflowApi(stack.url, stack.login), time.monotonic()
        # Airflow finds all DAGs at once, then writes them one by one, including our DAGs that are not workflows.
        while (listed := total(api, "dags")) <= count or total(api, "dags/~/dagVersions") < listed:
            stack.check()
            if time.monotonic() - started > LONGEST_SECONDS:
                raise TimeoutError(f"not all of {count} DAGs are there after {LONGEST_SECONDS} s")
            time.sleep(1)
        there = time.monotonic() - started
        parsed = float(api.get("dags/evening_0")["last_parse_duration"])
        for number in range(count):
            api.trigger(f"evening_{number}", TICK)
        parts = stack.processes.keys() - set(STANDINS)
        before, start = cpu_seconds(stack, parts), datetime.now(UTC)
        switched = {"params": {"dag_id_pattern": "evening_%"}, "json": {"is_paused": False}}
        api.session.patch(f"{stack.url}/api/v2/dags", **switched).raise_for_status()
        connections, times = 0, decided(api)
        while len(times) < count and (datetime.now(UTC) - start).total_seconds() < LONGEST_SECONDS:
            stack.check()
            if isinstance(stack, Cluster):
                connections = max(connections, int(stack.ask(CONNECTIONS)[0][0]))
            time.sleep(1)
            times = decided(api)
        used = cpu_seconds(stack, parts) - before
    shutil.rmtree(home, ignore_errors=True)
    seconds = sorted((one - start).total_seconds() for one in times)
    return {
        "decided": len(seconds),
        "half of them after, s": round(median(seconds), 1),
        "95 % of them after, s": round(seconds[int(len(seconds) * 0.95)], 1),
        "the last after, s": round(seconds[-1], 1),
        "decisions a second": round(len(seconds) / seconds[-1], 2),
        "Airflow's CPU s for each": round(used / len(seconds), 3),
        "connections to PostgreSQL, at most": connections or None,
        "the DAG file is parsed in, s": round(parsed, 2),
        "all DAGs can run after, s": round(there, 1),
    }


def main() -> None:
    """Measure the forms."""
    figures: dict[str, Any] = {"tasks at a time": AT_A_TIME, "forms": {}}
    for one in os.environ.get("BENCH_FORMS", FORMS).split():
        form, count = one.split(":")
        figures["forms"][f"{form}, {int(count):,} workflows"] = figures_of = measure(form, int(count))
        print(one, figures_of, flush=True)
    keep(figures)


if __name__ == "__main__":
    main()
