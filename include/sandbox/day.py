"""One played day on a running stack, tick by tick, with or without one of the big faults."""

from __future__ import annotations

import subprocess
import sys
import time
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import requests
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from sandbox.airflow_api import AirflowApi
from sandbox.bigquery_faults import TROUBLES
from sandbox.faults import Fault
from sandbox.phase2 import client
from sandbox.processes import ROOT, StackError
from sandbox.stack import PROJECT, Stack

STUCK_SECONDS = 600
"""The demo fails if the runs of a tick take longer."""
LATE_SECONDS = 180
"""How long the demo waits for rows and messages after their runs have ended."""
STANDSTILL_SECONDS = 12
"""How long the demo waits for a tick whose runs cannot end because of the fault."""
MEASURE_SECONDS = 15
OURS = ROOT / "config" / "workflows.yaml"


def moments(day: date) -> dict[datetime, list[str]]:
    """Return the DAGs of each tick, from half an hour before the lock to the reconcile after the last window."""
    from orchestration.config import load
    from orchestration.decisions.types.freshness import LOCK_LEAD_MINUTES

    config = load().config
    lock, next_lock = config.day_bounds(day)
    start, end = lock - timedelta(minutes=LOCK_LEAD_MINUTES), next_lock
    found: dict[datetime, list[str]] = {}
    for name in config.enabled:
        for tick in config.ticks_of(name).between(start, end):
            found.setdefault(tick.astimezone(UTC), []).append(name)
    for tick in config.lock_ticks.between(start, end + timedelta(minutes=1)):
        found.setdefault(tick.astimezone(UTC), []).append("schedule_locker")
    # Two more cleanups. The first one may find files of the last tick too young. The second one sees that the files of
    # republished messages have arrived.
    for tick in config.cleanup_ticks.between(start, end + timedelta(hours=2)):
        found.setdefault(tick.astimezone(UTC), []).append("cleanup")
    for tick in config.reconcile_ticks.between(start, end + timedelta(hours=2)):
        found.setdefault(tick.astimezone(UTC), []).append("reconcile")
    return dict(sorted(found.items()))


def deployed_in(home: Path) -> Path:
    """Return the path of workflows.yaml in a demo whose fault deploys another file."""
    return home / "workflows.yaml"


class Day:
    """Plays one day on a running stack, with or without one of the big faults."""

    def __init__(self, stack: Stack, console: Console, fault: Fault | None = None) -> None:
        self.stack, self.console, self.fault = stack, console, fault
        self.api = AirflowApi(stack.url, stack.login)
        self.world = f"http://127.0.0.1:{stack.ports.scrapers}/world"
        self.outbox = stack.outbox
        self.bigquery = client(PROJECT, stack.env["BIGQUERY_EMULATOR_HOST"])
        self.phase2 = True
        self.refused = self.rows_wait = False
        self.peak_memory = 0
        self.next_measure = 0.0

    def play(self, timeline: Mapping[datetime, list[str]]) -> None:
        """Start the DAG runs of each moment, and wait for the runs, their rows and their messages."""
        from orchestration.nba.eastern import clock

        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        with Progress(*columns, console=self.console) as progress:
            bar = progress.add_task("", total=len(timeline))
            for moment, dag_ids in timeline.items():
                shown = dag_ids[0] if len(dag_ids) == 1 else f"{len(dag_ids)} DAGs"
                progress.update(bar, description=f"{clock(moment)} ET {shown}")
                self.set_clock(moment)
                self._break_or_repair(moment)
                for dag_id in dag_ids:
                    if self.fault is None or self.fault.plays(self.stack.day, moment, dag_id):
                        self.api.trigger(dag_id, moment)
                if "cleanup" in dag_ids and not self.refused and "bigquery" in self.stack.processes:
                    self.rows_wait = False
                self._settle(moment)
                if "bigquery" in self.stack.processes:
                    self._print_decisions(moment, progress)
                progress.advance(bar)

    def set_clock(self, moment: datetime) -> None:
        """Set the world's clock."""
        requests.post(f"{self.world}/clock", json={"now": moment.isoformat()}, timeout=10).raise_for_status()

    def _break_or_repair(self, moment: datetime) -> None:
        if self.fault is None:
            return
        holds = self.fault.holds(self.stack.day, moment)
        troubles = self.fault.world if holds else {}
        self.phase2 = not troubles.get("phase2_dead", False)
        requests.post(f"{self.world}/troubles", json=dict(troubles), timeout=30).raise_for_status()
        self._break_more(self.fault, moment, holds=holds)
        there = "bigquery" in self.stack.processes
        if self.fault.bigquery and holds and there:
            self.stack.kill("bigquery")
            self.rows_wait = True
        elif self.fault.bigquery and not holds and not there:
            self.stack.restart("bigquery")
            self.stack.await_bigquery()

    def _break_more(self, fault: Fault, moment: datetime, *, holds: bool) -> None:
        """Break or repair everything except the world and BigQuery as a whole."""
        if fault.refuses:
            # Rows that could not be written wait for the cleanup after the fault.
            self.refused, self.rows_wait = holds, holds or self.rows_wait
            url = f"{self.stack.env['BIGQUERY_EMULATOR_HOST']}{TROUBLES}"
            requests.post(url, json=dict(fault.refuses) if holds else {}, timeout=30).raise_for_status()
        if fault.dropped and holds:
            self.bigquery.query(f"DROP TABLE IF EXISTS {fault.dropped}").result(timeout=30)
        if statement := fault.sql(self.stack.day, moment):
            self.bigquery.query(statement).result(timeout=30)
        if fault.deployed:
            ours = OURS.read_text(encoding="utf-8")
            deployed_in(self.stack.home).write_text(fault.file(self.stack.day, ours) if holds else ours)
        if fault.paused:
            self.api.patch(f"dags/{fault.paused}", {"is_paused": holds})
        if fault.pool and holds:
            # Airflow requires all fields of a pool, and changes only those in the mask.
            pool = {"pool": fault.pool, "slots": 0, "include_deferred": False}
            self.api.patch(f"pools/{fault.pool}?update_mask=slots", pool)
        if fault.dead and holds and fault.dead in self.stack.processes:
            self.stack.kill(fault.dead)

    def busy(self) -> bool:
        """Return whether runs, rows or messages are still in progress."""
        if self.api.unfinished():
            return True
        if "bigquery" not in self.stack.processes:
            return False
        staged = not self.rows_wait and any(self.outbox.glob("*/*.json"))
        return staged or (self.phase2 and bool(self._backlog()))

    def _settle(self, moment: datetime) -> None:
        # Runs that cannot end because of the fault are left alone. Late rows and messages wait for the next cleanup.
        fault = self.fault if self.fault is not None and self.fault.holds(self.stack.day, moment) else None
        waits = fault is not None and fault.stands_still
        # Messages for a dropped table are redelivered without end.
        late = STANDSTILL_SECONDS if fault is not None and fault.dropped else LATE_SECONDS
        began = time.monotonic()
        while self.busy():
            self.stack.check()
            if time.monotonic() > self.next_measure:
                # Adding up shared pages costs CPU time, so memory is measured only every few seconds.
                self.peak_memory = max(self.peak_memory, self.stack.memory())
                self.next_measure = time.monotonic() + MEASURE_SECONDS
            waited = time.monotonic() - began
            if waits and waited > STANDSTILL_SECONDS:
                return
            if waited > late and not self.api.unfinished():
                return
            if waited > STUCK_SECONDS:
                raise StackError(
                    f"the runs of {moment.isoformat()} did not end within {STUCK_SECONDS} s; see {self.stack.url}"
                )
            time.sleep(0.3)

    def _backlog(self) -> int:
        return int(requests.get(self.world, timeout=10).json()["backlog"])

    def _print_decisions(self, moment: datetime, progress: Progress) -> None:
        from google.api_core.exceptions import GoogleAPIError
        from google.cloud.bigquery import QueryJobConfig, ScalarQueryParameter

        from orchestration.audit.statements import filled
        from orchestration.config import load
        from orchestration.nba.eastern import clock
        from orchestration.services.errors import in_short

        sql = """
            SELECT workflow_name, action, reason, alert_level FROM {audit}.v_workflow_decisions
            WHERE DATE(decision_time) >= @day AND slot_time = @tick ORDER BY workflow_name
        """
        sql = filled(sql, load().config.settings)
        parameters = [
            ScalarQueryParameter("day", "DATE", moment.date()),
            ScalarQueryParameter("tick", "TIMESTAMP", moment),
        ]
        try:
            asked = self.bigquery.query(sql, job_config=QueryJobConfig(query_parameters=parameters))
            rows = list(asked.result(timeout=30))
        except GoogleAPIError as refused:
            if not self.refused:
                raise
            why = in_short(refused).partition("\n")[0]
            progress.print(f"{clock(moment)} [red]BigQuery refused:[/] {escape(why)}", soft_wrap=True)
            return
        for row in rows:
            if row["action"] != "SKIP":
                colour = "green" if row["action"] == "RUN" else "red"
                progress.print(
                    f"{clock(moment)} [{colour}]{row['action']:5}[/] {row['workflow_name']:20} {row['reason']}",
                    soft_wrap=True,
                )
        skipped = sum(row["action"] == "SKIP" for row in rows)
        if skipped:
            progress.print(f"{clock(moment)} [dim]SKIP  {skipped} workflow{'s' * (skipped != 1)}[/]")

    def summary(self, day: date, until: datetime, seconds: float) -> int:
        """Print the health check as of ``until``, row counts and figures. Return the exit code of the health check."""
        from orchestration.audit.statements import filled, statement
        from orchestration.config import load

        code = self._cli("health", "--date", day.isoformat(), "--as-of", until.isoformat())
        from google.cloud.bigquery import QueryJobConfig, ScalarQueryParameter

        parameters = [
            ScalarQueryParameter("first_date", "DATE", day),
            ScalarQueryParameter("last_date", "DATE", day + timedelta(days=1)),
        ]
        table = Table("table", "rows", title="The five audit tables")
        job = QueryJobConfig(query_parameters=parameters)
        counts = filled(statement("row_counts"), load().config.settings)
        for row in self.bigquery.query(counts, job_config=job).result(timeout=30):
            table.add_row(row["name"], f"{row['rows_seen']:,}")
        self.console.print(table)
        runs = self.api.get("dags/~/dagRuns", limit=1)["total_entries"]
        tasks = self.api.get("dags/~/dagRuns/~/taskInstances", limit=1)["total_entries"]
        world = Counter(requests.get(self.world, timeout=10).json())
        faults = sum(count for name, count in world.items() if name.startswith("fault:"))
        self.console.print(
            f"{runs} DAG runs, {tasks} task instances, {world['calls']} calls ({faults} failed at first), "
            f"{world['lost']} messages lost, {world['recovered']} recovered, in {seconds:.0f} s; "
            f"peak memory {self.peak_memory / 2**20:,.0f} MiB"
        )
        if self.fault is None:
            # The same engine must decide as it did during the demo.
            self._cli("backtest", "--from", day.isoformat(), "--to", day.isoformat())
        return code

    def _cli(self, *command: str) -> int:
        program = [sys.executable, "-m", "orchestration", *command]
        return subprocess.run(program, env=self.stack.env, cwd=ROOT, check=False).returncode
