"""Whether an answer is whole: as many games and records as expected, or as usual (lesson F3). Pure.

An answer below that is partial: its call is a success, but it does not collect what it lacks
(:mod:`orchestration.decisions.collected`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any

from pydantic import BaseModel, ConfigDict

from orchestration.nba.games import Game, canonical_game_id
from orchestration.vocabulary.answers import Expects
from orchestration.vocabulary.model import Config
from orchestration.vocabulary.scrapers import fan_out_of
from orchestration.words import FanOut, few, plural

ENOUGH_SUCCESSES = 10
"""The least number of earlier successes from which the usual count is learned."""
FAR = 0.6
"""An answer is short only below this share of the usual count …"""
SPREADS = 6
"""… and this many spreads below it, and below every earlier count."""
DEVIATION = 1.4826
"""The standard deviation of normal noise, in median absolute deviations."""


class PastAnswers(BaseModel):
    """The last successes of a scraper for one kind of item and day. It sums up many rows.

    ``item``: ``game``, ``nothing``, or ``item`` for a team or an event. ``game_day``: whether games were expected; None
    in rows of releases that did not record it. ``counts``: the records of each answer. ``games``: the games that each
    should have held, -1 for unknown.
    """

    model_config = ConfigDict(frozen=True)

    scraper_name: str
    item: str
    game_day: bool | None = None
    counts: tuple[int, ...] = ()
    games: tuple[int, ...] = ()


@dataclass(frozen=True)
class Usual:
    """The usual records of an answer, or of one of its games: the median, and the limit below which it is short."""

    median: float
    limit: float
    per_game: bool
    answers: int

    def __str__(self) -> str:
        return f"{self.median:.4g}{' a game' if self.per_game else ''}"


@dataclass(frozen=True)
class Shortfall:
    """Why an answer is partial, in words.

    ``missing_games``: the ids of the games that its list lacks, if the answer is right otherwise.
    """

    text: str
    missing_games: tuple[str, ...] = ()


def learned(past: Iterable[PastAnswers], scraper: str, fan_out: FanOut, games: int) -> Usual | None:
    """Return what is usual for a scraper on a day like one with so many ``games``, or None with too few successes.

    The count of a whole date that follows its games is learned for one game.
    """
    item = fan_out.value if fan_out in (FanOut.GAME, FanOut.NOTHING) else "item"
    fits = [p for p in past if (p.scraper_name, p.item) == (scraper, item) and p.game_day in (None, games > 0)]
    pairs = [pair for one in fits for pair in zip(one.counts, one.games, strict=False)]
    usual = _usual([float(count) for count, _ in pairs], per_game=False)
    known = [(count, of) for count, of in pairs if of > 0]
    by_game = _usual([count / of for count, of in known], per_game=True)
    if usual is None or by_game is None or fan_out is not FanOut.NOTHING or not games:
        return usual
    sizes = [of for _, of in known]
    if min(sizes) <= games <= max(sizes):
        return max(by_game, usual, key=lambda one: one.limit / one.median)
    # No earlier day had so many games, or so few: whether the count follows them is not known. The milder limit counts.
    return min(by_game, usual, key=lambda one: one.limit * (games if one.per_game else 1))


def usual_counts(config: Config, scrapers: Iterable[str], past: Sequence[PastAnswers], games: int) -> dict[str, Usual]:
    """Return what is usual for each of ``scrapers`` that does not say how many records it expects."""
    found = {
        scraper: learned(past, scraper, fan_out_of(scraper, model), games)
        for scraper in scrapers
        if (model := config.scrapers[scraper]).expects is None or not model.expects.counts_records
    }
    return {scraper: usual for scraper, usual in found.items() if usual is not None}


def _usual(counts: Sequence[float], *, per_game: bool) -> Usual | None:
    if len(counts) < ENOUGH_SUCCESSES:
        return None
    middle = median(counts)
    spread = DEVIATION * median(abs(count - middle) for count in counts)
    limit = max(0.0, min(FAR * middle, middle - SPREADS * spread, min(counts)))
    return Usual(middle, limit, per_game, len(counts))


def compared(
    expects: Expects | None,
    usual: Usual | None,
    slate: Sequence[Mapping[str, Any]],
    *,
    records: int | None,
    listed: Collection[str] | None,
    counted: int | None,
) -> Shortfall | None:
    """Return why a successful answer is partial, or None if it is whole.

    ``slate``: the games that a whole-date answer should hold, as :func:`expected_game` writes them; none for a call
    about one item. ``listed`` and ``counted``: the games that the answer lists, and how many it says it has.
    """
    expects = expects or Expects.model_construct()
    text, missing = "", tuple[str, ...]()
    if expects.games is not None and slate:
        text, missing = _games(slate, listed, counted)
    # Of a list that lacks games, the records are those of the others.
    few = [] if records is None else _records(expects, usual, records, len(slate) - len(missing))
    short = [one for one in (text, *few) if one]
    return Shortfall("; ".join(short), () if few else missing) if short else None


def _games(
    slate: Sequence[Mapping[str, Any]], listed: Collection[str] | None, counted: int | None
) -> tuple[str, tuple[str, ...]]:
    if listed is None:
        if counted is None:
            return f"the answer does not say how many of {plural(len(slate), 'game')} it has", ()
        return (f"{counted} of {plural(len(slate), 'game')}" if counted < len(slate) else ""), ()
    names = {_canonical(name) for name in listed}
    lacks = [game for game in slate if game["game_id"] not in names and game["code"].upper() not in names]
    if not lacks:
        return "", ()
    which = few([game["teams"] for game in lacks])
    text = f"{len(slate) - len(lacks)} of {plural(len(slate), 'game')}, missing {which}"
    return text, tuple(str(game["game_id"]) for game in lacks)


def _canonical(name: str) -> str:
    try:
        return canonical_game_id(name)
    except ValueError:
        return name.upper()


def _records(expects: Expects, usual: Usual | None, records: int, games: int) -> list[str]:
    short = []
    if expects.records is not None and records < expects.records.min:
        short.append(f"{plural(records, 'record')}, at least {expects.records.min} expected")
    least = expects.records_per_game
    if least is not None and games and records < least.min * games:
        short.append(f"{plural(records, 'record')} for {plural(games, 'game')}, at least {least.min} a game expected")
    if not expects.counts_records and usual is not None and (games or not usual.per_game):
        found = records / games if usual.per_game else records
        if found < usual.limit:
            of = f" for {plural(games, 'game')}" if usual.per_game else ""
            short.append(f"{plural(records, 'record')}{of}, usually {usual}")
    return short


def expected_game(game: Game) -> dict[str, str]:
    """Return the JSON form of a game that a whole-date answer should hold."""
    return {"game_id": game.game_id, "code": game.code, "teams": f"{game.away}@{game.home}"}


def usual_to_dict(usual: Usual) -> dict[str, Any]:
    """Return the JSON form of what is usual."""
    return asdict(usual)
