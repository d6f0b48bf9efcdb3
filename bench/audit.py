"""make bench: what the audit costs, against the BigQuery emulator. Run it on a quiet machine."""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / folder) for folder in ("plugins", "include", "tests")]
os.environ["AIRFLOW_HOME"] = tempfile.mkdtemp(prefix="bench-")

from orchestration.audit.outbox import Outbox
from orchestration.audit.warehouse import Warehouse
from support.rows import a_decision
from support.standins import GoogleStandIns

ROWS = 10_000
TASKS = 50


def main() -> None:
    """Measure a backlog of rows, and the stage and append of single tasks."""
    with GoogleStandIns(), tempfile.TemporaryDirectory() as folder:
        outbox = Outbox(f"file://{folder}/outbox", Warehouse())
        start = time.perf_counter()
        outbox.stage(a_decision(decision_id=str(number)) for number in range(ROWS))
        staged = time.perf_counter()
        outbox.drain()
        drained = time.perf_counter()
        print(f"outbox: {ROWS:,} rows staged, {ROWS / (staged - start):,.0f} rows/s")
        print(f"outbox: {ROWS:,} rows drained, {ROWS / (drained - staged):,.0f} rows/s")
        stages, appends = [], []
        for number in range(TASKS):
            # A task has a client of its own, as here; what it imports it inherits.
            its_own = Outbox(f"file://{folder}/outbox", Warehouse())
            start = time.perf_counter()
            names = its_own.stage([a_decision(decision_id=f"task {number}")])
            staged = time.perf_counter()
            its_own.append("workflow_decisions", names)
            stages.append(staged - start)
            appends.append(time.perf_counter() - staged)
        for what, seconds in (("stage, before the task's success", stages), ("append, after it", appends)):
            worst = sorted(seconds)[int(len(seconds) * 0.95)]
            print(f"a task: {what:34} median {statistics.median(seconds) * 1000:6.1f} ms, 95 % {worst * 1000:6.1f} ms")


if __name__ == "__main__":
    main()
