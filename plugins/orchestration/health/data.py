"""What should have come in: games with all box scores, and calls that found something. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import datetime, time, timedelta

from orchestration.config.model import Config
from orchestration.config.workflows import GameAwareWorkflow, PostGameWorkflow
from orchestration.health.facts import DayFacts
from orchestration.health.findings import GRACE, Finding, bad, script, trigger, worse
from orchestration.nba.eastern import after, at
from orchestration.nba.games import Game
from orchestration.words import Outcome

NO_DATA_SUSPICIOUS = 0.8
"""Share of no_data among a scraper's calls before the games that is an alarm (lesson K2)."""
ENOUGH_CALLS = 3


def lacking(config: Config, facts: DayFacts, game: Game, *, critical_only: bool) -> list[str]:
    """Return the per-game scrapers of the post-game windows that have not brought this game (lesson K6)."""
    wanted = {
        scraper
        for name, workflow in config.enabled.items()
        if isinstance(workflow, PostGameWorkflow) and not halted(config, name, facts)
        for scraper in config.per_game_scrapers(name)
        if config.scrapers[scraper].critical or not critical_only
    }
    got = {c.scraper for c in facts.calls if c.game_id == game.game_id and c.outcome is Outcome.SUCCESS}
    return sorted(wanted - got)


def halted(config: Config, name: str, facts: DayFacts) -> bool:
    """Return whether somebody has switched this workflow off for the day (lesson C10)."""
    halts = (config.settings.halt, config.workflows[name].halt)
    return any(halt is not None and halt.holds_at(at(facts.day, time(12)), facts.day) for halt in halts)


def complete(config: Config, facts: DayFacts, games: tuple[Game, ...], now: datetime) -> Iterator[Finding]:
    """Expected against received, per game, once the last window of the night is over."""
    windows = [w.schedule.fixed_time for w in config.enabled.values() if isinstance(w, PostGameWorkflow)]
    if not windows or not games:
        return
    night = [at(facts.day + timedelta(days=1 if wall < time(12) else 0), wall) for wall in windows]
    if now < after(max(night), GRACE):
        return
    missing = {game: lacking(config, facts, game, critical_only=False) for game in games}
    missing = {game: scrapers for game, scrapers in missing.items() if scrapers}
    if not missing:
        return
    critical = [game for game in missing if lacking(config, facts, game, critical_only=True)]
    game, scrapers = next(iter(missing.items()))
    text = f"{len(missing)} of {len(games)} games are incomplete; {game.label} lacks {', '.join(scrapers)}"
    window = next(name for name, w in config.enabled.items() if scrapers[0] in w.execution_plan.scrapers)
    command = trigger(window, force=True, target_date=facts.day.isoformat())
    yield (bad if critical else worse)("games_incomplete", window, text, command)


def not_empty(config: Config, facts: DayFacts) -> Iterator[Finding]:
    """Mostly no_data before the games of a game day is suspicious, for each scraper by itself (lesson K2)."""
    for name, workflow in config.enabled.items():
        if not isinstance(workflow, GameAwareWorkflow):
            continue
        for scraper in workflow.execution_plan.scrapers:
            outcomes = Counter(c.outcome for c in facts.calls if (c.workflow, c.scraper) == (name, scraper))
            empty, worked = outcomes[Outcome.NO_DATA], outcomes[Outcome.NO_DATA] + outcomes[Outcome.SUCCESS]
            if worked >= ENOUGH_CALLS and empty / worked >= NO_DATA_SUSPICIOUS:
                text = f"{scraper} ({name}): {empty} of {worked} calls found no data on a game day"
                yield worse("mostly_no_data", scraper, text, script("view_today_timeline", facts.day))
