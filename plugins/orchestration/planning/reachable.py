"""Workflows that can never run: the engine decides invented game days and finds no RUN. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import date, time, timedelta

from orchestration.config import Config, Problem
from orchestration.decisions.model import Decision, History
from orchestration.nba.eastern import at
from orchestration.nba.games import PREFIXES, Game, Schedule
from orchestration.nba.league import TEAMS
from orchestration.planning.calls import Assumption
from orchestration.planning.day import plan
from orchestration.vocabulary.source import Source
from orchestration.words import Action, Outcome

_DAYS = [date(2026, 1, 13) + timedelta(days=number) for number in range(3)]
_SLATES: tuple[tuple[time, ...], ...] = (
    (time(12), time(15, 30), time(19)),
    (time(19), time(19, 30), time(22, 30)),
    (time(22, 30),),
    (time(19),) * 15,
    (),
)
_NOTHING_COMES = (Assumption(outcome=Outcome.NO_DATA),)
"""No call returns data, so windows that fetch missing data run too."""


def never_running(config: Config, source: Source) -> list[Problem]:
    """Return a problem with place and cause for each enabled workflow that never runs.

    The invented days have noon games, an evening slate, one late game, a full slate, or no game. Each slate has games
    of every type. The engine decides each day with all data on time, and with no data. Halted workflows are left out.
    """
    if config.settings.halt is not None:
        return []
    silent = {name: Counter[tuple[int, str]]() for name, w in config.enabled.items() if w.halt is None}
    for assumptions in ((), _NOTHING_COMES):
        for tips in _SLATES:
            if not silent:
                return []
            for decision in _days(config, tips, assumptions):
                if decision.action is Action.RUN:
                    silent.pop(decision.workflow, None)
                elif decision.workflow in silent:
                    silent[decision.workflow][_telling(decision), decision.reason] += 1
    places = {name: source.place(("workflows", name, "schedule")) for name in silent}
    return [Problem(*places[name], f"workflows.{name}", _text(name, why)) for name, why in silent.items()]


def _days(config: Config, tips: Sequence[time], assumptions: Sequence[Assumption]) -> list[Decision]:
    """Return the decisions of two game days that follow a game day."""
    wall = [(day, prefix, number, tip) for day in _DAYS for prefix in PREFIXES for number, tip in enumerate(tips)]
    games = tuple(_game(day, prefix, number, tip) for day, prefix, number, tip in wall)
    start, end = config.day_bounds(_DAYS[1])[0], config.day_bounds(_DAYS[2])[1]
    return list(plan(config, start, end, Schedule(games, start), History(), assumptions))


def _telling(decision: Decision) -> int:
    """Return how well a decision explains why nothing runs: 2 for a miss, 0 for a wrong time or no games, else 1."""
    if decision.action is Action.ABORT:
        return 2
    return 0 if decision.rule in ("outside_window", "no_games") else 1


def _text(name: str, why: Counter[tuple[int, str]]) -> str:
    (_, cause), _ = max(why.items(), key=lambda item: (item[0][0], item[1]))
    return f"its window can never run on a game day. One cause: {cause}. See plan.sh --workflow {name}"


def _game(day: date, prefix: str, number: int, tip: time) -> Game:
    home, away = TEAMS[2 * number].tricode, TEAMS[2 * number + 1].tricode
    game_id = f"{prefix}25{day.day:02d}{number + 1:03d}"
    return Game(game_id, f"{day:%Y%m%d}/{away}{home}", day, at(day, tip), home, away)
