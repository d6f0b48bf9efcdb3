"""The keys that all workflows share. The decision types are in ``decisions/types``."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, time, timedelta
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, model_validator

from orchestration.nba.eastern import NOON, hours_between, nearest
from orchestration.nba.games import COUNTED_BY_DEFAULT, GameType
from orchestration.vocabulary.base import FORTNIGHT_MINUTES, GroupId, Halt, Names, Owner, Strict, Tags
from orchestration.vocabulary.settings import Settings
from orchestration.vocabulary.ticks import Ticks, minutes_of
from orchestration.words import AlertLevel, Mode, Priority, TargetDate

MORNING = time(5, 0)
"""From this ET time to noon, a window of a fixed time is about the night that ended."""

TASKS = ("decide", "hold", "skip", "abort", "finish", "tell_tables")
"""The tasks of every workflow's DAG other than calls."""

Hour = Annotated[int, Field(ge=0, le=24)]
"""A full ET hour; 24 is the end of the day."""
PositiveHours = Annotated[float, Field(gt=0, le=24 * 14)]


Window = tuple[time, timedelta]
"""A fixed ET time, and the tolerance before and after it."""


class WorkflowSchedule(Strict):
    """The keys of ``schedule`` that every decision type shares."""

    target_date: TargetDate = TargetDate.TODAY


class Step(Strict):
    """Scrapers that are called together (parallel) or one after the other (sequential)."""

    type: Literal["parallel", "sequential", "single"] = "parallel"
    scrapers: Names = Field(min_length=1)
    depends_on: Names = ()
    """Scrapers of earlier steps that must succeed first. Without it, the step waits for the end of the step before."""

    @model_validator(mode="before")
    @classmethod
    def _single(cls, data: Any) -> Any:
        if isinstance(data, dict) and "scraper" in data and "scrapers" not in data:
            return {("scrapers" if key == "scraper" else key): value for key, value in data.items()}
        return data


class ExecutionPlan(Strict):
    """The steps of a RUN in order: one step without a name, or ``step_1``, ``step_2`` and so on."""

    steps: dict[GroupId, Step] = Field(min_length=1)

    @model_validator(mode="before")
    @classmethod
    def _forms(cls, data: Any) -> Any:
        if not isinstance(data, dict) or "steps" in data:
            return data
        if any(key in data for key in ("scraper", "scrapers")):
            return {"steps": {"step_1": data}}
        return {"steps": data}

    @property
    def scrapers(self) -> tuple[str, ...]:
        """Every scraper of the plan, in order."""
        return tuple(name for step in self.steps.values() for name in step.scrapers)


class Alerts(Strict):
    """The level of each alert."""

    failure: AlertLevel = AlertLevel.WARNING
    timing_drift: AlertLevel = AlertLevel.WARNING
    missing_games: AlertLevel = AlertLevel.WARNING
    max_attempts_reached: AlertLevel = AlertLevel.WARNING
    discovery_complete: AlertLevel = AlertLevel.NONE
    quota_warning_pct: float | None = Field(default=None, gt=0, le=100)
    """Descriptive: the share of the quota at which the source's own dashboard warns."""


class Dependencies(Strict):
    """``requires``: the workflows to wait for. ``required_for`` is descriptive, the other side of ``requires``."""

    requires: Names = ()
    required_for: Names = ()


class Workflow(Strict):
    """The keys that every workflow has, and defaults for what each decision type defines.

    A decision type is a subclass in a module of its own in ``decisions/types``, with its checks and its sentence.
    ``deadline_minutes`` counts from the moment when a run is queued.
    """

    checks: ClassVar[tuple[Callable[..., Any], ...]] = ()
    """The checks in order (``Check`` of ``decisions/case.py``): the first answer wins, the last must answer."""
    daily: ClassVar[bool] = False
    """Whether the workflow is for a day, not for games. ``requires`` then counts its runs on the day of the slate."""
    after_games: ClassVar[bool] = False
    """Whether the workflow collects played games. It makes no call for a game that is collected."""
    nothing_to_do: ClassVar[frozenset[str]] = frozenset({"done", "no_games", "found", "fresh"})
    """Rules of a SKIP because nothing is left to do. Such a SKIP satisfies ``requires`` of other workflows."""

    decision_type: str
    schedule: WorkflowSchedule
    enabled: bool = True
    mode: Mode = Mode.LIVE
    """shadow: decide and record, call nothing, although the system is live."""
    priority: Priority = Priority.MEDIUM
    description: str = ""
    owner: Owner = "data-platform"
    tags: Tags = ()
    contacts: Names = ()
    """Descriptive: the people to ask, shown in the DAG's docs."""
    execution_plan: ExecutionPlan
    alerts: Alerts = Alerts()
    dependencies: Dependencies = Dependencies()
    game_types: tuple[GameType, ...] = COUNTED_BY_DEFAULT
    deadline_minutes: float | None = Field(default=None, gt=0, le=FORTNIGHT_MINUTES)
    halt: Halt | None = None

    @property
    def needs_games(self) -> bool:
        """Whether the decision needs a known schedule."""
        return False

    @property
    def fixed_time(self) -> Window | None:
        """The fixed ET time of the window and its tolerance to both sides, or None."""
        return None

    def window_at(self, tick: datetime) -> datetime | None:
        """Return the occurrence of the fixed time whose window contains the aware ``tick``, or None."""
        if self.fixed_time is None:
            return None
        wall, tolerance = self.fixed_time
        window = nearest(tick, wall)
        # Real hours: a difference of wall times is an hour off at a daylight-saving change (lesson T11).
        return window if abs(hours_between(window, tick)) <= tolerance / timedelta(hours=1) else None

    def own_ticks(self, settings: Settings) -> tuple[time, ...]:
        """Return the ET times at which the workflow ticks besides the regular ticks (lesson T1)."""
        return ()

    def look_back_hours(self, settings: Settings) -> float:
        """Return how many hours back the checks look, if more than two days."""
        return 0

    def impossible(self, ticks: Ticks) -> Iterator[tuple[str, str]]:
        """Yield each key of ``schedule`` that can never work with these ticks, and what is wrong with it."""
        return iter(())

    def unreachable(self, ticks: Ticks) -> Iterator[tuple[str, str]]:
        """Yield each key of ``schedule`` whose limit no day reaches with these ticks, and what to write instead."""
        return iter(())

    def in_words(self, settings: Settings) -> str:
        """Return the rule in one sentence."""
        raise NotImplementedError

    @property
    def reads_yesterday_as_slate(self) -> bool:
        """Whether a window from noon on has ``yesterday``, which is read as ``slate`` (lesson T8)."""
        fixed = self.fixed_time
        return fixed is not None and self.schedule.target_date is TargetDate.YESTERDAY and fixed[0] >= NOON

    @property
    def reads_slate_as_yesterday(self) -> bool:
        """Whether a window in the morning has ``slate``, which is read as ``yesterday``."""
        fixed = self.fixed_time
        return fixed is not None and self.schedule.target_date is TargetDate.SLATE and MORNING <= fixed[0] < NOON


def no_tick_between(key: str, start_hour: int, end_hour: int, ticks: Ticks) -> Iterator[tuple[str, str]]:
    """Yield ``key`` and a message if no tick lies between two full ET hours (lesson T1: 01:00 never ran)."""
    if not any(start_hour * 60 <= minutes_of(tick) <= end_hour * 60 for tick in ticks.times):
        yield key, f"no tick lies between {start_hour}:00 and {end_hour}:00 ET"
