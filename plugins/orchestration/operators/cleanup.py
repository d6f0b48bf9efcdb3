"""The hourly cleanup: it drains the outbox, finds lost files and republishes their messages."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException

from orchestration.alerts.memory import alert_once
from orchestration.alerts.model import alert
from orchestration.audit.outbox import Outbox
from orchestration.audit.sending import Drained
from orchestration.audit.warehouse import Warehouse, WarehouseError
from orchestration.cleanup.backlog import Backlog, backlog
from orchestration.cleanup.following import given_up_by_age
from orchestration.cleanup.reading import correct, last_look, look_back, read_files, republished_before, since
from orchestration.decisions.request import CleanupRequest
from orchestration.health import task_kinds
from orchestration.health.findings import FOLLOWED
from orchestration.health.incidents import cause_of_error
from orchestration.operators.base import AlertingOperator, refuse_bad_request, request_of, task_key
from orchestration.operators.inspection import UNDRAINED_KEY, inspect_surroundings
from orchestration.operators.metrics import (
    FILES_MISSING,
    FILES_REPUBLISHED,
    OUTBOX_OLDEST_MINUTES,
    OUTBOX_ROWS,
    measuring,
)
from orchestration.records.ids import row_id
from orchestration.records.tables import CleanupRecord, MissingFile, Seen
from orchestration.runs.clock import RunClock
from orchestration.services.google_cloud import FilesUnknown, republish, vanished_files
from orchestration.words import FileState, brief, few, plural, shortened

if TYPE_CHECKING:
    from airflow.sdk import Context


HALF_WRITTEN = timedelta(hours=1)
"""A file that is still half written after this time belongs to a killed task. Its next try wrote its own file."""
REFUSALS = 1
"""The number of refused rows that an alert names."""


class DrainOutboxOperator(AlertingOperator):
    """Appends every row that a crash or an outage left staged.

    Fails once a day while a table takes no rows, or while rows that BigQuery refused are set aside.
    """

    def execute(self, context: Context) -> None:
        """Drain the outbox. Rows that BigQuery does not take stay staged for the next hour."""
        refuse_bad_request(context, CleanupRequest, AirflowSkipException)
        outbox = Outbox()
        drained, alerts = Drained(), []
        try:
            drained = outbox.drain()
            self.log.info("%s appended, %d set aside", plural(drained.appended, "row"), len(drained.refused))
        except WarehouseError as error:
            self.log.warning("Not drained: %s", error)
            context["ti"].xcom_push(UNDRAINED_KEY, str(error))
            alerts.append(alert(task_kinds.NOT_DRAINED, "outbox", why=error))
        if swept := outbox.sweep(RunClock.wall() - HALF_WRITTEN):
            self.log.info("%s of killed tasks removed", plural(swept, "half-written file"))
        self._measure(outbox)
        # The callbacks of other tasks set rows aside too, but cannot send alerts.
        if lines := outbox.refusals():
            which = few([shortened(line, 190) for line in lines], REFUSALS)
            alerts.append(alert(task_kinds.ROWS_REFUSED, "outbox", rows=plural(len(lines), "row"), which=which))
        alert_once(context, self.config, "outbox", alerts, self.log)
        if drained.refused:
            raise AirflowFailException(f"BigQuery refused rows, now set aside: {'; '.join(drained.refused)}")

    def _measure(self, outbox: Outbox) -> None:
        """Set the metrics of the staged rows."""
        with measuring(OUTBOX_ROWS.name):
            rows, since = outbox.waiting()
            OUTBOX_ROWS.set(rows)
            age = RunClock.wall() - since if since else timedelta()
            OUTBOX_OLDEST_MINUTES.set(int(age.total_seconds() // 60))


class CleanupOperator(AlertingOperator):
    """Republishes the messages of files that never reached their table, and records what it did.

    In doubt it publishes nothing: a file that cannot be read, looked up or recorded is not republished (lesson C2).
    Each problem fails the run once a day, and is in the row of every run.
    """

    def execute(self, context: Context) -> None:
        """Find the missing files, record them, publish their messages, record the result and send the alerts."""
        refuse_bad_request(context, CleanupRequest, AirflowSkipException)
        clock = RunClock.of(context)
        started = clock.now()
        warehouse = Warehouse(self.config.settings)
        given_up = tuple(request_of(context).get("give_up") or ())
        look, shadow = self._look(warehouse, started, clock.wall(), given_up), self.config.is_shadow()
        seen = inspect_surroundings(context, self.config, warehouse, self.log)
        if shadow:
            # In a shadow the files and messages belong to the other system.
            unread = tuple(a for a in look.alerts if a.kind == task_kinds.UNREADABLE.id)
            look = replace(look, publish=(), alerts=unread, followed=(), since=None)
        sent: dict[str, str | None] = {}
        if look.publish:
            look, sent = self._publish(context, clock, look, started, seen)
        alerts = list(look.alerts)
        if lost := given_up_by_age(look.followed, given_up):
            files = plural(len(lost), "file")
            which, days = few([file.gcs_path for file in lost]), FOLLOWED.days
            alerts.append(
                alert(task_kinds.GIVEN_UP, "cleanup", detail=lost[0].gcs_path, files=files, days=days, which=which)
            )
        unsent = Counter(why for why in sent.values() if why is not None)
        if unsent:
            lines = [
                f"{plural(count, 'message')} {'was' if count == 1 else 'were'} not published: {brief(why)}"
                for why, count in unsent.items()
            ]
            alerts.append(alert(task_kinds.NOT_PUBLISHED, "cleanup", messages="; ".join(lines)))
        threshold = self.config.settings.cleanup_processor.notification_threshold
        left = sum(file.state is FileState.OPEN for file in look.followed)
        if len(look.missing) + left >= threshold and not shadow:
            missing, checked = len(look.missing) + left, look.checked + left
            alerts.append(alert(task_kinds.MANY_MISSING, "cleanup", missing=missing, files=checked))
        published = {path for path, why in sent.items() if why is None}
        self._record(self._row(context, clock, look, published, [alert.text for alert in alerts], started, seen))
        self.log.info("%d checked, %d missing, %d republished", look.checked, len(look.missing), len(published))
        if look.known and not shadow:
            FILES_MISSING.set(len(look.missing))
            FILES_REPUBLISHED.count(len(published))
        alert_once(context, self.config, "cleanup", alerts, self.log, () if look.known else None)
        known = {name for file in look.followed for name in (file.gcs_path, file.scraper_name)}
        if wrong := [name for name in given_up if name not in known]:
            what = "No open file has this path or scraper: " + ", ".join(wrong)
            raise AirflowFailException(f"{what}. `missing --files` lists the open files")

    def _record(self, row: CleanupRecord) -> None:
        """Stage the row and append it at once, because the watchdog may begin before the callback runs."""
        self.stage([row])
        try:
            drained = Outbox().append(row.TABLE, self.staged[row.TABLE])
        except WarehouseError as error:
            self.log.warning("The row stays staged: %s", error)
        except Exception:
            # The alerts must still be sent. The row stays staged.
            self.log.exception("The row of this cleanup could not be appended")
        else:
            for refused in drained.refused:
                self.log.error("BigQuery refused the row of this cleanup, now set aside: %s", refused)

    def _look(self, warehouse: Warehouse, now: datetime, at: datetime, given_up: Sequence[str]) -> Backlog:
        """Return the missing files and the files to republish. Without an answer of Cloud Storage, none is republished.

        First the service's log corrects our rows. ``at`` is the present by the wall clock. ``given_up``: the files that
        no longer have to arrive.
        """
        config = self.config
        try:
            last = last_look(warehouse, now)
            known = correct(warehouse, config, look_back(config, now, last), at)
            self.stage(known.rows)
            self.log.info("%s corrected from the service's log", plural(len(known.rows), "row"))
            found = read_files(warehouse, config, known.calls, now, last, given_up)
            before = republished_before(warehouse, config, now)
        except WarehouseError as error:
            return Backlog(
                0,
                (),
                (),
                (alert(task_kinds.UNREADABLE, "cleanup", cause=cause_of_error(error), why=error),),
                known=False,
            )
        look = backlog(found.files, found.processed, before, now, config.settings.cleanup_processor)
        # If the log cannot be read, that is why the calls name no file. One alert is enough.
        unread = any(one.kind == task_kinds.LOG_UNREADABLE.id for one in known.alerts)
        seen = (one for one in found.alerts if not (unread and one.kind == task_kinds.BLIND.id))
        alerts = (*known.alerts, *seen, *look.alerts)
        look = replace(look, alerts=alerts, followed=found.followed, since=since(config, now, last))
        try:
            gone = vanished_files(file.gcs_path for file in look.publish)
        except FilesUnknown as error:
            unknown = alert(task_kinds.FILES_UNKNOWN, "cleanup", why=error)
            return replace(look, publish=(), alerts=(*look.alerts, unknown))
        vanished = [
            alert(task_kinds.VANISHED, file.scraper_name, file=file.gcs_path)
            for file in look.publish
            if file.gcs_path in gone
        ]
        publish = tuple(file for file in look.publish if file.gcs_path not in gone)
        return replace(look, publish=publish, alerts=(*look.alerts, *vanished))

    def _publish(
        self, context: Context, clock: RunClock, look: Backlog, started: datetime, seen: Sequence[Seen]
    ) -> tuple[Backlog, dict[str, str | None]]:
        """Record the files in BigQuery, then publish their messages, so that a kill in between breaks no limit."""
        outbox, planned = Outbox(), {file.gcs_path for file in look.publish}
        row = self._row(context, clock, look, planned, [alert.text for alert in look.alerts], started, seen)
        try:
            why = "; ".join(outbox.append(row.TABLE, outbox.stage([row])).refused)
        except WarehouseError as error:
            why = str(error)
        if why:
            unrecorded = alert(task_kinds.UNRECORDED, "cleanup", why=why)
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
            files_since=look.since,
            followed_files=list(look.followed),
            duration_seconds=round((clock.now() - started).total_seconds(), 3),
            pubsub_enabled=not self.config.is_shadow(),
            environment=self.config.environment,
            created_at=clock.wall(),
            **key.columns(),
        )
