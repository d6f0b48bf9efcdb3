"""Events of Airflow assets: how far a slate has come, and which calls fetched records for a table."""

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
from orchestration.audit.facts import day_facts
from orchestration.audit.service_log import corrections
from orchestration.audit.warehouse import Warehouse, WarehouseError
from orchestration.cleanup.arrivals import Trace, arrived_files
from orchestration.decisions.request import CleanupRequest
from orchestration.health import slates
from orchestration.health.facts import DayFacts
from orchestration.health.findings import GRACE
from orchestration.nba.eastern import after
from orchestration.operators.base import AlertingOperator, AuditedOperator, refuse_bad_request
from orchestration.operators.calls import reports_by_task
from orchestration.records.tables import CallRecord
from orchestration.runs.clock import RunClock
from orchestration.services.files import LostFile
from orchestration.words import Outcome

if TYPE_CHECKING:
    from airflow.sdk import Context

REMEMBERED = 1000
"""The number of an asset's latest events that are read. Three seasons have fewer slates."""


class SlateOperator(AlertingOperator):
    """An operator that may add events to the assets of slates, once for each slate and asset.

    The stored events show which were added. Airflow adds events when it stores the task's success. If a task dies or
    fails, no event is added, and the next run adds the events.
    """

    assets: Collection[Asset] = OF_SLATES
    """The assets whose events the operator reads and adds to."""

    def __init__(self, **arguments: Any) -> None:
        super().__init__(outlets=[SLATES], inlets=self.assets, **arguments)

    def announced(self, context: Context, asset: Asset) -> set[str]:
        """Return the target dates of the slates for which ``asset`` has an event."""
        events = context["inlet_events"][asset].ascending(False).limit(REMEMBERED)
        return {str(event.extra.get("target_date")) for event in events if event.extra}

    def announce(self, context: Context, asset: Asset, extra: dict[str, Any]) -> None:
        """Add an event with ``extra`` to ``asset``."""
        context["outlet_events"][SLATES].add(asset, extra)
        self.log.info("%s: %s", asset.name, extra)


class SlateEventsOperator(SlateOperator):
    """Adds the due events of today's slate and of the days that reconcile looks at.

    A shadow adds none: the slates belong to the other system.
    """

    def execute(self, context: Context) -> None:
        """Add the events that are due and missing. If BigQuery cannot be read, the next hour tries again."""
        refuse_bad_request(context, CleanupRequest, AirflowSkipException)
        if self.config.is_shadow():
            self.log.info("Shadow: no events")
            return
        now, warehouse = RunClock.of(context).now(), Warehouse(self.config.settings)
        announced = {asset.name: self.announced(context, asset) for asset in OF_SLATES}
        today = self.config.current_day(now)
        try:
            facts = day_facts(warehouse, self.config, today, now)
            self._announce_due(context, warehouse, facts, now, announced)
            for back in range(1, self.config.settings.reconcile.days + 1):
                day = today - timedelta(days=back)
                if facts.schedule.on(day) and day.isoformat() not in announced[SLATE_COMPLETE.name]:
                    before = day_facts(warehouse, self.config, day, now)
                    self._announce_due(context, warehouse, before, now, announced)
        except WarehouseError as error:
            # The watchdog alerts people.
            self.log.warning("BigQuery cannot be read; the next hour adds the missing events: %s", error)

    def _announce_due(
        self, context: Context, warehouse: Warehouse, facts: DayFacts, now: datetime, announced: Mapping[str, set[str]]
    ) -> None:
        missing = {name for name, days in announced.items() if facts.day.isoformat() not in days}
        if not slates.system_was_on(facts):
            return
        if SLATE_SCHEDULED.name in missing and facts.locked_at is not None and now >= after(facts.locked_at, GRACE):
            # The lock task adds this event itself, unless it failed for another reason.
            runs = len(facts.expected)
            self.announce(context, SLATE_SCHEDULED, slates.scheduled(facts.day, facts.schedule, facts.locked_at, runs))
        if LINES_COLLECTED.name in missing and (extra := slates.lines_collected(self.config, facts)) is not None:
            self.announce(context, LINES_COLLECTED, extra)
        if SLATE_COMPLETE.name in missing and slates.worth_looking(self.config, facts, now):
            extra = slates.complete(self.config, facts, now, self._arrived(warehouse, facts))
            if extra is not None:
                self.announce(context, SLATE_COMPLETE, extra)

    def _arrived(self, warehouse: Warehouse, facts: DayFacts) -> set[str]:
        """Return the files of the slate that are in their tables. Files of an unreadable table are left out."""
        by_table: dict[str, dict[str, Trace]] = defaultdict(dict)
        for _, scraper, calls in slates.bringing(self.config, facts):
            for call in calls:
                if call.gcs_path:
                    file = LostFile(scraper, call.gcs_path, "", call.workflow, None, call.triggered_at)
                    by_table[str(self.config.scrapers[scraper].processed_in)][call.gcs_path] = Trace(file, facts.day)
        start, _ = self.config.day_bounds(facts.day)
        arrived, errors = arrived_files(warehouse, {t: list(found.values()) for t, found in by_table.items()}, start)
        for table, why in sorted(errors.items()):
            self.log.warning("%s cannot be read; its files of the slate count as missing: %s", table, why)
        return arrived


def _call_key(event: Mapping[str, Any]) -> tuple[Any, ...]:
    """Return the key of the call that an event is about. A log may name its file later, so the key has none."""
    return tuple(event.get(column) for column in OF_A_CALL if column != "gcs_path")


class TableEventsOperator(AuditedOperator):
    """Adds an event for each call of a run that fetched records, to the asset of the call's table.

    One task beside ``finish`` does this for all calls, for three reasons:

    * Airflow takes no event from a failed task. One failed call fails a task of several calls.
    * The service's log names the files only after the calls.
    * If two tasks add events to a new asset at the same time, Airflow fails one of the tasks. A call must not fail so.
    """

    def __init__(self, *, tables: Collection[str], **arguments: Any) -> None:
        aliases = [table_alias(table) for table in tables]
        super().__init__(inlets=aliases, outlets=aliases, **arguments)

    def execute(self, context: Context) -> None:
        """Add the events. A cleared task adds no event twice."""
        assert self.workflow is not None
        plan = self.config.workflows[self.workflow].execution_plan.scrapers
        reports = [one for of_task in reports_by_task(context["ti"], plan).values() for one in of_task]
        rows = [CallRecord.whole(one["row"]) for one in reports if one.get("row")]
        rows = [row for row in rows if row.status is Outcome.SUCCESS and self._table(row) is not None]
        if not rows:
            self.log.info("No call fetched records")
            return
        warehouse = Warehouse(self.config.settings)
        announced = self._announced(context) if context["ti"].try_number > 1 else []
        for row in self._with_files(warehouse, rows, context):
            table, event = str(self._table(row)), event_of_call(row.to_json())
            if _call_key(event) not in announced:
                context["outlet_events"][table_alias(table)].add(table_asset(table, warehouse.project), event)
        self.log.info("Calls that fetched records: %d", len(rows))

    def _table(self, row: CallRecord) -> str | None:
        return self.config.scrapers[row.scraper_name].processed_in

    def _announced(self, context: Context) -> list[tuple[Any, ...]]:
        """Return the keys of the calls of this run that have an event. A cleared run keeps its tick, not its start."""
        run = context["dag_run"]
        since = min(filter(None, (run.start_date, run.run_after))).isoformat()
        events = (event for alias in self.outlets for event in context["inlet_events"][alias].after(since))
        return [_call_key(event.extra) for event in events if event.extra]

    def _with_files(self, warehouse: Warehouse, rows: list[CallRecord], context: Context) -> list[CallRecord]:
        """Return the rows, completed from the service's log. If the log cannot be read, they stay unchanged."""
        try:
            found = corrections(warehouse, self.config, rows, RunClock.of(context).wall())
        except WarehouseError as error:
            self.log.warning("The service's log cannot be read; the events lack its files: %s", error)
            return rows
        known = {row.row_id: row for row in found}
        return [known.get(row.row_id, row) for row in rows]
