"""The orchestration day: from a morning's lock to the next one, ET."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

from orchestration.nba.eastern import at, et_date

if TYPE_CHECKING:
    from orchestration.config.model import Config


def day_bounds(config: Config, day: date) -> tuple[datetime, datetime]:
    """Return the start and end of the orchestration day ``day``: from its lock to the next one, ET."""
    lock = config.settings.daily_schedule_lock.generation_time
    return at(day, lock), at(day + timedelta(days=1), lock)


def current_day(config: Config, now: datetime) -> date:
    """Return the orchestration day at the aware ``now``: until the morning's lock it is still yesterday's."""
    today = et_date(now)
    return today if now >= day_bounds(config, today)[0] else today - timedelta(days=1)
