"""Games and the schedule: which games are played on an ET date, and whether the schedule is known."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from functools import cached_property
from typing import TYPE_CHECKING, Any

from orchestration.nba.eastern import NOON, SLATE_CUT_OVER, after, at, hold_instants, hours_between, known_tip, misdated

if TYPE_CHECKING:
    from orchestration.nba.slate import LockedSlate

GAME_LENGTH = timedelta(hours=3, minutes=30)
"""From tip to published box score: up to 2.75 h of play, 0.5 h of publishing, 0.25 h for overtime."""


class GameType(StrEnum):
    """The type of a game. It follows from the prefix of the id alone (lesson K14)."""

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
PREFIXES = tuple(_BY_PREFIX)
COUNTED_BY_DEFAULT = (GameType.REGULAR, GameType.PLAYOFFS, GameType.PLAY_IN, GameType.CUP_FINAL)


def canonical_game_id(value: object) -> str:
    """Return the 10-digit game id of ``value``, which may have lost its leading zeros (lesson K3).

    Raises ValueError for anything that is not a game id.
    """
    text = str(value).strip()
    if not text.isascii() or not text.isdigit() or len(text) > 10 or text.zfill(10)[:3] not in _BY_PREFIX:
        raise ValueError(f"{value!r} is not an NBA game id (10 digits, starting with {', '.join(_BY_PREFIX)})")
    return text.zfill(10)


def type_of(game_id: str) -> GameType | None:
    """Return the type of the game with this id, or None if the prefix is unknown."""
    return _BY_PREFIX.get(game_id.strip().zfill(10)[:3])


PLAYED = SCHEDULED, LIVE, FINAL = 1, 2, 3
_NOT_PLAYED = re.compile(r"PPD|POSTPONED|CANCEL|RESCHEDULED(?!\s+FROM)")
"""Status texts of a game that is not played on this date. A game rescheduled *from* another date is played."""


@dataclass(frozen=True, slots=True)
class Game:
    """One game. ``date`` is its ET date, ``tip`` the aware tip-off, ``home`` and ``away`` are tricodes.

    ``tip`` is None while it is unknown (:func:`known_tip`). ``misdated``: the source's tip lies outside the slate.
    """

    game_id: str
    code: str
    date: date
    tip: datetime | None
    home: str
    away: str
    status: int = 1
    status_text: str = ""
    processed_at: datetime | None = None
    misdated: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "game_id", canonical_game_id(self.game_id))
        object.__setattr__(self, "misdated", self.misdated or (self.tip is not None and misdated(self.date, self.tip)))
        object.__setattr__(self, "tip", known_tip(self.date, self.tip))
        hold_instants(self, "processed_at")
        if not (self.home and self.away and self.code):
            raise ValueError(f"game {self.game_id} has no team or no code; no call is made for such a game (lesson E2)")

    @property
    def id(self) -> str:
        """The game id, for templates that say ``game.id``."""
        return self.game_id

    @property
    def type(self) -> GameType:
        """The type of the game, from the prefix of the id."""
        return _BY_PREFIX[self.game_id[:3]]

    @property
    def postponed(self) -> bool:
        """Whether the game is not played on this date, by its status or its status text (lesson K12)."""
        return self.status not in PLAYED or bool(_NOT_PLAYED.search(self.status_text.upper()))

    @property
    def due(self) -> datetime:
        """When the data can be expected: after the game, or at the end of the slate without a tip (lesson T10)."""
        if self.tip is None:
            return at(self.date + timedelta(days=1), SLATE_CUT_OVER)
        return after(self.tip, GAME_LENGTH)

    @property
    def begins(self) -> datetime:
        """The tip, or noon of the date while the tip is unknown. No window requests the game before this moment."""
        return at(self.date, NOON) if self.tip is None else self.tip

    @property
    def label(self) -> str:
        """The id and teams for people: ``0022500123 LAL@BOS``."""
        return f"{self.game_id} {self.away}@{self.home}"

    def to_dict(self) -> dict[str, str | None]:
        """Return the JSON form that travels in the decision."""
        return {
            "game_id": self.game_id,
            "code": self.code,
            "date": self.date.isoformat(),
            "tip": None if self.tip is None else self.tip.astimezone(UTC).isoformat(),
            "home": self.home,
            "away": self.away,
        }

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Game:
        """Return the game of :meth:`to_dict`'s form."""
        return cls(
            data["game_id"],
            data["code"],
            date.fromisoformat(data["date"]),
            None if data["tip"] is None else datetime.fromisoformat(data["tip"]),
            data["home"],
            data["away"],
        )


GIVEN_UP = timedelta(hours=24)
"""A playoff game without a tip that no refresh has rewritten for this long will not be played."""
SHOWN = 5  # unusable rows in a text
_LONG_AGO = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class UnusableRow:
    """A row of the schedule that is not a usable game, because it is not decided yet or broken.

    ``date`` is the ET date, ``tip`` the aware tip-off; each is None if the row does not have it.
    """

    game_id: str
    why: str
    date: date | None = None
    tip: datetime | None = None

    def may_be(self, types: Iterable[GameType]) -> bool:
        """Return whether the row may be a game of one of these ``types``. An unknown type may be any."""
        return type_of(self.game_id) in (None, *types)

    @property
    def due(self) -> datetime | None:
        """When the data of the game would be due, or None without a known tip."""
        return None if self.tip is None else after(self.tip, GAME_LENGTH)

    def __str__(self) -> str:
        day = "" if self.date is None else f" on {self.date}"
        return f"{self.game_id or 'a row without id'}{day}: {self.why}"


def named(rows: Iterable[UnusableRow]) -> list[str]:
    """Return the first rows as texts for people, and how many more there are."""
    texts = [str(row) for row in rows]
    return texts[:SHOWN] + ([f"and {len(texts) - SHOWN} more"] if len(texts) > SHOWN else [])


def read_game(
    game_id: object,
    code: object,
    day: date | None,
    tip: datetime | None,
    home: object,
    away: object,
    status: object = None,
    text: object = None,
    processed_at: datetime | None = None,
) -> Game | UnusableRow:
    """Return the game of a source's row, or an unusable row that says what is wrong. Raises nothing."""
    words = [str(value or "").strip() for value in (game_id, code, home, away)]
    missing = [name for name, value in zip(("id", "code", "home team", "away team"), words, strict=True) if not value]
    missing += [name for name, value in (("date", day), ("tip-off", tip)) if value is None]
    if missing or day is None:
        lacks = " and no ".join(missing).replace("home team and no away team", "teams")
        return UnusableRow(words[0], f"no {lacks}", day, None if day is None else known_tip(day, tip))
    try:
        number = 1 if status is None else int(str(status))
        return Game(words[0], words[1], day, tip, words[2], words[3], number, str(text or ""), processed_at)
    except ValueError as error:
        return UnusableRow(words[0], str(error), day, known_tip(day, tip))


@dataclass(frozen=True)
class Schedule:
    """The known rows around a date, and when the source was last refreshed (None if never).

    ``reach``: the first and last ET date of a source that ends, such as a document. Dates outside are unknown.
    ``locked``: the slates that the locks of these dates kept. ``elsewhere``: rows of their games on other dates.
    """

    games: tuple[Game, ...] = ()
    refreshed_at: datetime | None = None
    unusable: tuple[UnusableRow, ...] = ()
    reach: tuple[date, date] | None = None
    locked: tuple[LockedSlate, ...] = ()
    elsewhere: tuple[Game | UnusableRow, ...] = ()

    def __post_init__(self) -> None:
        hold_instants(self, "refreshed_at")

    def unknown_because(self, moment: datetime, max_age_hours: float, day: date | None = None) -> str | None:
        """Return why the schedule (of the ET date ``day``) is unknown at ``moment``, or None if it is known.

        "No games" and "unknown" are different things (lesson K13).
        """
        if self.refreshed_at is None:
            return "the schedule table has no rows around this date"
        age = hours_between(self.refreshed_at, moment)
        if age > max_age_hours:
            return f"the schedule was last refreshed {age:.1f} h ago, more than the {max_age_hours:g} h allowed"
        if self.reach is not None and day is not None and not self.reach[0] <= day <= self.reach[1]:
            return f"the schedule reaches from {self.reach[0]} to {self.reach[1]}, not to {day}"
        return None

    def on(self, day: date, types: Iterable[GameType] = COUNTED_BY_DEFAULT) -> tuple[Game, ...]:
        """Return the games of the ET date ``day`` that count and are played, oldest tip first, unknown tips last."""
        wanted = frozenset(types)
        return tuple(game for game in self._played.get(day, ()) if game.type in wanted)

    def unusable_on(self, day: date, types: Iterable[GameType]) -> list[UnusableRow]:
        """Return the unusable rows of the ET date ``day`` that may be games of these ``types``."""
        wanted = tuple(types)
        return [row for row in self.unusable if row.date == day and row.may_be(wanted)]

    @cached_property
    def newest(self) -> dict[str, Game]:
        """The newest row of each game, by id, whatever its date (lesson K12).

        The rows of one document have the same time, or none. Of these, a row that is not postponed wins, and then the
        row with the later date.
        """
        newest: dict[str, Game] = {}
        for game in self.games:
            known = newest.get(game.game_id)
            if known is None or _age(known) < _age(game):
                newest[game.game_id] = game
        return newest

    @cached_property
    def _played(self) -> dict[date, list[Game]]:
        """The games that are played, by ET date, oldest tip first."""
        found: dict[date, list[Game]] = {}
        for game in sorted(self.newest.values(), key=lambda game: (game.tip is None, game.begins, game.game_id)):
            if not game.postponed and not self._given_up(game):
                found.setdefault(game.date, []).append(game)
        return found

    def _given_up(self, game: Game) -> bool:
        """Return whether the source has dropped this if-necessary game. Its row stays in the table."""
        if game.type is not GameType.PLAYOFFS or game.tip is not None:
            return False
        written, refreshed = game.processed_at, self.refreshed_at
        return written is not None and refreshed is not None and refreshed - written >= GIVEN_UP

    def seen_at(self, moment: datetime) -> Schedule:
        """Return the same games, refreshed at ``moment``."""
        again = replace(self, refreshed_at=moment)
        again.__dict__["_played"] = self._played
        return again


def _age(game: Game) -> tuple[datetime, bool, date]:
    return game.processed_at or _LONG_AGO, not game.postponed, game.date
