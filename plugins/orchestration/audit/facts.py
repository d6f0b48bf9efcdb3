"""The records of one orchestration day, read in one round trip."""

from __future__ import annotations

from datetime import UTC, date, datetime

from orchestration.audit.inputs import by_kind, schedule_from, schedule_window
from orchestration.audit.statements import statement
from orchestration.audit.warehouse import Warehouse
from orchestration.config import Config
from orchestration.health.facts import RECORD, AskedDate, DayFacts, FirstDecision, WrittenTwice
from orchestration.records.tables import CallRecord, CleanupRecord, DecisionRecord, ExecutionRecord, ExpectedRun


def day_facts(warehouse: Warehouse, config: Config, day: date, now: datetime) -> DayFacts:
    """Return what is known of the orchestration day ``day`` (ET) at the aware ``now``.

    Raises WarehouseError when BigQuery does not answer.
    """
    start, end = config.day_bounds(day)
    rows = by_kind(
        warehouse.query(
            statement("day_facts"),
            {
                **schedule_window(start),
                "day": day,
                "start": start.astimezone(UTC),
                "start_date": start.astimezone(UTC).date(),
                "until": end.astimezone(UTC),
                "record_from": (start - RECORD).astimezone(UTC).date(),
                "record_to": end.astimezone(UTC).date(),
                "seen_until": now.astimezone(UTC),
            },
        )
    )
    return DayFacts(
        day=day,
        schedule=schedule_from(rows),
        expected=tuple(map(ExpectedRun.read, rows["expected"])),
        decisions=tuple(map(DecisionRecord.read, rows["decision"])),
        executions=tuple(map(ExecutionRecord.read, rows["execution"])),
        calls=tuple(map(CallRecord.read, rows["call"])),
        cleanups=tuple(map(CleanupRecord.read, rows["cleanup"])),
        first=tuple(map(FirstDecision.model_validate_json, rows["first"])),
        asked=tuple(map(AskedDate.model_validate_json, rows["asked"])),
        twice=tuple(map(WrittenTwice.model_validate_json, rows["twice"])),
    )
