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
from typing import TYPE_CHECKING
from uuid import uuid4

from orchestration.audit.rows import ROW_MODELS, Row
from orchestration.audit.warehouse import RowsRejected, Warehouse

if TYPE_CHECKING:
    from airflow.sdk import ObjectStoragePath

log = logging.getLogger(__name__)

ENVIRONMENT_VARIABLE = "ORCHESTRATION_OUTBOX"
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
    """Staged rows, one JSON file each: ``<table>/<id>.json``; refused ones under ``refused/``."""

    def __init__(self, url: str | None = None, warehouse: Warehouse | None = None) -> None:
        self.url = url or outbox_url()
        self.warehouse = warehouse or Warehouse()

    @property
    def root(self) -> ObjectStoragePath:
        """The folder or bucket prefix."""
        from airflow.sdk import ObjectStoragePath

        return ObjectStoragePath(self.url)

    def stage(self, rows: Iterable[Row], *, unless_staged: bool = False) -> None:
        """Write rows to the outbox, in place of staged ones with their ids. When this returns they cannot be lost.

        ``unless_staged``: leave the ones that are staged as they are.
        """
        for row in rows:
            folder = self.root / row.TABLE
            if unless_staged and (folder / f"{row.key}.json").exists():
                continue
            folder.mkdir(parents=True, exist_ok=True)
            # A half-written file must never look like a row: write beside, then move into place.
            half = folder / f".{row.key}.{uuid4().hex}"
            half.write_text(json.dumps(row.to_json(), ensure_ascii=False))
            half.replace(folder / f"{row.key}.json")

    def staged(self, table: str | None = None) -> list[ObjectStoragePath]:
        """Return the staged files, of one table or of all."""
        found: list[ObjectStoragePath] = []
        for name in [table] if table else ROW_MODELS:
            folder = self.root / name
            if folder.exists():
                found += [path for path in folder.iterdir() if path.name.endswith(".json") and path.name[0] != "."]
        return sorted(found, key=str)

    def append(self, table: str, keys: Sequence[str]) -> Drained:
        """Append the staged rows with these ids and remove them. Rows that are no longer staged are there already."""
        folder = self.root / table
        return self._append(table, [folder / f"{key}.json" for key in keys])

    def drain(self) -> Drained:
        """Append everything staged. Raises WarehouseError when BigQuery does not answer; the rest stays staged."""
        total = Drained()
        for table in ROW_MODELS:
            files = self.staged(table)
            for start in range(0, len(files), BATCH):
                part = self._append(table, files[start : start + BATCH])
                total.appended += part.appended
                total.refused += part.refused
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
        if not rows:
            return result
        refused: dict[int, str] = {}
        try:
            self.warehouse.append(table, rows)
        except RowsRejected as error:
            refused = error.errors
        for index, file in enumerate(found):
            if index in refused:
                self._refuse(table, file, refused[index], result)
            else:
                file.unlink(missing_ok=True)
                result.appended += 1
        return result

    def _refuse(self, table: str, file: ObjectStoragePath, why: str, result: Drained) -> None:
        """Set a row aside that BigQuery will never take, so that it blocks no other."""
        aside = self.root / "refused" / table
        aside.mkdir(parents=True, exist_ok=True)
        (aside / f"{file.name}.error").write_text(why)
        file.replace(aside / file.name)
        log.error("Row set aside: BigQuery refused %s for %s: %s", file.name, table, why)
        result.refused.append(f"{table}/{file.name}: {why}")
