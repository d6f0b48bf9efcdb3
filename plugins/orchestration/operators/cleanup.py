"""The hourly cleanup: drain the outbox, find lost files, republish their messages."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException

from orchestration.alerts.memory import alert_once
from orchestration.alerts.model import alert
from orchestration.cleanup.backlog import Backlog, backlog
from orchestration.decisions.request import CleanupRequest
from orchestration.health import kinds
from orchestration.operators.base import AlertingOperator, refuse_nonsense, task_key
from orchestration.operators.inspection import UNDRAINED_KEY, inspect_surroundings
from orchestration.operators.metrics import (
    FILES_MISSING,
    FILES_REPUBLISHED,
    OUTBOX_OLDEST_MINUTES,
    OUTBOX_ROWS,
    measuring,
)
from orchestration.runs.clock import RunClock
from orchestration.services.google_cloud import FilesUnknown, republish, vanished_files

if TYPE_CHECKING:
    from airflow.sdk import Context

    from orchestration.audit.outbox import Outbox
    from orchestration.audit.warehouse import Warehouse
    from orchestration.records.tables import CleanupRecord, Seen


HALF_WRITTEN = timedelta(hours=1)
"""A file that is still half written after this time is that of a killed task, whose next try wrote its own."""
REFUSALS = 3
"""So many of the rows that were set aside an alert names."""


class DrainOutboxOperator(AlertingOperator):
    """Appends every row that a crash or an outage left staged.

    Red once a day while a table takes no rows, or while rows that BigQuery refused lie aside, whoever set them aside.
    """

    def execute(self, context: Context) -> None:
        """Drain. What does not go in stays staged for the next hour's run."""
        from orchestration.audit.outbox import Outbox
        from orchestration.audit.sending import Drained
        from orchestration.audit.warehouse import WarehouseError

        refuse_nonsense(context, CleanupRequest, AirflowSkipException)
        outbox = Outbox()
        drained, alerts = Drained(), []
        try:
            drained = outbox.drain()
            self.log.info("%d row(s) appended, %d set aside", drained.appended, len(drained.refused))
        except WarehouseError as error:
            self.log.warning("Not drained: %s", error)
            context["ti"].xcom_push(UNDRAINED_KEY, str(error))
            alerts.append(alert(kinds.NOT_DRAINED, "outbox", why=error))
        if swept := outbox.sweep(RunClock.wall() - HALF_WRITTEN):
            self.log.info("%d half-written file(s) of killed tasks removed; their next tries wrote their own", swept)
        self._measure(outbox)
        # Also what a task's callback has set aside, which can tell nobody.
        if lines := outbox.refusals():
            more = f"; and {len(lines) - REFUSALS} more" if len(lines) > REFUSALS else ""
            which = "; ".join(lines[:REFUSALS]) + more
            alerts.append(alert(kinds.ROWS_REFUSED, "outbox", rows=len(lines), which=which))
        alert_once(context, self.config, "outbox", alerts, self.log)
        if drained.refused:
            raise AirflowFailException(f"BigQuery refused rows; they are set aside: {'; '.join(drained.refused)}")

    def _measure(self, outbox: Outbox) -> None:
        """Say what waits now."""
        with measuring(OUTBOX_ROWS.name):
            rows, since = outbox.waiting()
            OUTBOX_ROWS.set(rows)
            age = RunClock.wall() - since if since else timedelta()
            OUTBOX_OLDEST_MINUTES.set(int(age.total_seconds() // 60))


class CleanupOperator(AlertingOperator):
    """Republishes the messages of files that never reached their table, and records what it did.

    Fails closed: what cannot be read, looked up or recorded is not republished (lesson C2). Each thing worth a person's
    attention turns the run red once a day, and stands in every run's row.
    """

    def execute(self, context: Context) -> None:
        """Look, record, publish, record what was sent; raise the alerts."""
        from orchestration.audit.warehouse import Warehouse

        refuse_nonsense(context, CleanupRequest, AirflowSkipException)
        clock = RunClock.of(context)
        started = clock.now()
        warehouse = Warehouse(self.config.settings)
        look, shadow = self._look(warehouse, started, clock.wall()), self.config.is_shadow()
        seen = inspect_surroundings(context, self.config, warehouse, self.log)
        if shadow:
            # Files, and messages that are lost, are those of the system beside ours.
            look = replace(look, publish=(), alerts=tuple(a for a in look.alerts if a.kind == kinds.UNREADABLE.id))
        sent: dict[str, str | None] = {}
        if look.publish:
            look, sent = self._publish(context, clock, look, started, seen)
        alerts = [*look.alerts]
        unsent = Counter(why for why in sent.values() if why is not None)
        if unsent:
            why = "; ".join(f"{count} not published: {why}" for why, count in unsent.items())
            alerts.append(alert(kinds.NOT_PUBLISHED, "cleanup", why=why))
        threshold = self.config.settings.cleanup_processor.notification_threshold
        if len(look.missing) >= threshold and not shadow:
            alerts.append(alert(kinds.MANY_MISSING, "cleanup", missing=len(look.missing), files=look.checked))
        published = {path for path, why in sent.items() if why is None}
        self._record(self._row(context, clock, look, published, [alert.text for alert in alerts], started, seen))
        self.log.info("%d checked, %d missing, %d republished", look.checked, len(look.missing), len(published))
        if look.known and not shadow:
            FILES_MISSING.set(len(look.missing))
            FILES_REPUBLISHED.count(len(published))
        alert_once(context, self.config, "cleanup", alerts, self.log, () if look.known else None)

    def _record(self, row: CleanupRecord) -> None:
        """Stage the row, and append it at once: the watchdog comes next, and callbacks run when it may have begun."""
        from orchestration.audit.outbox import Outbox
        from orchestration.audit.warehouse import WarehouseError

        self.stage([row])
        try:
            drained = Outbox().append(row.TABLE, self.staged[row.TABLE])
        except WarehouseError as error:
            self.log.warning("The row stays staged: %s", error)
        except Exception:
            # What was found is told all the same; the row stays staged.
            self.log.exception("The row of this cleanup could not be appended")
        else:
            for refused in drained.refused:
                self.log.error("BigQuery refused the row of this cleanup; it is set aside: %s", refused)

    def _look(self, warehouse: Warehouse, now: datetime, at: datetime) -> Backlog:
        """Return what is missing and what of it to republish: nothing, where anything about it is not known.

        What the service's log says corrects our rows first, at the moment ``at`` of the wall clock.
        """
        from orchestration.audit.warehouse import WarehouseError
        from orchestration.cleanup.corrections import correct
        from orchestration.cleanup.reading import look_back, read_files, republished_before

        config = self.config
        try:
            known = correct(warehouse, config, look_back(config, now), at)
            self.stage(known.rows)
            self.log.info("%d row(s) corrected by the service's log", len(known.rows))
            found = read_files(warehouse, config, known.calls, now)
            before = republished_before(warehouse, config, now)
        except WarehouseError as error:
            return Backlog(0, (), (), (alert(kinds.UNREADABLE, "cleanup", why=error),), known=False)
        look = backlog(found.files, found.processed, before, now, config.settings.cleanup_processor)
        # Whoever cannot read the log knows no files for that reason.
        unread = any(one.kind == kinds.LOG_UNREADABLE.id for one in known.alerts)
        seen = (one for one in found.alerts if not (unread and one.kind == kinds.BLIND.id))
        look = replace(look, alerts=(*known.alerts, *seen, *look.alerts))
        try:
            gone = vanished_files(file.gcs_path for file in look.publish)
        except FilesUnknown as error:
            unknown = alert(kinds.FILES_UNKNOWN, "cleanup", why=error)
            return replace(look, publish=(), alerts=(*look.alerts, unknown))
        vanished = [
            alert(kinds.VANISHED, file.scraper_name, file=file.gcs_path)
            for file in look.publish
            if file.gcs_path in gone
        ]
        publish = tuple(file for file in look.publish if file.gcs_path not in gone)
        return replace(look, publish=publish, alerts=(*look.alerts, *vanished))

    def _publish(
        self, context: Context, clock: RunClock, look: Backlog, started: datetime, seen: Sequence[Seen]
    ) -> tuple[Backlog, dict[str, str | None]]:
        """Record what is about to be sent, in BigQuery itself, then send it: the caps hold whatever happens between."""
        from orchestration.audit.outbox import Outbox
        from orchestration.audit.warehouse import WarehouseError

        outbox, planned = Outbox(), {file.gcs_path for file in look.publish}
        row = self._row(context, clock, look, planned, [alert.text for alert in look.alerts], started, seen)
        try:
            why = "; ".join(outbox.append(row.TABLE, outbox.stage([row])).refused)
        except WarehouseError as error:
            why = str(error)
        if why:
            unrecorded = alert(kinds.UNRECORDED, "cleanup", why=why)
            return replace(look, publish=(), alerts=(*look.alerts, unrecorded)), {}
        return look, republish(self.config.settings.topic, look.publish, started)

    def _row(
        self,
        context: Context,
        clock: RunClock,
        look: Backlog,
        published: set[str],
        errors: Sequence[str],
        started: datetime,
        seen: Sequence[Seen],
    ) -> CleanupRecord:
        from orchestration.records.ids import row_id
        from orchestration.records.tables import CleanupRecord, MissingFile

        key = task_key(context)
        return CleanupRecord(
            cleanup_id=row_id("cleanup", key),
            cleanup_time=started,
            files_checked=look.checked,
            missing_files_found=len(look.missing),
            republished_count=len(published),
            missing_files=[
                MissingFile(
                    scraper_name=file.scraper_name,
                    gcs_path=file.gcs_path,
                    triggered_at=file.triggered_at,
                    age_minutes=int((started - file.triggered_at).total_seconds() // 60),
                    republished=file.gcs_path in published,
                )
                for file in look.missing
            ],
            errors=list(errors),
            seen=list(seen),
            duration_seconds=round((clock.now() - started).total_seconds(), 3),
            pubsub_enabled=not self.config.is_shadow(),
            environment=self.config.environment,
            created_at=clock.wall(),
            **key.columns(),
        )
