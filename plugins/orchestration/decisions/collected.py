"""Collected: what counts as a game's data being here. One rule for decision, plan, lock, health and reconcile.

A per-game scraper has brought a game when one of its calls for it was a success at a tick at or after the game was due:
the box score of a game that is still being played is not its box score. A whole-date scraper (called for nothing in
particular) has brought a game when one of its calls for the game's date was a success at or after the game was due. A
game is collected when every critical scraper of the plan of these two kinds has brought it, and so a slate when each
per-game scraper has every game and each whole-date scraper has succeeded since the last of them was due.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime

from orchestration.nba.games import Game
from orchestration.records.tables import CallRecord
from orchestration.vocabulary.model import Config
from orchestration.vocabulary.scrapers import fan_out_of
from orchestration.words import FanOut, Outcome

Successes = Mapping[tuple[str, str | date], datetime]
"""By scraper and game id, and by scraper and target date: the tick of the latest success."""


def successes_of(calls: Iterable[CallRecord], known: Successes | None = None) -> Successes:
    """Return the latest successes among ``calls`` and those that are ``known``."""
    found: dict[tuple[str, str | date], datetime] = dict(known or {})
    for call in calls:
        if call.status is Outcome.SUCCESS:
            for about in (call.game_id, call.target_date):
                if about is not None:
                    key = (call.scraper_name, about)
                    found[key] = max(call.slot_time, found.get(key, call.slot_time))
    return found


def scrapers_about_games(config: Config, workflow: str, *, critical_only: bool) -> tuple[str, ...]:
    """Return the scrapers of a workflow's plan that decide whether a game is collected.

    Those called per game, and the critical ones called for a whole date. Without ``critical_only`` per-game scrapers
    that are not critical are among them: a window asks for what they lack, too.
    """
    per_game = config.per_game_scrapers(workflow)
    critical = config.critical_scrapers(workflow)
    return tuple(
        scraper
        for scraper in config.workflows[workflow].execution_plan.scrapers
        if (scraper in per_game and not critical_only)
        or (scraper in critical and (scraper in per_game or _whole_date(config, scraper)))
    )


def _whole_date(config: Config, scraper: str) -> bool:
    return fan_out_of(scraper, config.scrapers[scraper]) is FanOut.NOTHING


def _about(config: Config, scraper: str, game: Game) -> str | date:
    return game.date if _whole_date(config, scraper) else game.game_id


def lacking(config: Config, scrapers: Iterable[str], game: Game, successes: Successes) -> tuple[str, ...]:
    """Return which of ``scrapers`` have not brought this game (lessons K4, K6)."""

    def since(scraper: str) -> datetime | None:
        return successes.get((scraper, _about(config, scraper, game)))

    return tuple(scraper for scraper in scrapers if (last := since(scraper)) is None or last < game.due)


def brings(config: Config, scraper: str, game: Game, call: CallRecord) -> bool:
    """Return whether this one call of ``scraper`` has brought the game."""
    return call.scraper_name == scraper and not lacking(config, [scraper], game, successes_of([call]))
