"""Sends one batch of staged rows to BigQuery and finds the rows that BigQuery refuses.

A refused append does not name the row at fault, so the batch is halved down to single rows. There are three cases:

* BigQuery will never take a row: the row is set aside, so that it does not block other rows.
* A fault passes: a second try appends the row.
* An outage: nothing is set aside and all rows stay staged.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from orchestration.audit.warehouse import (
    AppendFailed,
    AppendRefused,
    AppendTooLarge,
    RowsRejected,
    Warehouse,
    WarehouseError,
)
from orchestration.words import plural

if TYPE_CHECKING:
    from airflow.sdk import ObjectStoragePath

TOO_LARGE_BYTES = 1_000_000
"""A larger row that is refused for its size is set aside, even if no other row gets through."""
MOST_REFUSALS = 40
"""Give up after this many consecutive refusals: single rows are not the cause."""


class Staged(NamedTuple):
    """A staged file, the row in it, and its size as JSON in bytes."""

    file: ObjectStoragePath
    row: dict[str, Any]
    size: int


@dataclass
class Drained:
    """The result of a drain. ``refused`` rows were set aside, each beside the error of BigQuery.

    ``unread`` files could not be read and stay staged.
    """

    appended: int = 0
    refused: list[str] = field(default_factory=list)
    unread: list[str] = field(default_factory=list)


class Aside(Protocol):
    """The place for refused rows."""

    def refuse(self, table: str, file: ObjectStoragePath, why: str, result: Drained) -> None:
        """Set a row aside."""


class Sending:
    """Sends one batch to one table."""

    def __init__(self, warehouse: Warehouse, table: str, batch: Sequence[Staged]) -> None:
        self.warehouse, self.table, self.batch = warehouse, table, batch
        self.got_through: Staged | None = None
        self.failures = 0
        self.columns: set[str] | None = None
        self.too_early: list[str] = []
        self.suspects: dict[ObjectStoragePath, tuple[Staged, AppendRefused]] = {}

    def send(self, aside: Aside, result: Drained) -> None:
        """Append the rows and remove their files. Set aside the rows that are at fault for a refused append.

        Raises WarehouseError if BigQuery does not answer or takes none of the rows. The rows then stay staged.
        """
        self._halve(self.batch, aside, result)
        self._settle_suspects(aside, result)
        if self.too_early:
            count = plural(len(self.too_early), "row")
            why = f"{self.too_early[0]}, although the table has this column: streaming learns of it some minutes later"
            raise WarehouseError(f"BigQuery does not take {count} of {self.table} yet: {why}")

    def _settle_suspects(self, aside: Aside, result: Drained) -> None:
        if not self.suspects:
            return
        if self.got_through is None:
            raise next(iter(self.suspects.values()))[1]
        self._retry_after_server_errors(aside, result)
        for one, refusal in self.suspects.values():
            aside.refuse(self.table, one.file, str(refusal), result)

    def _halve(self, part: Sequence[Staged], aside: Aside, result: Drained) -> None:
        try:
            self._append(part, aside, result)
        except AppendRefused as refusal:
            self.failures += 1
            if len(part) == 1:
                if isinstance(refusal, AppendTooLarge) and part[0].size > TOO_LARGE_BYTES:
                    aside.refuse(self.table, part[0].file, str(refusal), result)
                else:
                    self.suspects[part[0].file] = part[0], refusal
                return
            if self.failures > MOST_REFUSALS:
                raise
            middle = len(part) // 2
            self._halve(part[:middle], aside, result)
            self._halve(part[middle:], aside, result)

    def _append(self, part: Sequence[Staged], aside: Aside, result: Drained) -> None:
        refused: dict[int, str] = {}
        try:
            self.warehouse.append(self.table, [one.row for one in part])
        except RowsRejected as rejected:
            refused = rejected.errors
        for index, one in enumerate(part):
            if index in refused and self._not_streamed_yet(refused[index]):
                self.too_early.append(refused[index])
            elif index in refused:
                aside.refuse(self.table, one.file, refused[index], result)
            else:
                one.file.unlink(missing_ok=True)
                result.appended += 1
                self.got_through, self.failures = one, 0

    def _not_streamed_yet(self, why: str) -> bool:
        """Return whether a refusal misses a column that the table has by now.

        Streaming learns of a new column some minutes later.
        """
        named = re.search(r"no such field: (\w+)", why)
        if named is None:
            return False
        if self.columns is None:
            schema = self.warehouse.schema(f"{self.warehouse.audit}.{self.table}")
            self.columns = {column.name for column in schema or ()}
        return named[1] in self.columns

    def _retry_after_server_errors(self, aside: Aside, result: Drained) -> None:
        """Append rows that failed with 500 again. A row is at fault only if BigQuery works before and after it.

        To prove that, a row that BigQuery took a moment ago is appended once more, which is harmless.
        """
        again = [one for one, refusal in self.suspects.values() if isinstance(refusal, AppendFailed)]
        if not again:
            return
        proof = self.got_through
        assert proof is not None
        self.warehouse.append(self.table, [proof.row])
        for one in again:
            try:
                self._append([one], aside, result)
                del self.suspects[one.file]
            except AppendRefused:
                continue
        self.warehouse.append(self.table, [proof.row])
