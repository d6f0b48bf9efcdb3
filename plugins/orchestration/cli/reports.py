"""``timeline``, ``missing``, ``failures`` and ``reconcile``: a day as BigQuery recorded it."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from itertools import groupby
from typing import Annotated, Any

import typer
from rich.console import Group

from orchestration.audit.statements import statement
from orchestration.audit.warehouse import Warehouse
from orchestration.cleanup.makeup_inputs import find_makeups
from orchestration.cli.app import LAST_NIGHT, AsJson, AsOf, Day, command, days_option
from orchestration.cli.screen import grid, show, show_object, unknown, wrapped
from orchestration.config import Config, load
from orchestration.errors import UserError
from orchestration.nba.eastern import clock, et
from orchestration.words import Action, ExitCode, plural

NEXT = "bin/orchestration/quick_health_check.sh"

Row = dict[str, Any]


@command("timeline", LAST_NIGHT, "--date 2026-01-14")
def timeline(day: Day = None, as_of: AsOf = None, as_json: AsJson = False) -> int:
    """Show the day's decisions, executions and calls in order."""
    asked = _Asked(day, as_of)
    return asked.report(asked.rows("timeline"), _timeline, as_json=as_json)


@command("missing", LAST_NIGHT, "--date 2026-01-14", "--as-of 2026-01-14T19:00-05:00")
def missing(day: Day = None, as_of: AsOf = None, as_json: AsJson = False) -> int:
    """Show expected runs that are late or did not happen.

    A RUN decision without an execution is shown as NOT EXECUTED.
    """
    asked = _Asked(day, as_of)
    seen = {"seen_at": asked.now}
    rows = [row for row in asked.rows("expected_runs", **seen) if row["state"] in ("MISSING", "LATE")]
    rows += [{**row, "state": "NOT EXECUTED"} for row in asked.rows("unexecuted_runs", **seen)]
    found = any(row["state"] != "LATE" for row in rows)
    return asked.report(rows, _missing, as_json=as_json, found=found, needs_lock=True)


@command("failures", LAST_NIGHT, "--date 2026-01-14 --days 1")
def failures(
    day: Day = None,
    days: Annotated[int, days_option(90, "Number of days up to the date.")] = 7,
    as_of: AsOf = None,
    as_json: AsJson = False,
) -> int:
    """Show scrapers with failed tries, and why they failed.

    The exit code is 0 if every call succeeded in the end.
    """
    asked = _Asked(day, as_of, days)
    rows = asked.rows("failing_scrapers")
    return asked.report(rows, _failures, as_json=as_json, found=any(row["failed"] for row in rows))


@command("reconcile", LAST_NIGHT, "", "--days 7 --as-of 2026-01-15T12:00-05:00")
def reconcile(
    days: Annotated[int, days_option(14, "Number of days to look back.")] = 2,
    max_runs: Annotated[
        int, typer.Option("--max-runs", min=1, max=1000, metavar="N", help="Show at most this many runs.")
    ] = 5,
    as_of: AsOf = None,
) -> int:
    """Show what to fetch again, as commands to copy.

    It starts nothing. The DAG `reconcile` starts the same runs at 06:30 and 12:30 ET.
    """
    asked = _Asked(None, as_of, days + 1)
    if asked.config.is_shadow():
        print("This system is a shadow (settings.mode): it fetches nothing.")
        return ExitCode.WELL
    found = find_makeups(asked.warehouse, asked.config, asked.now, days, max_runs)
    absent = asked.absent()
    for makeup in found:
        print(f"# {makeup.conf['reason']}")
        print(f"airflow dags trigger {makeup.workflow} --conf {shlex.quote(json.dumps(makeup.conf))}")
    if found:
        return ExitCode.FOUND
    if absent:
        raise UserError(f"unknown: {'; '.join(absent)}", next_step=NEXT)
    print(f"Nothing is missing from the last {plural(days, 'day')}.")
    return ExitCode.WELL


class _Asked:
    """The orchestration days up to ``day``, at the moment ``as_of``, and BigQuery's reports about them.

    Every method raises WarehouseError when BigQuery does not answer.
    """

    def __init__(self, day: date | None, as_of: datetime | None, days: int = 1) -> None:
        self.now = as_of or datetime.now(UTC)
        self.config: Config = load().config
        self.day = day or self.config.current_day(self.now)
        self.first = self.day - timedelta(days=days - 1)
        self.warehouse = Warehouse(self.config.settings)

    def rows(self, name: str, **more: Any) -> list[Row]:
        """Return the rows of ``queries/NAME.sql``."""
        return self.warehouse.query(statement(name), {"first_date": self.first, "last_date": self.day, **more})

    def absent(self, *, needs_lock: bool = False) -> list[str]:
        """Return the inputs of a report that BigQuery lacks, from ``queries/basis.sql``.

        A day with only SKIP decisions, as in a halt, has an empty lock. This empty lock is not absent.
        """
        [basis] = self.rows("basis")
        absent = []
        if not basis["decisions"]:
            absent.append("no decision was made: did Airflow run? (quick_health_check.sh)")
        if needs_lock and not basis["expected"] and (basis["runs"] or not basis["decisions"]):
            absent.append("no run was locked, so none counts as missing (schedule_locker)")
        return absent

    def report(
        self,
        rows: list[Row],
        shown: Callable[[list[Row]], None],
        *,
        as_json: bool,
        found: bool = False,
        needs_lock: bool = False,
    ) -> int:
        """Print the rows and return the exit code, which is UNKNOWN when inputs are absent and nothing is found."""
        absent = self.absent(needs_lock=needs_lock)
        nothing = bool(absent) and not found
        if as_json:
            verdict = unknown("; ".join(absent), NEXT) if nothing else {}
            show_object({**verdict, "date": self.day.isoformat(), "absent": absent, "rows": rows}, default=str)
        else:
            print(f"{self.day:%a %d %b %Y}, seen at {et(self.now):%a %d %b %H:%M} ET")
            for text in absent:
                print(f"unknown: {text}")
            if rows or not absent:
                shown(rows)
        return ExitCode.UNKNOWN if nothing else ExitCode.FOUND if found else ExitCode.WELL


def _timeline(rows: list[Row]) -> None:
    lines = grid(5, 5, 0)
    for tick, group in groupby(sorted(rows, key=lambda row: row["slot_time"]), key=lambda row: row["slot_time"]):
        here = list(group)
        for row in here:
            if row["action"] == Action.SKIP:
                continue
            head = grid(22, 0)
            head.add_row(row["workflow_name"], row["execution_status"] or "-")
            parts = [head, row["reason"]]
            if row["action"] == Action.RUN:
                calls = f"{row['success']} with data, {row['no_data']} empty, {_tries(row)}"
                parts.append("; ".join(filter(None, (calls, row["execution_error"]))))
            lines.add_row(clock(tick), row["action"], Group(*parts))
        if skipped := sum(row["action"] == Action.SKIP for row in here):
            lines.add_row(clock(tick), "SKIP", plural(skipped, "workflow"))
    show(lines if rows else "No decision was made.")


def _missing(rows: list[Row]) -> None:
    for row in rows:
        line = grid(5, 12, 0)
        line.add_row(clock(row.get("expected_run_time") or row["slot_time"]), row["state"], row["workflow_name"])
        show(line)
        print(wrapped(row.get("reason") or "no decision was made", 6, 0))
        print(f"      next: airflow dags list-runs {row['workflow_name']}")
    if not rows:
        print("Nothing is missing.")


def _failures(rows: list[Row]) -> None:
    for row in rows:
        line = grid(26, -4, 0)
        line.add_row(row["scraper_name"], str(row["calls"]), f"calls, {row['failed']} failed, {_tries(row)}")
        kinds = ", ".join(f"{row[kind]} {kind}" for kind in ("blocked", "timeouts") if row[kind])
        show(line, wrapped(": ".join(filter(None, (kinds, row["sample_error"]))), 6, 0))
    if not rows:
        print("No try failed.")


def _tries(row: Row) -> str:
    return f"{row['failed_tries']} failed {'try' if row['failed_tries'] == 1 else 'tries'}"
