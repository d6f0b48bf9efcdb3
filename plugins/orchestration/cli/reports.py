"""``timeline``, ``missing``, ``failures`` and ``reconcile``: a day as BigQuery recorded it."""

from __future__ import annotations

import json
import shlex
from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import groupby
from typing import Annotated, Any

import typer
from rich.console import Group

from orchestration.audit.facts import day_facts
from orchestration.audit.statements import statement
from orchestration.audit.warehouse import Warehouse
from orchestration.cleanup.makeup_inputs import find_makeups
from orchestration.cli.app import LAST_NIGHT, AsJson, AsOf, Day, command, days_option
from orchestration.cli.screen import grid, show, show_object, unknown, wrapped
from orchestration.config import Config, load
from orchestration.errors import UserError
from orchestration.health import locked, record, running
from orchestration.health.facts import DayFacts
from orchestration.health.findings import trigger
from orchestration.nba.eastern import after, clock, et
from orchestration.words import Action, ExitCode, plural

NEXT = "bin/orchestration/quick_health_check.sh"
NO_DECISION = "no decision was made: did Airflow run? (quick_health_check.sh)"
LATE = timedelta(minutes=15)
"""A run that begins later than this after its expected time is late."""

Row = dict[str, Any]


@command("timeline", LAST_NIGHT, "--date 2026-01-14")
def timeline(day: Day = None, as_of: AsOf = None, as_json: AsJson = False) -> int:
    """Show the day's decisions, executions and calls in order."""
    asked = _Asked(day, as_of)
    return asked.report(asked.rows("timeline"), _timeline, as_json=as_json)


@command("missing", LAST_NIGHT, "--as-of 2026-01-14T19:00-05:00", "--files")
def missing(
    day: Day = None,
    files: Annotated[bool, typer.Option("--files", help="Show the files that have not reached their tables.")] = False,
    as_of: AsOf = None,
    as_json: AsJson = False,
) -> int:
    """Show what should have run and did not, or ran late.

    It has the rules of the health check. A RUN decision without an execution is shown as NOT EXECUTED.

    With --files it shows LATE files, which the cleanup still republishes, and OPEN files, which never arrived.
    """
    asked = _Asked(day, as_of)
    config, now = asked.config, asked.now
    if asked.day > config.current_day(now):
        raise UserError(f"{asked.day} has not begun", next_step="look again when it has begun")
    facts = day_facts(asked.warehouse, config, asked.day, now)
    if files:
        rows = _files_of(config, facts, now)
        return asked.report(rows, _files, as_json=as_json, found=bool(rows), absent=[])
    absent = [] if facts.recorded else [NO_DECISION]
    absent += [finding.text for finding in record.lost_rows(config, facts, now)]
    if any(locked.missing_lock(config, facts, now)):
        absent.append("no run was locked, so no locked run counts as missing (schedule_locker)")
    rows = _not_run(config, facts, now) if facts.recorded else []
    found = any(row["state"] != "LATE" for row in rows)
    return asked.report(rows, _missing, as_json=as_json, found=found, absent=absent)


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

    def absent(self) -> list[str]:
        """Return the inputs of a report that BigQuery lacks, from ``queries/basis.sql``."""
        [basis] = self.rows("basis")
        return [] if basis["decisions"] else [NO_DECISION]

    def report(
        self,
        rows: list[Row],
        shown: Callable[[list[Row]], None],
        *,
        as_json: bool,
        found: bool = False,
        absent: Sequence[str] | None = None,
    ) -> int:
        """Print the rows and return the exit code, which is UNKNOWN when inputs are absent and nothing is found."""
        absent = self.absent() if absent is None else absent
        nothing = bool(absent) and not found
        if as_json:
            verdict = unknown("; ".join(absent), NEXT) if nothing else {}
            show_object({**verdict, "date": self.day.isoformat(), "absent": absent, "rows": rows}, default=str)
        else:
            print(f"{self.day:%a %d %b %Y}, seen at {et(self.now):%a %d %b %H:%M} ET")
            for text in absent:
                print(wrapped(f"unknown: {text}"))
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


def _not_run(config: Config, facts: DayFacts, now: datetime) -> list[Row]:
    """Return what did not run, as the health check finds it, and the expected runs that ran late. Oldest first."""
    undecided = {(name, tick) for name, ticks in running.undecided(config, facts, now).items() for tick in ticks}
    undecided |= {(name, tick) for name, ticks in running.missed(config, facts, now).items() for tick in ticks}
    rows = [_row(name, tick, "MISSING") for name, tick in undecided]
    rows += [
        _row(one.workflow_name, one.tick, state, action=one.action.value, reason=one.reason, run_id=one.run_id)
        for state, decisions in (
            ("MISSING", running.standing_aborts(config, facts)),
            ("NOT EXECUTED", [] if config.is_shadow() else running.unexecuted(facts, now)),
        )
        for one in decisions
    ]
    known = {(row["workflow_name"], row["slot_time"]) for row in rows}
    for run in facts.expected:
        later = [e for e in facts.executions if e.workflow_name == run.workflow_name and e.tick >= run.tick]
        began = min((e.execution_time for e in later), default=None)
        own = [d.action for d in facts.decisions if (d.workflow_name, d.tick) == (run.workflow_name, run.tick)]
        if began is None or Action.SKIP in own or (run.workflow_name, run.tick) in known:
            continue
        if began > after(run.tick, LATE):
            rows.append(_row(run.workflow_name, run.tick, "LATE", reason=f"it ran at {clock(began)} ET"))
    return sorted(rows, key=lambda row: (row["slot_time"], row["workflow_name"]))


def _row(workflow: str, tick: datetime, state: str, **more: Any) -> Row:
    known = {"workflow_name": workflow, "slot_time": tick, "expected_run_time": tick, "state": state}
    return {**known, "action": None, "reason": None, "run_id": None, **more}


def _missing(rows: list[Row]) -> None:
    """Print the rows. The ticks of a workflow without a decision share one entry."""
    groups: dict[tuple[str, str, datetime | None], list[Row]] = defaultdict(list)
    for row in rows:
        apart = None if row["action"] is None and row["reason"] is None else row["slot_time"]
        groups[row["workflow_name"], row["state"], apart].append(row)
    for (workflow, state, _), group in groups.items():
        line = grid(5, 12, 0)
        line.add_row(clock(group[0]["slot_time"]), state, workflow)
        show(line)
        more = f", at {len(group)} ticks until {clock(group[-1]['slot_time'])} ET" if len(group) > 1 else ""
        print(wrapped((group[0]["reason"] or "no decision was made") + more, 6, 0))
        print(f"      next: airflow dags list-runs {workflow}")
    if not rows:
        print("Nothing is missing.")


def _files_of(config: Config, facts: DayFacts, now: datetime) -> list[Row]:
    """Return the files that have not reached their tables, as the last cleanup saw them, oldest first."""
    if facts.last_look is None:
        raise UserError("unknown: no cleanup has checked files yet", next_step=NEXT)
    tables = {name: scraper.processed_in for name, scraper in config.scrapers.items()}
    return [
        {
            "state": state,
            "scraper_name": file.scraper_name,
            "triggered_at": file.triggered_at,
            "gcs_path": file.gcs_path,
            "processed_in": tables.get(file.scraper_name),
        }
        for state, files in (("OPEN", facts.open_files(now)), ("LATE", facts.last_look.missing_files))
        for file in files
    ]


def _files(rows: list[Row]) -> None:
    for row in rows:
        line = grid(16, 5, 0)
        line.add_row(f"{et(row['triggered_at']):%a %d %b %H:%M}", row["state"], row["scraper_name"])
        show(line)
        print(f"      not in {row['processed_in']}: {row['gcs_path']}")
    if any(row["state"] == "OPEN" for row in rows):
        give_up = trigger("cleanup", give_up=["PATH or SCRAPER"])
        print(f"reconcile fetches an OPEN file again if the source still has the data. To give a file up: {give_up}")
    if not rows:
        print("Every file has reached its table.")


def _failures(rows: list[Row]) -> None:
    for row in rows:
        line = grid(26, -4, 0)
        line.add_row(row["scraper_name"], str(row["calls"]), f"calls: {_outcomes(row)}, {_tries(row)}")
        kinds = ", ".join(f"{row[kind]} {kind}" for kind in ("blocked", "timeouts") if row[kind])
        show(line, wrapped(": ".join(filter(None, (kinds, row["sample_error"]))), 6, 0))
    if not rows:
        print("No try failed.")


def _outcomes(row: Row) -> str:
    return f"{row['success']} success, {row['no_data']} no data, {row['failed']} failed"


def _tries(row: Row) -> str:
    return f"{row['failed_tries']} failed {'try' if row['failed_tries'] == 1 else 'tries'}"
