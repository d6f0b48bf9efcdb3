"""A simulated season: every decision, the calls that follow, and when each game is collected. Pure.

The outcomes of calls are a simple model. A call per game returns data once the game is due, 3.5 h after the tip. Data
that a discovery asks for is published at noon. All other data is available. An event source has one event for each
game. No call fails unless an assumption says so. ``reconcile`` runs at its own ticks, as on a real day.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cached_property

from orchestration.config import Config
from orchestration.decisions.collected import Successes, scrapers_about_games, successes_of
from orchestration.decisions.model import Decision, History
from orchestration.decisions.types.discovery import DiscoveryWorkflow
from orchestration.nba.eastern import NOON, after, et_date
from orchestration.nba.games import Game, GameType, Schedule
from orchestration.planning.calls import Assumption, assumed_calls
from orchestration.planning.day import plan
from orchestration.planning.makeups import makeups
from orchestration.records.tables import CallRecord
from orchestration.words import Action, Outcome

PUBLISHED = NOON
"""ET time of each day at which the data of a discovery is published."""


@dataclass(frozen=True, slots=True)
class SimulatedCall:
    """Equal calls of one scraper at one tick. ``count``: the number of events for a call per event, else 1."""

    record: CallRecord
    count: int = 1
    by_reconcile: bool = False


@dataclass(frozen=True)
class SimulatedSeason:
    """A season under one configuration, from ``start`` to before ``end``."""

    config: Config
    start: datetime
    end: datetime
    games: tuple[Game, ...]
    decisions: Mapping[tuple[str, datetime], Decision]
    calls: tuple[SimulatedCall, ...]

    @property
    def days(self) -> int:
        """The number of orchestration days."""
        return (et_date(self.end) - et_date(self.start)).days

    @cached_property
    def made(self) -> dict[tuple[str, datetime], list[SimulatedCall]]:
        """The calls of each run, without the calls of reconcile."""
        found: dict[tuple[str, datetime], list[SimulatedCall]] = {}
        for call in self.calls:
            if not call.by_reconcile:
                found.setdefault((str(call.record.workflow), call.record.tick), []).append(call)
        return found

    @cached_property
    def about_games(self) -> dict[str, bool]:
        """The scrapers about games in the post-game windows. True: the scraper is critical, so every game needs it."""
        windows = [name for name, workflow in self.config.enabled.items() if workflow.after_games]
        return {
            scraper: self.config.scrapers[scraper].critical
            for name in windows
            for scraper in scrapers_about_games(self.config, name, critical_only=False)
        }

    @cached_property
    def first_successes(self) -> dict[tuple[str, str], datetime]:
        """The tick of the first success since the game was due, by game id and scraper."""
        by_game: dict[tuple[str, str], list[datetime]] = {}
        by_date: dict[tuple[date, str], list[datetime]] = {}
        for call in (one.record for one in self.calls):
            if call.status is Outcome.SUCCESS and call.scraper_name in self.about_games:
                if call.game_id is not None:
                    by_game.setdefault((call.game_id, call.scraper_name), []).append(call.tick)
                else:
                    by_date.setdefault((call.target_date, call.scraper_name), []).append(call.tick)
        found = {}
        for game in self.games:
            for scraper in self.about_games:
                ticks = by_game.get((game.game_id, scraper)) or by_date.get((game.date, scraper), [])
                if since := [tick for tick in ticks if tick >= game.due]:
                    found[game.game_id, scraper] = min(since)
        return found

    def collected(self, game: Game) -> datetime | None:
        """Return the first tick at which every critical scraper has the game, or None if one never has it."""
        wanted = [scraper for scraper, critical in self.about_games.items() if critical]
        ticks = [self.first_successes.get((game.game_id, scraper)) for scraper in wanted]
        known = [tick for tick in ticks if tick is not None]
        return max(known) if known and len(known) == len(wanted) else None


def published_at_noon(*configs: Config) -> list[Assumption]:
    """Return the assumptions that the scrapers of every discovery find no data before noon ET."""
    scrapers = {
        scraper: None
        for config in configs
        for workflow in config.workflows.values()
        if isinstance(workflow, DiscoveryWorkflow)
        for scraper in workflow.execution_plan.scrapers
    }
    return [Assumption(scraper=scraper, until=PUBLISHED, outcome=Outcome.NO_DATA) for scraper in scrapers]


def simulate(
    config: Config, start: datetime, end: datetime, schedule: Schedule, assumptions: Sequence[Assumption] = ()
) -> SimulatedSeason:
    """Return the season from ``start`` to before ``end`` (aware). The schedule is known at every tick."""
    known = schedule.seen_at(start)
    decisions = list(plan(config, start, end, known, History(), assumptions))
    calls = [
        SimulatedCall(call.record(decision, outcome), count=len(decision.games) if call.per_event_of else 1)
        for decision in decisions
        if decision.action is Action.RUN
        for call, outcome in assumed_calls(config, decision, assumptions)
        if outcome is not None
    ]
    days = [et_date(start) + timedelta(days=shift) for shift in range((et_date(end) - et_date(start)).days)]
    games = tuple(game for day in days for game in known.on(day))
    calls += _reconciled(config, known, start, end, calls)
    return SimulatedSeason(config, start, end, games, {(d.workflow, d.tick): d for d in decisions}, tuple(calls))


def _reconciled(
    config: Config, schedule: Schedule, start: datetime, end: datetime, calls: Iterable[SimulatedCall]
) -> list[SimulatedCall]:
    """Return the calls of reconcile at its ticks, for games that the windows have not collected yet.

    Its ticks in the days after ``end`` are included, because they fetch the games of the last night.
    """
    settings, waiting = config.settings.reconcile, sorted((call.record for call in calls), key=lambda call: call.tick)
    found: list[SimulatedCall] = []
    successes = Successes()
    position, first, until = 0, et_date(start), after(end, timedelta(days=settings.days))
    for tick in config.reconcile_ticks.between(start, until):
        passed = position
        while position < len(waiting) and waiting[position].tick < tick:
            position += 1
        successes = successes_of(waiting[passed:position], successes)
        today = et_date(tick)
        days = [today - timedelta(days=back) for back in range(settings.days + 1)]
        games = [game for day in days for game in schedule.on(day, GameType) if first <= game.date < et_date(end)]
        for makeup in makeups(config, games, successes, tick, settings.max_runs):
            per_game = config.per_game_scrapers(makeup.workflow)
            made = [
                CallRecord.known(
                    workflow=makeup.workflow,
                    scraper_name=scraper,
                    slot_time=tick,
                    target_date=makeup.target_date,
                    status=Outcome.SUCCESS,
                    game_id=game_id,
                )
                for scraper in makeup.scrapers
                for game_id in (makeup.games if scraper in per_game else (None,))
            ]
            found += [SimulatedCall(call, by_reconcile=True) for call in made]
            successes = successes_of(made, successes)
    return found
