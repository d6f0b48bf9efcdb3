"""The data that the pages read: from BigQuery, cached for all viewers, and from Airflow's own database."""

from __future__ import annotations

import json
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence, Set
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any, Generic, TypeVar

from airflow.models.asset import AssetModel  # noqa: TID251  the API server may open Airflow's database; tasks may not
from airflow.models.asset_state_store import AssetStateStoreModel  # noqa: TID251
from airflow.models.dagrun import DagRun  # noqa: TID251
from sqlalchemy import select
from sqlalchemy.orm import Session

from orchestration.alerts.memory import ALERTS
from orchestration.audit.facts import day_facts
from orchestration.audit.inputs import decision_inputs
from orchestration.audit.outbox import Outbox
from orchestration.audit.warehouse import Warehouse
from orchestration.config import Config
from orchestration.config.last_good import load_or_last_good
from orchestration.decisions.model import Decision, History
from orchestration.health.facts import DayFacts
from orchestration.nba.eastern import et
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
SENT_PREFIX = "told "
"""The memory of alerts keeps the date of a sent alert under a key with this prefix."""
MOST_RUNS = 5000


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
        shared, key = self.others if beside else self.days, (day, as_of)
        return shared.get(key, lambda: self._day(day, as_of or self.clock(), key))

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


@dataclass(frozen=True, slots=True)
class RunState:
    """A DAG run in Airflow's database. ``at`` (ET): its logical date, else the time from which it may start."""

    dag_id: str
    run_id: str
    state: str
    at: datetime


@dataclass(frozen=True, slots=True)
class SentAlert:
    """An alert that was sent: its kind, its subject, and the ET date."""

    kind: str
    about: str
    day: date


def run_of(session: Session, dag_id: str, run_id: str) -> Any:
    """Return a DAG run, or None."""
    return session.scalar(select(DagRun).where(DagRun.dag_id == dag_id, DagRun.run_id == run_id))


def runs_between(session: Session, dag_ids: Set[str], start: datetime, end: datetime) -> list[RunState]:
    """Return the runs of these DAGs with ``start`` <= logical date < ``end``, in order."""
    found = session.execute(
        select(DagRun.dag_id, DagRun.run_id, DagRun.state, DagRun.logical_date, DagRun.run_after)
        .where(DagRun.dag_id.in_(dag_ids), DagRun.run_after >= start, DagRun.run_after < end)
        .order_by(DagRun.run_after)
        .limit(MOST_RUNS)
    )
    return [RunState(r.dag_id, r.run_id, str(r.state), et(r.logical_date or r.run_after)) for r in found]


def sent_alerts(session: Session, days: Set[date], allowed: Set[str], known: Set[str]) -> list[SentAlert]:
    """Return the alerts sent on these ET ``days``, without alerts about DAGs that are not ``allowed``.

    ``known``: all DAGs of the system. The subject of an alert may also be a source or a scraper.
    """
    rows = session.execute(
        select(AssetStateStoreModel.key, AssetStateStoreModel.value)
        .join(AssetModel, AssetModel.id == AssetStateStoreModel.asset_id)
        .where(AssetModel.name == ALERTS.name, AssetStateStoreModel.key.startswith(SENT_PREFIX))
    )
    found = []
    for key, value in rows:
        kind, _, about = key.removeprefix(SENT_PREFIX).partition(" ")
        day = _date(value)
        if day is not None and day in days and (about not in known or about in allowed):
            found.append(SentAlert(kind, about, day))
    return sorted(found, key=lambda one: (one.day, one.kind, one.about), reverse=True)


def _date(value: str) -> date | None:
    try:
        return date.fromisoformat(str(json.loads(value)))
    except ValueError:
        return None
