"""Which files have reached their table. A table may keep a path in several forms."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from orchestration.audit.references import TIME_COLUMN
from orchestration.audit.statements import with_identifiers
from orchestration.audit.warehouse import Warehouse, WarehouseError
from orchestration.records.tables import CallRecord
from orchestration.services.files import FilePath, KnownFiles, LostFile
from orchestration.words import KeptPaths

DAYS_BEFORE, DAYS_AFTER = 7, 14
"""The partitions of these days around the dates of the files are read: a schedule file has rows on other days too."""
GROUP = 50
"""Tables in one query."""


@dataclass(frozen=True)
class Trace:
    """A file to be found in its table. ``day`` is the ET date of its data. ``of_age``: the file is due in its table."""

    file: LostFile
    day: date
    keeps_paths: KeptPaths = KeptPaths.ALL
    of_age: bool = True

    @property
    def age(self) -> tuple[datetime, str]:
        """The sort key of the files of one scraper: by moment, then by path."""
        return self.file.triggered_at, self.file.gcs_path


def trace_of(call: CallRecord, keeps_paths: KeptPaths, *, of_age: bool = True) -> Trace:
    """Return the trace of a successful call with a file."""
    file = LostFile(
        call.scraper_name,
        str(call.gcs_path),
        call.execution_id,
        call.workflow,
        call.record_count,
        call.triggered_at,
    )
    return Trace(file, call.game_date or call.target_date, keeps_paths, of_age)


def arrived_files(
    warehouse: Warehouse, by_table: Mapping[str, Sequence[Trace]], oldest: datetime
) -> tuple[set[str], dict[str, str]]:
    """Return the paths of the files that have arrived, and the error of each table that cannot be read."""
    parts: dict[str, str] = {}
    errors: dict[str, str] = {}
    for table in sorted(by_table):
        try:
            parts[table] = _part(warehouse, table, by_table[table])
        except WarehouseError as error:
            errors[table] = str(error)
    arrived: set[str] = set()
    tables = sorted(parts)
    for start in range(0, len(tables), GROUP):
        group = tables[start : start + GROUP]
        try:
            arrived |= _ask(warehouse, group, parts, by_table, oldest)
        except WarehouseError:
            # One bad table fails the query of its group. A query for each table finds the bad one.
            for table in group:
                try:
                    arrived |= _ask(warehouse, [table], parts, by_table, oldest)
                except WarehouseError as error:
                    errors[table] = str(error)
    return arrived, errors


def _part(warehouse: Warehouse, table: str, traces: Sequence[Trace]) -> str:
    """Return the part of the query for ``table``. It reads only partitions that can hold the files (lesson C6)."""
    newest = any(trace.keeps_paths is KeptPaths.NEWEST for trace in traces)
    names = {"table": table, "time_column": TIME_COLUMN if newest else "NULL"}
    match warehouse.partition_column(table):
        case (column, "DATE"):
            return with_identifiers("processed_files", partition_column=column, **names)
        case (column, _):
            return with_identifiers("processed_files_by_time", partition_column=column, **names)
        case None:
            return with_identifiers("processed_files_whole", **names)


def _ask(
    warehouse: Warehouse,
    tables: Sequence[str],
    parts: Mapping[str, str],
    by_table: Mapping[str, Sequence[Trace]],
    oldest: datetime,
) -> set[str]:
    """Return the paths of the files that have arrived, each in its own table. Reads the tables with one query."""
    traces = [trace for table in tables for trace in by_table[table]]
    days = [trace.day for trace in traces]
    rows = warehouse.query(
        "\nUNION ALL\n".join(parts[table] for table in tables),
        {
            "paths": sorted({form for t in traces for form in FilePath.of(t.file.gcs_path).asked}),
            "first_date": min(days) - timedelta(days=DAYS_BEFORE),
            "last_date": max(days) + timedelta(days=DAYS_AFTER),
            "oldest": oldest,
        },
    )
    noted: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        if row["source_file_path"]:
            noted[row["table_name"]].append(row)
    return {path for table in tables for path in arrived_in(by_table[table], noted[table])}


def arrived_in(traces: Sequence[Trace], noted: Iterable[Mapping[str, Any]]) -> set[str]:
    """Return the paths of a table's files that have arrived. Pure.

    ``noted``: rows of the table with ``source_file_path``, and ``processed_at`` if it keeps only the newest file.
    """
    noted = list(noted)
    known = KnownFiles(trace.file.gcs_path for trace in traces)
    there = known.named(row["source_file_path"] for row in noted)
    arrived = {trace.file.gcs_path for trace in traces if FilePath.of(trace.file.gcs_path) in there}
    refreshed = [
        row["processed_at"]
        for row in noted
        if row.get("processed_at") is not None and not known.fitting(row["source_file_path"])
    ]
    for scraper in {trace.file.scraper_name for trace in traces if trace.keeps_paths is KeptPaths.NEWEST}:
        *earlier, newest = sorted((t for t in traces if t.file.scraper_name == scraper), key=lambda trace: trace.age)
        arrived |= {trace.file.gcs_path for trace in earlier}
        # A file of another writer that was processed later has replaced ours.
        if any(moment >= newest.file.triggered_at for moment in refreshed):
            arrived.add(newest.file.gcs_path)
    return arrived
