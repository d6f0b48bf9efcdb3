"""Workflows that could never run on a game day, found by the engine itself on days that were made up for it."""

from __future__ import annotations

from datetime import date, time

from orchestration.config.model import Config
from orchestration.decisions.model import History
from orchestration.nba.eastern import at
from orchestration.nba.games import Game, Schedule
from orchestration.nba.teams import TEAMS
from orchestration.planning.day import day_bounds, plan
from orchestration.words import Action

_DAY = date(2026, 1, 14)
_SLATES = ((time(12), time(15, 30), time(19)), (time(19), time(19, 30), time(22, 30)), (time(22, 30),))


def never_running(config: Config) -> list[str]:
    """Return the enabled workflows that run on no game day: not with noon games, an evening slate or one late game.

    A halted workflow is left out: it is meant not to run.
    """
    running: set[str] = set()
    for tips in _SLATES:
        games = tuple(_game(number, tip) for number, tip in enumerate(tips))
        start, end = day_bounds(config, _DAY)
        schedule = Schedule(games, start)
        running |= {d.workflow for d in plan(config, start, end, schedule, History()) if d.action is Action.RUN}
    halted = config.settings.halt is not None
    return [name for name, w in config.enabled.items() if name not in running and not halted and w.halt is None]


def _game(number: int, tip: time) -> Game:
    home, away = TEAMS[2 * number].tricode, TEAMS[2 * number + 1].tricode
    return Game(f"00225{number + 1:05d}", f"{_DAY:%Y%m%d}/{away}{home}", _DAY, at(_DAY, tip), home, away)
