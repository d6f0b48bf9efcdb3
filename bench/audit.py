"""make bench: what the audit costs, against the BigQuery emulator."""

from __future__ import annotations

import os
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / folder) for folder in ("plugins", "include", "tests", "bench")]
os.environ["AIRFLOW_HOME"] = tempfile.mkdtemp(prefix="bench-")

from figures import RUNS, keep, median

from orchestration.audit.outbox import Outbox
from orchestration.audit.warehouse import Warehouse
from support.rows import a_decision
from support.standins import GoogleStandIns

ROWS = 10_000
TASKS = 50


def main() -> None:
    """Measure a backlog of rows, and the stage and append of single tasks."""
    staging, draining, stages, appends = [], [], [], []
    with GoogleStandIns(), tempfile.TemporaryDirectory() as folder:
        for run in range(RUNS):
            outbox = Outbox(f"file://{folder}/outbox", Warehouse())
            start = time.perf_counter()
            outbox.stage(a_decision(decision_id=f"{run} {number}") for number in range(ROWS))
            staged = time.perf_counter()
            outbox.drain()
            drained = time.perf_counter()
            staging.append(ROWS / (staged - start))
            draining.append(ROWS / (drained - staged))
        for number in range(TASKS):
            # A task has a client of its own, as here; what it imports it inherits.
            its_own = Outbox(f"file://{folder}/outbox", Warehouse())
            start = time.perf_counter()
            names = its_own.stage([a_decision(decision_id=f"task {number}")])
            staged = time.perf_counter()
            its_own.append("workflow_decisions", names)
            stages.append((staged - start) * 1000)
            appends.append((time.perf_counter() - staged) * 1000)
    figures: dict[str, object] = {
        "runs": RUNS,
        "rows of a backlog": ROWS,
        "rows staged a second": round(median(staging)),
        "rows drained a second": round(median(draining)),
    }
    for what, taken in (("stage, before a task's success", stages), ("append, after it", appends)):
        figures[f"{what}: median, ms"] = median(taken)
        figures[f"{what}: 95 %, ms"] = median([sorted(taken)[int(len(taken) * 0.95)]])
    keep(figures)


if __name__ == "__main__":
    main()
