"""The service's own log: most rows are written at once, some come late."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Any

from google.api_core.exceptions import GoogleAPIError
from google.cloud import bigquery
from google.cloud.bigquery import AutoRowIDs
from requests import RequestException

from sandbox.phase2 import DDL_SECONDS

log = logging.getLogger(__name__)

TABLE = "nba_orchestration.scraper_execution_log"
LATE_SECONDS = 60.0
"""Delay of a late row, unless the world's clock moves on earlier."""
_COLUMNS = (
    "execution_id STRING NOT NULL, scraper_name STRING NOT NULL, workflow STRING, game_date DATE, "
    "status STRING NOT NULL, triggered_at TIMESTAMP NOT NULL, completed_at TIMESTAMP, duration_seconds FLOAT64, "
    "source STRING NOT NULL, environment STRING, triggered_by STRING, gcs_path STRING, data_summary JSON, "
    "error_type STRING, error_message STRING, retry_count INT64, recovery BOOL, run_id STRING, opts JSON, "
    "created_at TIMESTAMP"
)
Append = Callable[[list[dict[str, Any]]], None]


class ServiceLog:
    """Rows on their way to the table. Rows that the table refuses wait and are retried.

    A thread writes the rows that are due: most rows at once, a late one after a minute. All rows are written when the
    world's clock moves on, and when a caller settles the world.
    """

    def __init__(self, append: Append) -> None:
        self._append = append
        self._rows: list[tuple[float, dict[str, Any]]] = []
        self._lock = threading.Lock()
        self._writing = threading.Lock()
        self._news = threading.Event()

    @property
    def waiting(self) -> int:
        """The number of rows that are not written yet."""
        with self._lock:
            return len(self._rows)

    def write(self, row: dict[str, Any], *, late: bool) -> None:
        """Queue a row. The call does not wait for the table."""
        with self._lock:
            self._rows.append((time.monotonic() + (LATE_SECONDS if late else 0), row))
        self._news.set()

    def flush(self, until: float | None = None) -> None:
        """Write the rows that are due at ``until`` (monotonic seconds), by default all rows."""
        with self._writing:
            with self._lock:
                due = [item for item in self._rows if until is None or item[0] <= until]
                self._rows = [item for item in self._rows if until is not None and item[0] > until]
            if not due:
                return
            try:
                self._append([row for _, row in due])
            except (GoogleAPIError, RequestException) as error:
                log.info("The log refused %d rows, which are kept and retried: %s", len(due), error)
                with self._lock:
                    self._rows = due + self._rows

    def run(self, stopping: threading.Event) -> None:
        """Write the rows that are due, until ``stopping`` is set."""
        while not stopping.is_set():
            self._news.wait(1)
            self._news.clear()
            self.flush(time.monotonic())


def appender(bq: bigquery.Client, table: str) -> Append:
    """Return a function that appends rows to ``table`` (``dataset.table``), or raises GoogleAPIError."""

    def append(rows: list[dict[str, Any]]) -> None:
        options = {"row_ids": AutoRowIDs.DISABLED, "timeout": 5, "retry": None}
        if errors := bq.insert_rows_json(f"{bq.project}.{table}", rows, **options):
            raise GoogleAPIError(f"{table}: {errors}")

    return append


def create_log(bq: bigquery.Client, table: str) -> None:
    """Create the log with the old system's columns, and its dataset if missing."""
    dataset, _, _ = table.partition(".")
    bq.query(f"CREATE SCHEMA IF NOT EXISTS {dataset}").result(timeout=DDL_SECONDS)
    partition = "PARTITION BY DATE(triggered_at)"
    bq.query(f"CREATE TABLE IF NOT EXISTS {table} ({_COLUMNS}) {partition}").result(timeout=DDL_SECONDS)
