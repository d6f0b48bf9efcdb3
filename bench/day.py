"""make bench: a game day from tick to row on the embedded stack.

It measures the time from tick to decision, from decision to first call, and from last call to the execution's row. The
times are those of Airflow's runs and tasks. A tick begins with the start of its run. The delay before the calls
(``execution_delay_minutes``) takes no time here. BENCH_GAMES: games of the day (12).
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / folder) for folder in ("plugins", "include", "tests", "bench")]
os.environ["AIRFLOW_HOME"] = tempfile.mkdtemp(prefix="bench-")

from calls import moment
from figures import keep, median
from rich.console import Console

from sandbox.airflow_api import AirflowApi
from sandbox.day import Day, moments
from sandbox.demo import DEFAULT_DAY
from sandbox.stack import Stack
from support.days import some_ports

GAMES = int(os.environ.get("BENCH_GAMES", "12"))
NO_CALLS = {"decide", "hold", "skip", "abort", "finish", "tell_tables"}
"""Tasks of a workflow's run that make no call."""


def pages(api: AirflowApi, path: str, key: str) -> list[dict[str, Any]]:
    """Return every item of a listing."""
    found: list[dict[str, Any]] = []
    while more := api.get(path, limit=100, offset=len(found))[key]:
        found += more
    return found


def seconds_of_runs(runs: list[dict[str, Any]], tasks: list[dict[str, Any]]) -> dict[str, list[float]]:
    """Return the seconds of each stretch, for all runs that have it."""
    of_run: dict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
    for task in tasks:
        if task["end_date"]:
            of_run[task["dag_id"], task["dag_run_id"]].append(task)
    found: dict[str, list[float]] = defaultdict(list)
    for run in runs:
        there = of_run[run["dag_id"], run["dag_run_id"]]
        ends = {task["task_id"]: moment(task["end_date"]) for task in there}
        if "decide" not in ends:
            continue  # a run of the locker or of the cleanup
        tick = moment(run["queued_at"])
        found["tick to decision"].append((ends["decide"] - tick).total_seconds())
        called = [task for task in there if task["task_id"] not in NO_CALLS and task["state"] in ("success", "failed")]
        if called and "finish" in ends:
            first = min(moment(task["start_date"]) for task in called)
            last = max(moment(task["end_date"]) for task in called)
            found["decision to first call"].append((first - ends["decide"]).total_seconds())
            found["first call to last"].append((last - first).total_seconds())
            found["last call to execution's row"].append((ends["finish"] - last).total_seconds())
            found["tick to execution's row"].append((ends["finish"] - tick).total_seconds())
    return found


def main() -> None:
    """Play the day. Print median and 95th percentile of each stretch."""
    home = Path(tempfile.mkdtemp(prefix="bench-"))
    timeline = moments(DEFAULT_DAY)
    with Stack(home, some_ports(), games=GAMES, report=lambda _: None) as stack:
        player = Day(stack, Console(quiet=True))
        player.api.await_dags({dag for dags in timeline.values() for dag in dags}, 300)
        began = time.monotonic()
        player.play(timeline)
        took = time.monotonic() - began
        runs = pages(player.api, "dags/~/dagRuns", "dag_runs")
        tasks = pages(player.api, "dags/~/dagRuns/~/taskInstances", "task_instances")
    shutil.rmtree(home, ignore_errors=True)
    figures: dict[str, Any] = {"games": GAMES, "the whole day, s": round(took), "task instances": len(tasks)}
    for stretch, taken in seconds_of_runs(runs, tasks).items():
        figures[f"{stretch}: runs"] = len(taken)
        figures[f"{stretch}: median, s"] = median(taken)
        figures[f"{stretch}: 95 %, s"] = median([sorted(taken)[int(len(taken) * 0.95)]])
    keep(figures)


if __name__ == "__main__":
    main()
