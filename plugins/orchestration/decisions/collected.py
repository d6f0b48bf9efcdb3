"""When a game counts as collected. One rule for decision, plan, lock, health and reconcile.

* A per-game scraper has returned a game when one of its calls for the game was a success at a tick at or after the game
  was due. The box score of a live game does not count.
* A whole-date scraper (called once, without an item) has returned a game when one of its calls for the game's date was
  a success at a tick at or after the game was due, and the answer held the game.
* A partial answer returns nothing (:mod:`orchestration.decisions.whole`, lesson F3). If only games are missing from its
  list, it returns the games on the list.
* A game is collected when every critical scraper of these two kinds in the plan has returned it. A slate is collected
  when all its games are.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime

from orchestration.nba.games import Game
from orchestration.records.tables import CallRecord
from orchestration.vocabulary.model import Config
from orchestration.vocabulary.scrapers import fan_out_of
from orchestration.words import FanOut, Outcome

Listed = tuple[datetime, frozenset[str]]
"""The tick of an answer about a date that lists its games but not all, and the games that it lacks."""


class Successes(dict[tuple[str, str | date], datetime]):
    """The tick of the latest whole answer, by scraper and game id, and by scraper and target date.

    ``listed``: the partial answers that list their games, by scraper and target date.
    """

    def __init__(self, known: Successes | None = None) -> None:
        super().__init__(known or {})
        self.listed: dict[tuple[str, str | date], tuple[Listed, ...]] = {} if known is None else dict(known.listed)

    def last(self, scraper: str, game: Game, about: str | date) -> datetime | None:
        """Return the tick of the latest answer that held the game; ``about``: its id, or its date for a whole date."""
        ticks = [tick for tick, lacks in self.listed.get((scraper, about), ()) if game.game_id not in lacks]
        return max([*ticks, *([self[scraper, about]] if (scraper, about) in self else [])], default=None)


def successes_of(calls: Iterable[CallRecord], known: Successes | None = None) -> Successes:
    """Return the successes among ``calls`` and ``known``."""
    found = Successes(known)
    for call in calls:
        if call.status is not Outcome.SUCCESS:
            continue
        if call.shortfall is None:
            for about in (call.game_id, call.target_date):
                if about is not None:
                    key = (call.scraper_name, about)
                    found[key] = max(call.slot_time, found.get(key, call.slot_time))
        elif call.missing_games:
            key = (call.scraper_name, call.target_date)
            found.listed[key] = (*found.listed.get(key, ()), (call.slot_time, frozenset(call.missing_games)))
    return found


def scrapers_about_games(config: Config, workflow: str, *, critical_only: bool) -> tuple[str, ...]:
    """Return the scrapers of a workflow's plan that decide whether a game is collected.

    These are the critical per-game and whole-date scrapers. Without ``critical_only`` the other per-game scrapers
    count too, because a window also requests the games that they lack.
    """
    per_game = config.per_game_scrapers(workflow)
    critical = config.critical_scrapers(workflow)
    return tuple(
        scraper
        for scraper in config.workflows[workflow].execution_plan.scrapers
        if (scraper in per_game and not critical_only)
        or (scraper in critical and (scraper in per_game or _whole_date(config, scraper)))
    )


def whole_date_scrapers(config: Config, workflow: str) -> tuple[str, ...]:
    """Return the scrapers of a workflow's plan that are called once for the date, critical or not."""
    scrapers = config.workflows[workflow].execution_plan.scrapers
    return tuple(scraper for scraper in scrapers if _whole_date(config, scraper))


def _whole_date(config: Config, scraper: str) -> bool:
    return fan_out_of(scraper, config.scrapers[scraper]) is FanOut.NOTHING


def _about(config: Config, scraper: str, game: Game) -> str | date:
    return game.date if _whole_date(config, scraper) else game.game_id


def lacking(config: Config, scrapers: Iterable[str], game: Game, successes: Successes) -> tuple[str, ...]:
    """Return those of ``scrapers`` that have not returned this game (lessons K4, K6)."""

    def last(scraper: str) -> datetime | None:
        return successes.last(scraper, game, _about(config, scraper, game))

    return tuple(scraper for scraper in scrapers if (tick := last(scraper)) is None or tick < game.due)


def brings(config: Config, scraper: str, game: Game, call: CallRecord) -> bool:
    """Return whether this call of ``scraper`` has returned the game."""
    return call.scraper_name == scraper and not lacking(config, [scraper], game, successes_of([call]))
