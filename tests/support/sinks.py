"""Everything that a stack writes and shows, for a search for secrets."""

from __future__ import annotations

import json
import re
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

from orchestration.ui.app import app
from support.standins import PATIENCE_SECONDS

NOT_OURS = ("env.sh", "bigquery/", "airflow/airflow.db")
"""Files that are not searched: those with connections, and database files, which are read as databases."""
VIEWS = {
    "v_workflow_decisions": "decision_time",
    "v_workflow_executions": "execution_time",
    "v_scraper_runs": "triggered_at",
    "v_cleanup_operations": "cleanup_time",
    "v_expected_schedule": "locked_at",
}
COMMANDS = (
    ["health"],
    ["health", "--json"],
    ["status"],
    ["timeline"],
    ["missing"],
    ["failures"],
    ["failures", "--json"],
)


def files(home: Path) -> Iterator[tuple[str, str]]:
    """Yield the text of every file: outbox, task logs, logs of the components."""
    for path in sorted(home.rglob("*")):
        name = path.relative_to(home).as_posix()
        if path.is_file() and not name.startswith(NOT_OURS):
            kind = "task log" if "/logs/dag_id=" in name else "outbox" if name.startswith("outbox") else "file"
            yield f"{kind}: {name}", path.read_bytes().decode("utf-8", errors="replace")


def airflows_database(home: Path) -> Iterator[tuple[str, str]]:
    """Yield every row of Airflow's database: XCom, rendered fields, triggers, asset state and all other tables."""
    with sqlite3.connect(home / "airflow" / "airflow.db", timeout=60) as database:
        tables = [name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        for table in tables:
            for row in database.execute(f'SELECT * FROM "{table}"'):
                yield f"{table}", repr(row)


def rows(query: Any) -> Iterator[tuple[str, str]]:
    """Yield every row of the audit tables."""
    for view, column in VIEWS.items():
        for row in query(f"SELECT * FROM nba_orchestration.{view} WHERE DATE({column}) > DATE '2026-01-01'"):
            yield view, repr(row)


def pages(session: Any, url: str, day: date, dag_id: str, run_id: str, calls: list[tuple[str, int]]) -> Iterator[Any]:
    """Yield every page of ours about a run, from all routes."""
    offsets: set[str] = set()
    values = {"day": day.isoformat(), "dag_id": dag_id, "name": "page.js"}
    for route in sorted(app.routes, key=lambda route: route.path.count("/")):
        places = [values]
        if "{offset}" in route.path:
            places = [{**values, "offset": offset} for offset in sorted(offsets)]
        queries = [{"day": day.isoformat(), "run_id": run_id}]
        if route.path.endswith(("/call", "/file")):
            queries = [{"run_id": run_id, "task_id": task, "map_index": index} for task, index in calls]
        for place in places:
            for query in queries:
                path = route.path.format(**place)
                reply = session.get(
                    f"{url}/orchestration{path}", params=query, allow_redirects=False, timeout=PATIENCE_SECONDS
                )
                assert reply.status_code in (200, 307, 404), (path, query, reply.text[:500])
                offsets |= set(re.findall(rf"{quote(dag_id)}/(\d+)", reply.text))
                yield f"page: {route.path}", reply.text + json.dumps(dict(reply.headers))


def command_line(env: dict[str, str], day: date, scraper: str) -> Iterator[tuple[str, str]]:
    """Yield the output of our commands about a day and about a call."""
    when = ["--date", day.isoformat(), "--as-of", f"{day + timedelta(days=1)}T06:00-05:00"]
    for arguments in (*([*one, *when] for one in COMMANDS), ["check-scraper", scraper]):
        command = [sys.executable, "-m", "orchestration", *arguments]
        done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
        assert done.stdout, (arguments, done.stderr)
        yield f"command: {arguments[0]}", done.stdout + done.stderr
