"""Make-up runs: they fetch the games that a post-game scraper still lacks, or whose file never arrived. Pure.

A source can be two days late, and the post-game windows do not look back that far.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from orchestration.config import Config
from orchestration.decisions.case import Case
from orchestration.decisions.collected import Successes, lacking, scrapers_about_games
from orchestration.decisions.model import History
from orchestration.decisions.types.game_aware_yesterday import PostGameWorkflow
from orchestration.nba.eastern import after, at
from orchestration.nba.games import Game, Schedule
from orchestration.records.tables import FollowedFile
from orchestration.words import plural


@dataclass(frozen=True)
class Makeup:
    """One run that fetches the missing data of one target date. ``games`` is empty if no game lacks data."""

    workflow: str
    target_date: date
    games: tuple[str, ...]
    scrapers: tuple[str, ...]

    @property
    def conf(self) -> dict[str, Any]:
        """The parameters of the run, as a person would type them."""
        names = ", ".join(self.scrapers)
        why = f"{plural(len(self.games), 'game')} without {names}" if self.games else f"files of {names} never arrived"
        return {
            "force": True,
            "target_date": self.target_date.isoformat(),
            **({"games": list(self.games)} if self.games else {}),
            "scrapers": list(self.scrapers),
            "reason": f"reconcile: {why}",
        }


def windows_to_reconcile(config: Config, now: datetime) -> dict[str, tuple[str, ...]]:
    """Return the enabled post-game windows, each with the scrapers that every game needs.

    Shadows, and windows that are halted at the aware ``now``, are left out.
    """
    return {
        name: scrapers_about_games(config, name, critical_only=False)
        for name, workflow in config.enabled.items()
        if isinstance(workflow, PostGameWorkflow) and not config.is_shadow(name) and not config.halt_at(now, name)
    }


def comes_by_itself(config: Config, name: str, day: date, now: datetime) -> bool:
    """Return whether a run of the window ``name`` for the ET date ``day`` is still to come or may be in progress."""
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
    """Return one run for each target date with missing data, latest date first, at most ``limit`` runs.

    ``successes``: the successful calls about these dates, without calls whose file never arrived. A scraper lacks a
    game if the game is due at the aware ``now`` and no later window of the night calls the scraper. The run belongs to
    the post-game window that can fetch most of the missing data.
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


def makeups_of_files(config: Config, files: Iterable[FollowedFile], now: datetime) -> list[Makeup]:
    """Return one run for each workflow and target date whose files of the current day never arrived.

    Only the current day's sources still have the data. Scrapers of post-game windows are left out: :func:`makeups`
    fetches their games.
    """
    start, _ = config.day_bounds(config.current_day(now))
    of_games = {scraper for scrapers in windows_to_reconcile(config, now).values() for scraper in scrapers}
    lacking: dict[tuple[str, date], set[str]] = {}
    for file in files:
        callers = (
            name
            for name, workflow in config.enabled.items()
            if file.scraper_name in workflow.execution_plan.scrapers
            and not config.is_shadow(name)
            and not config.halt_at(now, name)
        )
        name = next(callers, None)
        if name is not None and file.triggered_at >= start and file.scraper_name not in of_games:
            lacking.setdefault((name, file.target_date), set()).add(file.scraper_name)
    return [Makeup(name, day, (), tuple(sorted(scrapers))) for (name, day), scrapers in sorted(lacking.items())]
