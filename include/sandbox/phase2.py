"""The Phase 2 processor: reads handoff messages and writes the rows of their files into ``nba_raw``."""

from __future__ import annotations

import json
import logging
import threading
from collections import defaultdict
from pathlib import Path
from typing import Any

from google.api_core.client_options import ClientOptions
from google.auth.credentials import AnonymousCredentials
from google.cloud import bigquery, pubsub_v1
from google.cloud.bigquery import AutoRowIDs

from sandbox.dialect.base import Dialect, iso
from sandbox.dialect.real import OWN_NAMES
from sandbox.scrapers import SCRAPERS
from sandbox.world import Clock

log = logging.getLogger(__name__)

SUBSCRIPTION = "phase2-raw-processor"
DDL_SECONDS = 300
"""Time limit for creating one table. It is long because the whole machine is busy at the start."""

_GAME_TABLE = "game_id STRING, game_date DATE, source_file_path STRING, processed_at TIMESTAMP"
_LIST_TABLE = "source_file_path STRING, processed_at TIMESTAMP"
_SCHEDULE_TABLE = (
    "game_id STRING, game_code STRING, season_year INT64, game_date DATE, game_date_est TIMESTAMP, game_status INT64, "
    "game_status_text STRING, home_team_tricode STRING, away_team_tricode STRING, data_source STRING, "
    "source_file_path STRING, processed_at TIMESTAMP"
)
_WITHOUT_DATES = {
    "nbac_player_list_current",
    "bdl_active_players_current",
    "bdl_standings",
    "br_rosters_current",
    "espn_team_rosters",
}
SCHEDULE = "nbac_schedule"
_NAMED = {**{own: name for name, own in OWN_NAMES.items()}, **{name: name for name in SCRAPERS}}
"""The scraper for each name that a message may use."""


def client(project: str, url: str | None = None) -> bigquery.Client:
    """Return a BigQuery client for the emulator at ``url``, by default that of ``BIGQUERY_EMULATOR_HOST``."""
    options = ClientOptions(api_endpoint=url)
    return bigquery.Client(project=project, credentials=AnonymousCredentials(), client_options=options)


def create_tables(bq: bigquery.Client) -> None:
    """Create ``nba_raw``. Tables about games are partitioned by date and require a filter. Lists have no partitions."""
    bq.query("CREATE SCHEMA IF NOT EXISTS nba_raw").result(timeout=DDL_SECONDS)
    dated = "PARTITION BY game_date OPTIONS(require_partition_filter=true)"
    for table in sorted({scraper.table for scraper in SCRAPERS.values() if scraper.table}):
        columns = _SCHEDULE_TABLE if table == SCHEDULE else _GAME_TABLE
        if table in _WITHOUT_DATES:
            columns = _LIST_TABLE
        rest = "" if table in _WITHOUT_DATES else dated
        bq.query(f"CREATE TABLE IF NOT EXISTS nba_raw.{table} ({columns}) {rest}").result(timeout=DDL_SECONDS)


class Phase2(threading.Thread):
    """A thread that pulls messages, reads their files, writes the rows and acknowledges."""

    def __init__(self, project: str, files: Path, clock: Clock, dialect: Dialect) -> None:
        super().__init__(name="phase2", daemon=True)
        self.bq = client(project)
        self.files, self.clock, self.dialect = files, clock, dialect
        self.subscriber = pubsub_v1.SubscriberClient()
        self.subscription = self.subscriber.subscription_path(project, SUBSCRIPTION)
        self.processed = 0
        self.recovered = 0
        self.unreadable = 0
        self.stopping = threading.Event()
        self.dead = threading.Event()
        self.writes = True
        """Whether the rows are written to the tables."""

    def run(self) -> None:
        """Work until ``stopping`` is set. A message that fails is returned to the subscription, and delivered again."""
        while not self.stopping.is_set():
            if self.dead.is_set():
                self.stopping.wait(0.1)
                continue
            try:
                self._work()
            except Exception:
                # An outage of the warehouse raises many kinds of errors. None of them may end the thread.
                if not self.stopping.is_set():
                    log.exception("Phase 2 failed on a message and continues")
                    self.stopping.wait(1)

    def _work(self) -> None:
        request = {"subscription": self.subscription, "max_messages": 200}
        reply = self.subscriber.pull(request=request, timeout=10, retry=None)
        messages = reply.received_messages
        if not messages:
            return
        ids = {"subscription": self.subscription, "ack_ids": [message.ack_id for message in messages]}
        try:
            self._process([message.message for message in messages])
        except Exception:
            self.subscriber.modify_ack_deadline(request={**ids, "ack_deadline_seconds": 0}, timeout=10)
            raise
        self.subscriber.acknowledge(request=ids, timeout=10)

    def _process(self, messages: list[Any]) -> None:
        rows: dict[str, list[dict[str, Any]]] = defaultdict(list)
        processed = recovered = unreadable = 0
        for message in messages:
            body = json.loads(message.data)
            # The real reader uses `name` and ignores a message without it (lesson C5).
            name = _NAMED.get(body.get("name", ""))
            table = SCRAPERS[name].table if name else None
            if name is None or table is None or body.get("status") != "success" or not body.get("gcs_path"):
                continue
            try:
                content = json.loads((self.files / body["gcs_path"].removeprefix("gs://")).read_text())
            except OSError:
                log.exception("Phase 2 cannot read %s", body["gcs_path"])
                unreadable += 1
                continue
            stamp = {"processed_at": iso(self.clock.now())}
            found = [{**self.dialect.processed(name, row, body["gcs_path"]), **stamp} for row in content["rows"]]
            if table == SCHEDULE and self.dialect.overwrites and self.writes:
                self._overwrite_schedule(found)
            else:
                rows[table] += found
            processed += 1
            recovered += bool(body.get("recovery"))
        for table, found in rows.items() if self.writes else ():
            self._append(table, found)
        self.processed += processed
        self.recovered += recovered
        self.unreadable += unreadable

    def _append(self, table: str, rows: list[dict[str, Any]]) -> None:
        name = f"{self.bq.project}.nba_raw.{table}"
        errors = self.bq.insert_rows_json(name, rows, row_ids=AutoRowIDs.DISABLED, timeout=20, retry=None)
        if errors:
            raise RuntimeError(f"nba_raw.{table}: {errors}")

    def _overwrite_schedule(self, rows: list[dict[str, Any]]) -> None:
        """Replace the rows with the same game id and date by those of the file. The old row of a moved game stays.

        The new rows are written before the old ones are deleted, so the table is never empty.
        """
        self._append(SCHEDULE, rows)
        sql = f"""
            DELETE FROM nba_raw.{SCHEDULE}
            WHERE game_date BETWEEN @first AND @last
              AND (source_file_path != @path OR processed_at != @now)
              AND CONCAT(game_id, ' ', CAST(game_date AS STRING)) IN UNNEST(@games)
        """
        dates = sorted(row["game_date"] for row in rows)
        games = [f"{row['game_id']} {row['game_date']}" for row in rows]
        parameters = [
            bigquery.ScalarQueryParameter("first", "DATE", dates[0]),
            bigquery.ScalarQueryParameter("last", "DATE", dates[-1]),
            bigquery.ScalarQueryParameter("path", "STRING", rows[0]["source_file_path"]),
            bigquery.ScalarQueryParameter("now", "TIMESTAMP", rows[0]["processed_at"]),
            bigquery.ArrayQueryParameter("games", "STRING", games),
        ]
        self.bq.query(sql, job_config=bigquery.QueryJobConfig(query_parameters=parameters)).result(timeout=30)
