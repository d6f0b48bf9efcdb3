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
SLACK = {"TIMESTAMP": timedelta(minutes=15), "DATETIME": timedelta(hours=6)}
"""A row may have been processed this long before its call, by the type of ``processed_at``: clocks and zones differ."""
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
    parts: dict[str, _Part] = {}
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


@dataclass(frozen=True)
class _Part:
    """The part of the query for one table. ``slack``: as in :func:`arrived_in`."""

    text: str
    slack: timedelta


def _part(warehouse: Warehouse, table: str, traces: Sequence[Trace]) -> _Part:
    """Return the part of the query for ``table``. It reads only partitions that can hold the files (lesson C6)."""
    layout = warehouse.layout(table)
    newest = any(trace.keeps_paths is KeptPaths.NEWEST for trace in traces)
    slack = SLACK.get(layout.columns.get(TIME_COLUMN, ""))
    text = with_identifiers(
        "processed_files",
        layout.partition,
        table=table,
        time_column=TIME_COLUMN if newest or slack is not None else "NULL",
        newest_column=TIME_COLUMN if newest else "NULL",
    )
    return _Part(text, slack or timedelta())


def _ask(
    warehouse: Warehouse,
    tables: Sequence[str],
    parts: Mapping[str, _Part],
    by_table: Mapping[str, Sequence[Trace]],
    oldest: datetime,
) -> set[str]:
    """Return the paths of the files that have arrived, each in its own table. Reads the tables with one query."""
    traces = [trace for table in tables for trace in by_table[table]]
    days = [trace.day for trace in traces]
    rows = warehouse.query(
        "\nUNION ALL\n".join(parts[table].text for table in tables),
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
    return {path for table in tables for path in arrived_in(by_table[table], noted[table], parts[table].slack)}


def arrived_in(traces: Sequence[Trace], noted: Iterable[Mapping[str, Any]], slack: timedelta = timedelta()) -> set[str]:
    """Return the paths of a table's files that have arrived. Pure.

    ``noted``: rows of the table with ``source_file_path``, and ``processed_at`` or None. A path may be the same every
    day, so a row that was processed before the call does not count, by more than ``slack`` (lesson F5).
    """
    noted = list(noted)
    known = KnownFiles(trace.file.gcs_path for trace in traces)
    there: dict[FilePath, datetime | None] = {}
    refreshed = []
    for row in noted:
        fitting, moment = known.fitting(row["source_file_path"]), row.get("processed_at")
        if not fitting and moment is not None:
            refreshed.append(moment)
        # A path that may name two files proves neither.
        for file in fitting if len(fitting) == 1 else ():
            last = there.get(file, moment)
            there[file] = None if last is None or moment is None else max(last, moment)
    arrived = set()
    # Of the calls with one path the last counts, because it has written over the file.
    for trace in sorted(traces, key=lambda trace: trace.age):
        file = FilePath.of(trace.file.gcs_path)
        moment = there.get(file)
        arrived.discard(trace.file.gcs_path)
        if file in there and (moment is None or moment >= trace.file.triggered_at - slack):
            arrived.add(trace.file.gcs_path)
    for scraper in {trace.file.scraper_name for trace in traces if trace.keeps_paths is KeptPaths.NEWEST}:
        *earlier, newest = sorted((t for t in traces if t.file.scraper_name == scraper), key=lambda trace: trace.age)
        arrived |= {trace.file.gcs_path for trace in earlier} - {newest.file.gcs_path}
        # A file of another writer that was processed later has replaced ours.
        if any(moment >= newest.file.triggered_at for moment in refreshed):
            arrived.add(newest.file.gcs_path)
    return arrived
