"""An example season, for whoever has no schedule at hand: made up, with all that a season has.

1,230 games from October to April, with rest days, noon games, three postponed ones and both clock changes. Teams and
dates are drawn; nobody played these games.
"""

from __future__ import annotations

import csv
from datetime import datetime
from functools import lru_cache
from pathlib import Path

from orchestration.nba.eastern import at
from orchestration.nba.games import Game, Schedule, read_game

FILE = Path(__file__).with_name("example_season.csv")
"""``game_id,tip,away,home,text``; the tip is an ET wall time. No tip in it is after midnight."""


@lru_cache(maxsize=1)
def example_season() -> Schedule:
    """Return the example as a schedule that was never refreshed and reaches from its first date to its last."""
    with FILE.open(encoding="utf-8", newline="") as file:
        games = tuple(_game(row) for row in csv.DictReader(file))
    days = [game.date for game in games]
    return Schedule(games, reach=(min(days), max(days)))


def _game(row: dict[str, str]) -> Game:
    wall = datetime.fromisoformat(row["tip"])
    day, code = wall.date(), f"{wall:%Y%m%d}/{row['away']}{row['home']}"
    game = read_game(row["game_id"], code, day, at(day, wall.time()), row["home"], row["away"], 1, row["text"])
    assert isinstance(game, Game), game
    return game
