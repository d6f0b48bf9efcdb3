"""What is known of the calls of a task that makes several, across its tries."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Container, Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from orchestration.operators.call_rows import KILLED, Call, left_of
from orchestration.words import Outcome

if TYPE_CHECKING:
    from orchestration.records.ids import TaskKey
    from orchestration.records.tables import CallRecord
    from orchestration.services.answers import CallResult

Left = dict[str, Any]
"""What a call left, as JSON. Beside it ``again``: whether a retry makes it again; ``settled``: the last try of the task
of which nothing more is to be said about this call."""


class Ledger:
    """The calls of the try ``key``: what they left, and what is still to be made.

    ``known`` is what earlier tries reported. What was reported before ``first_try`` is made again: somebody has cleared
    the task. ``write`` takes what all calls of this try left, for ``finish``, and what is known, for the next try.
    """

    def __init__(
        self,
        key: TaskKey,
        calls: Sequence[Call],
        known: Sequence[Left],
        first_try: int,
        write: Callable[[list[Left], list[Left]], None],
    ) -> None:
        self.key, self.calls, self._write = key, calls, write
        labels = {call.index: call.label for call in calls}
        self.reported = {
            left["call"]["index"]: dict(left)
            for left in known
            if labels.get(left["call"]["index"]) == left["call"]["label"]
        }
        self.pending = {
            call.index: call
            for call in calls
            if (left := self.reported.get(call.index)) is None or left["try_number"] < first_try or left["again"]
        }
        self.failures: dict[int | None, CallResult] = {}
        """The calls that failed in this try."""
        self._lock, self._changes, self._written = asyncio.Lock(), 0, 0

    def silent(self) -> Iterator[tuple[Call, int]]:
        """Yield the earlier tries of the calls still to be made of which there is no word, by their numbers."""
        for index, call in self.pending.items():
            settled = self.reported[index]["settled"] if index in self.reported else 0
            for number in range(settled + 1, self.key.try_number):
                yield call, number

    def begin(self, at: datetime) -> None:
        """Leave word of every call before the first one is made, at the aware ``at``."""
        self._begun = at
        for index, left in self.reported.items():
            if index not in self.pending:
                left["settled"] = self.key.try_number
        self._write(self.left(), list(self.reported.values()))

    def left(self) -> list[Left]:
        """Return what each call has left by now, in their order."""
        return [
            left_of(call, KILLED, self.key, self._begun) if call.index in self.pending else self.reported[call.index]
            for call in self.calls
        ]

    def report(self, call: Call, result: CallResult, at: datetime, row: CallRecord) -> None:
        """Note how a call ended that was made at ``at``; its row is staged."""
        left = left_of(call, result, self.key, at, row)
        self.reported[call.index] = {**left, "again": result.retryable, "settled": self.key.try_number}
        del self.pending[call.index]
        if result.outcome is Outcome.FAILED:
            self.failures[call.index] = result

    async def save(self) -> None:
        """Return when what was reported is written. Whoever comes while it is being written shares the next time."""
        self._changes += 1
        mine = self._changes
        async with self._lock:
            if self._written < mine:
                upto = self._changes
                await asyncio.to_thread(self._write, self.left(), list(self.reported.values()))
                self._written = upto

    def close(self, again: Container[int | None]) -> None:
        """Write which of the calls that failed a retry makes again."""
        for index, left in self.reported.items():
            left["again"] = index in again
        self._write(self.left(), list(self.reported.values()))
