"""What the cleanup reads: files of successful calls, and which of them have reached their table."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from orchestration.alerts.model import Alert
from orchestration.audit.statements import statement, with_identifiers
from orchestration.audit.warehouse import Warehouse, WarehouseError
from orchestration.cleanup.backlog import Republished, canonical_path
from orchestration.config.model import Config
from orchestration.services.messages import LostFile

DAYS_BEFORE, DAYS_AFTER = 7, 14
"""Partitions read around the files' dates. A schedule file's rows lie on many dates, some of them always in here."""
GROUP = 50
"""Tables that one query reads."""


@dataclass(frozen=True)
class Found:
    """The files whose table could be read, the paths found there, and an alert for each table that could not."""

    files: tuple[LostFile, ...]
    processed: frozenset[str]
    alerts: tuple[Alert, ...]


def read_files(warehouse: Warehouse, config: Config, now: datetime) -> Found:
    """Return the files to check at ``now``. A table that cannot be read takes its files out of the check.

    Raises WarehouseError when the log of calls itself cannot be read.
    """
    settings = config.settings.cleanup_processor
    oldest = now - timedelta(hours=settings.lookback_hours)
    rows = warehouse.query(
        statement("cleanup_candidates"),
        {
            "oldest": oldest,
            "oldest_date": oldest.astimezone(UTC).date(),
            "youngest": now - timedelta(minutes=settings.min_file_age_minutes),
        },
    )
    by_table: dict[str, list[tuple[LostFile, date]]] = defaultdict(list)
    for row in rows:
        scraper = config.scrapers.get(row["scraper_name"])
        if scraper is not None and scraper.processed_in is not None:
            file = LostFile(
                row["scraper_name"],
                row["gcs_path"],
                row["execution_id"],
                row["workflow"],
                row["record_count"],
                row["triggered_at"],
            )
            by_table[scraper.processed_in].append((file, row["game_date"]))
    processed, errors = processed_paths(warehouse, by_table, oldest)
    for table in errors:
        del by_table[table]
    alerts = [
        Alert("unreadable", table, f"{table}: {why}; none of its files was checked or republished")
        for table, why in sorted(errors.items())
    ]
    files = [file for entries in by_table.values() for file, _ in entries]
    return Found(tuple(files), frozenset(processed), tuple(alerts))


def processed_paths(
    warehouse: Warehouse, by_table: Mapping[str, Sequence[tuple[LostFile, date]]], oldest: datetime
) -> tuple[set[str], dict[str, str]]:
    """Return the files' paths that stand in their tables, and for each table that cannot be read, why."""
    parts: dict[str, str] = {}
    errors: dict[str, str] = {}
    for table in sorted(by_table):
        try:
            parts[table] = _part(warehouse, table)
        except WarehouseError as error:
            errors[table] = str(error)
    found: set[str] = set()
    tables = sorted(parts)
    for start in range(0, len(tables), GROUP):
        group = tables[start : start + GROUP]
        try:
            found |= _ask(warehouse, group, parts, by_table, oldest)
        except WarehouseError:
            # One table spoils the query of its group: ask for each alone, to know which.
            for table in group:
                try:
                    found |= _ask(warehouse, [table], parts, by_table, oldest)
                except WarehouseError as error:
                    errors[table] = str(error)
    return found, errors


def _part(warehouse: Warehouse, table: str) -> str:
    """Return the part of the query that reads ``table``, and only the partitions its files can be in (lesson C6)."""
    match warehouse.partition_column(table):
        case (column, "DATE"):
            return with_identifiers("processed_files", table=table, partition_column=column)
        case (column, _):
            return with_identifiers("processed_files_by_time", table=table, partition_column=column)
        case None:
            return with_identifiers("processed_files_whole", table=table)


def _ask(
    warehouse: Warehouse,
    tables: Sequence[str],
    parts: Mapping[str, str],
    by_table: Mapping[str, Sequence[tuple[LostFile, date]]],
    oldest: datetime,
) -> set[str]:
    """Return the paths of the tables' files that stand there, each in its own table, with one query."""
    entries = {table: by_table[table] for table in tables}
    days = [day for files in entries.values() for _, day in files]
    rows = warehouse.query(
        "\nUNION ALL\n".join(parts[table] for table in tables),
        {
            "paths": sorted({form for files in entries.values() for file, _ in files for form in _forms(file)}),
            "first_date": min(days) - timedelta(days=DAYS_BEFORE),
            "last_date": max(days) + timedelta(days=DAYS_AFTER),
            "oldest": oldest,
        },
    )
    own = {table: {form for file, _ in files for form in _forms(file)} for table, files in entries.items()}
    return {row["source_file_path"] for row in rows if row["source_file_path"] in own[row["table_name"]]}


def _forms(file: LostFile) -> tuple[str, str]:
    return file.gcs_path, canonical_path(file.gcs_path)


def republished_before(warehouse: Warehouse, config: Config, now: datetime) -> Mapping[str, Republished]:
    """Return, by canonical path, how often each file of the look-back has been republished: it survives restarts."""
    oldest = now - timedelta(hours=config.settings.cleanup_processor.lookback_hours)
    parameters = {"oldest": oldest, "oldest_date": oldest.astimezone(UTC).date()}
    rows = warehouse.query(statement("republished_before"), parameters)
    return {canonical_path(row["gcs_path"]): Republished(int(row["times"]), row["last_time"]) for row in rows}
