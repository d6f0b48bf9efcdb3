"""Telling those who build on a table that calls have brought records for it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

from orchestration.assets import OF_A_CALL, event_of_call, table_alias, table_asset
from orchestration.operators.base import AuditedOperator
from orchestration.operators.call_rows import left_by_calls
from orchestration.runs.clock import RunClock
from orchestration.words import Outcome

if TYPE_CHECKING:
    from airflow.sdk import Context

    from orchestration.audit.warehouse import Warehouse
    from orchestration.records.tables import CallRecord


def _call(said: Mapping[str, Any]) -> tuple[Any, ...]:
    """Return which call an event tells of. The file is none of it: the service's log may name it later."""
    return tuple(said.get(column) for column in OF_A_CALL if column != "gcs_path")


class TellTablesOperator(AuditedOperator):
    """Adds an event to its table's asset for each call of a run that brought records.

    One task for all calls of a run, beside ``finish``, and not each call for itself. Airflow takes no event from a task
    that is red, as one of several calls is when one of them failed. By now the service's log says where the files are.
    And of two tasks that name a new asset at the same time Airflow fails one, which must not be a call.
    """

    def __init__(self, *, tables: Collection[str], **arguments: Any) -> None:
        aliases = [table_alias(table) for table in tables]
        super().__init__(inlets=aliases, outlets=aliases, **arguments)

    def execute(self, context: Context) -> None:
        """Add the events. A task that was cleared adds none that is there already."""
        from orchestration.audit.warehouse import Warehouse
        from orchestration.records.tables import CallRecord

        assert self.workflow is not None
        plan = self.config.workflows[self.workflow].execution_plan.scrapers
        lefts = [left for several in left_by_calls(context["ti"], plan).values() for left in several]
        rows = [CallRecord.whole(left["row"]) for left in lefts if left.get("row")]
        rows = [row for row in rows if row.status is Outcome.SUCCESS and self._table(row) is not None]
        if not rows:
            self.log.info("No call brought records")
            return
        warehouse = Warehouse(self.config.settings)
        told = self._told(context) if context["ti"].try_number > 1 else []
        for row in self._with_files(warehouse, rows, context):
            table, said = str(self._table(row)), event_of_call(row.to_json())
            if _call(said) not in told:
                context["outlet_events"][table_alias(table)].add(table_asset(table, warehouse.project), said)
        self.log.info("%d call(s) brought records", len(rows))

    def _table(self, row: CallRecord) -> str | None:
        return self.config.scrapers[row.scraper_name].processed_in

    def _told(self, context: Context) -> list[tuple[Any, ...]]:
        """Return of which calls of this run has been told. A run that is cleared gets a new start, its tick stays."""
        run = context["dag_run"]
        since = min(filter(None, (run.start_date, run.run_after))).isoformat()
        events = (event for alias in self.outlets for event in context["inlet_events"][alias].after(since))
        return [_call(event.extra) for event in events if event.extra]

    def _with_files(self, warehouse: Warehouse, rows: list[CallRecord], context: Context) -> list[CallRecord]:
        """Return the rows as the service's log has them by now; as they are where it cannot be read."""
        from orchestration.audit.service_log import corrections
        from orchestration.audit.warehouse import WarehouseError

        try:
            found = corrections(warehouse, self.config, rows, RunClock.of(context).wall())
        except WarehouseError as error:
            self.log.warning("The service's log cannot be read now; what only it names is not named: %s", error)
            return rows
        known = {row.row_id: row for row in found}
        return [known.get(row.row_id, row) for row in rows]
