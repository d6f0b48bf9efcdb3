"""What reconcile reads: the games of the last days, and the calls that fetched them into files that still exist."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from orchestration.audit.inputs import by_kind, decision_inputs
from orchestration.audit.statements import statement
from orchestration.audit.warehouse import Warehouse, WarehouseError
from orchestration.cleanup.arrivals import Trace, arrived_files, trace_of
from orchestration.cleanup.reading import last_look
from orchestration.config import Config
from orchestration.decisions.collected import successes_of
from orchestration.nba.eastern import et_date
from orchestration.nba.games import GameType
from orchestration.planning.makeups import Makeup, makeups, makeups_of_files, windows_to_reconcile
from orchestration.planning.other_system.rows import past_calls, read_calls
from orchestration.records.tables import CallRecord
from orchestration.services.google_cloud import vanished_files
from orchestration.words import FileState, KeptPaths

log = logging.getLogger(__name__)

MOST_DAYS = 14
"""Days before now whose partitions are read, in a table that is partitioned by time."""


class ScheduleUnknown(WarehouseError):
    """The schedule does not say which games were played."""


def find_makeups(
    warehouse: Warehouse, config: Config, now: datetime, days: int, limit: int, *, on_record_only: bool = False
) -> list[Makeup]:
    """Return the runs that fetch the missing data of the last ``days`` orchestration days before ``now``.

    Missing: games that a scraper has not returned, and files that never arrived (lesson F2). Data that another system
    fetched is not missing. ``on_record_only``: leave out the days before this system's first decision.

    Raises WarehouseError or FilesUnknown if something cannot be read: unknown data is not fetched again.
    """
    if not (windows := windows_to_reconcile(config, now)):
        return []
    last = config.current_day(now)
    first = last - timedelta(days=days)
    schedule, _ = decision_inputs(warehouse, config, list(config.enabled)[:1], now, about=first)
    if reason := schedule.unknown_because(now, config.settings.schedule_max_age_hours):
        raise ScheduleUnknown(f"Schedule unknown: {reason}")
    seen = now.astimezone(UTC).date()
    if on_record_only:
        rows = warehouse.query(statement("first_decisions"), {"record_from": first, "record_to": seen})
        first = max(first, min((et_date(row["tick"]) for row in rows), default=last))
    games = [game for n in range((last - first).days + 1) for game in schedule.on(first + timedelta(days=n), GameType)]
    ours = {scraper for scrapers in windows.values() for scraper in scrapers}
    facts = by_kind(
        warehouse.query(
            statement("collected_games"),
            {"first_date": first, "last_date": last, "seen_date": seen, "scrapers": sorted(ours)},
        )
    )
    calls = [CallRecord.read(row) for row in facts["call"]]
    theirs = read_calls(config, facts["their_call"], {game.code: game.game_id for game in games})
    look = last_look(warehouse, now)
    open_files = [file for file in (look.followed_files if look else ()) if file.state is FileState.OPEN]
    lost = {(file.gcs_path, file.triggered_at) for file in open_files}
    arriving = [call for call in calls if (call.gcs_path, call.triggered_at) not in lost]
    brought = [*_still_there(warehouse, config, arriving, now), *past_calls(theirs, ours)]
    of_games = makeups(config, games, successes_of(brought), now, limit)
    return [*of_games, *makeups_of_files(config, open_files, now)][:limit]


def _still_there(warehouse: Warehouse, config: Config, calls: Sequence[CallRecord], now: datetime) -> list[CallRecord]:
    """Return the calls whose file is in its table or in the bucket.

    A table that does not keep the path of every file is not read. The files of a table that cannot be read count as
    existing; the cleanup alerts such a table.
    """
    by_table: dict[str, list[Trace]] = defaultdict(list)
    for call in calls:
        scraper = config.scrapers[call.scraper_name]
        if scraper.processed_in is not None and scraper.keeps_paths is KeptPaths.ALL and call.gcs_path:
            by_table[scraper.processed_in].append(trace_of(call, scraper.keeps_paths))
    arrived, errors = arrived_files(warehouse, by_table, now - timedelta(days=MOST_DAYS))
    for table, why in sorted(errors.items()):
        log.warning("The files of %s count as existing, because the table cannot be read: %s", table, why)
        del by_table[table]
    unprocessed = {trace.file.gcs_path for traces in by_table.values() for trace in traces} - arrived
    gone = vanished_files(sorted(unprocessed))
    return [call for call in calls if call.gcs_path not in gone]
