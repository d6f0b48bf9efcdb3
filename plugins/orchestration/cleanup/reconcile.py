"""What reconcile reads: the games of the last days, and which of them every scraper has brought and still has."""

from __future__ import annotations

from collections import defaultdict
from datetime import date, datetime, timedelta

from orchestration.audit.inputs import decision_inputs
from orchestration.audit.statements import statement
from orchestration.audit.warehouse import Warehouse, WarehouseError
from orchestration.cleanup.backlog import canonical_path
from orchestration.cleanup.reading import processed_paths
from orchestration.config.model import Config
from orchestration.planning.day import current_day
from orchestration.planning.reconcile import Makeup, makeups
from orchestration.services.files import Files
from orchestration.services.messages import LostFile

MOST_DAYS = 14


def find_makeups(warehouse: Warehouse, config: Config, now: datetime, days: int, limit: int) -> list[Makeup]:
    """Return the runs that make up for what is missing of the last ``days`` orchestration days before ``now``.

    Raises WarehouseError or FilesUnknown when something cannot be read: what is not known is not fetched anew.
    """
    last = current_day(config, now)
    first = last - timedelta(days=days)
    schedule, _ = decision_inputs(warehouse, config, list(config.enabled)[:1], now, about=first)
    games = [game for game in schedule.games if first <= game.date <= last]
    rows = warehouse.query(statement("collected_games"), {"first_date": first, "last_date": last})
    collected: dict[str, set[str]] = defaultdict(set)
    for scraper, game in _still_there(warehouse, config, rows, now):
        collected[scraper].add(game)
    return makeups(config, games, collected, now, limit)


def _still_there(
    warehouse: Warehouse, config: Config, rows: list[dict[str, object]], now: datetime
) -> set[tuple[str, str]]:
    """Return scraper and game of the rows, without those whose file is neither in its table nor in the bucket."""
    by_table: dict[str, list[tuple[LostFile, date]]] = defaultdict(list)
    for row in rows:
        scraper = config.scrapers.get(str(row["scraper_name"]))
        if scraper is not None and scraper.processed_in is not None and row["gcs_path"]:
            names = ("scraper_name", "gcs_path", "execution_id", "workflow", "record_count", "triggered_at")
            file = LostFile(**{name: row[name] for name in names})  # type: ignore[arg-type]
            by_table[scraper.processed_in].append((file, row["game_date"]))  # type: ignore[arg-type]
    found, errors = processed_paths(warehouse, by_table, now - timedelta(days=MOST_DAYS))
    if errors:
        raise WarehouseError("; ".join(f"{table}: {why}" for table, why in sorted(errors.items())))
    there = {canonical_path(path) for path in found}
    unprocessed = {
        file.gcs_path for files in by_table.values() for file, _ in files if canonical_path(file.gcs_path) not in there
    }
    gone = Files().vanished(sorted(unprocessed))
    return {(str(row["scraper_name"]), str(row["game_id"])) for row in rows if row["gcs_path"] not in gone}
