"""What to fetch anew: games that a scraper of a post-game window has not brought, or whose file has vanished. Pure.

Sources can be two days late; the windows of the night do not look back so far.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from orchestration.config.model import Config
from orchestration.config.workflows import PostGameWorkflow
from orchestration.decisions.collected import Successes, lacking, scrapers_about_games
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


def post_game_windows(config: Config) -> dict[str, tuple[str, ...]]:
    """Return the post-game windows that call, each with the scrapers of its plan that games must be brought by."""
    enabled = config.enabled.items()
    windows = (name for name, w in enabled if isinstance(w, PostGameWorkflow) and not config.is_shadow(name))
    return {name: scrapers_about_games(config, name, critical_only=False) for name in windows}


def makeups(config: Config, games: Iterable[Game], successes: Successes, now: datetime, limit: int) -> list[Makeup]:
    """Return one run for each target date with something missing, the latest dates first, at most ``limit``.

    ``successes`` are those of the calls about these dates, without those whose file has vanished. Only games that are
    due by ``now`` can be missing. The run of a date is that of the post-game window which can fetch most of it.
    """
    windows = post_game_windows(config)
    by_date: dict[date, list[Game]] = {}
    for game in games:
        if game.due <= now and not game.postponed:
            by_date.setdefault(game.date, []).append(game)
    found = []
    for day, played in sorted(by_date.items(), reverse=True):
        missing = {
            name: [
                (game.game_id, scraper)
                for game in played
                if game.type in config.workflows[name].game_types
                for scraper in lacking(config, scrapers, game, successes)
            ]
            for name, scrapers in windows.items()
        }
        name = max(missing, key=lambda one: len(missing[one]), default=None)
        if name is not None and (open_calls := missing[name]):
            ids, lacked = (tuple(sorted(set(column))) for column in zip(*open_calls, strict=True))
            found.append(Makeup(name, day, ids, lacked))
    return found[:limit]
