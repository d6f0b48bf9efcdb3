"""make bench: the cost of a call in Airflow, compared with Airflow's plain HttpOperator.

Our calls are measured blocking, deferrable, several in a task, and with an asset event. Wall time is from the start of
the first call to the end of the last one. CPU time is that of the scheduler with its executor and tasks, the tasks' API
and the triggerer. The BigQuery emulator uses the same cores, so its CPU time is shown too. Run it on a quiet machine.

BENCH_CALLS: number of short calls (500). BENCH_PER_TASK: calls in a task (50). BENCH_ONLY: measure only DAGs whose name
contains this text. BENCH_RUNS: how often each DAG is measured (3).
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Collection
from datetime import UTC, datetime
from math import ceil
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / folder) for folder in ("plugins", "include", "tests", "bench")]

import psutil
import yaml
from figures import RUNS, keep, median

from sandbox.airflow_api import AirflowApi
from sandbox.stack import Ports, Stack
from support.ports import free_ports
from support.scripted import Request, ScriptedService, found

MANY = int(os.environ.get("BENCH_CALLS", "500"))
PER_TASK = int(os.environ.get("BENCH_PER_TASK", "50"))
ONLY = os.environ.get("BENCH_ONLY", "")
LOADS = {"slow": (30, 2.0), "many": (MANY, 0.1)}
MODES = {"blocking": False, "deferrable": True}
BATCH, ASSET = "batch", "asset"
"""Two more modes of our calls: several calls in one task, and blocking calls with asset events."""
RUN_TASKS = ("scheduler", "execution-api", "triggerer")
AS_OF = datetime(2026, 1, 14, 15, tzinfo=UTC)


def configuration() -> dict[str, Any]:
    """Return a workflow for each load and mode: an event source, and a scraper called for each of its events."""
    scrapers: dict[str, Any] = {}
    workflows: dict[str, Any] = {}
    for load, (count, seconds) in LOADS.items():
        for mode in (*MODES, BATCH, ASSET):
            events, call, name = f"events_{load}_{mode}", f"call_{load}_{mode}", f"ours_{load}_{mode}"
            scrapers[events] = {"for_each": "nothing", "parameters": {"count": count}, "deferrable": False}
            scrapers[call] = {
                "for_each": "event",
                "depends_on": [events],
                "parameters": {"event_id": "{{ event_id }}", "seconds": seconds},
                **({"calls_per_task": PER_TASK} if mode == BATCH else {"deferrable": MODES.get(mode, False)}),
                **({"processed_in": "nba_raw.nbac_team_boxscore"} if mode == ASSET else {}),
            }
            workflows[name] = {
                "decision_type": "self_aware",
                "priority": "HIGH",
                "schedule": {"ideal_window": {"start_hour": 0, "end_hour": 24}},
                "execution_plan": {"scrapers": [events, call], "type": "parallel"},
            }
    return {"version": "1", "scrapers": scrapers, "workflows": workflows, "settings": {"execution_delay_minutes": 0}}


def answer(request: Request, _: int) -> tuple[int, dict[str, Any]]:
    """Answer after the request's ``seconds``, with ``count`` events."""
    threading.Event().wait(request.get("seconds", 0))
    return found(1, event_ids=[str(n) for n in range(request.get("count", 0))])


class AnyScraper(dict[str, Any]):
    """The same answer for every scraper."""

    def get(self, *_: Any) -> Any:
        """Return the answer."""
        return answer


def cpu_seconds(stack: Stack, parts: Collection[str] = RUN_TASKS) -> float:
    """Return the CPU seconds that these processes have used, including their ended children."""
    total = 0.0
    for name in parts:
        parent = psutil.Process(stack.processes[name].pid)
        for process in (parent, *parent.children(recursive=True)):
            try:
                used = process.cpu_times()
            except psutil.Error:
                continue
            total += used.user + used.system + used.children_user + used.children_system
    return total


def moment(text: str) -> datetime:
    """Return a time of Airflow's API as an aware moment."""
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


def measure(stack: Stack, api: AirflowApi, dag: str, task: str, count: int, per_task: int = 1) -> dict[str, float]:
    """Run ``dag`` once with ``per_task`` calls in each task. Print and return the cost of its calls."""
    api.session.delete(f"{stack.url}/api/v2/dags/{dag}/dagRuns/replay__{AS_OF.isoformat()}")
    before, emulated = cpu_seconds(stack), cpu_seconds(stack, ["bigquery"])
    run = api.trigger(dag, AS_OF, force=True)
    path = f"dags/{dag}/dagRuns/{run}"
    while api.get(path)["state"] not in ("success", "failed"):
        stack.check()
        time.sleep(0.25)
    cpu, emulated = cpu_seconds(stack) - before, cpu_seconds(stack, ["bigquery"]) - emulated
    state = api.get(path)
    calls: list[dict[str, Any]] = []
    while len(calls) < ceil(count / per_task):
        calls += api.get(f"{path}/taskInstances", task_id=task, limit=100, offset=len(calls))["task_instances"]
    failed = sum(call["state"] != "success" for call in calls)
    again = sum(call["try_number"] > 1 for call in calls)
    first = min(moment(call["start_date"]) for call in calls)
    wall = (max(moment(call["end_date"]) for call in calls) - first).total_seconds()
    run_wall = (moment(state["end_date"]) - moment(state["start_date"])).total_seconds()
    print(
        f"{dag:24} {count:5} calls  {wall:7.1f} s  {wall / count:6.3f} s/call  {cpu / count:6.3f} CPU s/call"
        f"   whole run {run_wall:6.1f} s{f', {failed} FAILED' * bool(failed)}{f', {again} retried' * bool(again)}",
        flush=True,
    )
    return {
        "seconds": wall,
        "CPU seconds a call": cpu / count,
        "the emulator's": emulated / count,
        "whole run, seconds": run_wall,
        "failed": failed,
    }


def medians(taken: dict[str, list[dict[str, float]]]) -> dict[str, dict[str, float]]:
    """Return the medians of each DAG, and the ratio to the plain operator in the same mode."""
    found = {dag: {key: median(one[key] for one in runs) for key in runs[0]} for dag, runs in taken.items()}
    for dag, figures in found.items():
        mode = dag.rpartition("_")[2]
        plain = found.get(dag.replace("ours", "plain").replace(mode, mode if mode in MODES else "blocking"))
        if plain and dag.startswith("ours"):
            figures["times the plain operator"] = round(figures["seconds"] / plain["seconds"], 2)
    return found


def main() -> None:
    """Start Airflow with both kinds of DAGs, and measure one DAG after the other."""
    home = Path(tempfile.mkdtemp(prefix="bench-"))
    dags = home / "dags"
    dags.mkdir()
    shutil.copy(ROOT / "dags" / "workflows.py", dags)
    shutil.copy(ROOT / "bench" / "plain.py", dags)
    (home / "workflows.yaml").write_text(yaml.safe_dump(configuration()))
    plain = [(f"plain_{load}_{mode}", *LOADS[load], MODES[mode]) for load in LOADS for mode in MODES]
    names = ("api", "execution", "bigquery", "bigquery_grpc", "scrapers", "pubsub")
    ports = Ports(**dict(zip(names, free_ports(6), strict=True)))
    with ScriptedService().serving() as service:
        service.answers = AnyScraper()
        settings = {
            "ORCHESTRATION_CONFIG": str(home / "workflows.yaml"),
            "AIRFLOW_CONN_SCRAPER_SERVICE": json.dumps(
                {"conn_type": "http", "host": "127.0.0.1", "port": service.port}
            ),
            "AIRFLOW__CORE__DAGS_FOLDER": str(dags),
            # Airflow's own default. The embedded stack uses less to save memory.
            "AIRFLOW__CORE__PARALLELISM": "32",
            "AIRFLOW__CORE__MAX_ACTIVE_TASKS_PER_DAG": "32",
            "BENCH_PLAIN": json.dumps(plain),
        }
        with Stack(home, ports, settings=settings, report=lambda _: None) as stack:
            api = AirflowApi(stack.url)
            api.await_dags([*(name for name, *_ in plain), *configuration()["workflows"]])
            # A first run that is not counted, because it includes the imports.
            measure(stack, api, "ours_slow_blocking", "call_slow_blocking", LOADS["slow"][0])
            taken: dict[str, list[dict[str, float]]] = defaultdict(list)
            for _ in range(RUNS):
                for load, (count, _seconds) in LOADS.items():
                    measures = [
                        *((f"{whose}_{load}_{mode}", 1) for mode in MODES for whose in ("plain", "ours")),
                        (f"ours_{load}_{ASSET}", 1),
                        (f"ours_{load}_{BATCH}", PER_TASK),
                    ]
                    for dag, per_task in measures:
                        if ONLY in dag:
                            task = "call" if dag.startswith("plain") else dag.replace("ours", "call")
                            taken[dag].append(measure(stack, api, dag, task, count, per_task))
    shutil.rmtree(home, ignore_errors=True)
    keep({"runs": RUNS, "loads": LOADS, "calls in a task": PER_TASK, "calls": medians(taken)})


if __name__ == "__main__":
    main()
