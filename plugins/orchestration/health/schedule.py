"""Whether the schedule says what is so: a source that is frozen, tips that are none. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from orchestration.health import kinds
from orchestration.health.facts import DayFacts
from orchestration.health.findings import Finding, finding
from orchestration.nba.eastern import after, clock
from orchestration.nba.games import FINAL

SURELY_OVER = timedelta(hours=3)
"""So long after a game's data was due, a source that is asked knows that it is over."""
ENOUGH_GAMES = 2


def frozen(facts: DayFacts) -> Iterator[Finding]:
    """A schedule that was brought anew, and still does not know how the games ended of the last night before that."""
    refreshed = facts.schedule.refreshed_at
    if refreshed is None:
        return
    days = [facts.day - timedelta(days=back) for back in range(4)]
    for day in days:
        # Of two sources of a row the one that counts may be the older: its own time is what it was brought at.
        over = [
            game for game in facts.schedule.on(day) if after(game.due, SURELY_OVER) <= (game.processed_at or refreshed)
        ]
        if len(over) < ENOUGH_GAMES:
            continue
        if all(game.status != FINAL for game in over):
            when = f"{refreshed:%a} {clock(refreshed)}"
            yield finding(kinds.SCHEDULE_FROZEN, "schedule_dependency", refreshed=when, games=len(over), night=day)
        return


def misdated(facts: DayFacts) -> Iterator[Finding]:
    """Tips of the day's games that do not lie on their date, and so are taken for unknown (lesson A7)."""
    games = facts.schedule.on(facts.day)
    wrong = [game for game in games if game.misdated]
    if wrong:
        yield finding(
            kinds.MISDATED_TIPS,
            "schedule_dependency",
            wrong=len(wrong),
            tips=len(games),
            day=facts.day,
            game=wrong[0].label,
        )
