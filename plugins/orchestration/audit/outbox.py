"""The outbox: rows staged where they survive, until BigQuery has them (DESIGN section 7).

``execute`` stages, the callback appends and removes. What a crash or an outage leaves behind is drained by the
cleanup DAG. Appending twice is harmless: ids are deterministic and the views keep one row per id.
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from orchestration.audit.rows import ROW_MODELS, Row
from orchestration.audit.warehouse import RequestRefused, RowsRejected, Warehouse, WarehouseError

if TYPE_CHECKING:
    from airflow.sdk import ObjectStoragePath

log = logging.getLogger(__name__)

ENVIRONMENT_VARIABLE = "ORCHESTRATION_OUTBOX"
Staged = tuple["ObjectStoragePath", dict[str, Any]]
"""A staged file and the row in it."""
BATCH = 500
"""Rows per append."""


def outbox_url() -> str:
    """Return where rows are staged: ``ORCHESTRATION_OUTBOX``, else a folder in AIRFLOW_HOME."""
    home = os.environ.get("AIRFLOW_HOME", str(Path("~/airflow").expanduser()))
    return os.environ.get(ENVIRONMENT_VARIABLE, f"file://{home}/outbox")


@dataclass
class Drained:
    """What a drain did. ``refused`` rows were set aside, each beside the error that BigQuery gave."""

    appended: int = 0
    refused: list[str] = field(default_factory=list)


class Outbox:
    """Staged rows, one JSON file each: ``<table>/<id>.<unique>.json``; refused ones under ``refused/``.

    A row that is staged again while its first version is being appended has a file of its own, so neither is lost.
    """

    def __init__(self, url: str | None = None, warehouse: Warehouse | None = None) -> None:
        self.url = url or outbox_url()
        self.warehouse = warehouse or Warehouse()

    @property
    def root(self) -> ObjectStoragePath:
        """The folder or bucket prefix."""
        from airflow.sdk import ObjectStoragePath

        return ObjectStoragePath(self.url)

    def stage(self, rows: Iterable[Row], *, unless_staged: bool = False) -> list[str]:
        """Write rows to the outbox and return the files' names. When this returns the rows cannot be lost.

        ``unless_staged``: leave out those that are staged already.
        """
        names = []
        for row in rows:
            folder = self.root / row.TABLE
            folder.mkdir(parents=True, exist_ok=True)
            if unless_staged and any(folder.glob(f"{row.key}.*.json")):
                continue
            name = f"{row.key}.{uuid4().hex}.json"
            # A half-written file must never look like a row: write beside, then move into place.
            half = folder / f".{name}"
            half.write_text(json.dumps(row.to_json(), ensure_ascii=False))
            half.replace(folder / name)
            names.append(name)
        return names

    def staged(self, table: str | None = None) -> list[ObjectStoragePath]:
        """Return the staged files, of one table or of all."""
        found: list[ObjectStoragePath] = []
        for name in [table] if table else ROW_MODELS:
            folder = self.root / name
            if folder.exists():
                found += [path for path in folder.iterdir() if path.name.endswith(".json") and path.name[0] != "."]
        return sorted(found, key=str)

    def refused(self) -> list[ObjectStoragePath]:
        """Return the rows that were set aside."""
        folders = [self.root / "refused" / table for table in ROW_MODELS]
        return [path for folder in folders if folder.exists() for path in folder.iterdir() if path.suffix == ".json"]

    def append(self, table: str, names: Sequence[str]) -> Drained:
        """Append the rows in these files and remove them. Files that are no longer there have been appended."""
        folder = self.root / table
        return self._append(table, [folder / name for name in names])

    def drain(self) -> Drained:
        """Append everything staged. Raises WarehouseError when a table took no rows; they stay staged, others go in."""
        total = Drained()
        failures: list[WarehouseError] = []
        for table in ROW_MODELS:
            files = self.staged(table)
            try:
                for start in range(0, len(files), BATCH):
                    part = self._append(table, files[start : start + BATCH])
                    total.appended += part.appended
                    total.refused += part.refused
            except WarehouseError as error:
                failures.append(error)
        if failures:
            raise WarehouseError(
                f"{total.appended} rows appended, {len(self.staged())} stay staged: "
                + "; ".join(str(failure) for failure in failures)
            )
        return total

    def _append(self, table: str, files: Sequence[ObjectStoragePath]) -> Drained:
        rows, found, result = [], [], Drained()
        for file in files:
            try:
                rows.append(json.loads(file.read_text()))
                found.append(file)
            except FileNotFoundError:
                continue
            except ValueError as error:
                self._refuse(table, file, f"not JSON: {error}", result)
        pairs = list(zip(found, rows, strict=True))
        if pairs:
            suspects = self._send(table, pairs, result)
            if suspects and not result.appended:
                # Nothing got through: that is not a matter of single rows. They stay staged.
                raise next(iter(suspects.values()))
            for file, refusal in suspects.items():
                self._refuse(table, file, str(refusal), result)
        return result

    def _send(self, table: str, pairs: list[Staged], result: Drained) -> dict[ObjectStoragePath, RequestRefused]:
        """Append the rows, and remove them; return the single ones for which BigQuery refuses every request."""
        refused: dict[int, str] = {}
        try:
            self.warehouse.append(table, [row for _, row in pairs])
        except RowsRejected as rejected:
            refused = rejected.errors
        except RequestRefused as error:
            if len(pairs) == 1:
                return {pairs[0][0]: error}
            middle = len(pairs) // 2
            return self._send(table, pairs[:middle], result) | self._send(table, pairs[middle:], result)
        for index, (file, _) in enumerate(pairs):
            if index in refused:
                self._refuse(table, file, refused[index], result)
            else:
                file.unlink(missing_ok=True)
                result.appended += 1
        return {}

    def _refuse(self, table: str, file: ObjectStoragePath, why: str, result: Drained) -> None:
        """Set a row aside that BigQuery will never take, so that it blocks no other."""
        aside = self.root / "refused" / table
        aside.mkdir(parents=True, exist_ok=True)
        (aside / f"{file.name}.error").write_text(why)
        file.replace(aside / file.name)
        log.error("Row set aside: BigQuery refused %s for %s: %s", file.name, table, why)
        result.refused.append(f"{table}/{file.name}: {why}")
