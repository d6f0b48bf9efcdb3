"""Schedules that come from a file: NBA.com's own document, and a made-up example season."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from orchestration.errors import UserError
from orchestration.nba.eastern import ET, at
from orchestration.nba.games import Game, Schedule, UnusableRow, read_game
from orchestration.words import plural

POSTPONED_STATUSES = frozenset("PCY")
"""First letters of a ``postponedStatus`` that means postponed: Postponed, Cancelled, Yes. Not A (active) or N (no)."""


class DocumentError(UserError):
    """The document is not a schedule. The text names the game and the field."""


def read_document(text: bytes | str) -> Schedule:
    """Return a document as a schedule that was never refreshed and reaches from its first to its last ET date.

    The games are in ``leagueSchedule.gameDates[].games[]``, or in a top-level ``games``.

    The ET date of a game comes from its code, its tip from ``gameDateTimeUTC``. Without that, ``gameDateTimeEst``
    counts: an ET wall time, although it ends with ``Z``. ``postponedStatus`` marks a postponed game. Unusable rows are
    kept apart. Raises DocumentError if the document has no usable game.
    """
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise DocumentError(f"it is not JSON: {error}") from error
    read = [_row(raw) for raw in _raw_games(data)]
    games = tuple(row for row in read if isinstance(row, Game))
    unusable = tuple(row for row in read if isinstance(row, UnusableRow))
    if unusable and not games:
        raise DocumentError(f"it has no usable game in {plural(len(unusable), 'row')}. The first row: {unusable[0]}")
    days = sorted({row.date for row in read if row.date is not None})
    return Schedule(games, None, unusable, (days[0], days[-1]) if days else None)


def _raw_games(data: Any) -> Iterator[Any]:
    if isinstance(data, dict) and isinstance(data.get("games"), list):
        yield from data["games"]
        return
    league = data.get("leagueSchedule") if isinstance(data, dict) else None
    dates = league.get("gameDates") if isinstance(league, dict) else None
    if not isinstance(dates, list):
        raise DocumentError("it has neither leagueSchedule.gameDates nor a list of games")
    for day in dates:
        yield from (day.get("games") or []) if isinstance(day, dict) else []


def _row(raw: Any) -> Game | UnusableRow:
    if not isinstance(raw, dict):
        return UnusableRow("", f"a {type(raw).__name__}, not an object")
    code = str(raw.get("gameCode") or "")
    day = _day(code)
    if day is None:
        return UnusableRow(str(raw.get("gameId") or ""), f"gameCode {code!r} does not begin with its ET date, YYYYMMDD")
    postponed = str(raw.get("postponedStatus") or "").strip().upper()[:1] in POSTPONED_STATUSES
    text = "Postponed" if postponed else raw.get("gameStatusText")
    home, away = _tricode(raw, "home"), _tricode(raw, "away")
    return read_game(raw.get("gameId"), code, day, _tip(raw), home, away, raw.get("gameStatus"), text)


def _day(code: str) -> date | None:
    try:
        return datetime.strptime(code[:8], "%Y%m%d").date()  # noqa: DTZ007 - only its date is used
    except ValueError:
        return None


def _tricode(raw: Mapping[str, Any], side: str) -> str:
    team = raw.get(f"{side}Team")
    return str((team.get("teamTricode") if isinstance(team, dict) else raw.get(f"{side}TeamTricode")) or "")


def _tip(raw: Mapping[str, Any]) -> datetime | None:
    for key, zone in (("gameDateTimeUTC", UTC), ("gameDateTimeEst", ET)):
        text = str(raw.get(key) or "").removesuffix("Z")
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            continue
        return moment if moment.tzinfo is not None else moment.replace(tzinfo=zone)
    return None


EXAMPLE_FILE = Path(__file__).with_name("example_season.csv")
"""``game_id,tip,away,home,text``; the tip is an ET wall time. No tip in it is after midnight."""


@lru_cache(maxsize=1)
def example_season() -> Schedule:
    """Return a made-up season as a schedule that was never refreshed and reaches from its first to its last date.

    It has 1,230 games from October to April, with rest days, noon games, three postponed games and both clock changes.
    Teams and dates are random.
    """
    with EXAMPLE_FILE.open(encoding="utf-8", newline="") as file:
        games = tuple(_example_game(row) for row in csv.DictReader(file))
    days = [game.date for game in games]
    return Schedule(games, reach=(min(days), max(days)))


def _example_game(row: dict[str, str]) -> Game:
    wall = datetime.fromisoformat(row["tip"])
    day, code = wall.date(), f"{wall:%Y%m%d}/{row['away']}{row['home']}"
    game = read_game(row["game_id"], code, day, at(day, wall.time()), row["home"], row["away"], 1, row["text"])
    assert isinstance(game, Game), game
    return game
