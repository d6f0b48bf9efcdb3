"""The Phase 2 processor: reads handoff messages and writes the files' rows into ``nba_raw``."""

from __future__ import annotations

import json
import logging
import threading
from collections import defaultdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from google.api_core.client_options import ClientOptions
from google.api_core.exceptions import GoogleAPIError
from google.api_core.retry import Retry
from google.auth.credentials import AnonymousCredentials
from google.cloud import bigquery, pubsub_v1
from google.cloud.bigquery import AutoRowIDs

from sandbox.scrapers import SCRAPERS
from sandbox.world import Clock

log = logging.getLogger(__name__)

TOPIC = "nba-phase1-scrapers-complete"
SUBSCRIPTION = "phase2-raw-processor"

_GAME_TABLE = "game_id STRING, game_date DATE, source_file_path STRING, processed_at TIMESTAMP"
_LIST_TABLE = "source_file_path STRING, processed_at TIMESTAMP"
_SCHEDULE_TABLE = (
    "game_id STRING, game_code STRING, season_year INT64, game_date DATE, game_date_est TIMESTAMP, game_status INT64, "
    "game_status_text STRING, home_team_tricode STRING, away_team_tricode STRING, data_source STRING, "
    "source_file_path STRING, processed_at TIMESTAMP"
)
_WITHOUT_DATES = {"nbac_player_list", "bdl_active_players", "bdl_standings", "br_rosters_current", "espn_team_rosters"}


def client(project: str, url: str | None = None) -> bigquery.Client:
    """Return a BigQuery client for the emulator at ``url``, else at the one that ``BIGQUERY_EMULATOR_HOST`` names."""
    options = ClientOptions(api_endpoint=url)
    return bigquery.Client(project=project, credentials=AnonymousCredentials(), client_options=options)


def create_tables(bq: bigquery.Client) -> None:
    """Create ``nba_raw``: game tables by date with a required partition filter, lists without partitions."""
    bq.query("CREATE SCHEMA IF NOT EXISTS nba_raw").result(timeout=30)
    dated = "PARTITION BY game_date OPTIONS(require_partition_filter=true)"
    for table in sorted({scraper.table for scraper in SCRAPERS.values()}):
        columns = _SCHEDULE_TABLE if table == "nbac_schedule" else _GAME_TABLE
        if table in _WITHOUT_DATES:
            columns = _LIST_TABLE
        rest = "" if table in _WITHOUT_DATES else dated
        bq.query(f"CREATE TABLE IF NOT EXISTS nba_raw.{table} ({columns}) {rest}").result(timeout=30)


class Phase2(threading.Thread):
    """Pulls, reads the file, appends its rows, acknowledges."""

    def __init__(self, project: str, files: Path, clock: Clock) -> None:
        super().__init__(name="phase2", daemon=True)
        self.bq = client(project)
        self.files, self.clock = files, clock
        self.subscriber = pubsub_v1.SubscriberClient()
        self.subscription = self.subscriber.subscription_path(project, SUBSCRIPTION)
        self.processed = 0
        self.recovered = 0
        self.stopping = threading.Event()
        self.dead = threading.Event()

    def run(self) -> None:
        """Work until told to stop. A message that fails is not acknowledged, and so comes again."""
        while not self.stopping.is_set():
            if self.dead.is_set():
                self.stopping.wait(0.1)
                continue
            try:
                request = {"subscription": self.subscription, "max_messages": 200}
                reply = self.subscriber.pull(request=request, timeout=10, retry=None)
                done = self._process([(m.ack_id, m.message) for m in reply.received_messages])
                if done:
                    self.subscriber.acknowledge(
                        request={"subscription": self.subscription, "ack_ids": done}, timeout=10
                    )
            except GoogleAPIError:
                if not self.stopping.is_set():
                    log.exception("Phase 2 stumbled and goes on")
                    self.stopping.wait(1)

    def _process(self, messages: list[tuple[str, Any]]) -> list[str]:
        rows: dict[str, list[dict[str, Any]]] = defaultdict(list)
        done = []
        for ack_id, message in messages:
            done.append(ack_id)
            body = json.loads(message.data)
            # The real reader looks at `name` and ignores a message without it (lesson C5).
            scraper = SCRAPERS.get(body.get("name", ""))
            if scraper is None or body.get("status") != "success" or not body.get("gcs_path"):
                continue
            content = json.loads((self.files / body["gcs_path"].removeprefix("gs://")).read_text())
            stamp = {"source_file_path": body["gcs_path"], "processed_at": self._now()}
            rows[scraper.table] += [{**row, **stamp} for row in content["rows"]]
            self.processed += 1
            self.recovered += bool(body.get("recovery"))
        for table, content_rows in rows.items():
            errors = self.bq.insert_rows_json(
                f"{self.bq.project}.nba_raw.{table}",
                content_rows,
                row_ids=AutoRowIDs.DISABLED,
                timeout=20,
                retry=Retry(timeout=20),
            )
            if errors:
                raise RuntimeError(f"nba_raw.{table}: {errors}")
        return done

    def _now(self) -> str:
        return self.clock.now().astimezone(UTC).isoformat()


def iso(moment: datetime) -> str:
    """Return a moment as the messages carry it."""
    return moment.astimezone(UTC).isoformat()
