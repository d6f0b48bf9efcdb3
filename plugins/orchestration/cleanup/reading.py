"""What the cleanup reads: the calls of its look-back, their files, and how often those were republished."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from orchestration.alerts.model import Alert, alert
from orchestration.audit.statements import statement
from orchestration.audit.warehouse import Parameter, Warehouse
from orchestration.cleanup.arrivals import Trace, arrived_files, trace_of
from orchestration.cleanup.backlog import Republished
from orchestration.config import Config
from orchestration.health import kinds
from orchestration.records.tables import CallRecord
from orchestration.services.files import LostFile
from orchestration.words import KeptPaths, Outcome


@dataclass(frozen=True)
class Found:
    """The files whose table could be read, the paths of those that have arrived, and what people should know."""

    files: tuple[LostFile, ...]
    processed: frozenset[str]
    alerts: tuple[Alert, ...]


def look_back(config: Config, now: datetime) -> dict[str, Parameter]:
    """Return the parameters of the statements that read the cleanup's look-back."""
    oldest = now - timedelta(hours=config.settings.cleanup_processor.lookback_hours)
    return {"oldest": oldest, "oldest_date": oldest.astimezone(UTC).date()}


def read_files(warehouse: Warehouse, config: Config, calls: Iterable[CallRecord], now: datetime) -> Found:
    """Return the files of the look-back's ``calls`` to check at ``now``, and which have arrived.

    A table that cannot be read takes its files out of the check. Of a table that keeps the newest file only the newest
    is looked for: to send an earlier one again would put old data over new (lesson A4).
    """
    oldest = now - timedelta(hours=config.settings.cleanup_processor.lookback_hours)
    youngest = now - timedelta(minutes=config.settings.cleanup_processor.min_file_age_minutes)
    by_table: dict[str, list[Trace]] = defaultdict(list)
    unnamed: Counter[str] = Counter()
    brought = 0
    for call in calls:
        scraper = config.scrapers.get(call.scraper_name)
        if call.status is not Outcome.SUCCESS or scraper is None or not scraper.traceable:
            continue
        of_age = (call.completed_at or call.triggered_at) <= youngest
        brought += of_age
        if call.gcs_path is not None and (of_age or scraper.keeps_paths is KeptPaths.NEWEST):
            by_table[str(scraper.processed_in)].append(trace_of(call, scraper.keeps_paths, of_age=of_age))
        elif call.gcs_path is None and of_age:
            unnamed[call.scraper_name] += 1
    arrived, errors = arrived_files(warehouse, by_table, oldest)
    for table in errors:
        del by_table[table]
    alerts = [alert(kinds.TABLE_UNREADABLE, table, why=why) for table, why in sorted(errors.items())]
    if unnamed:
        alerts.append(_blind(config, unnamed, brought))
    files = [trace.file for traces in by_table.values() for trace in traces if trace.of_age]
    return Found(tuple(files), frozenset(arrived), tuple(alerts))


def _blind(config: Config, unnamed: Counter[str], brought: int) -> Alert:
    """Return what to tell people when nobody says where the files of calls are (lesson A2)."""
    log = config.settings.service_log
    cure = f"{log} (settings.service_log) does not name them either" if log else "set settings.service_log to the log"
    scrapers = ", ".join(sorted(unnamed))
    return alert(kinds.BLIND, "cleanup", unnamed=unnamed.total(), calls=brought, scrapers=scrapers, cure=cure)


def republished_before(warehouse: Warehouse, config: Config, now: datetime) -> Mapping[str, Republished]:
    """Return, by its path, how often each file of the look-back has been republished: it survives restarts."""
    rows = warehouse.query(statement("republished_before"), look_back(config, now))
    return {row["gcs_path"]: Republished(int(row["times"]), row["last_time"]) for row in rows}
