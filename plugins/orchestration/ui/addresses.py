"""The day and the moment in the address of a page. Pure."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

from orchestration.config import Config
from orchestration.errors import UserError
from orchestration.nba.eastern import NOON, at, et

FIRST, LAST = date(2000, 1, 1), date(2100, 1, 1)


class AddressError(UserError, ValueError):
    """The address has no valid day or moment. The text says what is wrong and how to write it."""


def shown_first(config: Config, now: datetime) -> tuple[date, date]:
    """Return the day to show for an address without a day, and the day to show in one line beside it.

    Until noon ET these are last night and the new day, afterwards the current day and last night. ``now`` is aware.
    """
    today = config.current_day(now)
    night = today - timedelta(days=1)
    return (night, today) if et(now).date() == today and et(now).time() < NOON else (today, night)


def day_of(text: str) -> date | None:
    """Return the ET date, or None for an empty text. Raises AddressError."""
    if not text:
        return None
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise AddressError(f"{text[:40]!r} is not a date. Write YYYY-MM-DD, for example 2026-01-14.") from None
    if not FIRST <= day <= LAST:
        raise AddressError(f"{day} is not between {FIRST} and {LAST}.")
    return day


def moment_of(text: str, day: date, config: Config) -> datetime:
    """Return the aware moment of ``06:25``, an ET time of the orchestration day ``day`` (from lock to lock).

    ``2026-01-15T06:25`` may be on any day; without a zone it is ET. Raises AddressError.
    """
    try:
        if len(text) <= len("06:25:00"):
            wall = time.fromisoformat(text)
            if wall.tzinfo is not None:
                raise ValueError("a time of the day has no zone")
            moment = at(day, wall)
            return moment if moment >= config.day_bounds(day)[0] else at(day + timedelta(days=1), wall)
        moment = datetime.fromisoformat(text.replace(" ", "+"))  # an address turns + into a space
    except ValueError:
        raise AddressError(f"{text[:40]!r} is not a time. Write 06:25 or 2026-01-15T06:25.") from None
    if not FIRST <= moment.date() <= LAST:
        raise AddressError(f"{moment} is not between {FIRST} and {LAST}.")
    return at(moment.date(), moment.time()) if moment.tzinfo is None else et(moment)
