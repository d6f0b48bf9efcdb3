"""Reading the scraper service's own log (``settings.service_log``), by the run ids of its answers (lesson A2)."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from pydantic import ValidationError

from orchestration.audit.corrections import corrected, unexplained
from orchestration.audit.statements import statement
from orchestration.audit.warehouse import Parameter, Warehouse
from orchestration.config import Config
from orchestration.records.tables import CallRecord
from orchestration.services.contract import LogEntry
from orchestration.vocabulary.scrapers import answer_of

log = logging.getLogger(__name__)

DAY = timedelta(days=1)
"""So far the service's clock, or the day of a replay, may lie beside ours."""


def corrections(warehouse: Warehouse, config: Config, rows: Iterable[CallRecord], at: datetime) -> list[CallRecord]:
    """Return the new versions of those rows that the service's log corrects, made at the aware moment ``at``.

    One query for all of them; none without ``settings.service_log``, or where the log can say nothing new.

    Raises WarehouseError when the log cannot be read.
    """
    asked = [row for row in rows if unexplained(row)] if config.settings.service_log else []
    if not asked:
        return []
    days = [moment.astimezone(UTC).date() for row in asked for moment in (row.triggered_at, row.created_at)]
    parameters: dict[str, Parameter] = {
        "run_ids": sorted({row.run_id for row in asked}),
        "first_date": min(days) - DAY,
        "last_date": max(days) + DAY,
    }
    entries: dict[str, LogEntry] = {}
    for row in warehouse.query(statement("service_log"), parameters):
        try:
            entries[row["execution_id"]] = LogEntry.model_validate(row)
        except ValidationError as error:
            # One bad row of somebody else's keeps no other from being read.
            problems = "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors())
            log.warning("A row of the service's log is left out (%s): %s", row["execution_id"], problems)
    found = (
        corrected(row, entries[row.run_id], answer_of(row.scraper_name, config.scrapers.get(row.scraper_name)), at)
        for row in asked
        if row.run_id in entries
    )
    return [row for row in found if row is not None]
