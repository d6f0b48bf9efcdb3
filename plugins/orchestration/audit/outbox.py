"""The outbox keeps rows safe until BigQuery has them (DESIGN section 7).

``execute`` stages a row; the callback appends it and removes its file. The cleanup DAG drains the rows that a crash or
an outage leaves behind. A second append is harmless: ids are deterministic and the views keep one row for each id.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from uuid import uuid4

from orchestration.audit.sending import Drained, Sending, Staged
from orchestration.audit.warehouse import AppendRefused, Warehouse, WarehouseError
from orchestration.config import airflow_home, variable
from orchestration.records.base import Record
from orchestration.records.tables import RECORDS
from orchestration.words import plural

if TYPE_CHECKING:
    from airflow.sdk import ObjectStoragePath

log = logging.getLogger(__name__)

ENVIRONMENT_VARIABLE = "ORCHESTRATION_OUTBOX"
BATCH = 500
"""Rows per append."""
BATCH_BYTES = 5_000_000
"""Bytes per append, as JSON: BigQuery takes 10 MB per request."""
HALF = ".half"
"""The end of the name of a file that is being written."""
FOLDER_MODE, FILE_MODE = 0o700, 0o600


def outbox_url() -> str:
    """Return where rows are staged: ``ORCHESTRATION_OUTBOX``, else a folder in AIRFLOW_HOME."""
    return variable(ENVIRONMENT_VARIABLE) or f"file://{airflow_home()}/outbox"


class Outbox:
    """Staged rows, one JSON file each: ``<table>/<id>.<unique>.json``. Refused rows lie under ``refused/``.

    Each version of a row has a file of its own, so a version that is staged during an append is not lost.
    """

    def __init__(self, url: str | None = None, warehouse: Warehouse | None = None) -> None:
        self.url = url or outbox_url()
        self.warehouse = warehouse or Warehouse()

    @property
    def root(self) -> ObjectStoragePath:
        """The folder or bucket prefix."""
        from airflow.sdk import ObjectStoragePath

        return ObjectStoragePath(self.url)

    def stage(self, rows: Iterable[Record], *, unless_staged: bool = False) -> list[str]:
        """Write rows to the outbox and return the names of their files. After the return no row can be lost.

        ``unless_staged``: leave out rows that are staged already. In a local outbox only the owner can read a file. If
        the disk is full or read-only, the row is appended to BigQuery at once and has no file.

        Raises OSError if BigQuery does not take the row either.
        """
        names = []
        for row in rows:
            try:
                folder = self._folder(row.TABLE)
                if not (unless_staged and any(folder.glob(f"{row.key}.*.json"))):
                    names.append(self._write(folder, row))
            except OSError as error:
                self._append_at_once(row, error)
        return names

    def _write(self, folder: ObjectStoragePath, row: Record) -> str:
        """Write a row into a file of its own and return the file's name."""
        name = f"{row.key}.{uuid4().hex}.json"
        # A half-written file must never look like a row, so the file gets its name when it is complete.
        half = folder / f"{name}{HALF}"
        try:
            half.write_text(json.dumps(row.to_json(), ensure_ascii=False))
            _only_for_the_owner(half, FILE_MODE)
            half.replace(folder / name)
        except OSError:
            with contextlib.suppress(OSError):
                half.unlink(missing_ok=True)
            raise
        return name

    def probe(self) -> None:
        """Write a file and remove it. Raises OSError if no row can be staged."""
        half = self._folder() / f"{uuid4().hex}{HALF}"
        half.write_text("")
        half.unlink()

    def sweep(self, before: datetime) -> int:
        """Remove half-written files that were last changed before the aware ``before``. Return their number."""
        swept = 0
        for folder in [self.root, *(self.root / table for table in RECORDS)]:
            try:
                for half in [path for path in folder.iterdir() if _half(path)] if folder.exists() else []:
                    if half.stat().st_mtime < before.timestamp():
                        half.unlink(missing_ok=True)
                        swept += 1
            except OSError as error:
                # The health check reports a disk that cannot be written.
                log.warning("Half-written files in %s cannot be removed: %s", folder, error)
        return swept

    def _append_at_once(self, row: Record, why: OSError) -> None:
        """Append a row that cannot be staged. A retry of the task might write to the same disk."""
        try:
            self.warehouse.append(row.TABLE, [row.to_json()])
        except WarehouseError as error:
            raise OSError(
                f"The outbox {self.url} cannot be written ({why}), and BigQuery takes no row: {error}"
            ) from why
        log.warning("The outbox %s cannot be written (%s); the row went to %s at once", self.url, why, row.TABLE)

    def _folder(self, *parts: str) -> ObjectStoragePath:
        """Return a folder of the outbox. Create it if it does not exist."""
        folder = self.root
        for part in ("", *parts):
            folder = folder / part if part else folder
            folder.mkdir(parents=True, exist_ok=True)
            _only_for_the_owner(folder, FOLDER_MODE)
        return folder

    def staged(self, table: str | None = None) -> list[ObjectStoragePath]:
        """Return the staged files, of one table or of all."""
        found: list[ObjectStoragePath] = []
        for name in [table] if table else RECORDS:
            folder = self.root / name
            if folder.exists():
                found += [path for path in folder.iterdir() if path.suffix == ".json" and not _half(path)]
        return sorted(found, key=str)

    def waiting(self) -> tuple[int, datetime | None]:
        """Return the number of staged rows, and since when the oldest is staged (UTC) if the storage knows it."""
        files, since = self.staged(), []
        for file in files:
            with contextlib.suppress(FileNotFoundError):
                since.append(file.stat().st_mtime)
        oldest = min(filter(None, since), default=None)
        return len(files), None if oldest is None else datetime.fromtimestamp(oldest, UTC)

    def refused(self) -> list[ObjectStoragePath]:
        """Return the files of the rows that were set aside."""
        folders = [self.root / "refused" / table for table in RECORDS]
        return [path for folder in folders if folder.exists() for path in folder.iterdir() if path.suffix == ".json"]

    def refusals(self) -> list[str]:
        """Return a line for each row that was set aside: its file and the reason."""
        found = []
        for file in self.refused():
            error = file.with_name(f"{file.name}.error")
            found.append(
                f"{file.parent.name}/{file.name}: {error.read_text() if error.exists() else 'no reason is kept'}"
            )
        return sorted(found)

    def append(self, table: str, names: Sequence[str]) -> Drained:
        """Append the rows of these files and remove the files. A file that does not exist was appended earlier."""
        folder = self.root / table
        result = Drained()
        self._append(table, [folder / name for name in names], result)
        return result

    def drain(self) -> Drained:
        """Append all staged rows. A failure of one table does not stop the other tables.

        Raises WarehouseError if a table took no rows or a file cannot be read. These rows stay staged.
        """
        total = Drained()
        failures: list[Exception] = []
        for table in RECORDS:
            try:
                self._append(table, self.staged(table), total)
            except (WarehouseError, OSError) as error:
                failures.append(error)
        if why := [*map(str, failures), *total.unread]:
            left = f"{plural(total.appended, 'row')} appended, {len(self.staged())} still staged"
            raise WarehouseError(f"{'; '.join(why)} ({left})")
        return total

    def _append(self, table: str, files: Iterable[ObjectStoragePath], result: Drained) -> None:
        """Append in batches. The first batch that is refused whole is skipped; a second one counts as an outage."""
        failure: AppendRefused | None = None
        for batch in self._batches(table, files, result):
            try:
                Sending(self.warehouse, table, batch).send(self, result)
            except AppendRefused as refusal:
                if failure is not None:
                    break
                failure = refusal
        if failure is not None:
            raise failure

    def _batches(self, table: str, files: Iterable[ObjectStoragePath], result: Drained) -> Iterator[list[Staged]]:
        """Yield the rows of the files in batches that fit into one append."""
        batch: list[Staged] = []
        total = 0
        for file in files:
            try:
                row = json.loads(file.read_text())
                size = len(json.dumps(row))
            except FileNotFoundError:
                continue
            except OSError as error:
                log.error("A staged row cannot be read; the others go on: %s: %s", file, error)
                result.unread.append(f"{table}/{file.name} cannot be read: {error}")
                continue
            except ValueError as error:
                self.refuse(table, file, f"not JSON: {error}", result)
                continue
            if batch and (len(batch) == BATCH or total + size > BATCH_BYTES):
                yield batch
                batch, total = [], 0
            batch.append(Staged(file, row, size))
            total += size
        if batch:
            yield batch

    def refuse(self, table: str, file: ObjectStoragePath, why: str, result: Drained) -> None:
        """Set aside a row that BigQuery will never take, so that the row does not block others."""
        aside = self._folder("refused", table)
        error = aside / f"{file.name}.error"
        error.write_text(why)
        _only_for_the_owner(error, FILE_MODE)
        with contextlib.suppress(FileNotFoundError):
            # Another process may have set the file aside at the same time.
            file.replace(aside / file.name)
        log.error("Record set aside: BigQuery refused %s for %s: %s", file.name, table, why)
        result.refused.append(f"{table}/{file.name}: {why}")


def _half(path: ObjectStoragePath) -> bool:
    """Return whether a file is half written. In release 1.0 the names of such files began with a dot."""
    return path.suffix == HALF or path.name.startswith(".")


def _only_for_the_owner(path: ObjectStoragePath, mode: int) -> None:
    """Remove the rights of all others from a file of a local outbox, unless another user owns the file."""
    if path.protocol in ("file", "local"):
        with contextlib.suppress(PermissionError):
            os.chmod(path.path, mode)
