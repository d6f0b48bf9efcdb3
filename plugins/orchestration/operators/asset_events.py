"""Events of assets: how far a slate has come, and which calls have brought records for a table."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from airflow.sdk import Asset
from airflow.sdk.exceptions import AirflowSkipException

from orchestration.assets import (
    LINES_COLLECTED,
    OF_A_CALL,
    OF_SLATES,
    SLATE_COMPLETE,
    SLATE_SCHEDULED,
    SLATES,
    event_of_call,
    table_alias,
    table_asset,
)
from orchestration.decisions.request import CleanupRequest
from orchestration.health import slates
from orchestration.health.findings import GRACE
from orchestration.nba.eastern import after
from orchestration.operators.base import AlertingOperator, AuditedOperator, refuse_nonsense
from orchestration.operators.calls import reports_by_task
from orchestration.runs.clock import RunClock
from orchestration.words import Outcome

if TYPE_CHECKING:
    from airflow.sdk import Context

    from orchestration.audit.warehouse import Warehouse
    from orchestration.cleanup.arrivals import Trace
    from orchestration.health.facts import DayFacts
    from orchestration.records.tables import CallRecord

REMEMBERED = 1000
"""So many of an asset's latest events are looked through: more than three seasons have slates."""


class SlateOperator(AlertingOperator):
    """An operator that may add events to the assets of slates.

    The events themselves are the memory of what was told. Airflow adds them in the same step in which it notes that the
    task succeeded: a task that dies, or is red, has told nothing, and the next one does.
    """

    tells: Collection[Asset] = OF_SLATES
    """The assets whose events it looks at and adds to."""

    def __init__(self, **arguments: Any) -> None:
        super().__init__(outlets=[SLATES], inlets=self.tells, **arguments)

    def told(self, context: Context, asset: Asset) -> set[str]:
        """Return the target dates of the slates that ``asset`` has an event of."""
        events = context["inlet_events"][asset].ascending(False).limit(REMEMBERED)
        return {str(event.extra.get("target_date")) for event in events if event.extra}

    def tell(self, context: Context, asset: Asset, what: dict[str, Any]) -> None:
        """Add an event to ``asset`` that says ``what``."""
        context["outlet_events"][SLATES].add(asset, what)
        self.log.info("%s: %s", asset.name, what)


class SlateEventsOperator(SlateOperator):
    """Tells whoever builds on them of the slates of today and of the days that reconcile looks at.

    A shadow tells nothing: the slates are the other system's.
    """

    def execute(self, context: Context) -> None:
        """Add the events that are due and that no slate has yet. What cannot be read now, the next hour reads."""
        from orchestration.audit.facts import day_facts
        from orchestration.audit.warehouse import Warehouse, WarehouseError

        refuse_nonsense(context, CleanupRequest, AirflowSkipException)
        if self.config.is_shadow():
            self.log.info("Shadow: nothing is told")
            return
        now, warehouse = RunClock.of(context).now(), Warehouse(self.config.settings)
        told = {asset.name: self.told(context, asset) for asset in OF_SLATES}
        today = self.config.current_day(now)
        try:
            facts = day_facts(warehouse, self.config, today, now)
            self._tell_of(context, warehouse, facts, now, told)
            for back in range(1, self.config.settings.reconcile.days + 1):
                day = today - timedelta(days=back)
                if facts.schedule.on(day) and day.isoformat() not in told[SLATE_COMPLETE.name]:
                    before = day_facts(warehouse, self.config, day, now)
                    self._tell_of(context, warehouse, before, now, told)
        except WarehouseError as error:
            # The watchdog tells people.
            self.log.warning("Nothing is told of what cannot be read; the next hour tries again: %s", error)

    def _tell_of(
        self, context: Context, warehouse: Warehouse, facts: DayFacts, now: datetime, told: Mapping[str, set[str]]
    ) -> None:
        untold = {name for name, days in told.items() if facts.day.isoformat() not in days}
        if not slates.was_there(facts):
            return
        if SLATE_SCHEDULED.name in untold and facts.locked_at is not None and now >= after(facts.locked_at, GRACE):
            # The lock, which is over by now, tells it itself unless it was red for something else.
            runs = len(facts.expected)
            self.tell(context, SLATE_SCHEDULED, slates.scheduled(facts.day, facts.schedule, facts.locked_at, runs))
        if LINES_COLLECTED.name in untold and (what := slates.lines_collected(self.config, facts)) is not None:
            self.tell(context, LINES_COLLECTED, what)
        if SLATE_COMPLETE.name in untold and slates.to_be_told(self.config, facts, now):
            what = slates.complete(self.config, facts, now, self._arrived(warehouse, facts))
            if what is not None:
                self.tell(context, SLATE_COMPLETE, what)

    def _arrived(self, warehouse: Warehouse, facts: DayFacts) -> set[str]:
        """Return the files of the slate that are in their tables. Of a table that cannot be read none is."""
        from orchestration.cleanup.arrivals import Trace, arrived_files
        from orchestration.services.files import LostFile

        by_table: dict[str, dict[str, Trace]] = defaultdict(dict)
        for _, scraper, calls in slates.bringing(self.config, facts):
            for call in calls:
                if call.gcs_path:
                    file = LostFile(scraper, call.gcs_path, "", call.workflow, None, call.triggered_at)
                    by_table[str(self.config.scrapers[scraper].processed_in)][call.gcs_path] = Trace(file, facts.day)
        start, _ = self.config.day_bounds(facts.day)
        arrived, errors = arrived_files(warehouse, {t: list(found.values()) for t, found in by_table.items()}, start)
        for table, why in sorted(errors.items()):
            self.log.warning("%s cannot be read, so nobody knows what of the slate is in it: %s", table, why)
        return arrived


def _call(said: Mapping[str, Any]) -> tuple[Any, ...]:
    """Return which call an event tells of. The file is none of it: the service's log may name it later."""
    return tuple(said.get(column) for column in OF_A_CALL if column != "gcs_path")


class TableEventsOperator(AuditedOperator):
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
        lefts = [left for several in reports_by_task(context["ti"], plan).values() for left in several]
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
