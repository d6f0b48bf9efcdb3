"""Ticks: the moments of an ET day at which a workflow is evaluated.

The same times feed Airflow's timetable (as crons) and the engine (``next_check_time``, plan, locker).
``tests/unit/config/test_ticks.py`` compares the two across both daylight-saving changes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache

from orchestration.nba.eastern import at, et_date, require_aware


def minutes_of(wall: time) -> int:
    """Return the minutes from midnight to a wall time."""
    return wall.hour * 60 + wall.minute


def wall_of(minutes: int) -> time:
    """Return the wall time ``minutes`` after midnight; a negative number counts back from midnight."""
    return time(*divmod(minutes % (24 * 60), 60))


@dataclass(frozen=True)
class Ticks:
    """ET wall times, the same every day, sorted and without duplicates."""

    times: tuple[time, ...]

    @classmethod
    def of(cls, *times: time) -> Ticks:
        """Return ticks at ``times``."""
        return cls(tuple(sorted(set(times))))

    def _around(self, moment: datetime, days: int) -> Iterator[tuple[datetime, datetime]]:
        """Yield the ticks of the ET day of ``moment`` and of the days after it, in UTC and in ET, in order."""
        today = et_date(moment)
        for shift in range(days):
            yield from _of_day(self.times, today + timedelta(days=shift))

    def next_after(self, moment: datetime) -> datetime:
        """Return the first tick strictly after ``moment``, in ET."""
        limit = require_aware(moment).astimezone(UTC)
        return next(tick for utc, tick in self._around(moment, 3) if utc > limit)

    def at_or_after(self, moment: datetime) -> datetime:
        """Return the first tick at or after ``moment``, in ET."""
        limit = require_aware(moment).astimezone(UTC)
        return next(tick for utc, tick in self._around(moment, 3) if utc >= limit)

    def between(self, start: datetime, end: datetime) -> list[datetime]:
        """Return the ticks with ``start`` <= tick < ``end``, in order, in ET."""
        first, last = require_aware(start).astimezone(UTC), require_aware(end).astimezone(UTC)
        days = (et_date(end) - et_date(start)).days + 1
        return [tick for utc, tick in self._around(start, days) if first <= utc < last]

    def crons(self) -> tuple[str, ...]:
        """Return cron expressions in ET for these times, one per minute of the hour."""
        by_minute: dict[int, list[int]] = {}
        for wall in self.times:
            by_minute.setdefault(wall.minute, []).append(wall.hour)
        return tuple(f"{minute} {_hours(hours)} * * *" for minute, hours in sorted(by_minute.items()))


@lru_cache(maxsize=4096)
def _of_day(times: tuple[time, ...], day: date) -> tuple[tuple[datetime, datetime], ...]:
    """Return the day's ticks in UTC and in ET, in order.

    A time that the spring change skips may fall on another tick. Then there is one tick fewer.
    """
    moments = {tick.astimezone(UTC): tick for tick in (at(day, wall) for wall in times)}
    return tuple(sorted(moments.items()))


def _hours(hours: list[int]) -> str:
    """Return a cron hour field with ranges: ``1,4,6-23``."""
    parts: list[list[int]] = []
    for hour in sorted(hours):
        if parts and hour == parts[-1][-1] + 1:
            parts[-1].append(hour)
        else:
            parts.append([hour])
    return ",".join(str(p[0]) if len(p) == 1 else f"{p[0]}-{p[-1]}" for p in parts)
