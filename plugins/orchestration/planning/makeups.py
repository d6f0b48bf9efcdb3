"""What to fetch anew: games that a scraper of a post-game window has not brought, or whose file has vanished. Pure.

Sources can be two days late; the windows of the night do not look back so far.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from orchestration.config.model import Config
from orchestration.decisions.case import Case
from orchestration.decisions.collected import Successes, lacking, scrapers_about_games
from orchestration.decisions.model import History
from orchestration.decisions.types.game_aware_yesterday import PostGameWorkflow
from orchestration.nba.eastern import after, at, et_date
from orchestration.nba.games import Game, Schedule


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


def windows_to_reconcile(config: Config, now: datetime) -> dict[str, tuple[str, ...]]:
    """Return the post-game windows that are not halted at the aware ``now``, each with its scrapers."""

    def halted(name: str) -> bool:
        halts = (config.settings.halt, config.workflows[name].halt)
        return any(halt is not None and halt.holds_at(now, et_date(now)) for halt in halts)

    return {name: scrapers for name, scrapers in post_game_windows(config).items() if not halted(name)}


def comes_by_itself(config: Config, name: str, day: date, now: datetime) -> bool:
    """Return whether the window ``name`` still comes for the ET date ``day``, or its run may still be under way."""
    workflow = config.workflows[name]
    assert isinstance(workflow, PostGameWorkflow)
    schedule = workflow.schedule
    times = (at(day + timedelta(days=shift), schedule.fixed_time) for shift in (0, 1))
    takes = timedelta(minutes=schedule.tolerance_minutes + config.deadline_minutes(name))
    return any(
        now < after(time, takes) and Case(name, config, time, Schedule(), History()).target_date == day
        for time in times
    )


def makeups(config: Config, games: Iterable[Game], successes: Successes, now: datetime, limit: int) -> list[Makeup]:
    """Return one run for each target date with something missing, the latest dates first, at most ``limit``.

    ``successes`` are those of the calls about these dates, without those whose file has vanished. Only games that are
    due by ``now`` can be missing, and only by scrapers that no window still to come will ask. The run of a date is that
    of the post-game window which can fetch most of it. What is halted is left alone.
    """
    windows = windows_to_reconcile(config, now)
    by_date: dict[date, list[Game]] = {}
    for game in games:
        if game.due <= now and not game.postponed:
            by_date.setdefault(game.date, []).append(game)
    found = []
    for day, played in sorted(by_date.items(), reverse=True):
        coming = {
            (kind, scraper)
            for name, scrapers in windows.items()
            if comes_by_itself(config, name, day, now)
            for kind in config.workflows[name].game_types
            for scraper in scrapers
        }
        missing = {
            name: [
                (game.game_id, scraper)
                for game in played
                if game.type in config.workflows[name].game_types
                for scraper in lacking(config, scrapers, game, successes)
                if (game.type, scraper) not in coming
            ]
            for name, scrapers in windows.items()
        }
        name = max(missing, key=lambda one: len(missing[one]), default=None)
        if name is not None and (open_calls := missing[name]):
            ids, lacked = (tuple(sorted(set(column))) for column in zip(*open_calls, strict=True))
            found.append(Makeup(name, day, ids, lacked))
    return found[:limit]
