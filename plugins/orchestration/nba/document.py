"""NBA.com's own schedule document, as a source of games for plans and tests."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from orchestration.nba.eastern import ET
from orchestration.nba.games import Game


class DocumentError(Exception):
    """The document cannot be read as a schedule. Its text names the game and the field."""


@dataclass(frozen=True)
class Document:
    """The games of a document, and the ids of those left out because their teams are not known yet."""

    games: tuple[Game, ...]
    without_teams: tuple[str, ...]


def read_document(text: bytes | str) -> Document:
    """Return the games of ``leagueSchedule.gameDates[].games[]``, or of a flat document with a top-level ``games``.

    A game's ET date is that of its code; its tip is ``gameDateTimeUTC``. ``gameDateTimeEst`` serves where that is
    missing: it is an ET wall time, whatever its misleading ``Z`` says. Raises DocumentError.
    """
    try:
        data = json.loads(text)
    except ValueError as error:
        raise DocumentError(f"not JSON: {error}") from error
    games, without_teams = [], []
    for number, raw in enumerate(_raw_games(data)):
        if not isinstance(raw, dict):
            raise DocumentError(f"game {number + 1} is a {type(raw).__name__}, not an object")
        if not (_tricode(raw, "home") and _tricode(raw, "away")):
            without_teams.append(str(raw.get("gameId", number + 1)))
            continue
        games.append(_game(raw, number))
    return Document(tuple(games), tuple(without_teams))


def _raw_games(data: Any) -> Iterator[Any]:
    if isinstance(data, dict) and isinstance(data.get("games"), list):
        yield from data["games"]
        return
    league = data.get("leagueSchedule") if isinstance(data, dict) else None
    dates = league.get("gameDates") if isinstance(league, dict) else None
    if not isinstance(dates, list):
        raise DocumentError("neither leagueSchedule.gameDates nor a list of games is in it")
    for day in dates:
        yield from day.get("games", []) if isinstance(day, dict) else []


def _tricode(raw: Mapping[str, Any], side: str) -> str:
    team = raw.get(f"{side}Team")
    return str((team.get("teamTricode") if isinstance(team, dict) else raw.get(f"{side}TeamTricode")) or "")


def _game(raw: Mapping[str, Any], number: int) -> Game:
    name = f"game {raw.get('gameId', number + 1)}"
    code = str(raw.get("gameCode") or "")
    try:
        day = datetime.strptime(code[:8], "%Y%m%d").replace(tzinfo=ET).date()
    except ValueError as error:
        raise DocumentError(f"{name}: gameCode {code!r} does not begin with its ET date, YYYYMMDD") from error
    try:
        status = raw.get("gameStatus")
        return Game(
            str(raw.get("gameId")),
            code,
            day,
            _tip(raw, name),
            _tricode(raw, "home"),
            _tricode(raw, "away"),
            1 if status is None else int(status),
            str(raw.get("gameStatusText") or ""),
        )
    except (TypeError, ValueError) as error:
        raise DocumentError(f"{name}: {error}") from error


def _tip(raw: Mapping[str, Any], name: str) -> datetime:
    for key, zone in (("gameDateTimeUTC", UTC), ("gameDateTimeEst", ET)):
        text = str(raw.get(key) or "").removesuffix("Z")
        if text:
            try:
                moment = datetime.fromisoformat(text)
            except ValueError as error:
                raise DocumentError(f"{name}: {key} {raw[key]!r} is no time") from error
            return moment if moment.tzinfo is not None else moment.replace(tzinfo=zone)
    raise DocumentError(f"{name}: neither gameDateTimeUTC nor gameDateTimeEst says when it tips off")
