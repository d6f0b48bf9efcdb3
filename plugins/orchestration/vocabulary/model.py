"""The whole configuration, and the answers that follow from it alone."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from functools import cached_property

from pydantic import Field

from orchestration.nba.eastern import NOON, at, et_date
from orchestration.vocabulary.base import DagId, Halt, Strict
from orchestration.vocabulary.scrapers import Scraper, fan_out_of
from orchestration.vocabulary.settings import Settings
from orchestration.vocabulary.ticks import Ticks, minutes_of, wall_of
from orchestration.vocabulary.workflows import Workflow
from orchestration.words import FanOut, Mode

EXECUTOR_MINUTE = 5
"""Calls start this many minutes after a tick (the hold)."""
LOCKER, CLEANUP, RECONCILE = SYSTEM_DAGS = ("schedule_locker", "cleanup", "reconcile")
"""The ids of the DAGs that are not workflows."""
CLEANUP_DELAY_MINUTES = 15
"""The cleanup runs this many minutes after the calls have started."""
HISTORY_HOURS = 48
"""The hours of history that every decision reads: daily rules need today and yesterday."""
SHARE_OF_THE_HOLD = 0.8
"""The share of the hold that the delays between tries of a decision may take; the tries need the rest."""


class Config(Strict):
    """``workflows.yaml`` after loading.

    ``config/file.py`` adds the decision types: here each workflow is a plain :class:`Workflow`.
    """

    version: str
    environment: str = "production"
    scrapers: dict[DagId, Scraper]
    workflows: dict[DagId, Workflow] = Field(min_length=1)
    settings: Settings = Settings()

    @cached_property
    def enabled(self) -> dict[str, Workflow]:
        """The enabled workflows: each becomes a DAG."""
        return {name: workflow for name, workflow in self.workflows.items() if workflow.enabled}

    def is_shadow(self, name: str | None = None) -> bool:
        """Return whether the system, or the workflow ``name`` in it, only decides and records (lesson A9).

        In a shadow system no workflow is live, even with ``mode: live``.
        """
        return Mode.SHADOW in (self.settings.mode, self.workflows[name].mode if name in self.workflows else Mode.LIVE)

    def halt_at(self, moment: datetime, name: str | None = None) -> Halt | None:
        """Return the halt in force at the aware ``moment``: the system's, or else that of the workflow ``name``."""
        halts = (self.settings.halt, self.workflows[name].halt if name in self.workflows else None)
        return next((halt for halt in halts if halt is not None and halt.holds_at(moment)), None)

    def halt_on(self, day: date, name: str | None = None) -> Halt | None:
        """Return the halt in force at noon of the ET date ``day``, as :meth:`halt_at` does."""
        return self.halt_at(at(day, NOON), name)

    @cached_property
    def regular_ticks(self) -> Ticks:
        """The ticks of every workflow: by default hourly from 06:00 to 23:00 ET."""
        s = self.settings
        first, last, step = minutes_of(s.first_tick), minutes_of(s.last_tick), s.controller_interval_minutes
        return Ticks.of(*(wall_of(m) for m in range(first, last + 1, step)))

    def ticks_of(self, name: str) -> Ticks:
        """Return the ticks of a workflow: the regular ticks and its own (lesson T1)."""
        return Ticks.of(*self.regular_ticks.times, *self.workflows[name].own_ticks(self.settings))

    @cached_property
    def lock_ticks(self) -> Ticks:
        """The tick of the schedule locker."""
        return Ticks.of(self.settings.daily_schedule_lock.generation_time)

    def day_bounds(self, day: date) -> tuple[datetime, datetime]:
        """Return the start and end of the orchestration day ``day``: from its lock to the next one, ET."""
        lock = self.settings.daily_schedule_lock.generation_time
        return at(day, lock), at(day + timedelta(days=1), lock)

    def current_day(self, now: datetime) -> date:
        """Return the orchestration day at the aware ``now``. It changes at the morning's lock, not at midnight."""
        today = et_date(now)
        return today if now >= self.day_bounds(today)[0] else today - timedelta(days=1)

    @cached_property
    def cleanup_ticks(self) -> Ticks:
        """The ticks of the cleanup: at :20 of every hour that has a tick, and of the hour after.

        The hour after counts because a file is too young in the hour of its tick. With a shorter interval, the cleanup
        runs several times within these hours (``interval_minutes: 15``).
        """
        interval = self.settings.cleanup_processor.interval_minutes
        offset = (EXECUTOR_MINUTE + CLEANUP_DELAY_MINUTES) % interval
        ticks = [self.ticks_of(name) for name in self.enabled] or [self.regular_ticks]
        active = {wall.hour for one in ticks for wall in one.times}
        hours = {hour for tick in active for hour in (tick, (tick + 1) % 24)}
        return Ticks.of(*(time(hour, minute) for hour in hours for minute in range(offset, 60, interval)))

    @cached_property
    def reconcile_ticks(self) -> Ticks:
        """The ticks of reconcile; none if reconcile is switched off."""
        return Ticks.of(*(self.settings.reconcile.at if self.settings.reconcile.enabled else ()))

    @cached_property
    def decide_delays(self) -> tuple[float, ...]:
        """The seconds before each retry of a decision; each delay is twice the one before.

        If there is a hold, delays that are too long for it are all shortened by one factor.
        """
        retries, hold = self.settings.decide_retries, self.settings.execution_delay_minutes * 60
        delays = [retries.first_delay_seconds * 2**number for number in range(retries.max_retries)]
        factor = min(1.0, SHARE_OF_THE_HOLD * hold / sum(delays)) if hold and delays else 1.0
        return tuple(round(delay * factor, 3) for delay in delays)

    def refreshes_schedule(self, name: str) -> bool:
        """Return whether a scraper of this workflow's plan fills the schedule table."""
        plan = self.workflows[name].execution_plan.scrapers
        return any(self.scrapers[scraper].processed_in == self.settings.schedule_table for scraper in plan)

    def timeout_seconds(self, scraper: str) -> float:
        """Return the timeout of one call in seconds, at least the scraper's worst case (lesson E7)."""
        timeouts, model = self.settings.scraper_timeouts, self.scrapers[scraper]
        stated = model.timeout_seconds or timeouts.overrides.get(scraper, timeouts.default)
        return max(stated, model.estimated_duration_seconds or 0) + timeouts.future_overhead

    def at_once(self, scraper: str) -> int:
        """Return how many calls one task of this scraper makes at a time, at most the slots of its pool."""
        model = self.scrapers[scraper]
        slots = self.settings.pools.get(model.pool, 1) if model.pool is not None else model.calls_per_task
        return min(model.calls_per_task, slots)

    def deadline_minutes(self, name: str) -> float:
        """Return the minutes after queueing in which a run must end: the workflow's own, or those of its priority."""
        workflow = self.workflows[name]
        return workflow.deadline_minutes or self.settings.deadline_minutes.of(workflow.priority)

    def retries(self, scraper: str) -> int:
        """Return how many times a failed call of this scraper is retried."""
        own = self.scrapers[scraper].retries
        return self.settings.retries.max_retries if own is None else own

    def critical_scrapers(self, name: str) -> frozenset[str]:
        """Return the scrapers of a workflow whose failure fails its execution."""
        return frozenset(s for s in self.workflows[name].execution_plan.scrapers if self.scrapers[s].critical)

    def tables_of(self, name: str) -> tuple[str, ...]:
        """Return the names of the tables that hold the data of a workflow's scrapers."""
        scrapers = (self.scrapers[s] for s in self.workflows[name].execution_plan.scrapers)
        return tuple(sorted({scraper.processed_in for scraper in scrapers if scraper.processed_in is not None}))

    def per_game_scrapers(self, name: str) -> tuple[str, ...]:
        """Return the scrapers of a workflow's plan that are called once per game."""
        plan = self.workflows[name].execution_plan.scrapers
        return tuple(s for s in plan if fan_out_of(s, self.scrapers[s]) is FanOut.GAME)

    def look_back_hours(self, name: str) -> float:
        """Return the hours of history that the rules of a workflow read, at least 48."""
        return max(HISTORY_HOURS, self.workflows[name].look_back_hours(self.settings))
