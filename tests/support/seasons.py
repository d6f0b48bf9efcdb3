"""A season of 1,230 games as NBA.com's document has it: rest days, noon games, postponed games, both clock changes."""

from __future__ import annotations

import json
import random
from datetime import UTC, date, datetime, time, timedelta

from orchestration.nba.eastern import at
from orchestration.nba.teams import TEAMS

OPENING, LAST = date(2025, 10, 21), date(2026, 4, 12)
REST_DAYS = {
    date(2025, 11, 4),  # Election Day
    date(2025, 11, 27),  # Thanksgiving
    date(2025, 12, 24),
    *(date(2026, 2, 13) + timedelta(days=n) for n in range(6)),  # All-Star break
}
NOON_DAYS = {date(2025, 12, 25), date(2026, 1, 19), date(2025, 11, 1), date(2026, 3, 8)}
TIPS = [time(19), time(19), time(19, 30), time(19, 30), time(20), time(20, 30), time(21), time(22), time(22, 30)]
GAMES = 1230


def season(seed: int = 1, last: date = LAST) -> dict:
    """The document: ``leagueSchedule.gameDates[].games[]``, with the games spread from opening night to ``last``."""
    dice = random.Random(seed)
    days = [OPENING + timedelta(days=n) for n in range((last - OPENING).days + 1)]
    days = [day for day in days if day not in REST_DAYS]
    counts = dict.fromkeys(days, 7)
    while sum(counts.values()) != GAMES:
        day = dice.choice(days)
        step = 1 if sum(counts.values()) < GAMES else -1
        counts[day] = min(15, max(1, counts[day] + step))
    number = 0
    dates = []
    for day in days:
        teams = [team.tricode for team in TEAMS]
        dice.shuffle(teams)
        games = []
        for index in range(counts[day]):
            number += 1
            noon = day in NOON_DAYS and index < 3
            wall = (time(12), time(14, 30), time(17))[index] if noon else dice.choice(TIPS)
            games.append(_game(f"00225{number:05d}", day, wall, teams[2 * index], teams[2 * index + 1]))
        dates.append({"gameDate": f"{day:%m/%d/%Y} 00:00:00", "games": games})
    _postpone(dates, dice)
    return {"leagueSchedule": {"seasonYear": "2025-26", "gameDates": dates}}


def _game(game_id: str, day: date, wall: time, home: str, away: str) -> dict:
    tip = at(day, wall)
    return {
        "gameId": game_id,
        "gameCode": f"{day:%Y%m%d}/{away}{home}",
        "gameStatus": 1,
        "gameStatusText": tip.strftime("%I:%M %p ET").lower(),
        "gameDateTimeEst": datetime.combine(day, wall).isoformat() + "Z",  # an ET time with a misleading Z
        "gameDateTimeUTC": tip.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "homeTeam": {"teamTricode": home},
        "awayTeam": {"teamTricode": away},
    }


def _postpone(dates: list[dict], dice: random.Random) -> None:
    """Postpone three games: gone from their day's slate by their text, and back on a day three weeks later."""
    for start in (40, 80, 120):
        game = dates[start]["games"][0]
        later = dates[start + 21]
        new_day = datetime.strptime(later["gameDate"][:10], "%m/%d/%Y").date()
        home, away = game["homeTeam"]["teamTricode"], game["awayTeam"]["teamTricode"]
        later["games"].append(_game(game["gameId"], new_day, time(20), home, away))
        game["gameStatusText"] = "PPD"


def document(seed: int = 1, last: date = LAST) -> str:
    return json.dumps(season(seed, last))
