"""The slate of a day: the locked slate beside the schedule of now, and what the season's calendar expects. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from orchestration.nba.eastern import clock
from orchestration.nba.games import COUNTED_BY_DEFAULT, Game, GameType, Schedule, type_of
from orchestration.words import plural

SLATE_VANISHED = "slate_vanished"
"""The rule of an ABORT because the games of the locked slate are no longer in the schedule."""
A_WEEK = timedelta(days=7)
USUAL = 3
"""If the date a week later has at least this many games of the regular season, a date usually has games too."""
BEFORE = 3
"""One of this many days before a date must have games. Otherwise the season has not begun."""
LONGEST_REST = 3
"""In February a longer break is the All-Star break."""


@dataclass(frozen=True, slots=True)
class LockedGame:
    """A game of a locked slate. ``code`` is None if its teams were undecided. ``tip`` is aware, or None."""

    game_id: str
    code: str | None = None
    tip: datetime | None = None

    @property
    def label(self) -> str:
        """The teams for people: ``CHI@SAS``."""
        teams = (self.code or "").rpartition("/")[2]
        return f"{teams[:3]}@{teams[3:]}" if len(teams) == 6 else self.code or self.game_id


@dataclass(frozen=True, slots=True)
class LockedSlate:
    """The games of the ET date ``day`` as the lock at ``locked_at`` saw them."""

    day: date
    locked_at: datetime
    games: tuple[LockedGame, ...] = ()


@dataclass(frozen=True)
class Changes:
    """The changes of a slate since its lock. ``games``: the games of the lock that count.

    A game has ``vanished`` if the schedule has it on no date. ``moved``, ``postponed`` and ``tips`` are normal changes.
    """

    lock: LockedSlate
    games: tuple[LockedGame, ...]
    vanished: tuple[LockedGame, ...] = ()
    appeared: tuple[Game, ...] = ()
    moved: tuple[tuple[LockedGame, date], ...] = ()
    postponed: tuple[LockedGame, ...] = ()
    tips: tuple[tuple[LockedGame, Game], ...] = ()

    @property
    def fault(self) -> str:
        """The vanished games in words."""
        which = ", ".join(game.label for game in self.vanished)
        count, total = len(self.vanished), len(self.games)
        games = plural(total, "game")
        of = games if total == 1 else f"All {games}" if count == total else f"{count} of {games}"
        return f"{of} of the slate locked at {clock(self.lock.locked_at)} ET vanished from the schedule: {which}"

    @property
    def normal(self) -> str:
        """The normal changes in words, or an empty text."""
        moved = [f"{game.label} to {day:%a %d %b}" for game, day in self.moved]
        tips = [f"{game.label} from {_wall(game.tip)} to {_wall(now.tip)}" for game, now in self.tips]
        parts = [
            (moved, f"{plural(len(moved), 'game')} moved to another date"),
            ([game.label for game in self.postponed], f"{plural(len(self.postponed), 'game')} postponed"),
            (tips, f"{plural(len(tips), 'tip')} moved"),
        ]
        said = "; ".join(f"{what} ({', '.join(which)})" for which, what in parts if which)
        return f"Normal changes since the lock of {clock(self.lock.locked_at)} ET: {said}" if said else ""


def _wall(tip: datetime | None) -> str:
    return "unknown" if tip is None else f"{clock(tip)} ET"


def changes(
    schedule: Schedule, day: date, moment: datetime, types: Iterable[GameType] = COUNTED_BY_DEFAULT
) -> Changes | None:
    """Return how the slate of the ET date ``day`` changed between its lock and the schedule, or None without a lock.

    A lock later than the aware ``moment`` does not count. A game that was undecided at the lock never counts as
    vanished, because many such games are never played.
    """
    lock = next((one for one in schedule.locked if one.day == day and one.locked_at <= moment), None)
    if lock is None:
        return None
    types = tuple(types)
    now = {game.game_id: game for game in schedule.on(day, types)}
    known = {game.game_id.zfill(10) for game in lock.games}
    games = tuple(game for game in lock.games if game.code and type_of(game.game_id) in types)
    others = {row.game_id.zfill(10): row.date for row in (*schedule.elsewhere, *schedule.unusable)}
    gone = [game for game in games if game.game_id not in now]
    dates = {game: _date(schedule, others, game) for game in gone}
    return Changes(
        lock,
        games,
        vanished=tuple(game for game in gone if game.game_id not in schedule.newest and game.game_id not in others),
        appeared=tuple(game for game in now.values() if game.game_id not in known),
        moved=tuple((game, to) for game, to in dates.items() if to is not None and to != day),
        postponed=tuple(game for game, to in dates.items() if to == day),
        tips=tuple(_moved_tips(games, now)),
    )


def _date(schedule: Schedule, others: dict[str, date | None], game: LockedGame) -> date | None:
    newest = schedule.newest.get(game.game_id)
    return others.get(game.game_id) if newest is None else newest.date


def _moved_tips(games: Iterable[LockedGame], now: dict[str, Game]) -> Iterator[tuple[LockedGame, Game]]:
    for game in games:
        if game.game_id in now and game.tip is not None and game.tip != now[game.game_id].tip:
            yield game, now[game.game_id]


def postponed_dates(schedule: Schedule, first: date) -> dict[date, list[Game]]:
    """Return the ET dates from ``first`` on at which every game that counts is postponed, with these games."""
    found: dict[date, list[Game]] = {}
    for game in schedule.newest.values():
        if game.date >= first and game.type in COUNTED_BY_DEFAULT:
            found.setdefault(game.date, []).append(game)
    return {day: games for day, games in sorted(found.items()) if all(game.postponed for game in games)}


def usual_games(schedule: Schedule, day: date) -> int:
    """Return how many games the ET date ``day`` would usually have, if it has none: the number a week later.

    Return 0 for days on which the league rests: before the season, in its last week, in the All-Star break, around the
    final of the Cup, and the days of :func:`_league_rests`.
    """
    rows = [(game.game_id, game.date) for game in schedule.newest.values()]
    rows += [(row.game_id, row.date) for row in schedule.unusable if row.date is not None]
    counts = Counter(on for game_id, on in rows if type_of(game_id) is GameType.REGULAR)
    finals = [on for game_id, on in rows if type_of(game_id) is GameType.CUP_FINAL]
    usual = counts[day + A_WEEK]
    before = [n for n in range(1, BEFORE + 1) if counts[day - timedelta(days=n)]]
    after = [n for n in range(1, A_WEEK.days + 1) if counts[day + timedelta(days=n)]]
    if usual < USUAL or not before or any(on == day for _, on in rows) or _league_rests(day):
        return 0
    if any(-BEFORE - 1 <= (final - day).days <= A_WEEK.days + 1 for final in finals):
        return 0
    break_of = before[0] + after[0] - 1
    return 0 if day.month == 2 and break_of > LONGEST_REST else usual


def _league_rests(day: date) -> bool:
    """Return whether the league never plays on this date.

    These dates are Election Day, Thanksgiving, Christmas Eve, and the Monday of the college final in April.
    """
    election = day.month == 11 and day.weekday() == 1 and 2 <= day.day <= 8
    thanksgiving = day.month == 11 and day.weekday() == 3 and 22 <= day.day <= 28
    college = day.month == 4 and day.weekday() == 0 and 2 <= day.day <= 9
    return election or thanksgiving or college or (day.month, day.day) == (12, 24)
