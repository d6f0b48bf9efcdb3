"""Eastern time. Every date in a rule is an ET date; UTC is for storage only (lessons T3, T7, T11)."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta, timezone
from functools import lru_cache
from zoneinfo import ZoneInfo

from orchestration.words import TargetDate

ET = ZoneInfo("America/New_York")
SLATE_CUT_OVER = time(6, 0)
"""ET time at which a night's slate ends: at 01:00 the current slate is still yesterday's (lesson T8)."""
NOON = time(12, 0)
"""No game that counts tips before noon. Until noon, post-game windows are about the night that ended."""


def require_aware(moment: datetime) -> datetime:
    """Return ``moment`` unchanged, or raise ValueError when it carries no time zone (lesson T7)."""
    if moment.tzinfo is None or moment.utcoffset() is None:
        raise ValueError(f"{moment.isoformat()} has no time zone; pass an aware datetime")
    return moment


@lru_cache(maxsize=4)
def _offset(offset: timedelta) -> timezone:
    return timezone(offset)


def _fixed(local: datetime) -> datetime:
    """Return the same moment and wall time with the zone's offset of that moment in place of the zone.

    Python compares two datetimes of one zone by wall time: the second 01:30 of the autumn change is not later than the
    first. With an offset in place of the zone, comparisons are between instants.
    """
    offset = local.utcoffset()
    assert offset is not None
    return datetime.combine(local.date(), local.time().replace(fold=0), _offset(offset))


@lru_cache(maxsize=4096)
def _in_et(moment: datetime) -> datetime:
    return _fixed(moment.astimezone(ET))


def et(moment: datetime) -> datetime:
    """Return the aware ``moment`` on the ET wall clock, with its offset: ``2026-01-14T19:00-05:00``."""
    # The cache key is UTC, because two ET datetimes can be equal by wall time and differ as instants.
    return _in_et(require_aware(moment).astimezone(UTC))


def hold_instants(holder: object, *names: str) -> None:
    """Convert the fields ``names`` of a frozen dataclass to ET, or raise ValueError for a time without a zone."""
    for name in names:
        value: datetime | None = getattr(holder, name)
        if value is not None and not isinstance(value.tzinfo, timezone):
            object.__setattr__(holder, name, et(value))


def et_date(moment: datetime) -> date:
    """Return the ET calendar date of the aware ``moment``."""
    return et(moment).date()


@lru_cache(maxsize=4096)
def at(day: date, wall: time) -> datetime:
    """Return the aware moment at which ET clocks show ``wall`` on ``day``.

    A wall time that the spring change skips becomes the same time after the jump. A wall time that the autumn change
    shows twice means the second one, as in Airflow's cron timetables (compared by ``tests/unit/config/test_ticks.py``).
    """
    first = datetime.combine(day, wall, tzinfo=ET)
    there_and_back = first.astimezone(UTC).astimezone(ET)
    if there_and_back.time() != wall:
        return _fixed(there_and_back)
    return _fixed(first.replace(fold=1))


def nearest(moment: datetime, wall: time) -> datetime:
    """Return the occurrence of the ET time ``wall`` that is closest to ``moment`` (lesson T11)."""
    today = et_date(moment)
    around = (at(today + timedelta(days=shift), wall) for shift in (-1, 0, 1))
    return min(around, key=lambda occurrence: abs(occurrence.astimezone(UTC) - moment.astimezone(UTC)))


def hours_between(earlier: datetime, later: datetime) -> float:
    """Return the real hours from ``earlier`` to ``later``, also across a daylight-saving change."""
    return (require_aware(later).astimezone(UTC) - require_aware(earlier).astimezone(UTC)) / timedelta(hours=1)


def after(moment: datetime, elapsed: timedelta) -> datetime:
    """Return the moment ``elapsed`` real time after ``moment``, in ET. Negative values go back."""
    return et(require_aware(moment).astimezone(UTC) + elapsed)


def slate_date(moment: datetime) -> date:
    """Return the ET date of the slate that is current at ``moment``: yesterday's until the 06:00 cut-over."""
    local = et(moment)
    return local.date() if local.time() >= SLATE_CUT_OVER else local.date() - timedelta(days=1)


def known_tip(day: date, tip: datetime | None) -> datetime | None:
    """Return the aware ``tip`` in ET, or None if it cannot be the tip of a game of the ET date ``day``.

    Midnight ET is NBA.com's "to be decided". A moment outside the slate of the date is an error of the source (lesson
    A7). A real tip after midnight, such as 00:15, belongs to the slate of the day before.
    """
    if tip is None or misdated(day, tip) or et(tip).time() == time(0):
        return None
    return et(tip)


def misdated(day: date, tip: datetime) -> bool:
    """Return whether the aware ``tip`` lies outside the slate of the ET date ``day`` (lesson A7)."""
    try:
        local = et(tip)
    except OverflowError:  # year 1, the default of some systems
        return True
    return day not in (local.date(), slate_date(local))


def resolve_target_date(target: TargetDate, moment: datetime) -> date:
    """Return the ET date that ``target`` means at ``moment``. The only place that resolves these words (lesson T12)."""
    match target:
        case TargetDate.TODAY:
            return et_date(moment)
        case TargetDate.YESTERDAY:
            return et_date(moment) - timedelta(days=1)
        case TargetDate.SLATE:
            return slate_date(moment)


def clock(moment: datetime) -> str:
    """Return the ET wall time for people, such as ``19:10``."""
    return et(moment).strftime("%H:%M")


def from_to(first: datetime, last: datetime) -> str:
    """Return a range of ET wall times for people: ``from 15:00 to 16:00``, or ``at 15:00`` for a single time."""
    start, end = clock(first), clock(last)
    return f"at {start}" if start == end else f"from {start} to {end}"


def day_and_time(moment: datetime) -> str:
    """Return the ET date and wall time for people, such as ``Thu 15 Jan 19:10 ET``."""
    return et(moment).strftime("%a %d %b %H:%M ET")
