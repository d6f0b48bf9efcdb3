"""The service's own log: rows that follow their answers at once, and some that come late."""

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
"""How late a row of a batch comes, where the world's clock does not move on before."""
_COLUMNS = (
    "execution_id STRING NOT NULL, scraper_name STRING NOT NULL, workflow STRING, game_date DATE, "
    "status STRING NOT NULL, triggered_at TIMESTAMP NOT NULL, completed_at TIMESTAMP, duration_seconds FLOAT64, "
    "source STRING NOT NULL, environment STRING, triggered_by STRING, gcs_path STRING, data_summary JSON, "
    "error_type STRING, error_message STRING, retry_count INT64, recovery BOOL, run_id STRING, opts JSON, "
    "created_at TIMESTAMP"
)
Append = Callable[[list[dict[str, Any]]], None]


class ServiceLog:
    """Rows on their way to the table. What the table does not take waits and is tried again.

    A thread writes what is due: most rows at once, a late one after a minute. All are written when the world's clock
    moves on, and when somebody lets the world settle.
    """

    def __init__(self, append: Append) -> None:
        self._append = append
        self._rows: list[tuple[float, dict[str, Any]]] = []
        self._lock = threading.Lock()
        self._writing = threading.Lock()
        self._news = threading.Event()

    @property
    def waiting(self) -> int:
        """Rows that are not written yet."""
        with self._lock:
            return len(self._rows)

    def write(self, row: dict[str, Any], *, late: bool) -> None:
        """Take a row. No call waits for the table."""
        with self._lock:
            self._rows.append((time.monotonic() + (LATE_SECONDS if late else 0), row))
        self._news.set()

    def flush(self, until: float | None = None) -> None:
        """Write all rows that are due at ``until``, all of them without it."""
        with self._writing:
            with self._lock:
                due = [item for item in self._rows if until is None or item[0] <= until]
                self._rows = [item for item in self._rows if until is not None and item[0] > until]
            if not due:
                return
            try:
                self._append([row for _, row in due])
            except (GoogleAPIError, RequestException) as error:
                log.info("The log takes no rows now, %d wait: %s", len(due), error)
                with self._lock:
                    self._rows = due + self._rows

    def run(self, stopping: threading.Event) -> None:
        """Write what is due until told to stop."""
        while not stopping.is_set():
            self._news.wait(1)
            self._news.clear()
            self.flush(time.monotonic())


def appender(bq: bigquery.Client, table: str) -> Append:
    """Return what appends rows to ``table`` (``dataset.table``)."""

    def append(rows: list[dict[str, Any]]) -> None:
        options = {"row_ids": AutoRowIDs.DISABLED, "timeout": 5, "retry": None}
        if errors := bq.insert_rows_json(f"{bq.project}.{table}", rows, **options):
            raise GoogleAPIError(f"{table}: {errors}")

    return append


def create_log(bq: bigquery.Client, table: str) -> None:
    """Create the log as the old system has it, in a dataset of its own or in ours."""
    dataset, _, _ = table.partition(".")
    bq.query(f"CREATE SCHEMA IF NOT EXISTS {dataset}").result(timeout=DDL_SECONDS)
    partition = "PARTITION BY DATE(triggered_at)"
    bq.query(f"CREATE TABLE IF NOT EXISTS {table} ({_COLUMNS}) {partition}").result(timeout=DDL_SECONDS)
