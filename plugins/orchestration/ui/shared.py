"""What one person asked for, all others get for a while: a hundred people looking cost what one costs."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

Value = TypeVar("Value")
SECONDS, ERROR_SECONDS, ENTRIES = 30.0, 5.0, 64


@dataclass
class _Entry(Generic[Value]):
    made: threading.Lock = field(default_factory=threading.Lock)
    until: float = 0.0
    value: Value | None = None
    error: Exception | None = None


class Shared(Generic[Value]):
    """Values by key, each made by one caller at a time and kept for ``seconds``; an error for ``error_seconds``."""

    def __init__(
        self,
        seconds: float = SECONDS,
        error_seconds: float = ERROR_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.seconds, self.error_seconds, self.clock = seconds, error_seconds, clock
        self._entries: OrderedDict[Hashable, _Entry[Value]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: Hashable, make: Callable[[], Value]) -> Value:
        """Return the value of ``key``, made now or lately. Raises what making it raised."""
        with self._lock:
            entry = self._entries.setdefault(key, _Entry())
            self._entries.move_to_end(key)
            while len(self._entries) > ENTRIES:
                self._entries.popitem(last=False)
        with entry.made:
            if self.clock() >= entry.until:
                self._make(entry, make)
            if entry.error is not None:
                raise entry.error
            return entry.value  # type: ignore[return-value]

    def _make(self, entry: _Entry[Value], make: Callable[[], Value]) -> None:
        try:
            entry.value, entry.error = make(), None
        except Exception as error:
            entry.value, entry.error = None, error
        entry.until = self.clock() + (self.seconds if entry.error is None else self.error_seconds)

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._entries.clear()
