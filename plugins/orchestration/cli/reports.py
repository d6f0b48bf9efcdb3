"""``timeline``, ``missing`` and ``failures``: what the reports in BigQuery say, on one screen or as JSON."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

from orchestration.config import load
from orchestration.nba.eastern import clock, et

Row = dict[str, Any]
WIDTH = 79


def run_timeline(day: date | None, as_of: datetime | None, *, as_json: bool) -> int:
    """Print the day's decisions in order; SKIPs are counted. Returns 0, or 3 when unknown."""
    return _report(day, as_of, as_json, lambda ask, first, _: (ask("timeline", first, first), _timeline, 0))


def run_missing(day: date | None, as_of: datetime | None, *, as_json: bool) -> int:
    """Print expected runs that are late or missing and RUNs without execution. Returns 0 for none, 1 for some, or 3."""

    def report(ask: Callable[..., list[Row]], first: date, seen_at: datetime) -> tuple[list[Row], Any, int]:
        expected = ask("expected_runs", first, first, seen_at=seen_at)
        rows = [row for row in expected if row["state"] in ("MISSING", "LATE")]
        rows += [{**row, "state": "NOT EXECUTED"} for row in ask("unexecuted_runs", first, first, seen_at=seen_at)]
        return rows, _missing, int(any(row["state"] != "LATE" for row in rows))

    return _report(day, as_of, as_json, report, needs_lock=True)


def run_failures(day: date | None, days: int, as_of: datetime | None, *, as_json: bool) -> int:
    """Print the scrapers with failed tries in the ``days`` up to ``day``. Returns 0 for none, 1 for some, or 3."""

    def report(ask: Callable[..., list[Row]], last: date, _: datetime) -> tuple[list[Row], Any, int]:
        rows = ask("failing_scrapers", last - timedelta(days=days - 1), last)
        return rows, _failures, int(any(row["failed"] for row in rows))

    return _report(day, as_of, as_json, report, days=days)


def _report(
    day: date | None,
    as_of: datetime | None,
    as_json: bool,
    report: Callable[..., Any],
    *,
    days: int = 1,
    needs_lock: bool = False,
) -> int:
    """Print what ``report`` finds. Where what it rests on is not there, say so: finding nothing means nothing then."""
    from orchestration.audit.statements import statement
    from orchestration.audit.warehouse import Warehouse, WarehouseError

    now = as_of or datetime.now(UTC)
    config = load().config
    day = day or config.current_day(now)
    warehouse = Warehouse(config.settings)

    def ask(name: str, first: date, last: date, **more: Any) -> list[Row]:
        return warehouse.query(statement(name), {"first_date": first, "last_date": last, **more})

    try:
        rows, show, code = report(ask, day, now)
        absent = absent_basis(ask("basis", day - timedelta(days=days - 1), day)[0], needs_lock=needs_lock)
    except WarehouseError as error:
        print(f"unknown: {error}\n  next: check the connection google_cloud_default", file=sys.stderr)
        return 3
    if as_json:
        print(json.dumps({"date": day.isoformat(), "absent": absent, "rows": rows}, default=str, indent=2))
    else:
        print(f"{day:%a %d %b %Y}, seen at {et(now):%a %d %b %H:%M} ET")
        for text in absent:
            print(f"unknown: {text}")
        for line in show(rows) if rows or not absent else ():
            print(line[:WIDTH])
    return 3 if absent and not code else int(code)


def absent_basis(basis: Row, *, needs_lock: bool = False) -> list[str]:
    """Return what a report rests on that is not there, from ``queries/basis.sql``.

    A day on which every decision is SKIP, as in a halt, has an empty lock, and that one is nothing unknown.
    """
    absent = []
    if not basis["decisions"]:
        absent.append("no decision was made: did Airflow run? (quick_health_check.sh)")
    if needs_lock and not basis["expected"] and (basis["runs"] or not basis["decisions"]):
        absent.append("no run was locked, so none counts as missing (schedule_locker)")
    return absent


def _timeline(rows: list[Row]) -> list[str]:
    lines = []
    for tick in sorted({row["slot_time"] for row in rows}):
        here = [row for row in rows if row["slot_time"] == tick]
        for row in here:
            if row["action"] == "SKIP":
                continue
            calls = f"{row['success']} with data, {row['no_data']} empty, {row['failed_tries']} failed tries"
            lines.append(f"{clock(tick)} {row['action']:5} {row['workflow_name']:22} {row['execution_status'] or '-'}")
            lines.append(f"            {row['reason']}")
            if row["action"] == "RUN":
                lines.append(f"            {calls}{'; ' + row['execution_error'] if row['execution_error'] else ''}")
        if skipped := sum(row["action"] == "SKIP" for row in here):
            lines.append(f"{clock(tick)} SKIP  {skipped} workflows")
    return lines or ["No decision was made."]


def _missing(rows: list[Row]) -> list[str]:
    lines = []
    for row in rows:
        tick = row.get("expected_run_time") or row["slot_time"]
        lines.append(f"{clock(tick)} {row['state']:12} {row['workflow_name']}")
        lines.append(f"      {row.get('reason') or 'no decision was made'}")
        lines.append(f"      next: airflow dags list-runs {row['workflow_name']}")
    return lines or ["Nothing is missing."]


def _failures(rows: list[Row]) -> list[str]:
    lines = []
    for row in rows:
        tries = f"{row['failed']} failed, {row['failed_tries']} failed tries"
        lines.append(f"{row['scraper_name']:26} {row['calls']:4} calls, {tries}")
        kinds = [f"{row[kind]} {kind}" for kind in ("blocked", "timeouts") if row[kind]]
        lines.append(f"      {', '.join(kinds)}{': ' if kinds else ''}{row['sample_error']}")
    return lines or ["No try failed."]
