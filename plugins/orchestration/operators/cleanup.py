"""The hourly cleanup: drain the outbox, find lost files, republish their messages."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from airflow.sdk.exceptions import AirflowFailException

from orchestration.cleanup.backlog import Backlog, backlog
from orchestration.operators.base import AuditedOperator
from orchestration.run_clock import RunClock, task_key
from orchestration.services.publisher import Publisher

if TYPE_CHECKING:
    from airflow.sdk import Context


class DrainOutboxOperator(AuditedOperator):
    """Appends every row that a crash or an outage left staged."""

    def execute(self, context: Context) -> None:
        """Drain; fails, and so is tried again, while BigQuery does not answer."""
        from orchestration.audit.outbox import Outbox

        drained = Outbox().drain()
        self.log.info("%d row(s) appended, %d set aside", drained.appended, len(drained.refused))
        if drained.refused:
            raise AirflowFailException("BigQuery refused rows; they are set aside: " + "; ".join(drained.refused))


class CleanupOperator(AuditedOperator):
    """Republishes the messages of files that never reached their table, and records what it did.

    A query error means that nothing is published (lesson C2). Anything worth a person's attention turns the run red.
    """

    def execute(self, context: Context) -> None:
        """Look, publish, stage the row; fail when there is something to look at."""
        from orchestration.audit.warehouse import Warehouse, WarehouseError
        from orchestration.cleanup.reading import read_files, republished_before

        clock, config = RunClock.of(context), self.config
        started, settings = clock.now(), config.settings.cleanup_processor
        warehouse = Warehouse()
        try:
            found = read_files(warehouse, config, started)
            before = republished_before(warehouse, config, started)
            look = backlog(found.files, found.processed, before, started, settings)
            errors = [*found.errors, *look.errors]
        except WarehouseError as error:
            look, errors = Backlog(0, (), (), ()), [f"{error}; nothing was checked or republished"]
        sent = Publisher().republish(look.publish, started) if look.publish else {}
        errors += [f"{path}: not published: {why}" for path, why in sent.items() if why is not None]
        published = {path for path, why in sent.items() if why is None}
        if len(look.missing) >= settings.notification_threshold:
            errors.append(f"{len(look.missing)} of {look.checked} files were missing")
        self._stage(context, clock, look, published, errors, started)
        self.log.info("%d checked, %d missing, %d republished", look.checked, len(look.missing), len(published))
        if errors:
            raise AirflowFailException("Cleanup needs a look: " + "; ".join(errors))

    def _stage(
        self,
        context: Context,
        clock: RunClock,
        look: Backlog,
        published: set[str],
        errors: list[str],
        started: datetime,
    ) -> None:
        from orchestration.audit.ids import row_id
        from orchestration.audit.rows import CleanupRow, MissingFile

        key, now = task_key(context), clock.now()
        row = CleanupRow(
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
            errors=errors,
            duration_seconds=round((now - started).total_seconds(), 3),
            pubsub_enabled=True,
            environment=self.config.environment,
            created_at=clock.wall(),
            **key.columns(),
        )
        self.stage([row])
