"""What the pages read, shared by everybody: a day is one query, what lies ahead another, a tick's *why* one more."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from orchestration.audit.facts import day_facts
from orchestration.audit.inputs import decision_inputs
from orchestration.audit.outbox import Outbox
from orchestration.audit.warehouse import Warehouse
from orchestration.config.last_good import load_or_last_good
from orchestration.config.model import Config
from orchestration.decisions.model import Decision, History
from orchestration.health.facts import DayFacts
from orchestration.nba.games import Schedule
from orchestration.planning.day import day_bounds, plan
from orchestration.services.errors import in_short
from orchestration.ui.shared import Shared

AHEAD = timedelta(hours=24)
"""How far a DAG's own page looks ahead."""
PATIENT_SECONDS = 300.0
"""So long the plan of what lies ahead, and the day that is only told beside another, may be old."""


@dataclass(frozen=True)
class Look:
    """A day as it was read: its facts, and what would be decided at its ticks after ``now``."""

    config: Config
    facts: DayFacts
    planned: tuple[Decision, ...]
    now: datetime
    outbox: str


class Looks:
    """The reads behind the pages, each shared for a while. All raise WarehouseError or ConfigError."""

    def __init__(self) -> None:
        self.days: Shared[Look] = Shared()
        self.others: Shared[Look] = Shared(PATIENT_SECONDS)
        self.plans: Shared[tuple[Decision, ...]] = Shared(PATIENT_SECONDS)
        self.aheads: Shared[tuple[Config, datetime, Sequence[Decision]]] = Shared()
        self.ticks: Shared[tuple[Config, Schedule, History]] = Shared()

    def clock(self) -> datetime:
        """Return the present, UTC."""
        return datetime.now(UTC)

    def config(self) -> Config:
        """Return the configuration in use."""
        return load_or_last_good().config

    def day(self, day: date, as_of: datetime | None, *, beside: bool = False) -> Look:
        """Return the ET ``day`` as of the aware ``as_of``, or of the present. ``beside``: it may be minutes old."""
        shared = self.others if beside else self.days
        return shared.get((day, as_of), lambda: self._day(day, as_of or self.clock(), (day, as_of)))

    def ahead(self) -> tuple[Config, datetime, Sequence[Decision]]:
        """Return the configuration, the present, and every workflow's decisions at the ticks of the next 24 hours."""
        return self.aheads.get("ahead", self._ahead)

    def tick(self, workflow: str, tick: datetime) -> tuple[Config, Schedule, History]:
        """Return what the engine knows of a workflow at the aware ``tick``."""
        return self.ticks.get((workflow, tick), lambda: self._tick(workflow, tick))

    def _day(self, day: date, now: datetime, key: Hashable) -> Look:
        config = self.config()
        facts = day_facts(Warehouse(config.settings), config, day, now)
        planned: tuple[Decision, ...] = ()
        if now < day_bounds(config, day)[1] and config.enabled:
            planned = self.plans.get(key, lambda: self._plan(config, day, now))
        return Look(config, facts, planned, now, _outbox())

    def _plan(self, config: Config, day: date, now: datetime) -> tuple[Decision, ...]:
        start, end = day_bounds(config, day)
        since = max(now, start)
        schedule, history = decision_inputs(Warehouse(config.settings), config, list(config.enabled), since)
        return tuple(plan(config, since, end, schedule, history))

    def _ahead(self) -> tuple[Config, datetime, Sequence[Decision]]:
        config, now = self.config(), self.clock()
        schedule, history = decision_inputs(Warehouse(config.settings), config, list(config.enabled), now)
        return config, now, tuple(plan(config, now, now + AHEAD, schedule, history))

    def _tick(self, workflow: str, tick: datetime) -> tuple[Config, Schedule, History]:
        config = self.config()
        return config, *decision_inputs(Warehouse(config.settings), config, [workflow], tick)


def _outbox() -> str:
    """Return in words what the outbox holds, as far as the API server can see it."""
    try:
        outbox = Outbox()
        staged, refused = len(outbox.staged()), len(outbox.refused())
    except Exception as error:
        return f"cannot be looked at: {in_short(error)}"
    return f"{staged} rows staged, {refused} refused"
