"""Settings: everything in ``workflows.yaml`` that is not about one scraper or workflow."""

from __future__ import annotations

from datetime import time
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from orchestration.vocabulary.base import (
    DAY_SECONDS,
    FORTNIGHT_MINUTES,
    CallSeconds,
    Channels,
    Halt,
    Names,
    PoolName,
    Slots,
    Strict,
    WallTime,
    WallTimes,
)
from orchestration.vocabulary.scrapers import TableName
from orchestration.words import AlertLevel, Channel, Mode, Priority

DATASET = r"^[A-Za-z_][A-Za-z0-9_]*$"
DatasetName = Annotated[str, Field(pattern=DATASET)]
"""Letters, digits and underscores only: it becomes part of a statement."""
SYSTEM_BEFORE = "nba_orchestration"
"""Where the system that this one takes over from keeps its rows."""
Endpoint = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]+(/[A-Za-z0-9_-]+)*$")]
"""A path below the connection's address, such as ``scrape`` or ``v1/scrape``."""


def _no_google_name(value: str) -> str:
    if value.lower().startswith("goog"):
        raise ValueError("must not begin with 'goog', which Pub/Sub keeps for itself")
    return value


Topic = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9._~+%-]{2,254}$"), AfterValidator(_no_google_name)]
"""A topic's name in the project of the connection, as Pub/Sub allows it."""


class DailyScheduleLock(Strict):
    """The morning's lock of what should run today."""

    enabled: bool = True
    generation_time: WallTime = time(5, 0)


class CleanupProcessor(Strict):
    """Finding and republishing files that never reached their table."""

    enabled: bool = True
    interval_minutes: Literal[5, 10, 15, 20, 30, 60] = 60
    lookback_hours: float = Field(default=4, gt=0, le=72)
    min_file_age_minutes: int = Field(default=30, ge=0, le=72 * 60)
    notification_threshold: int = Field(default=5, ge=1, le=1_000_000)
    """This many missing files in one run are worth an alert."""
    max_republish: int = Field(default=3, ge=1, le=20)
    storm_threshold: int = Field(default=100, ge=1, le=1_000_000)
    """More missing files than this at once: publish none, the tables are probably wrong (lesson C2)."""


class Monitoring(Strict):
    """Descriptive in this system: the audit tables are always written and expire as their DDL says."""

    enable_bigquery_logging: Literal[True] = True
    enable_cloud_logging: bool = True
    log_retention_days: int = Field(default=90, gt=0, le=36_500)


class Notifications(Strict):
    """Where alerts go, by severity. Every alert is also in the log; a channel that is not set up leaves it there."""

    email_enabled: bool = True
    slack_enabled: bool = True
    critical_channels: Channels = (Channel.EMAIL, Channel.SLACK)
    warning_channels: Channels = (Channel.EMAIL,)
    email_to: Names = ()
    """Who gets the mails."""
    healed: bool = True
    """Whether those who were told of something are told when it is over."""

    def channels(self, level: AlertLevel) -> tuple[Channel, ...]:
        """Return where an alert of this level goes. INFO and NONE stay in the log."""
        named = {AlertLevel.CRITICAL: self.critical_channels, AlertLevel.WARNING: self.warning_channels}.get(level, ())
        enabled = {Channel.EMAIL: self.email_enabled, Channel.SLACK: self.slack_enabled}
        return tuple(channel for channel in named if enabled[channel])


class ScraperTimeouts(Strict):
    """Seconds to wait for an answer: ``overrides[scraper]``, else ``default``; a scraper's own timeout_seconds wins."""

    default: CallSeconds = 180
    future_overhead: float = Field(default=0, ge=0, le=DAY_SECONDS)
    """Added to every timeout: what the service itself needs around a scraper."""
    overrides: dict[str, CallSeconds] = Field(default_factory=dict)


class Retries(Strict):
    """For timeouts, connection errors, 429 and 5xx. Delays double from the first one up to the longest."""

    max_retries: int = Field(default=3, ge=0, le=10)
    first_delay_seconds: float = Field(default=5, gt=0, le=DAY_SECONDS)
    max_delay_seconds: float = Field(default=300, gt=0, le=DAY_SECONDS)


class DecideRetries(Strict):
    """How often, and after how long, a decision is tried again that lacks what it must know. Delays double.

    Only for what passes by itself: BigQuery that does not answer, and a schedule that is unknown until its refresh.
    Together the delays stay within the hold, where there is one.
    """

    max_retries: int = Field(default=2, ge=0, le=5)
    first_delay_seconds: float = Field(default=60, gt=0, le=600)


class Reconcile(Strict):
    """Fetching anew what late sources, outages and vanished files left open, by itself at ``at`` (ET)."""

    enabled: bool = True
    at: WallTimes = Field(default=(time(6, 30), time(12, 30)), min_length=1)
    """After the last of them people are told what is still missing."""
    days: int = Field(default=2, ge=1, le=14)
    """How many orchestration days to look back."""
    max_runs: int = Field(default=5, ge=1, le=14)
    """At most so many runs at once, one for each date."""


class DeadlineMinutes(Strict):
    """The DAG-level SLA of a workflow without its own ``deadline_minutes``, by its priority."""

    CRITICAL: float = Field(default=30, gt=0, le=FORTNIGHT_MINUTES)
    HIGH: float = Field(default=60, gt=0, le=FORTNIGHT_MINUTES)
    MEDIUM: float = Field(default=120, gt=0, le=FORTNIGHT_MINUTES)
    LOW: float = Field(default=240, gt=0, le=FORTNIGHT_MINUTES)

    def of(self, priority: Priority) -> float:
        """Return the minutes for ``priority``."""
        minutes: float = getattr(self, priority.value)
        return minutes


class Settings(Strict):
    """System-wide settings."""

    timezone: Literal["America/New_York"] = "America/New_York"
    mode: Mode = Mode.LIVE
    """shadow: everything is decided and recorded, beside a system that does the work; nothing is called or sent."""
    audit_dataset: DatasetName = "nba_orchestration"
    """Where the five audit tables are. Every statement follows it; run ``init`` after changing it."""
    history_dataset: DatasetName | None = None
    """Where the rows of the system beside ours, or before it, are: what it did counts as history. Run ``init`` after
    changing it."""
    schedule_table: TableName = "nba_raw.nbac_schedule"
    """Phase 2's table of games."""
    service_log: TableName | None = None
    """The log that the scraper service writes itself: files, causes and its own retries, by run id (lesson A2)."""
    topic: Topic = "nba-phase1-scrapers-complete"
    """Where the cleanup publishes the messages of files that never arrived."""
    endpoint: Endpoint = "scrape"
    """The scraper service's path for a call."""
    controller_interval_minutes: Literal[5, 10, 15, 20, 30, 60] = 60
    first_tick: WallTime = time(6, 0)
    last_tick: WallTime = time(23, 0)
    schedule_refresh_interval_hours: float = Field(default=6, gt=0, le=24 * 14)
    schedule_max_age_hours: float = Field(default=36, gt=0, le=24 * 366)
    execution_delay_minutes: float = Field(default=5, ge=0, le=60)
    daily_schedule_lock: DailyScheduleLock = DailyScheduleLock()
    cleanup_processor: CleanupProcessor = CleanupProcessor()
    monitoring: Monitoring = Monitoring()
    notifications: Notifications = Notifications()
    scraper_timeouts: ScraperTimeouts = ScraperTimeouts()
    deadline_minutes: DeadlineMinutes = DeadlineMinutes()
    retries: Retries = Retries()
    decide_retries: DecideRetries = DecideRetries()
    reconcile: Reconcile = Reconcile()
    pools: dict[PoolName, Slots] = Field(default_factory=dict)
    """Slots of each pool that a scraper names: how many calls may hit one source at a time."""
    halt: Halt | None = None

    @model_validator(mode="after")
    def _in_order(self) -> Settings:
        if self.first_tick > self.last_tick:
            raise ValueError(f"first_tick {self.first_tick:%H:%M} lies after last_tick {self.last_tick:%H:%M}")
        return self

    @property
    def history(self) -> str:
        """The dataset whose rows of another system count as history: as set, else ours; in shadow mode theirs."""
        return self.history_dataset or (SYSTEM_BEFORE if self.mode is Mode.SHADOW else self.audit_dataset)
