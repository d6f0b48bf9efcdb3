"""The channels of alerts in ``workflows.yaml``: which notifier sends which alerts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime, time, timedelta
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, field_validator

from orchestration.nba.eastern import et
from orchestration.vocabulary.base import GROUP, Names, Strict
from orchestration.vocabulary.templates import broken
from orchestration.words import AlertLevel, Channel

Sendable = Literal[AlertLevel.INFO, AlertLevel.WARNING, AlertLevel.CRITICAL]
LOUD: tuple[Sendable, ...] = (AlertLevel.CRITICAL, AlertLevel.WARNING)
"""The levels that a channel takes if it names none."""
HOURS = r"^([01]?[0-9]|2[0-3]):[0-5][0-9]-([01]?[0-9]|2[0-3]):[0-5][0-9]$"
HEARTBEAT = r"^(https://\S+|[A-Za-z0-9_][A-Za-z0-9_.-]*)$"
NOTIFIER = r"^(email|slack|[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)+)$"
EXAMPLE: dict[str, str] = {
    "alert_subject": "CRITICAL abort: betting_lines",
    "alert_text": "ABORT: the schedule is unknown",
    "alert_html": "ABORT: the schedule is unknown",
    "alert_slack": "ABORT: the schedule is unknown",
    "alert_level": AlertLevel.CRITICAL.value,
    "alert_severity": "critical",
    "alert_action": "trigger",
    "alert_key": "abort betting_lines",
    "alert_kind": "abort",
    "alert_workflow": "betting_lines",
    "alert_command": "bin/orchestration/check_system_status.sh",
    "alert_link": "http://localhost:8080/dags/betting_lines",
}
"""The values that an argument may name in ``{{ }}``, each with an example."""


def _one(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


def _short(value: Any) -> Any:
    return {"name": value, "notifier": value} if isinstance(value, str) else value


class AlertChannel(Strict):
    """One way to reach people: a notifier, and the alerts that it sends."""

    name: str = Field(max_length=100, pattern=GROUP)
    notifier: str = Field(pattern=NOTIFIER)
    """``email``, ``slack``, or the path of a class that is an Airflow notifier."""
    arguments: dict[str, Any] = Field(default_factory=dict)
    """The arguments of the notifier. Texts in them may name values of the alert, as ``{{ alert_text }}``."""
    levels: Annotated[tuple[Sendable, ...], BeforeValidator(_one)] = Field(default=LOUD, min_length=1)
    workflows: Names = ()
    """Only alerts about these workflows or DAGs. Without any name: all alerts."""
    hours: str | None = Field(default=None, pattern=HOURS)
    """Only in this ET window, such as 22:00-07:00."""

    @field_validator("hours")
    @classmethod
    def _not_empty(cls, value: str | None) -> str | None:
        if value is not None and len({*_window(value)}) == 1:
            raise ValueError("begins and ends at one time. Without `hours` the channel takes alerts at any time")
        return value

    def takes(self, level: AlertLevel, workflow: str, at: datetime) -> bool:
        """Return whether an alert of this level about ``workflow`` goes to this channel at the aware time ``at``."""
        about = not self.workflows or workflow in self.workflows
        return level in self.levels and about and self.open_at(et(at).time())

    def open_at(self, wall: time) -> bool:
        """Return whether the ET wall time lies in the channel's hours."""
        if self.hours is None:
            return True
        start, end = _window(self.hours)
        return start <= wall < end if start < end else wall >= start or wall < end


def _window(hours: str) -> tuple[time, time]:
    start, end = (time.fromisoformat(wall.rjust(len("00:00"), "0")) for wall in hours.split("-"))
    return start, end


Short = Literal[Channel.EMAIL, Channel.SLACK]
AnyChannel = Annotated[AlertChannel, BeforeValidator(_short, json_schema_input_type=Short | AlertChannel)]
"""A channel, or ``email`` or ``slack`` alone."""


class AlertSettings(Strict):
    """How alerts reach people, beyond ``settings.notifications``."""

    channels: tuple[AnyChannel, ...] | None = None
    """In the order in which one replaces another that fails. None: the channels of ``settings.notifications``."""

    heartbeat: str | None = Field(default=None, pattern=HEARTBEAT)
    """What the watchdog calls after each good look: an https address, or the id of a connection that has it."""

    @field_validator("channels")
    @classmethod
    def _names_once(cls, value: tuple[AlertChannel, ...] | None) -> tuple[AlertChannel, ...] | None:
        names = [channel.name for channel in value or ()]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"two channels are named `{twice[0]}`. Give each its own name")
        return value


def unserved(channels: Sequence[AlertChannel], level: AlertLevel) -> str | None:
    """Return the first ET window, in words, in which no channel takes an alert of ``level`` about the whole system.

    Return None if there is no such window.
    """
    takers = [channel for channel in channels if level in channel.levels and not channel.workflows]
    if not takers:
        return "at any time"
    minutes = [(datetime.combine(date.min, time()) + timedelta(minutes=m)).time() for m in range(24 * 60)]
    shut = [minute for minute in minutes if not any(channel.open_at(minute) for channel in takers)]
    if not shut:
        return None
    # The window may go over midnight: it begins after the last minute that is open.
    begins = next(m for m in shut if minutes[minutes.index(m) - 1] not in shut)
    at = minutes.index(begins)
    ends = next(
        minutes[(at + more) % len(minutes)]
        for more in range(1, len(minutes))
        if minutes[(at + more) % len(minutes)] not in shut
    )
    return f"from {begins:%H:%M} to {ends:%H:%M} ET"


def texts_in(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Yield each text in the arguments of a channel, with its path."""
    match value:
        case str():
            yield path, value
        case dict():
            for key, inner in value.items():
                yield from texts_in(inner, (*path, key))
        case list():
            for index, inner in enumerate(value):
                yield from texts_in(inner, (*path, index))


def broken_texts(channel: AlertChannel) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Yield the path of each argument that is no usable template, and why."""
    for path, text in texts_in(channel.arguments):
        if problem := broken(text, EXAMPLE):
            yield path, problem
