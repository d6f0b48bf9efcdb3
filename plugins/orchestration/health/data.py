"""What should have come in: games with all box scores, and calls that found something. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import date, datetime, timedelta

from orchestration.config import Config
from orchestration.decisions.collected import lacking as still_lacking
from orchestration.decisions.collected import scrapers_about_games, successes_of
from orchestration.decisions.types.game_aware import GameAwareWorkflow
from orchestration.decisions.types.game_aware_yesterday import PostGameWorkflow
from orchestration.health import kinds
from orchestration.health.facts import DayFacts
from orchestration.health.findings import GRACE, Finding, finding
from orchestration.nba.eastern import NOON, after, at, clock
from orchestration.nba.games import Game, named
from orchestration.vocabulary.workflows import Workflow
from orchestration.words import Outcome

NO_DATA_SUSPICIOUS = 0.8
"""Share of no_data among a scraper's calls before the games that is an alarm (lesson K2)."""
ENOUGH_CALLS = 3


def lacking(config: Config, facts: DayFacts, *, critical_only: bool) -> dict[Game, tuple[str, ...]]:
    """Return the day's games that scrapers of the post-game windows have not brought, each with these (lesson K6).

    What counts as brought is said in :mod:`orchestration.decisions.collected`.
    """
    scrapers = wanted(config, facts, critical_only=critical_only)
    successes = successes_of(facts.calls)
    found = {game: still_lacking(config, scrapers, game, successes) for game in facts.schedule.on(facts.day)}
    return {game: scrapers for game, scrapers in found.items() if scrapers}


def wanted(config: Config, facts: DayFacts, *, critical_only: bool) -> tuple[str, ...]:
    """Return the scrapers of the day's post-game windows that must have each game."""
    found = {
        scraper: None
        for name, workflow in config.enabled.items()
        if isinstance(workflow, PostGameWorkflow) and not config.is_shadow(name) and not config.halt_on(facts.day, name)
        for scraper in scrapers_about_games(config, name, critical_only=critical_only)
    }
    return tuple(found)


def usable(facts: DayFacts) -> Iterator[Finding]:
    """Rows of the schedule that are no games: left out of every decision, and named here."""
    # What lies ahead may not be decided yet: teams of a play-in, tips of a playoff.
    if rows := [row for row in facts.schedule.unusable if row.date is None or row.date <= facts.day]:
        what = "1 row of the schedule is" if len(rows) == 1 else f"{len(rows)} rows of the schedule are"
        yield finding(kinds.UNUSABLE_ROWS, "schedule_dependency", rows=what, which="; ".join(named(rows)))


def complete(config: Config, facts: DayFacts, now: datetime) -> Iterator[Finding]:
    """Expected against received, per game, once the last window of the night is over and the game was due."""
    if not night_is_over(config, facts, now):
        return

    def missing(*, critical_only: bool) -> dict[Game, tuple[str, ...]]:
        found = lacking(config, facts, critical_only=critical_only)
        return {game: scrapers for game, scrapers in found.items() if after(game.due, GRACE) <= now}

    open_games = missing(critical_only=False)
    if not open_games:
        return
    game, scrapers = next(iter(open_games.items()))
    again = next((tick for tick in reconciles(config, facts.day) if tick > now), None)
    window = next(name for name, w in _calling(config).items() if scrapers[0] in w.execution_plan.scrapers)
    yield finding(
        kinds.GAMES_INCOMPLETE,
        window,
        critical=bool(missing(critical_only=True)),
        incomplete=len(open_games),
        games=len(facts.schedule.on(facts.day)),
        game=game.label,
        scrapers=", ".join(scrapers),
        again="" if again is None else f"; reconcile looks at {clock(again)} ET",
        day=facts.day,
    )


def reconciles(config: Config, day: date) -> list[datetime]:
    """Return when reconcile looks by itself in the day after ``day``."""
    return config.reconcile_ticks.between(*config.day_bounds(day + timedelta(days=1)))


def repairs_until(config: Config, day: date) -> datetime | None:
    """Return until when the games of ``day`` are reconcile's to fetch, or None where it does not by itself."""
    return max((after(tick, GRACE) for tick in reconciles(config, day)), default=None)


def _calling(config: Config) -> dict[str, Workflow]:
    """Return the workflows whose calls are ours."""
    return {name: workflow for name, workflow in config.enabled.items() if not config.is_shadow(name)}


def night_is_over(config: Config, facts: DayFacts, now: datetime) -> bool:
    """Return whether the day's last post-game window is over, and we were there for it.

    Before that no game is missing; without any, never.
    """
    windows = [w.schedule.fixed_time for w in _calling(config).values() if isinstance(w, PostGameWorkflow)]
    if not windows:
        return False
    night = max(at(facts.day + timedelta(days=1 if wall < NOON else 0), wall) for wall in windows)
    start, _ = config.day_bounds(facts.day)
    return facts.since(start) <= night and now >= after(night, GRACE)


def not_empty(config: Config, facts: DayFacts) -> Iterator[Finding]:
    """Mostly no_data before the games of a game day is suspicious, for each scraper by itself (lesson K2)."""
    for name, workflow in config.enabled.items():
        if not isinstance(workflow, GameAwareWorkflow):
            continue
        for scraper in workflow.execution_plan.scrapers:
            outcomes = Counter(c.status for c in facts.calls if (c.workflow, c.scraper_name) == (name, scraper))
            empty, worked = outcomes[Outcome.NO_DATA], outcomes[Outcome.NO_DATA] + outcomes[Outcome.SUCCESS]
            if worked >= ENOUGH_CALLS and empty / worked >= NO_DATA_SUSPICIOUS:
                yield finding(kinds.MOSTLY_NO_DATA, scraper, caller=name, empty=empty, calls=worked, day=facts.day)
