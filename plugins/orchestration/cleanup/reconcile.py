"""What reconcile reads: the games of the last days, and when every scraper has brought what is still there."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, date, datetime, timedelta
from typing import Any

from orchestration.audit.inputs import decision_inputs
from orchestration.audit.statements import statement
from orchestration.audit.warehouse import Warehouse, WarehouseError
from orchestration.cleanup.backlog import canonical_path
from orchestration.cleanup.reading import processed_paths
from orchestration.config.model import Config
from orchestration.config.scrapers import SERVICE_NAMES
from orchestration.decisions.collected import successes_of
from orchestration.decisions.days import current_day
from orchestration.decisions.model import PastCall
from orchestration.nba.eastern import et
from orchestration.nba.games import GameType
from orchestration.planning.reconcile import Makeup, makeups, windows_to_reconcile
from orchestration.services.files import Files
from orchestration.services.messages import LostFile
from orchestration.words import Outcome

MOST_DAYS = 14


class ScheduleUnknown(WarehouseError):
    """Which games were played is not known."""


def find_makeups(
    warehouse: Warehouse, config: Config, now: datetime, days: int, limit: int, *, on_record_only: bool = False
) -> list[Makeup]:
    """Return the runs that make up for what is missing of the last ``days`` orchestration days before ``now``.

    What others brought, such as the system before this one, is not missing. ``on_record_only``: leave out the days
    before this system's first decision, of which it has nothing to make up for.

    Raises WarehouseError or FilesUnknown when something cannot be read: what is not known is not fetched anew.
    """
    if not (windows := windows_to_reconcile(config, now)):
        return []
    last = current_day(config, now)
    first = last - timedelta(days=days)
    schedule, _ = decision_inputs(warehouse, config, list(config.enabled)[:1], now, about=first)
    if reason := schedule.unknown_because(now, config.settings.schedule_max_age_hours):
        raise ScheduleUnknown(f"Schedule unknown: {reason}")
    seen = now.astimezone(UTC).date()
    if on_record_only:
        rows = warehouse.query(statement("first_decisions"), {"record_from": first, "record_to": seen})
        first = max(first, min((current_day(config, et(row["tick"])) for row in rows), default=last))
    games = [game for n in range((last - first).days + 1) for game in schedule.on(first + timedelta(days=n), GameType)]
    ours = {scraper for scrapers in windows.values() for scraper in scrapers}
    names = {**{name: name for name in ours}, **{name: one for name, one in SERVICE_NAMES.items() if one in ours}}
    rows = warehouse.query(
        statement("collected_games"),
        {"first_date": first, "last_date": last, "seen_date": seen, "scrapers": sorted(names)},
    )
    ids = {game.code: game.game_id for game in games}
    found = [
        {**row, "scraper_name": names[row["scraper_name"]], "game_id": row["game_id"] or ids.get(row["game_code"])}
        for row in rows
    ]
    return makeups(config, games, successes_of(_still_there(warehouse, config, found, now)), now, limit)


def _still_there(warehouse: Warehouse, config: Config, rows: list[dict[str, Any]], now: datetime) -> list[PastCall]:
    """Return the calls of the rows, without those whose file is neither in its table nor in the bucket."""
    by_table: dict[str, list[tuple[LostFile, date]]] = defaultdict(list)
    for row in rows:
        scraper = config.scrapers[row["scraper_name"]]
        if scraper.processed_in is not None and row["gcs_path"]:
            names = ("scraper_name", "gcs_path", "execution_id", "workflow", "record_count", "triggered_at")
            file = LostFile(**{name: row[name] for name in names})
            by_table[scraper.processed_in].append((file, row["game_date"]))
    found, errors = processed_paths(warehouse, by_table, now - timedelta(days=MOST_DAYS))
    if errors:
        raise WarehouseError("; ".join(f"{table}: {why}" for table, why in sorted(errors.items())))
    there = {canonical_path(path) for path in found}
    unprocessed = {
        file.gcs_path for files in by_table.values() for file, _ in files if canonical_path(file.gcs_path) not in there
    }
    gone = Files().vanished(sorted(unprocessed))
    return [
        PastCall(row["scraper_name"], row["slot_time"], row["game_date"], Outcome.SUCCESS, row["game_id"])
        for row in rows
        if row["gcs_path"] not in gone
    ]
