"""The facts of a day for the health check."""

from __future__ import annotations

from datetime import datetime

from orchestration.health.facts import DayFacts
from orchestration.nba.games import Schedule
from support.nights import night
from support.worlds import et, game, ours, schedule

CONFIG = ours()
NIGHT = schedule(game(1, "19:00"), game(2, "19:30"))
AFTER = et("+1 05:40")


def a_day(games: Schedule = NIGHT, until: datetime = AFTER, *, linked: bool = False) -> DayFacts:
    """Return a day on which everything went as planned until ``until``."""
    return night(CONFIG, games, until=until, linked=linked)
