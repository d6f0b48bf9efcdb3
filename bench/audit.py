"""make bench: the cost of the audit with the BigQuery emulator. BENCH_ROWS: rows of a backlog (10,000)."""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / folder) for folder in ("plugins", "include", "tests", "bench")]
os.environ["AIRFLOW_HOME"] = tempfile.mkdtemp(prefix="bench-")

from figures import RUNS, keep, measured, median

from orchestration.audit.inputs import decision_inputs
from orchestration.audit.outbox import Outbox
from orchestration.audit.warehouse import Warehouse
from orchestration.config import load
from support.rows import a_decision
from support.standins import GoogleStandIns

ROWS = int(os.environ.get("BENCH_ROWS", "10000"))
TICK = datetime(2026, 1, 14, 18, tzinfo=UTC)
TASKS = 50


def requests_of_a_decision() -> dict[str, object]:
    """Return the number of BigQuery requests of one decision, and the time of its query."""
    config = load(ROOT / "config" / "workflows.yaml").config
    warehouse = Warehouse(config.settings)
    sent: Counter[str] = Counter()
    send = warehouse.client._connection.api_request

    def counted(*arguments: Any, **keywords: Any) -> Any:
        sent[keywords["method"]] += 1
        return send(*arguments, **keywords)

    warehouse.client._connection.api_request = counted
    taken, _ = measured(time.perf_counter, lambda: decision_inputs(warehouse, config, ["betting_lines"], TICK))
    of_query = {method: count / RUNS for method, count in sent.items()}
    sent.clear()
    warehouse.append("workflow_decisions", [a_decision(decision_id="counted").to_json()])
    return {
        "a decision's query, ms": round(taken * 1000),
        "requests of a decision's query": sum(of_query.values()),
        "requests of a decision's append": sum(sent.values()),
    }


def main() -> None:
    """Measure the drain of a backlog, and stage and append of single tasks."""
    staging, draining, stages, appends = [], [], [], []
    with GoogleStandIns(), tempfile.TemporaryDirectory() as folder:
        deciding = requests_of_a_decision()
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
            # A task has its own client, as here, but inherits the imported modules.
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
    keep({**figures, **deciding})


if __name__ == "__main__":
    main()
