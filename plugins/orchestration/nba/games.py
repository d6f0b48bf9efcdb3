"""Games and the schedule: what is played on which ET date, and whether that is known at all."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from functools import cached_property

from orchestration.nba.eastern import after, hours_between, require_aware

GAME_LENGTH = timedelta(hours=3, minutes=30)
"""From tip-off to published box score: up to 2.75 h of play, half an hour of publishing, a quarter for overtime."""


class GameType(StrEnum):
    """The kind of a game, from its id's prefix and from nothing else (lesson K14)."""

    PRESEASON = "preseason"
    REGULAR = "regular"
    ALL_STAR = "all_star"
    PLAYOFFS = "playoffs"
    PLAY_IN = "play_in"
    CUP_FINAL = "cup_final"


_BY_PREFIX = {
    "001": GameType.PRESEASON,
    "002": GameType.REGULAR,
    "003": GameType.ALL_STAR,
    "004": GameType.PLAYOFFS,
    "005": GameType.PLAY_IN,
    "006": GameType.CUP_FINAL,
}
COUNTED_BY_DEFAULT = (GameType.REGULAR, GameType.PLAYOFFS, GameType.PLAY_IN, GameType.CUP_FINAL)


def canonical_game_id(value: object) -> str:
    """Return the 10-digit game id of ``value``, which may have lost its leading zeros (lesson K3).

    Raises ValueError for anything that is not a game id.
    """
    text = str(value).strip()
    if not text.isascii() or not text.isdigit() or len(text) > 10 or text.zfill(10)[:3] not in _BY_PREFIX:
        raise ValueError(f"{value!r} is not an NBA game id (10 digits, starting with {', '.join(_BY_PREFIX)})")
    return text.zfill(10)


@dataclass(frozen=True, slots=True)
class Game:
    """One game. ``date`` is its ET date, ``tip`` the aware tip-off, ``home`` and ``away`` are tricodes."""

    game_id: str
    code: str
    date: date
    tip: datetime
    home: str
    away: str
    status: int = 1
    status_text: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "game_id", canonical_game_id(self.game_id))
        require_aware(self.tip)
        if not (self.home and self.away and self.code):
            raise ValueError(f"game {self.game_id} lacks a team or its code; a game without them is never called (E2)")

    @property
    def id(self) -> str:
        """The game id, for templates that read better with ``game.id``."""
        return self.game_id

    @property
    def type(self) -> GameType:
        """The kind of game, from the id's prefix."""
        return _BY_PREFIX[self.game_id[:3]]

    @property
    def postponed(self) -> bool:
        """Whether the source says that it is not played on this date (lesson K12)."""
        text = self.status_text.upper()
        return any(word in text for word in ("PPD", "POSTPONED", "CANCEL"))

    @property
    def due(self) -> datetime:
        """When its data can be expected (lesson T10: every game has its own due time)."""
        return after(self.tip, GAME_LENGTH)

    @property
    def label(self) -> str:
        """For people: ``0022500123 LAL@BOS``."""
        return f"{self.game_id} {self.away}@{self.home}"

    def to_dict(self) -> dict[str, str]:
        """Return the JSON form that travels in the decision."""
        return {
            "game_id": self.game_id,
            "code": self.code,
            "date": self.date.isoformat(),
            "tip": self.tip.astimezone(UTC).isoformat(),
            "home": self.home,
            "away": self.away,
        }

    @classmethod
    def from_dict(cls, data: dict[str, str]) -> Game:
        """Return the game of :meth:`to_dict`'s form."""
        return cls(
            data["game_id"],
            data["code"],
            date.fromisoformat(data["date"]),
            datetime.fromisoformat(data["tip"]),
            data["home"],
            data["away"],
        )


@dataclass(frozen=True)
class Schedule:
    """The games known around a date, and when the source was last refreshed (None: never)."""

    games: tuple[Game, ...] = ()
    refreshed_at: datetime | None = None

    def unknown_because(self, moment: datetime, max_age_hours: float) -> str | None:
        """Return why the schedule cannot be relied on at ``moment``, or None when it can.

        "No games" and "unknown" are different things (lesson K13).
        """
        if self.refreshed_at is None:
            return "the schedule table has no rows around this date"
        age = hours_between(self.refreshed_at, moment)
        if age > max_age_hours:
            return f"the schedule was last refreshed {age:.1f} h ago, more than the {max_age_hours:g} h allowed"
        return None

    def on(self, day: date, types: Iterable[GameType] = COUNTED_BY_DEFAULT) -> tuple[Game, ...]:
        """Return the games of the ET date ``day`` that count, by tip-off. Postponed ones do not."""
        wanted = frozenset(types)
        return tuple(game for game in self._played.get(day, ()) if game.type in wanted)

    @cached_property
    def _played(self) -> dict[date, list[Game]]:
        """The games that are played, by ET date and there by tip-off."""
        found: dict[date, list[Game]] = {}
        for game in sorted(self.games, key=lambda game: (game.tip.astimezone(UTC), game.game_id)):
            if not game.postponed:
                found.setdefault(game.date, []).append(game)
        return found

    def seen_at(self, moment: datetime) -> Schedule:
        """Return the same games, refreshed at ``moment``."""
        again = Schedule(self.games, moment)
        again.__dict__["_played"] = self._played
        return again
