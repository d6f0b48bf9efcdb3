"""What to fetch anew: games that a post-game scraper has not brought, or whose file has vanished. Pure.

Sources can be two days late; the windows of the night do not look back so far.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from orchestration.config.model import Config
from orchestration.config.workflows import PostGameWorkflow
from orchestration.nba.games import Game


@dataclass(frozen=True)
class Makeup:
    """One run that makes up for what is missing of one target date."""

    workflow: str
    target_date: date
    games: tuple[str, ...]
    scrapers: tuple[str, ...]

    @property
    def conf(self) -> dict[str, Any]:
        """The parameters of the run, as a person would give them."""
        return {
            "force": True,
            "target_date": self.target_date.isoformat(),
            "games": list(self.games),
            "scrapers": list(self.scrapers),
            "reason": f"reconcile: {len(self.games)} games lack {', '.join(self.scrapers)}",
        }


def makeups(
    config: Config, games: Iterable[Game], collected: Mapping[str, Set[str]], now: datetime, limit: int
) -> list[Makeup]:
    """Return one run for each target date with something missing, the latest dates first, at most ``limit``.

    ``collected`` are the ids of the games that each scraper has brought, without those whose file has vanished. The
    run of a date is that of the post-game window which can fetch most of what is missing.
    """
    windows = {name: w for name, w in config.enabled.items() if isinstance(w, PostGameWorkflow)}
    by_date: dict[date, list[Game]] = {}
    for game in games:
        if game.due <= now and not game.postponed:
            by_date.setdefault(game.date, []).append(game)
    found = []
    for day, played in sorted(by_date.items(), reverse=True):
        missing = {
            name: [
                (game.game_id, scraper)
                for scraper in config.per_game_scrapers(name)
                for game in played
                if game.type in window.game_types and game.game_id not in collected.get(scraper, frozenset())
            ]
            for name, window in windows.items()
        }
        name = max(missing, key=lambda one: len(missing[one]), default=None)
        if name is not None and missing[name]:
            lacking = missing[name]
            found.append(
                Makeup(name, day, tuple(sorted({g for g, _ in lacking})), tuple(sorted({s for _, s in lacking})))
            )
    return found[:limit]
