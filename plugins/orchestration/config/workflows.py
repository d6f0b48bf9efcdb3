"""Workflows: one model per decision type, each with the schedule keys that its checks read."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, Field, field_validator, model_validator

from orchestration.config.base import FORTNIGHT_MINUTES, GroupId, Names, Owner, Strict, Tags, WallTime
from orchestration.nba.games import COUNTED_BY_DEFAULT, GameType
from orchestration.words import AlertLevel, DecisionType, Mode, Priority, TargetDate

Hour = Annotated[int, Field(ge=0, le=24)]
"""A full ET hour; 24 is the end of the day."""
PositiveHours = Annotated[float, Field(gt=0, le=24 * 14)]


class HourWindow(Strict):
    """From the full hour ``start_hour`` to the full hour ``end_hour``, ET, both included."""

    start_hour: Hour
    end_hour: Hour

    @model_validator(mode="after")
    def _in_order(self) -> HourWindow:
        if self.start_hour > self.end_hour:
            raise ValueError(f"start_hour {self.start_hour} lies after end_hour {self.end_hour}")
        return self


class BusinessHours(Strict):
    """From the full hour ``start`` to the full hour ``end``, ET, both included."""

    start: Hour
    end: Hour

    @model_validator(mode="after")
    def _in_order(self) -> BusinessHours:
        if self.start > self.end:
            raise ValueError(f"start {self.start} lies after end {self.end}")
        return self


class SelfAwareSchedule(Strict):
    """Once a day, in a window."""

    ideal_window: HourWindow
    run_once_daily: Literal[True] = True
    """Descriptive: this decision type always runs once a day."""
    target_date: TargetDate = TargetDate.TODAY


class GameAwareSchedule(Strict):
    """Repeatedly before the day's games."""

    game_aware: Literal[True] = True
    """Descriptive: so does the decision type."""
    window_before_game_hours: PositiveHours = 6
    business_hours: BusinessHours = BusinessHours(start=8, end=20)
    frequency_hours: PositiveHours = 2
    target_date: TargetDate = TargetDate.TODAY


class PostGameSchedule(Strict):
    """At a fixed time after the games."""

    game_aware: Literal[True] = True
    """Descriptive: so does the decision type."""
    target_date: TargetDate = TargetDate.SLATE
    fixed_time: WallTime
    tolerance_minutes: int = Field(default=30, ge=0, le=180)


class EarlyGameSchedule(Strict):
    """The same day, for games that tip early (lesson T10)."""

    game_aware: Literal[True] = True
    """Descriptive: so does the decision type."""
    target_date: TargetDate = TargetDate.SLATE
    fixed_time: WallTime | None = None
    tolerance_minutes: int = Field(default=30, ge=0, le=180)
    early_game_cutoff_hour: Hour = 17
    collection_delay_hours: PositiveHours = 3


class DiscoverySchedule(Strict):
    """Ask until it is published."""

    discovery_mode: Literal[True] = True
    """Descriptive: so does the decision type."""
    max_attempts_per_day: int = Field(gt=0, le=100)
    retry_interval_hours: PositiveHours
    requires_game_day: bool = True
    first_hour: Hour = 6
    """No attempt before this full ET hour (lesson T5)."""
    discovery_duration_weeks: int | None = Field(default=None, gt=0, le=1000)
    """Descriptive: how long the publishing hour was to be studied."""
    target_date: TargetDate = TargetDate.TODAY


class FreshnessSchedule(Strict):
    """When the last success is ``max_age_hours`` old (default: settings.schedule_refresh_interval_hours)."""

    max_age_hours: PositiveHours | None = None
    target_date: TargetDate = TargetDate.TODAY


class Step(Strict):
    """Scrapers that are called together (parallel) or one after the other (sequential)."""

    type: Literal["parallel", "sequential", "single"] = "parallel"
    scrapers: Names = Field(min_length=1)
    depends_on: Names = ()
    """Scrapers of earlier steps that must succeed first; without it the step waits until the earlier ones are over."""

    @model_validator(mode="before")
    @classmethod
    def _single(cls, data: Any) -> Any:
        if isinstance(data, dict) and "scraper" in data and "scrapers" not in data:
            return {("scrapers" if key == "scraper" else key): value for key, value in data.items()}
        return data


class ExecutionPlan(Strict):
    """The steps of a RUN, in order: one step written in place, or ``step_1``, ``step_2`` and so on."""

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
    """The alert level of each thing that can be worth one."""

    failure: AlertLevel = AlertLevel.WARNING
    timing_drift: AlertLevel = AlertLevel.WARNING
    missing_games: AlertLevel = AlertLevel.WARNING
    max_attempts_reached: AlertLevel = AlertLevel.WARNING
    discovery_complete: AlertLevel = AlertLevel.NONE
    quota_warning_pct: float | None = Field(default=None, gt=0, le=100)
    """Descriptive: the share of the source's quota that its own dashboard warns at."""


class Dependencies(Strict):
    """``requires`` decides; ``required_for`` is descriptive (the other side of ``requires``)."""

    requires: Names = ()
    required_for: Names = ()


class Halt(Strict):
    """Every decision is SKIP with this reason, until the date (ET, that day included) or for good (lesson C10)."""

    reason: str = Field(min_length=1)
    until: date | AwareDatetime | None = None

    @field_validator("until", mode="before")
    @classmethod
    def _no_seconds_since_1970(cls, value: Any) -> Any:
        if isinstance(value, int | float | str) and str(value)[:10].count("-") != 2:
            raise ValueError("must be a date (2026-02-14), or a time with a zone (2026-02-14T18:00-05:00)")
        return value

    def holds_at(self, moment: datetime, moment_date: date) -> bool:
        """Return whether it is in force at ``moment``, whose ET date is ``moment_date``."""
        if self.until is None:
            return True
        if isinstance(self.until, datetime):
            return moment < self.until
        return moment_date <= self.until


class _Workflow(Strict):
    """What every workflow has. ``deadline_minutes`` is the DAG-level SLA, from the moment a run is queued."""

    enabled: bool = True
    mode: Mode = Mode.LIVE
    """shadow: it is decided and recorded, and calls nothing, though the system is live."""
    priority: Priority = Priority.MEDIUM
    description: str = ""
    owner: Owner = "data-platform"
    tags: Tags = ()
    contacts: Names = ()
    """Descriptive: whom to ask; shown in the DAG's docs."""
    execution_plan: ExecutionPlan
    alerts: Alerts = Alerts()
    dependencies: Dependencies = Dependencies()
    game_types: tuple[GameType, ...] = COUNTED_BY_DEFAULT
    deadline_minutes: float | None = Field(default=None, gt=0, le=FORTNIGHT_MINUTES)
    halt: Halt | None = None


class SelfAwareWorkflow(_Workflow):
    """See :class:`SelfAwareSchedule`."""

    decision_type: Literal[DecisionType.SELF_AWARE]
    schedule: SelfAwareSchedule


class GameAwareWorkflow(_Workflow):
    """See :class:`GameAwareSchedule`."""

    decision_type: Literal[DecisionType.GAME_AWARE]
    schedule: GameAwareSchedule = GameAwareSchedule()


class PostGameWorkflow(_Workflow):
    """See :class:`PostGameSchedule`."""

    decision_type: Literal[DecisionType.GAME_AWARE_YESTERDAY]
    schedule: PostGameSchedule


class EarlyGameWorkflow(_Workflow):
    """See :class:`EarlyGameSchedule`."""

    decision_type: Literal[DecisionType.GAME_AWARE_EARLY]
    schedule: EarlyGameSchedule = EarlyGameSchedule()


class DiscoveryWorkflow(_Workflow):
    """See :class:`DiscoverySchedule`."""

    decision_type: Literal[DecisionType.DISCOVERY]
    schedule: DiscoverySchedule


class FreshnessWorkflow(_Workflow):
    """See :class:`FreshnessSchedule`."""

    decision_type: Literal[DecisionType.FRESHNESS]
    schedule: FreshnessSchedule = FreshnessSchedule()


Workflow = Annotated[
    SelfAwareWorkflow
    | GameAwareWorkflow
    | PostGameWorkflow
    | EarlyGameWorkflow
    | DiscoveryWorkflow
    | FreshnessWorkflow,
    Field(discriminator="decision_type"),
]
