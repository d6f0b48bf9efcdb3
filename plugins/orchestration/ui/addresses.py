"""Days and moments as they stand in a page's address. Pure."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

from orchestration.config import Config
from orchestration.nba.eastern import NOON, at, et

FIRST, LAST = date(2000, 1, 1), date(2100, 1, 1)


class AddressError(ValueError):
    """An address names no day or no moment. Its text says what and how to write it."""


def shown_first(config: Config, now: datetime) -> tuple[date, date]:
    """Return the day that somebody who names none wants at the aware ``now``, and the one that is told beside it.

    Until noon that is the night that ended, with the day that has begun beside it; later the day, with last night.
    """
    today = config.current_day(now)
    night = today - timedelta(days=1)
    return (night, today) if et(now).date() == today and et(now).time() < NOON else (today, night)


def day_of(text: str) -> date | None:
    """Return the ET date, or None where none is named. Raises AddressError."""
    if not text:
        return None
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise AddressError(f"{text[:40]!r} is no date; write 2026-01-14") from None
    if not FIRST <= day <= LAST:
        raise AddressError(f"{day} lies outside of {FIRST} to {LAST}")
    return day


def moment_of(text: str, day: date, config: Config) -> datetime:
    """Return the aware moment: ``06:25`` is an ET time of the orchestration day ``day``, from its lock to the next.

    A whole one, such as ``2026-01-15T06:25`` (ET without a zone), may lie anywhere. Raises AddressError.
    """
    try:
        if len(text) <= len("06:25:00"):
            return _of_day(time.fromisoformat(text), day, config)
        moment = datetime.fromisoformat(text.replace(" ", "+"))  # an address turns + into a space
    except ValueError:
        raise AddressError(f"{text[:40]!r} is no time; write 06:25 or 2026-01-15T06:25") from None
    if not FIRST <= moment.date() <= LAST:
        raise AddressError(f"{moment} lies outside of {FIRST} to {LAST}")
    return at(moment.date(), moment.time()) if moment.tzinfo is None else et(moment)


def _of_day(wall: time, day: date, config: Config) -> datetime:
    if wall.tzinfo is not None:
        raise ValueError("a time of the day has no zone")
    start, _ = config.day_bounds(day)
    moment = at(day, wall)
    return moment if moment >= start else at(day + timedelta(days=1), wall)
