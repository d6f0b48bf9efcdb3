"""A season of 1,230 games in NBA.com's format, with rest days, noon games, postponed games and both clock changes."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta

from orchestration.nba.eastern import at
from orchestration.nba.games import Game, Schedule, UnusableRow, read_game
from orchestration.nba.league import TEAMS

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


def season(seed: int = 1, last: date = LAST, postponed: int = 3) -> dict:
    """Return the document ``leagueSchedule.gameDates[].games[]``, with games from opening night to ``last``."""
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
    _postpone(dates, postponed)
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


def _postpone(dates: list[dict], count: int) -> None:
    """Postpone some games: the text of the old entry says so, and a new entry follows three weeks later."""
    for start in (40, 80, 120)[:count]:
        game = dates[start]["games"][0]
        later = dates[start + 21]
        new_day = datetime.strptime(later["gameDate"][:10], "%m/%d/%Y").date()
        home, away = game["homeTeam"]["teamTricode"], game["awayTeam"]["teamTricode"]
        later["games"].append(_game(game["gameId"], new_day, time(20), home, away))
        game["gameStatusText"] = "PPD"


def document(seed: int = 1, last: date = LAST) -> str:
    return json.dumps(season(seed, last))


# A hard season: the source changes the data of a game over time.

REFRESHES = (time(4, 30), time(6), time(12), time(18))
MIDNIGHT = time(0)
PLAYED = timedelta(minutes=165)
"""Time from the tip until the source says that a game is final."""


def last_refresh(moment: datetime) -> datetime:
    """Return the last refresh of the schedule before ``moment``."""
    day = moment.date()
    found = (at(day - timedelta(days=shift), wall) for shift in (0, 1) for wall in reversed(REFRESHES))
    return next(refresh for refresh in found if refresh < moment)


@dataclass(frozen=True)
class Said:
    """The source's data about a game from ``since`` on. A tip at midnight is undecided."""

    since: datetime
    day: date
    wall: time
    teams: bool = True


@dataclass
class Fate:
    """A game: the source's data over time, and the real tip, if the game is played."""

    game_id: str
    home: str
    away: str
    said: list[Said]
    tip: datetime | None
    day: date
    dropped: datetime | None = None

    def rows(self, refresh: datetime) -> Iterator[Game | UnusableRow]:
        """Yield Phase 2's rows about the game after a refresh. Phase 2 merges on id and date, and deletes no row."""
        rows = {}
        for number, said in enumerate(self.said):
            if said.since > refresh:
                break
            ends = [one.since for one in self.said[number + 1 : number + 2]] + ([self.dropped] if self.dropped else [])
            written = min([refresh, *(last_refresh(end) for end in ends if end <= refresh)])
            tip = at(said.day + timedelta(days=said.wall < time(6) and said.wall != MIDNIGHT), said.wall)
            teams = (self.home, self.away) if said.teams else ("", "")
            code = f"{said.day:%Y%m%d}/{teams[1]}{teams[0]}"
            over = self.tip is not None and said.day == self.day and self.tip + PLAYED <= refresh
            status = (3, "Final") if over else (1, "Scheduled")
            rows[said.day] = read_game(self.game_id, code, said.day, tip, *teams, *status, written)
        yield from rows.values()


@dataclass
class HardSeason:
    """All games of a season."""

    fates: list[Fate]
    by_day: dict[date, list[Fate]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for fate in self.fates:
            for day in {said.day for said in fate.said}:
                self.by_day.setdefault(day, []).append(fate)

    def schedule(self, refresh: datetime) -> Schedule:
        """Return the schedule after a refresh, for the dates that a decision reads."""
        days = [refresh.date() + timedelta(days=n) for n in range(-3, 9)]
        fates = {fate.game_id: fate for day in days for fate in self.by_day.get(day, ())}
        rows = [row for fate in fates.values() for row in fate.rows(refresh)]
        games = tuple(row for row in rows if isinstance(row, Game))
        return Schedule(games, refresh, tuple(row for row in rows if isinstance(row, UnusableRow)))


def hard_season(seed: int = 1) -> HardSeason:
    """Return a season with moved games, undecided tips and teams, if-necessary games and both clock changes."""
    dice = random.Random(seed)
    start = at(OPENING - timedelta(days=30), time(12))
    fates = []
    for dates in season(seed, postponed=0)["leagueSchedule"]["gameDates"]:
        for raw in dates["games"]:
            day = datetime.strptime(raw["gameCode"][:8], "%Y%m%d").date()
            wall = datetime.fromisoformat(raw["gameDateTimeEst"].removesuffix("Z")).time()
            home, away = raw["homeTeam"]["teamTricode"], raw["awayTeam"]["teamTricode"]
            fates.append(Fate(raw["gameId"], home, away, [Said(start, day, wall)], at(day, wall), day))
    odd = dice.sample(fates, 80)
    for fate in odd[:40]:  # moved, a week before or on the morning of the game day
        day, wall = fate.day + timedelta(days=dice.randint(17, 74)), fate.said[0].wall
        told = at(fate.day, time(11)) - timedelta(days=dice.choice((0, 0, 1, 7)))
        if day <= LAST:
            fate.said.append(Said(told, day, wall))
            fate.day, fate.tip = day, at(day, wall)
    for fate in odd[40:60]:  # undecided until the evening before, or forever
        [known] = fate.said
        told = at(known.day - timedelta(days=1), time(17))
        fate.said[:] = [Said(start, known.day, MIDNIGHT), Said(told, known.day, known.wall)][: dice.choice((1, 2))]
    for fate in odd[60:63]:  # tips after midnight
        fate.said[:] = [Said(start, fate.day, time(0, 15))]
        fate.tip = at(fate.day + timedelta(days=1), time(0, 15))
    return HardSeason(fates + _play_in(start) + _playoffs(start, dice))


def _play_in(start: datetime) -> list[Fate]:
    """Return six games. The teams of the last two are known after the first four, their tips earlier."""
    fates = []
    for number in range(6):
        day = LAST + timedelta(days=(2, 2, 3, 3, 5, 5)[number])
        wall = (time(19, 30), time(22))[number % 2]
        said = [Said(start, day, wall, teams=number < 4)]
        if number >= 4:
            said.append(Said(at(day - timedelta(days=1), time(3)), day, wall))
        home, away = TEAMS[2 * number].tricode, TEAMS[2 * number + 1].tricode
        fates.append(Fate(f"00525001{number + 1:02d}", home, away, said, at(day, wall), day))
    return fates


def _playoffs(start: datetime, dice: random.Random) -> list[Fate]:
    """Return eight series of four to seven games, the last ones only if necessary, and one series of the next round."""
    fates = []
    for series in range(9):
        first = LAST + timedelta(days=6 + series % 2 + (20 if series == 8 else 0))
        drawn, played = at(first - timedelta(days=1 if series < 8 else 3), time(3)), dice.randint(4, 7)
        over = at(first + timedelta(days=2 * played - 1), time(2))
        for number in range(7):
            day, wall = first + timedelta(days=2 * number), dice.choice((time(19), time(20, 30), time(22)))
            happens = number < played
            said = [Said(start, day, MIDNIGHT, teams=False), Said(drawn, day, wall if number < 4 else MIDNIGHT)]
            if number >= 4 and happens:
                said.append(Said(at(day - timedelta(days=1), time(3)), day, wall))
            home, away = TEAMS[series].tricode, TEAMS[series + 10].tricode
            fates.append(
                Fate(
                    f"0042500{1 + series // 8}{series % 8}{number + 1}", home, away, said,
                    at(day, wall) if happens else None, day, None if happens else over,
                )
            )  # fmt: skip
    return fates
