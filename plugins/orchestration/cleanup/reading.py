"""What the cleanup reads: files of successful calls, and which of them have reached their table."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from orchestration.audit.statements import statement, with_identifiers
from orchestration.audit.warehouse import Warehouse, WarehouseError
from orchestration.cleanup.backlog import Republished, canonical_path
from orchestration.config.model import Config
from orchestration.services.messages import LostFile

DAYS_BEFORE, DAYS_AFTER = 7, 14
"""Partitions read around the files' dates. A schedule file's rows lie on many dates, some of them always in here."""


@dataclass(frozen=True)
class Found:
    """The files whose table could be read, the paths found there, and what could not be read."""

    files: tuple[LostFile, ...]
    processed: frozenset[str]
    errors: tuple[str, ...]


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
    files: list[LostFile] = []
    processed: set[str] = set()
    errors: list[str] = []
    for table, entries in sorted(by_table.items()):
        try:
            processed |= _processed(warehouse, table, entries, oldest)
        except WarehouseError as error:
            errors.append(f"{table}: {error}; none of its {len(entries)} files was checked or republished")
        else:
            files += [file for file, _ in entries]
    return Found(tuple(files), frozenset(processed), tuple(errors))


def _processed(
    warehouse: Warehouse, table: str, entries: Sequence[tuple[LostFile, date]], oldest: datetime
) -> set[str]:
    """Return the paths of ``entries`` that stand in ``table``, reading only the partitions they can be in (C6)."""
    paths = sorted({form for file, _ in entries for form in (file.gcs_path, canonical_path(file.gcs_path))})
    partition = warehouse.partition_column(table)
    match partition:
        case (column, "DATE"):
            days = [day for _, day in entries]
            rows = warehouse.query(
                with_identifiers("processed_files", table=table, partition_column=column),
                {
                    "paths": paths,
                    "first_date": min(days) - timedelta(days=DAYS_BEFORE),
                    "last_date": max(days) + timedelta(days=DAYS_AFTER),
                },
            )
        case (column, _):
            sql = with_identifiers("processed_files_by_time", table=table, partition_column=column)
            rows = warehouse.query(sql, {"paths": paths, "oldest": oldest})
        case None:
            rows = warehouse.query(with_identifiers("processed_files_whole", table=table), {"paths": paths})
    return {row["source_file_path"] for row in rows}


def republished_before(warehouse: Warehouse, config: Config, now: datetime) -> Mapping[str, Republished]:
    """Return, by canonical path, how often each file of the look-back has been republished: it survives restarts."""
    oldest = now - timedelta(hours=config.settings.cleanup_processor.lookback_hours)
    parameters = {"oldest": oldest, "oldest_date": oldest.astimezone(UTC).date()}
    rows = warehouse.query(statement("republished_before"), parameters)
    return {canonical_path(row["gcs_path"]): Republished(int(row["times"]), row["last_time"]) for row in rows}
