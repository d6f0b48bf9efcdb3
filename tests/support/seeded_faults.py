"""One day that all seeded faults share: each fault is played from its start, checked, and rolled back."""

from __future__ import annotations

import json
import os
from datetime import UTC, date, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

from orchestration.alerts.model import Alert
from orchestration.audit.warehouse import Warehouse
from orchestration.nba.eastern import et
from sandbox.day import moments
from sandbox.faults import Fault
from sandbox.phase2 import client, create_tables
from support.airflow_state import StateStore
from support.simulated import AIRFLOW, SimulatedDays
from support.standins import GoogleStandIns
from support.worlds import ROOT

TIMES = {
    "daily_expected_schedule": ("date", "locked_at"),
    "workflow_decisions": ("decision_time", "decision_time"),
    "workflow_executions": ("execution_time", "execution_time"),
    "scraper_execution_log": ("triggered_at", "triggered_at"),
    "cleanup_operations": ("cleanup_time", "cleanup_time"),
}

AUDIT = "nba_orchestration"
CHANGED = (f"{AUDIT}.workflow_decisions", f"{AUDIT}.scraper_execution_log")
"""The audit tables that faults change."""


def _kept(table: str) -> str:
    return f"{AUDIT}.kept_{table.partition('.')[2]}"


def health_page() -> ThreadingHTTPServer:
    """Airflow's health page, with the states of :data:`support.simulated.AIRFLOW`."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = json.dumps({name: {"status": status} for name, status in AIRFLOW.items()}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Write no access log."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    os.environ["AIRFLOW__API__BASE_URL"] = f"http://127.0.0.1:{server.server_address[1]}"
    return server


class SharedDay:
    """A healthy day, played as far as needed. A fault is played on top of it and rolled back."""

    def __init__(self, google: GoogleStandIns, day: date, file: Path) -> None:
        self.google, self.day, self.file = google, day, file
        self.healthy = SimulatedDays(google, day)
        before = day - timedelta(days=1)
        first = et(datetime.combine(day, datetime.min.time(), UTC)) + timedelta(hours=4, minutes=17)
        timeline = {first: ["schedule_dependency"], **self._late(before), **moments(day)}
        self.timeline = dict(sorted(timeline.items()))
        self.played = datetime(2000, 1, 1, tzinfo=UTC)

    @staticmethod
    def _late(day: date) -> dict[datetime, list[str]]:
        """Return the last ticks and cleanups of the day before, which show that the system was already running."""
        since = et(datetime.combine(day, datetime.min.time(), UTC)) + timedelta(hours=28, minutes=18)
        return {m: dags for m, dags in moments(day).items() if m >= since and dags != ["reconcile"]}

    def upto(self, moment: datetime) -> None:
        """Play the healthy day up to ``moment``, or roll it back to ``moment``."""
        self.file.write_text((ROOT / "config" / "workflows.yaml").read_text())
        if self.played >= moment:
            self._roll_back(moment)
        due = {m: dags for m, dags in self.timeline.items() if self.played < m < moment}
        self.healthy.play(due)
        self.played = moment - timedelta(microseconds=1)

    def _roll_back(self, moment: datetime) -> None:
        warehouse = Warehouse()
        for table, (partition, column) in TIMES.items():
            first = self.day - timedelta(days=3)
            warehouse.query(
                f"DELETE FROM nba_orchestration.{table} WHERE {partition} >= '{first}' AND {column} >= @moment",
                {"moment": moment},
            )
        warehouse.query(
            "UPDATE nba_raw.nbac_schedule SET processed_at = @before "
            "WHERE game_date > '2025-01-01' AND processed_at >= @moment",
            {"moment": moment, "before": moment - timedelta(minutes=1)},
        )
        self.played = moment - timedelta(microseconds=1)

    def seeded(self, fault: Fault, until: datetime) -> SimulatedDays:
        """Play the fault from its start until before ``until``, on a day that was healthy before."""
        begins = fault.begins(self.day)
        self.upto(begins)
        for table in self._changed_by(fault):
            Warehouse().query(f"CREATE OR REPLACE TABLE {_kept(table)} AS SELECT * FROM {table}")
        faulty = SimulatedDays(self.google, self.day, fault)
        faulty.memory = StateStore(self.healthy.memory)
        watched = {m: [*dags, "watch"] if dags == ["cleanup"] else dags for m, dags in self.timeline.items()}
        faulty.play({m: dags for m, dags in watched.items() if begins <= m < until})
        self.played = until
        return faulty

    @staticmethod
    def _changed_by(fault: Fault) -> tuple[str, ...]:
        """Return the tables whose rows a fault changes and does not put back itself."""
        if fault.dropped:
            return (fault.dropped,)
        return CHANGED if fault.statement and not fault.undone_by else ()

    def forget_days_before(self) -> None:
        """Delete the calls that a test staged for the days before."""
        Warehouse().query(
            f"DELETE FROM {AUDIT}.scraper_execution_log WHERE triggered_at < @first", {"first": min(self.timeline)}
        )

    def well_again(self, fault: Fault) -> None:
        """End every trouble."""
        AIRFLOW["triggerer"] = "healthy"
        self.google.trouble()
        self.google.refuse()
        if fault.undone_by:
            Warehouse().query(fault.undone_by.format(day=self.day))
        if fault.dropped:
            create_tables(client("local", os.environ["BIGQUERY_EMULATOR_HOST"]))
        for table in self._changed_by(fault):
            Warehouse().query(f"DELETE FROM {table} WHERE TRUE")
            Warehouse().query(f"INSERT INTO {table} SELECT * FROM {_kept(table)}")
            Warehouse().query(f"DROP TABLE {_kept(table)}")
        self.google.settle()
        self.healthy.outbox.drain()
        self._roll_back(fault.begins(self.day))


def first_alert(faulty: SimulatedDays, words: str) -> tuple[datetime, Alert] | None:
    """Return the first alert that contains ``words``, with the moment at which it was sent."""
    return min(
        ((at, alert) for at, alert in faulty.alerts if words in alert.text), key=lambda pair: pair[0], default=None
    )
