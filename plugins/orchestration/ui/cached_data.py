"""The data that the pages read from BigQuery, cached for all viewers: a day, a plan, the inputs of one tick."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Generic, TypeVar

from orchestration.audit.facts import day_facts
from orchestration.audit.inputs import decision_inputs
from orchestration.audit.outbox import Outbox
from orchestration.audit.warehouse import Warehouse
from orchestration.config import Config
from orchestration.config.last_good import load_or_last_good
from orchestration.decisions.model import Decision, History
from orchestration.health.facts import DayFacts
from orchestration.nba.games import Schedule
from orchestration.planning.day import plan
from orchestration.services.errors import in_short
from orchestration.words import plural

Value = TypeVar("Value")
AHEAD = timedelta(hours=24)
"""The span of the tab *next* of a DAG."""
PATIENT_SECONDS = 300.0
"""The seconds for which a plan, and a day that the page shows in one line, stay in the cache."""
SECONDS, ERROR_SECONDS, ENTRIES = 30.0, 5.0, 64


@dataclass
class _Entry(Generic[Value]):
    made: threading.Lock = field(default_factory=threading.Lock)
    until: float = 0.0
    value: Value | None = None
    error: Exception | None = None


class SharedCache(Generic[Value]):
    """A cache of values by key. One caller makes a value, and the others wait for it: 100 viewers cost one query.

    A value is kept for ``seconds``, an error for 5 s.
    """

    def __init__(self, seconds: float = SECONDS, clock: Callable[[], float] = time.monotonic) -> None:
        self.seconds, self.clock = seconds, clock
        self._entries: OrderedDict[Hashable, _Entry[Value]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: Hashable, make: Callable[[], Value]) -> Value:
        """Return the cached value of ``key``, or make it. Raises the error of ``make``, or the cached error."""
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
        entry.until = self.clock() + (self.seconds if entry.error is None else ERROR_SECONDS)

    def clear(self) -> None:
        """Remove all values."""
        with self._lock:
            self._entries.clear()


@dataclass(frozen=True)
class DayData:
    """The data of a day: its facts, and the planned decisions of its ticks after ``now``."""

    config: Config
    facts: DayFacts
    planned: tuple[Decision, ...]
    now: datetime
    outbox: str


class PageData:
    """The cached queries behind the pages. Every method that reads raises WarehouseError or ConfigError."""

    def __init__(self) -> None:
        self.days: SharedCache[DayData] = SharedCache()
        self.others: SharedCache[DayData] = SharedCache(PATIENT_SECONDS)
        self.plans: SharedCache[tuple[Decision, ...]] = SharedCache(PATIENT_SECONDS)
        self.aheads: SharedCache[tuple[Config, datetime, Sequence[Decision]]] = SharedCache()
        self.ticks: SharedCache[tuple[Config, Schedule, History]] = SharedCache()

    def clock(self) -> datetime:
        """Return the current time, UTC."""
        return datetime.now(UTC)

    def config(self) -> Config:
        """Return the configuration in use."""
        return load_or_last_good().config

    def day(self, day: date, as_of: datetime | None, *, beside: bool = False) -> DayData:
        """Return the ET ``day`` as of the aware ``as_of``, None for now. ``beside``: the data may be minutes old."""
        shared = self.others if beside else self.days
        return shared.get((day, as_of), lambda: self._day(day, as_of or self.clock(), (day, as_of)))

    def ahead(self) -> tuple[Config, datetime, Sequence[Decision]]:
        """Return the configuration, the current time, and the planned decisions of the next 24 hours."""
        return self.aheads.get("ahead", self._ahead)

    def tick(self, workflow: str, tick: datetime) -> tuple[Config, Schedule, History]:
        """Return the inputs of the engine for a workflow at the aware ``tick``."""
        return self.ticks.get((workflow, tick), lambda: self._tick(workflow, tick))

    def _day(self, day: date, now: datetime, key: Hashable) -> DayData:
        config = self.config()
        facts = day_facts(Warehouse(config.settings), config, day, now)
        planned: tuple[Decision, ...] = ()
        start, end = config.day_bounds(day)
        if now < end and config.enabled:
            planned = self.plans.get(key, lambda: _planned(config, max(now, start), end))
        return DayData(config, facts, planned, now, _outbox())

    def _ahead(self) -> tuple[Config, datetime, Sequence[Decision]]:
        config, now = self.config(), self.clock()
        return config, now, _planned(config, now, now + AHEAD)

    def _tick(self, workflow: str, tick: datetime) -> tuple[Config, Schedule, History]:
        config = self.config()
        return config, *decision_inputs(Warehouse(config.settings), config, [workflow], tick)


def _planned(config: Config, start: datetime, end: datetime) -> tuple[Decision, ...]:
    inputs = decision_inputs(Warehouse(config.settings), config, list(config.enabled), start)
    return tuple(plan(config, start, end, *inputs))


def _outbox() -> str:
    """Return the number of rows in the outbox in words, or why the API server cannot read it."""
    try:
        outbox = Outbox()
        staged, refused = len(outbox.staged()), len(outbox.refused())
    except Exception as error:
        return f"cannot be read: {in_short(error)}"
    return f"{plural(staged, 'row')} staged, {refused} refused"
