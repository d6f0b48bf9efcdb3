"""The events of the sandbox world: games, publications, faults, lost messages.

Everything is a pure function of the seed and the clock's setting. Two runs with one seed are the same.
"""

from __future__ import annotations

import hashlib
import random
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

ET = ZoneInfo("America/New_York")
TEAMS = [
    "ATL", "BOS", "BKN", "CHA", "CHI", "CLE", "DAL", "DEN", "DET", "GSW", "HOU", "IND", "LAC", "LAL", "MEM", "MIA",
    "MIL", "MIN", "NOP", "NYK", "OKC", "ORL", "PHI", "PHX", "POR", "SAC", "SAS", "TOR", "UTA", "WAS",
]  # fmt: skip
TIPS = (
    time(19), time(19), time(19, 30), time(19, 30), time(20), time(20), time(20, 30), time(21), time(22), time(22, 30),
)  # fmt: skip
FAULTS = ("error", "timeout", "rate_limited")
DAYS_AROUND = range(-6, 8)


@dataclass(frozen=True)
class Rates:
    """How often things go wrong, from 0 to 1."""

    fault: float = 0.02
    lost: float = 0.03
    late: float = 0.1
    """Share of the rows of the service's own log that come late."""


@dataclass(frozen=True)
class Troubles:
    """The faults of the world as a whole.

    * ``down``: the scraper service does not answer.
    * ``blocked``, ``empty``: scrapers whose source refuses, and scrapers whose source has no data.
    * ``short``, ``halved``: scrapers whose answer lacks the first game of the date, or half of its records.
    * ``lists_games``: the answers about a whole date list their games, in ``game_ids``.
    * ``half_empty``: scrapers whose source has data for about every second call.
    * ``phase2_dead``, ``writes_nothing``: Phase 2 reads no messages, or reads them and writes nothing.
    * ``topic_gone``, ``twice``: the Pub/Sub topic is deleted, or each message is published twice.
    * ``unknown``: scrapers that the deployed service lacks.
    * ``slow``: seconds that each answer takes, or those of the scrapers ``slow_only``.
    * ``cut``: answers break off in the middle.
    * ``late_until``: the ET hour of the next day at which box scores are published.
    * ``frozen_days``: the age of the schedule in days.
    * ``tips_moved``: days added to every tip of the schedule.
    """

    down: bool = False
    blocked: Sequence[str] = ()
    empty: Sequence[str] = ()
    short: Sequence[str] = ()
    halved: Sequence[str] = ()
    lists_games: bool = False
    half_empty: Sequence[str] = ()
    phase2_dead: bool = False
    topic_gone: bool = False
    writes_nothing: bool = False
    twice: bool = False
    unknown: Sequence[str] = ()
    slow: float = 0
    slow_only: Sequence[str] = ()
    cut: bool = False
    late_until: int = 0
    frozen_days: int = 0
    tips_moved: int = 0


@dataclass(frozen=True)
class WorldGame:
    """A game of the world, from ``tip`` to ``final``, both UTC."""

    game_id: str
    day: date
    tip: datetime
    final: datetime
    home: str
    away: str

    @property
    def code(self) -> str:
        """NBA.com's code of the game, for example 20260114/LALBOS."""
        return f"{self.day:%Y%m%d}/{self.away}{self.home}"


class Clock:
    """The world's time. It is the wall clock until it is set; then it runs on from the moment that was set."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._set: datetime | None = None
        self._at = datetime.now(UTC)

    def set(self, moment: datetime) -> None:
        """Set the clock to the aware ``moment``."""
        with self._lock:
            self._set, self._at = moment.astimezone(UTC), datetime.now(UTC)

    def now(self) -> datetime:
        """Return the world's present time, UTC."""
        with self._lock:
            wall = datetime.now(UTC)
            return wall if self._set is None else self._set + (wall - self._at)

    def setting(self) -> datetime:
        """Return the moment that decides about events: the one that was set, else the minute of the wall clock."""
        with self._lock:
            return self._set or datetime.now(UTC).replace(second=0, microsecond=0)


@dataclass
class World:
    """The world of one seed. The ET date ``day`` has exactly ``games`` games, other dates have 3 to 12."""

    seed: int = 1
    day: date = date(2026, 1, 14)
    games: int = 12
    rates: Rates = field(default_factory=Rates)
    clock: Clock = field(default_factory=Clock)
    troubles: Troubles = Troubles()

    def dice(self, *what: object) -> random.Random:
        """Return a random source that depends only on the seed and ``what``."""
        text = "\x1f".join(str(part) for part in (self.seed, *what))
        return random.Random(hashlib.sha256(text.encode()).digest())

    def slate(self, day: date) -> list[WorldGame]:
        """Return the games of an ET date."""
        dice = self.dice("slate", day)
        count = self.games if day == self.day else dice.randint(3, 12)
        teams = TEAMS[:]
        dice.shuffle(teams)
        season = day.year if day.month >= 10 else day.year - 1
        first = (day - date(season, 10, 1)).days * 15
        tips = sorted(dice.choice(TIPS) for _ in range(count))
        games = []
        for index, wall in enumerate(tips):
            tip = datetime.combine(day, wall, tzinfo=ET).astimezone(UTC)
            final = tip + timedelta(minutes=dice.randint(132, 165))
            home, away = teams[2 * index], teams[2 * index + 1]
            games.append(WorldGame(f"002{season % 100:02d}{first + index:05d}", day, tip, final, home, away))
        return games

    def schedule(self) -> list[WorldGame]:
        """Return the games in the file of the schedule: six days before ``day`` to seven days after it."""
        return [game for shift in DAYS_AROUND for game in self.slate(self.day + timedelta(days=shift))]

    def published_at(self, what: str, day: date) -> datetime:
        """Return when a report of the day is published, UTC: ``injury`` around midday, ``referees`` in the morning."""
        start, minutes = (time(11), 210) if what == "injury" else (time(8, 40), 100)
        base = datetime.combine(day, start, tzinfo=ET).astimezone(UTC)
        return base + timedelta(minutes=self.dice("published", what, day).randint(0, minutes))

    def data_at(self, what: str, game: WorldGame) -> datetime:
        """Return when data of a game is published, UTC: ``boxscore``, ``pbp`` or ``gamebook``, after its end."""
        if self.troubles.late_until:
            noon = datetime.combine(game.day + timedelta(days=1), time(self.troubles.late_until), tzinfo=ET)
            return noon.astimezone(UTC)
        least, most = {"boxscore": (8, 25), "pbp": (40, 90), "gamebook": (30, 60)}[what]
        return game.final + timedelta(minutes=self.dice(what, game.game_id).randint(least, most))

    def fault(self, key: str, attempt: int) -> str | None:
        """Return the fault of this try of the call ``key``, or None."""
        dice = self.dice("fault", key, self.clock.setting(), attempt)
        return dice.choice(FAULTS) if dice.random() < self.rates.fault else None

    def loses(self, key: str) -> bool:
        """Return whether the message of the call ``key`` is lost."""
        return self.dice("lost", key, self.clock.setting()).random() < self.rates.lost

    def late(self, key: str) -> bool:
        """Return whether the log's row of the call ``key`` comes late."""
        return self.dice("late", key, self.clock.setting()).random() < self.rates.late
