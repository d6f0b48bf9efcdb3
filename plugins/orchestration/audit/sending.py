"""One batch of staged rows on its way to BigQuery: which rows get in, which are refused, and which nobody can tell.

A refused request names no row, so the batch is halved until single rows are left. Three things must be told apart: a
row that BigQuery will never take (it is set aside, so that it blocks no other), a fault that passes, and an outage
(nothing is set aside then, and everything stays staged).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from orchestration.audit.warehouse import AppendFailed, AppendRefused, AppendTooLarge, RowsRejected, Warehouse

if TYPE_CHECKING:
    from airflow.sdk import ObjectStoragePath

TOO_LARGE_BYTES = 1_000_000
"""A row above this that is refused as too large is too large, whatever becomes of the others."""
PATIENCE = 40
"""So many requests in a row that are refused, and none that gets through: that is no matter of single rows."""


class Staged(NamedTuple):
    """A staged file, the row in it, and its size as JSON in bytes."""

    file: ObjectStoragePath
    row: dict[str, Any]
    size: int


@dataclass
class Drained:
    """What a drain did. ``refused`` rows were set aside, each beside the error that BigQuery gave.

    ``unread``: files that storage did not hand out; they stay where they are.
    """

    appended: int = 0
    refused: list[str] = field(default_factory=list)
    unread: list[str] = field(default_factory=list)


class Aside(Protocol):
    """Where refused rows go."""

    def refuse(self, table: str, file: ObjectStoragePath, why: str, result: Drained) -> None:
        """Set one aside."""


class Sending:
    """The sending of one batch to one table."""

    def __init__(self, warehouse: Warehouse, table: str, batch: Sequence[Staged]) -> None:
        self.warehouse, self.table, self.batch = warehouse, table, batch
        self.got_through: Staged | None = None
        self.failures = 0
        self.suspects: dict[ObjectStoragePath, tuple[Staged, AppendRefused]] = {}

    def send(self, aside: Aside, result: Drained) -> None:
        """Append the rows and remove their files; set those aside that are to blame for a refused request.

        Raises WarehouseError when nothing is known, or when none got through: that is not a matter of single rows.
        What has not got in then stays staged.
        """
        self._halve(self.batch, aside, result)
        if not self.suspects:
            return
        if self.got_through is None:
            raise next(iter(self.suspects.values()))[1]
        self._try_those_again_that_may_have_met_an_outage(aside, result)
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
            if self.failures > PATIENCE:
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
            if index in refused:
                aside.refuse(self.table, one.file, refused[index], result)
            else:
                one.file.unlink(missing_ok=True)
                result.appended += 1
                self.got_through, self.failures = one, 0

    def _try_those_again_that_may_have_met_an_outage(self, aside: Aside, result: Drained) -> None:
        """A request that failed with 500 is the row's fault only if BigQuery works before and after it.

        The proof is a row that got in a moment ago: appending it twice is harmless.
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
