"""Settings: the keys of ``workflows.yaml`` that are not about one scraper or workflow."""

from __future__ import annotations

from datetime import time
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from orchestration.vocabulary.alerting import AlertChannel, AlertSettings
from orchestration.vocabulary.base import (
    DAY_SECONDS,
    FORTNIGHT_MINUTES,
    CallSeconds,
    Channels,
    Halt,
    Names,
    PoolName,
    Slots,
    StepMinutes,
    Strict,
    WallTime,
    WallTimes,
)
from orchestration.vocabulary.scrapers import TableName
from orchestration.words import AlertLevel, Channel, Mode, Priority

DATASET = r"^[A-Za-z_][A-Za-z0-9_]*$"
DatasetName = Annotated[str, Field(pattern=DATASET)]
"""Only letters, digits and underscores, because it becomes part of a statement."""
SYSTEM_BEFORE = "nba_orchestration"
"""The dataset of the system that this one replaces."""
Endpoint = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]+(/[A-Za-z0-9_-]+)*$")]
"""A path below the connection's address, such as ``scrape`` or ``v1/scrape``."""


def _no_google_name(value: str) -> str:
    if value.lower().startswith("goog"):
        raise ValueError("must not begin with 'goog', which Pub/Sub reserves")
    return value


Topic = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9._~+%-]{2,254}$"), AfterValidator(_no_google_name)]
"""The name of a Pub/Sub topic in the project of the connection."""


class DailyScheduleLock(Strict):
    """The morning's lock of the day's expected runs."""

    enabled: bool = True
    generation_time: WallTime = time(5, 0)


class CleanupProcessor(Strict):
    """Find files that never reached their table, and publish their messages again."""

    enabled: bool = True
    interval_minutes: StepMinutes = 60
    lookback_hours: float = Field(default=4, gt=0, le=72)
    min_file_age_minutes: int = Field(default=30, ge=0, le=72 * 60)
    notification_threshold: int = Field(default=5, ge=1, le=1_000_000)
    """From this many missing files, a run of the cleanup sends an alert."""
    max_republish: int = Field(default=3, ge=1, le=20)
    storm_threshold: int = Field(default=100, ge=1, le=1_000_000)
    """With more missing files than this, none is published: the tables are probably wrong (lesson C2)."""


class Monitoring(Strict):
    """Descriptive: the audit tables are always written, and expire as their DDL says."""

    enable_bigquery_logging: Literal[True] = True
    enable_cloud_logging: bool = True
    log_retention_days: int = Field(default=90, gt=0, le=36_500)


class Notifications(Strict):
    """The short form of ``settings.alerts.channels``: mail and Slack by level. Every alert is also in the log."""

    email_enabled: bool = True
    slack_enabled: bool = True
    critical_channels: Channels = (Channel.EMAIL, Channel.SLACK)
    warning_channels: Channels = (Channel.EMAIL,)
    email_to: Names = ()
    """The recipients of mails."""
    healed: bool = True
    """Whether a message follows when an alerted problem is over."""

    def channels(self) -> tuple[AlertChannel, ...]:
        """Return the channels that these keys stand for, in the form of ``settings.alerts.channels``."""
        named = {AlertLevel.CRITICAL: self.critical_channels, AlertLevel.WARNING: self.warning_channels}
        enabled = {Channel.EMAIL: self.email_enabled, Channel.SLACK: self.slack_enabled}
        short = dict.fromkeys(channel for channels in named.values() for channel in channels if enabled[channel])
        levels = {channel: [level for level, channels in named.items() if channel in channels] for channel in short}
        return tuple(
            AlertChannel.model_validate({"name": channel.value, "notifier": channel.value, "levels": levels[channel]})
            for channel in short
        )


class ScraperTimeouts(Strict):
    """Seconds to wait for an answer: the scraper's timeout_seconds, else ``overrides[scraper]``, else ``default``."""

    default: CallSeconds = 180
    future_overhead: float = Field(default=0, ge=0, le=DAY_SECONDS)
    """Added to every timeout: the overhead of the service itself."""
    overrides: dict[str, CallSeconds] = Field(default_factory=dict)


class Retries(Strict):
    """Retries after timeouts, connection errors, 429 and 5xx. The delay doubles up to the longest."""

    max_retries: int = Field(default=3, ge=0, le=10)
    first_delay_seconds: float = Field(default=5, gt=0, le=DAY_SECONDS)
    max_delay_seconds: float = Field(default=300, gt=0, le=DAY_SECONDS)


class DecideRetries(Strict):
    """Retries of a decision while BigQuery does not answer or the schedule is unknown. The delay doubles.

    The sum of the delays stays within the hold, if there is one.
    """

    max_retries: int = Field(default=2, ge=0, le=5)
    first_delay_seconds: float = Field(default=60, gt=0, le=600)


class Reconcile(Strict):
    """Runs at the ET times ``at`` that fetch missing data after late sources, outages and lost files."""

    enabled: bool = True
    at: WallTimes = Field(default=(time(6, 30), time(12, 30)), min_length=1)
    """After the last time of the day, an alert names what is still missing."""
    days: int = Field(default=2, ge=1, le=14)
    """How many orchestration days to look back."""
    max_runs: int = Field(default=5, ge=1, le=14)
    """The most runs at once, one for each date."""


class DeadlineMinutes(Strict):
    """The deadline of a run by priority, for workflows without their own ``deadline_minutes``."""

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
    """shadow: decide and record beside the system that makes the calls; call and send nothing."""
    audit_dataset: DatasetName = "nba_orchestration"
    """The dataset of the five audit tables. Run ``init`` after a change."""
    history_dataset: DatasetName | None = None
    """The dataset of the system beside or before ours; its rows count as history. Run ``init`` after a change."""
    schedule_table: TableName = "nba_raw.nbac_schedule"
    """The table of games of Phase 2."""
    service_log: TableName | None = None
    """The log of the scraper service: files, causes and its own retries, by run id (lesson A2)."""
    topic: Topic = "nba-phase1-scrapers-complete"
    """The topic for the messages of files that never arrived."""
    endpoint: Endpoint = "scrape"
    """The path for a call at the scraper service."""
    controller_interval_minutes: StepMinutes = 60
    first_tick: WallTime = time(6, 0)
    last_tick: WallTime = time(23, 0)
    schedule_refresh_interval_hours: float = Field(default=6, gt=0, le=24 * 14)
    schedule_max_age_hours: float = Field(default=36, gt=0, le=24 * 366)
    execution_delay_minutes: float = Field(default=5, ge=0, le=60)
    daily_schedule_lock: DailyScheduleLock = DailyScheduleLock()
    cleanup_processor: CleanupProcessor = CleanupProcessor()
    monitoring: Monitoring = Monitoring()
    notifications: Notifications = Notifications()
    alerts: AlertSettings = AlertSettings()
    scraper_timeouts: ScraperTimeouts = ScraperTimeouts()
    deadline_minutes: DeadlineMinutes = DeadlineMinutes()
    retries: Retries = Retries()
    decide_retries: DecideRetries = DecideRetries()
    reconcile: Reconcile = Reconcile()
    pools: dict[PoolName, Slots] = Field(default_factory=dict)
    """The slots of each pool: how many calls may go to one source at a time."""
    halt: Halt | None = None

    @model_validator(mode="after")
    def _in_order(self) -> Settings:
        if self.first_tick > self.last_tick:
            raise ValueError(f"first_tick {self.first_tick:%H:%M} lies after last_tick {self.last_tick:%H:%M}")
        return self

    @property
    def channels(self) -> tuple[AlertChannel, ...]:
        """The channels of alerts, in the order in which one replaces another that fails."""
        return self.notifications.channels() if self.alerts.channels is None else self.alerts.channels

    @property
    def history(self) -> str:
        """The dataset of the history: as set, else the earlier system's in shadow mode, else ours."""
        return self.history_dataset or (SYSTEM_BEFORE if self.mode is Mode.SHADOW else self.audit_dataset)
