"""What reconcile reads: the games of the last days, and when every scraper has brought what is still there."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime, timedelta
from typing import Any

from orchestration.audit.inputs import decision_inputs
from orchestration.audit.statements import statement
from orchestration.audit.warehouse import Warehouse, WarehouseError
from orchestration.cleanup.arrivals import Trace, arrived_files
from orchestration.config.model import Config
from orchestration.decisions.collected import successes_of
from orchestration.decisions.days import current_day
from orchestration.decisions.model import PastCall
from orchestration.nba.games import GameType
from orchestration.planning.reconcile import Makeup, makeups, post_game_windows
from orchestration.services.files import Files
from orchestration.services.messages import LostFile
from orchestration.words import KeptPaths, Outcome

MOST_DAYS = 14


def find_makeups(warehouse: Warehouse, config: Config, now: datetime, days: int, limit: int) -> list[Makeup]:
    """Return the runs that make up for what is missing of the last ``days`` orchestration days before ``now``.

    Raises WarehouseError or FilesUnknown when something cannot be read: what is not known is not fetched anew.
    """
    last = current_day(config, now)
    first = last - timedelta(days=days)
    schedule, _ = decision_inputs(warehouse, config, list(config.enabled)[:1], now, about=first)
    games = [game for n in range(days + 1) for game in schedule.on(first + timedelta(days=n), GameType)]
    rows = warehouse.query(statement("collected_games"), {"first_date": first, "last_date": last})
    scrapers = {scraper for scrapers in post_game_windows(config).values() for scraper in scrapers}
    there = _still_there(warehouse, config, [row for row in rows if row["scraper_name"] in scrapers], now)
    return makeups(config, games, successes_of(there), now, limit)


def _still_there(warehouse: Warehouse, config: Config, rows: list[dict[str, Any]], now: datetime) -> list[PastCall]:
    """Return the calls of the rows, without those whose file is neither in its table nor in the bucket.

    A table that does not keep every file's path shows nothing of an old file, and is not asked.
    """
    by_table: dict[str, list[Trace]] = defaultdict(list)
    for row in rows:
        scraper = config.scrapers[row["scraper_name"]]
        if scraper.processed_in is not None and scraper.keeps_paths is KeptPaths.ALL and row["gcs_path"]:
            names = ("scraper_name", "gcs_path", "execution_id", "workflow", "record_count", "triggered_at")
            file = LostFile(**{name: row[name] for name in names})
            by_table[scraper.processed_in].append(Trace(file, row["game_date"]))
    arrived, errors = arrived_files(warehouse, by_table, now - timedelta(days=MOST_DAYS))
    if errors:
        raise WarehouseError("; ".join(f"{table}: {why}" for table, why in sorted(errors.items())))
    unprocessed = {trace.file.gcs_path for traces in by_table.values() for trace in traces} - arrived
    gone = Files().vanished(sorted(unprocessed))
    return [
        PastCall(row["scraper_name"], row["slot_time"], row["game_date"], Outcome.SUCCESS, row["game_id"])
        for row in rows
        if row["gcs_path"] not in gone
    ]
