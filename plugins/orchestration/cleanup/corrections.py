"""What the cleanup corrects: our rows of the look-back, by what the service's log says of them (lesson A2)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from pydantic import ValidationError

from orchestration.alerts.model import Alert, alert
from orchestration.audit.corrections import corrected_execution
from orchestration.audit.service_log import corrections
from orchestration.audit.statements import statement
from orchestration.audit.warehouse import Parameter, Warehouse, WarehouseError
from orchestration.config import Config
from orchestration.health import kinds
from orchestration.records.base import Record
from orchestration.records.tables import CallRecord, ExecutionRecord, last_tries

AnyRow = TypeVar("AnyRow", bound=Record)


@dataclass(frozen=True)
class Corrected:
    """The look-back's calls as they are known by now, the rows that say so, and what people should know."""

    calls: tuple[CallRecord, ...]
    rows: tuple[Record, ...]
    alerts: tuple[Alert, ...]


def correct(warehouse: Warehouse, config: Config, look_back: Mapping[str, Parameter], at: datetime) -> Corrected:
    """Return the calls of the ``look_back`` with their corrections, made at the aware moment ``at``.

    ``finish`` does the same for its own calls; the log's rows can be later than that. A log that cannot be read
    corrects nothing, and people are told.

    Raises WarehouseError when our own rows cannot be read.
    """
    alerts: list[Alert] = []
    calls = _rows(warehouse, CallRecord, "recent_calls", look_back, alerts)
    try:
        found = {row.row_id: row for row in corrections(warehouse, config, calls, at)}
    except WarehouseError as error:
        alerts.append(alert(kinds.LOG_UNREADABLE, "service_log", log=config.settings.service_log, why=error))
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
    warehouse: Warehouse, model: type[AnyRow], name: str, parameters: Mapping[str, Parameter], alerts: list[Alert]
) -> list[AnyRow]:
    """Return the rows of a statement. One that no row of ours can be is left out, and told."""
    rows = []
    for columns in warehouse.query(statement(name), parameters):
        try:
            rows.append(model.whole(columns))
        except ValidationError as error:
            row, why = columns.get(model.ID), error.errors()[0]
            alerts.append(alert(kinds.ROW_UNREADABLE, "cleanup", table=model.TABLE, row=row, why=why))
    return rows
