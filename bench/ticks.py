"""make bench: many workflows at one tick on the embedded stack: when the last has decided, and what BigQuery is asked.

The workflows decide SKIP, so that what is measured is deciding. Between the tasks and the BigQuery emulator stands what
counts requests. BENCH_WORKFLOWS: how many (200); BENCH_PARALLELISM: tasks at once (8, as the embedded stack has it).
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
import threading
import time
from collections import Counter
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / folder) for folder in ("plugins", "include", "tests", "bench")]

import requests
import yaml
from calls import cpu_seconds, moment
from figures import keep, median

from sandbox.airflow_api import AirflowApi
from sandbox.stack import Ports, Stack
from support.standins import free_ports

WORKFLOWS = int(os.environ.get("BENCH_WORKFLOWS", "200"))
PARALLELISM = os.environ.get("BENCH_PARALLELISM", "8")
AS_OF = datetime(2026, 1, 14, 15, tzinfo=UTC)
LONGEST_SECONDS = 900


def configuration() -> dict[str, Any]:
    """Return workflows that are not due yet at the tick."""
    workflow = {
        "decision_type": "self_aware",
        "priority": "HIGH",
        "schedule": {"ideal_window": {"start_hour": 20, "end_hour": 22}},
        "execution_plan": {"scrapers": ["one"], "type": "parallel"},
    }
    names = [f"workflow_{number:04}" for number in range(WORKFLOWS)]
    return {
        "version": "1",
        "scrapers": {"one": {"for_each": "nothing", "parameters": {}}},
        "workflows": dict.fromkeys(names, workflow),
    }


class Counting(BaseHTTPRequestHandler):
    """Hands each request on to the emulator, and counts it by what it asks for."""

    target = ""
    counts: ClassVar[Counter[str]] = Counter()
    protocol_version = "HTTP/1.1"
    timeout = 60

    def handed_on(self) -> None:
        """Hand the request on and count it."""
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        path = self.path.partition("?")[0]
        kind = next((word for word in ("insertAll", "queries", "jobs") if word in path), "other")
        self.counts[f"{self.command} {kind}"] += 1
        headers = {key: value for key, value in self.headers.items() if key.lower() not in ("host", "content-length")}
        reply = requests.request(self.command, f"{self.target}{self.path}", data=body, headers=headers, timeout=60)
        self.send_response(reply.status_code)
        self.send_header("Content-Type", reply.headers.get("Content-Type", "application/json"))
        self.send_header("Content-Length", str(len(reply.content)))
        self.end_headers()
        self.wfile.write(reply.content)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = handed_on

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


def pages(api: AirflowApi, path: str, key: str, **parameters: Any) -> list[dict[str, Any]]:
    """Return every item of a listing."""
    found: list[dict[str, Any]] = []
    while True:
        answer = api.get(path, limit=100, offset=len(found), **parameters)
        found += answer[key]
        if len(found) >= answer["total_entries"] or not answer[key]:
            return found


def main() -> None:
    """Start every workflow's run of one tick and wait until each has decided."""
    home = Path(tempfile.mkdtemp(prefix="bench-"))
    (home / "workflows.yaml").write_text(yaml.dump(configuration()))
    names = ("api", "execution", "bigquery", "bigquery_grpc", "scrapers", "pubsub")
    *of_stack, between = free_ports(7)
    ports = Ports(**dict(zip(names, of_stack, strict=True)))
    Counting.target = f"http://127.0.0.1:{ports.bigquery}"
    server = ThreadingHTTPServer(("127.0.0.1", between), Counting)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    settings = {
        "ORCHESTRATION_CONFIG": str(home / "workflows.yaml"),
        "BIGQUERY_EMULATOR_HOST": f"http://127.0.0.1:{between}",
        "AIRFLOW__CORE__PARALLELISM": PARALLELISM,
    }
    with Stack(home, ports, settings=settings, tell=lambda _: None) as stack:
        api = AirflowApi(stack.url)
        began, wanted = time.monotonic(), set(configuration()["workflows"])
        while not wanted <= {dag["dag_id"] for dag in pages(api, "dags", "dags")}:
            stack.check()
            if time.monotonic() - began > LONGEST_SECONDS:
                raise TimeoutError(f"not every DAG is known after {LONGEST_SECONDS} s")
            time.sleep(0.5)
        known = time.monotonic() - began
        # All runs wait behind a pause, so that they begin together.
        for name in sorted(wanted):
            api.session.patch(f"{stack.url}/api/v2/dags/{name}", json={"is_paused": True}, timeout=90)
        for name in sorted(wanted):
            api.trigger(name, AS_OF)
        Counting.counts.clear()
        before = cpu_seconds(stack)
        start = datetime.now(UTC)
        together = {"dag_id_pattern": "workflow_%", "limit": 1000}
        api.session.patch(f"{stack.url}/api/v2/dags", params=together, json={"is_paused": False}, timeout=90)
        began = time.monotonic()
        deciding = "dags/~/dagRuns/~/taskInstances"
        while api.get(deciding, task_id="decide", state="success", limit=1)["total_entries"] < WORKFLOWS:
            stack.check()
            if time.monotonic() - began > LONGEST_SECONDS:
                raise TimeoutError(f"not every workflow has decided after {LONGEST_SECONDS} s")
            time.sleep(1)
        cpu = cpu_seconds(stack) - before
        decided = pages(api, deciding, "task_instances", task_id="decide")
        # What one task does after its success, its append, is over with the next.
        time.sleep(5)
        asked = dict(sorted(Counting.counts.items()))
    server.shutdown()
    ends = sorted((moment(task["end_date"]) - start).total_seconds() for task in decided)
    took = [task["duration"] for task in decided]
    shutil.rmtree(home, ignore_errors=True)
    keep(
        {
            "workflows at one tick": WORKFLOWS,
            "tasks at once": int(PARALLELISM),
            "until all DAGs are known, s": round(known, 1),
            "until half have decided, s": round(ends[len(ends) // 2], 1),
            "until 95 % have decided, s": round(ends[int(len(ends) * 0.95)], 1),
            "until the last has decided, s": round(ends[-1], 1),
            "decisions a second": round(WORKFLOWS / ends[-1], 2),
            "one decide task, median s": median(took),
            "CPU s a decision, scheduler with tasks and their API": round(cpu / WORKFLOWS, 2),
            "requests to BigQuery": json.dumps(asked),
            "requests to BigQuery a decision": round(sum(asked.values()) / WORKFLOWS, 2),
        }
    )


if __name__ == "__main__":
    main()
