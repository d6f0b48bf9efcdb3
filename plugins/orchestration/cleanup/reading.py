"""What the cleanup reads: the calls of its look-back with their corrections, their files, and earlier republishings."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from pydantic import ValidationError

from orchestration.alerts.model import Alert, alert
from orchestration.audit.service_log import corrected_execution, corrections
from orchestration.audit.statements import statement
from orchestration.audit.warehouse import Parameter, Warehouse, WarehouseError
from orchestration.cleanup.arrivals import Trace, arrived_files, trace_of
from orchestration.cleanup.backlog import Republished
from orchestration.cleanup.following import follow, followed_of
from orchestration.config import Config
from orchestration.health import task_kinds
from orchestration.health.findings import FOLLOWED
from orchestration.health.incidents import cause_of_error
from orchestration.records.base import Record
from orchestration.records.tables import CallRecord, CleanupRecord, ExecutionRecord, FollowedFile, last_tries
from orchestration.services.files import LostFile
from orchestration.words import FileState, KeptPaths, Outcome, few

AnyRecord = TypeVar("AnyRecord", bound=Record)


@dataclass(frozen=True)
class Corrected:
    """The calls of the look-back with their corrections, the corrected rows to write, and alerts."""

    calls: tuple[CallRecord, ...]
    rows: tuple[Record, ...]
    alerts: tuple[Alert, ...]


@dataclass(frozen=True)
class Found:
    """The files whose table could be read, the paths of the files that have arrived, and alerts.

    ``followed``: the files that left the look-back before they arrived, open or closed just now.
    """

    files: tuple[LostFile, ...]
    processed: frozenset[str]
    alerts: tuple[Alert, ...]
    followed: tuple[FollowedFile, ...] = ()


def last_look(warehouse: Warehouse, now: datetime) -> CleanupRecord | None:
    """Return the last cleanup before ``now`` that could check files, or None without one in :data:`FOLLOWED`."""
    seen = {"oldest_date": (now - FOLLOWED).astimezone(UTC).date(), "seen_at": now}
    rows = warehouse.query(statement("followed_files"), seen)
    return CleanupRecord.read(rows[0]["payload"]) if rows else None


def since(config: Config, now: datetime, last: CleanupRecord | None = None) -> datetime:
    """Return the moment since which calls are read: of the look-back of ``last``, so that no file leaves it unseen."""
    lasting = timedelta(hours=config.settings.cleanup_processor.lookback_hours)
    if last is None:
        return now - lasting
    return min(now - lasting, max(last.cleanup_time.astimezone(UTC) - lasting, now - FOLLOWED))


def look_back(config: Config, now: datetime, last: CleanupRecord | None = None) -> dict[str, Parameter]:
    """Return the parameters of the statements that read the calls :func:`since` the look-back began."""
    oldest = since(config, now, last)
    return {"oldest": oldest, "oldest_date": oldest.astimezone(UTC).date()}


def correct(warehouse: Warehouse, config: Config, look_back: Mapping[str, Parameter], at: datetime) -> Corrected:
    """Return the calls of the ``look_back`` with their corrections, made at the aware moment ``at``.

    ``finish`` corrects the calls of its own run, but rows of the log may come later. A log that cannot be read corrects
    nothing and is alerted.

    Raises WarehouseError when our own rows cannot be read.
    """
    alerts: list[Alert] = []
    calls = _rows(warehouse, CallRecord, "recent_calls", look_back, alerts)
    try:
        found = {row.row_id: row for row in corrections(warehouse, config, calls, at)}
    except WarehouseError as error:
        alerts.append(alert(task_kinds.LOG_UNREADABLE, "service_log", log=config.settings.service_log, why=error))
        found = {}
    known = [found.get(call.row_id, call) for call in calls]
    rows: list[Record] = [*found.values()]
    if any(call.error_type is not None for call in known):
        by_run: dict[tuple[str, str], list[CallRecord]] = defaultdict(list)
        for call in last_tries(known):
            by_run[call.dag_id, call.dag_run_id].append(call)
        for execution in _rows(warehouse, ExecutionRecord, "recent_executions", look_back, alerts):
            row = corrected_execution(execution, by_run[execution.dag_id, execution.run_id], config, at)
            rows += [] if row is None else [row]
    return Corrected(tuple(known), tuple(rows), tuple(alerts))


def _rows(
    warehouse: Warehouse, model: type[AnyRecord], name: str, parameters: Mapping[str, Parameter], alerts: list[Alert]
) -> list[AnyRecord]:
    """Return the rows of a statement. A row that cannot be read is left out and alerted."""
    rows = []
    for columns in warehouse.query(statement(name), parameters):
        try:
            rows.append(model.whole(columns))
        except ValidationError as error:
            row, why = columns.get(model.ID), error.errors()[0]
            alerts.append(alert(task_kinds.ROW_UNREADABLE, "cleanup", table=model.TABLE, row=row, why=why))
    return rows


def read_files(
    warehouse: Warehouse,
    config: Config,
    calls: Iterable[CallRecord],
    now: datetime,
    last: CleanupRecord | None = None,
    given_up: Collection[str] = (),
) -> Found:
    """Return the files of ``calls`` that are old enough to be checked at ``now``, and which of them have arrived.

    ``last``: the cleanup before; its open files are looked for too. ``given_up``: as in :func:`follow`.

    Files of a table that cannot be read are not checked. In a table that keeps only the newest file, only the newest
    file is checked: an earlier message would replace new data with old data (lesson A4).
    """
    oldest = now - timedelta(hours=config.settings.cleanup_processor.lookback_hours)
    youngest = now - timedelta(minutes=config.settings.cleanup_processor.min_file_age_minutes)
    by_table: dict[str, dict[str, Trace]] = defaultdict(dict)
    unnamed: Counter[str] = Counter()
    was_open = {f.gcs_path: f for f in (last.followed_files if last else ()) if f.state is FileState.OPEN}
    left, brought, with_file = dict(was_open), 0, []
    for call in calls:
        scraper = config.scrapers.get(call.scraper_name)
        if call.status is not Outcome.SUCCESS or scraper is None or not scraper.traceable:
            continue
        of_age = (call.completed_at or call.triggered_at) <= youngest
        in_time = call.triggered_at >= oldest
        brought += of_age and in_time
        if call.gcs_path is None:
            unnamed[call.scraper_name] += of_age and in_time
            continue
        with_file.append(call)
        if not in_time:
            left[call.gcs_path] = followed_of(call)
        elif of_age or scraper.keeps_paths is KeptPaths.NEWEST:
            # A later call with the same path has written over the file.
            by_table[str(scraper.processed_in)][call.gcs_path] = trace_of(call, scraper.keeps_paths, of_age=of_age)
    checked = {path for files in by_table.values() for path in files}
    for file in left.values():
        scraper = config.scrapers.get(file.scraper_name)
        if scraper is not None and scraper.traceable:
            lost = LostFile(file.scraper_name, file.gcs_path, "", None, None, file.triggered_at)
            trace = Trace(lost, file.target_date, scraper.keeps_paths)
            by_table[str(scraper.processed_in)].setdefault(file.gcs_path, trace)
    traces = {table: list(files.values()) for table, files in by_table.items()}
    arrived, errors = arrived_files(warehouse, traces, min([oldest, *(file.triggered_at for file in left.values())]))
    for table in errors:
        del traces[table]
    alerts = [
        alert(task_kinds.TABLE_UNREADABLE, table, cause=cause_of_error(why), why=why)
        for table, why in sorted(errors.items())
    ]
    if unnamed.total():
        alerts.append(_blind(config, unnamed, brought))
    files = [t.file for of_table in traces.values() for t in of_table if t.of_age and t.file.gcs_path in checked]
    open_files = [file for path, file in left.items() if path in was_open or path not in arrived]
    followed = follow(open_files, arrived, with_file, given_up, now)
    return Found(tuple(files), frozenset(arrived), tuple(alerts), followed)


def _blind(config: Config, unnamed: Counter[str], brought: int) -> Alert:
    """Return the alert about calls whose answers and log name no file (lesson A2)."""
    log = config.settings.service_log
    cure = f"{log} (settings.service_log) names no file either" if log else "Set settings.service_log"
    scrapers = few(sorted(+unnamed))
    return alert(task_kinds.BLIND, "cleanup", unnamed=unnamed.total(), calls=brought, scrapers=scrapers, cure=cure)


def republished_before(warehouse: Warehouse, config: Config, now: datetime) -> Mapping[str, Republished]:
    """Return by path how often each file of the look-back was republished, from earlier cleanups' rows."""
    rows = warehouse.query(statement("republished_before"), look_back(config, now))
    return {row["gcs_path"]: Republished(int(row["times"]), row["last_time"]) for row in rows}
