"""Findings about data: the rows of the schedule, games with all box scores, calls that found nothing. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator
from datetime import date, datetime, timedelta

from orchestration.config import Config
from orchestration.decisions.collected import brings, scrapers_about_games, successes_of
from orchestration.decisions.collected import lacking as still_lacking
from orchestration.decisions.types.discovery import DiscoveryWorkflow
from orchestration.decisions.types.game_aware_yesterday import PostGameWorkflow
from orchestration.health import kinds
from orchestration.health.facts import DayFacts
from orchestration.health.findings import GRACE, Finding, finding
from orchestration.health.usual import ENOUGH_DAYS
from orchestration.nba.eastern import NOON, after, at, clock
from orchestration.nba.games import FINAL, Game, named
from orchestration.vocabulary.workflows import Workflow
from orchestration.words import Outcome, few, plural

NO_DATA_SUSPICIOUS = 0.8
"""A scraper with this share of no_data among its calls of the day is reported (lesson K2)."""
ENOUGH_CALLS = 3
SURELY_OVER = timedelta(hours=3)
"""A game is final in every source this long after its data was due."""
ENOUGH_GAMES = 2
NOT_CALLED = "not called"
REPUBLISHED = timedelta(minutes=100)
"""After this time a file should be in its table: the cleanup finds a lost message within 90 minutes."""


def lacking(config: Config, facts: DayFacts, *, critical_only: bool) -> dict[Game, tuple[str, ...]]:
    """Return the day's games that are not collected, each with the scrapers that lack it (lesson K6).

    Only scrapers of the post-game windows count. :mod:`orchestration.decisions.collected` defines *collected*.
    """
    scrapers = wanted(config, facts, critical_only=critical_only)
    successes = successes_of(facts.calls)
    found = {game: still_lacking(config, scrapers, game, successes) for game in facts.schedule.on(facts.day)}
    return {game: scrapers for game, scrapers in found.items() if scrapers}


def not_in_table(config: Config, facts: DayFacts, *, critical_only: bool) -> dict[Game, tuple[str, ...]]:
    """Return the day's games that are collected but not in their tables, each with the scrapers.

    Only a table whose games are known now counts (``game_column``).
    """
    without = lacking(config, facts, critical_only=False)
    found: dict[Game, list[str]] = {}
    for scraper in wanted(config, facts, critical_only=critical_only):
        model = config.scrapers[scraper]
        there = facts.in_tables.get(model.processed_in or "")
        if there is None or model.game_column is None:
            continue
        for game in facts.schedule.on(facts.day):
            if game.game_id not in there and scraper not in without.get(game, ()):
                found.setdefault(game, []).append(scraper)
    return {game: tuple(scrapers) for game, scrapers in found.items()}


def stop_of(config: Config, facts: DayFacts, game: Game, scraper: str) -> str:
    """Return where the box score of a game that is not in stops: at the call, at its answer, or after its file."""
    about = [
        call
        for call in facts.calls
        if call.scraper_name == scraper and (call.game_id or call.target_date) in (game.game_id, game.date)
    ]
    if any(brings(config, scraper, game, call) for call in about):
        return f"file written, but not in {config.scrapers[scraper].processed_in}"
    after_due = [call for call in about if call.tick >= game.due]
    if not after_due:
        return NOT_CALLED
    last = max(after_due, key=lambda call: (call.tick, call.try_number))
    return {Outcome.NO_DATA: "called and empty", Outcome.FAILED: "failed"}.get(last.status, "partial")


def stops(config: Config, facts: DayFacts, now: datetime) -> dict[str, int]:
    """Return how many of the games that are due stop where, by the first critical scraper that lacks each."""
    collected = lacking(config, facts, critical_only=True)
    found = not_in_table(config, facts, critical_only=True) | collected
    due = [game for game in facts.schedule.on(facts.day) if game in found and game.due <= now]
    return dict(Counter(stop_of(config, facts, game, found[game][0]) for game in due))


def games_not_in_tables(config: Config, facts: DayFacts, now: datetime) -> Iterator[Finding]:
    """Yield the box scores that are written but not in their tables, once a lost message is surely sent again."""
    late: dict[str, list[Game]] = {}
    for game, scrapers in not_in_table(config, facts, critical_only=False).items():
        for scraper in scrapers:
            written = [call.triggered_at for call in facts.calls if brings(config, scraper, game, call)]
            if after(min(written), REPUBLISHED) <= now:
                late.setdefault(scraper, []).append(game)
    for scraper, games in sorted(late.items()):
        yield finding(
            kinds.GAMES_NOT_IN_TABLE,
            next(name for name, w in _calling(config).items() if scraper in w.execution_plan.scrapers),
            detail=scraper,
            scraper=scraper,
            critical=config.scrapers[scraper].critical,
            table=config.scrapers[scraper].processed_in,
            lacking=len(games),
            games=plural(len(facts.schedule.on(facts.day)), "game"),
            which=few([game.label for game in games], counted=False),
            day=facts.day,
        )


def wanted(config: Config, facts: DayFacts, *, critical_only: bool) -> tuple[str, ...]:
    """Return the scrapers of the day's post-game windows, each of which must collect each game."""
    found = {
        scraper: None
        for name, workflow in config.enabled.items()
        if isinstance(workflow, PostGameWorkflow) and not config.is_shadow(name) and not config.halt_on(facts.day, name)
        for scraper in scrapers_about_games(config, name, critical_only=critical_only)
    }
    return tuple(found)


def unusable_rows(facts: DayFacts) -> Iterator[Finding]:
    """Yield one finding for the rows of the schedule, up to the day, that no decision can use."""
    # Later rows may lack the teams of a play-in or the tips of a playoff.
    if rows := [row for row in facts.schedule.unusable if row.date is None or row.date <= facts.day]:
        what = f"{plural(len(rows), 'row')} of the schedule {'is' if len(rows) == 1 else 'are'}"
        yield finding(kinds.UNUSABLE_ROWS, "schedule_dependency", rows=what, which="; ".join(named(rows)))


def frozen_schedule(facts: DayFacts) -> Iterator[Finding]:
    """Yield a schedule that has no result of the last night that was over when it was refreshed."""
    refreshed = facts.schedule.refreshed_at
    if refreshed is None:
        return
    days = [facts.day - timedelta(days=back) for back in range(4)]
    for day in days:
        # The winning row may come from the older source, so its own processed_at counts.
        over = [
            game for game in facts.schedule.on(day) if after(game.due, SURELY_OVER) <= (game.processed_at or refreshed)
        ]
        if len(over) < ENOUGH_GAMES:
            continue
        if all(game.status != FINAL for game in over):
            when = f"{refreshed:%a} {clock(refreshed)}"
            yield finding(kinds.SCHEDULE_FROZEN, "schedule_dependency", refreshed=when, games=len(over), night=day)
        return


def misdated_tips(facts: DayFacts) -> Iterator[Finding]:
    """Yield the day's tips outside their game date, which count as unknown (lesson A7)."""
    games = facts.schedule.on(facts.day)
    wrong = [game for game in games if game.misdated]
    if wrong:
        yield finding(
            kinds.MISDATED_TIPS,
            "schedule_dependency",
            wrong=len(wrong),
            tips=len(games),
            day=facts.day,
            game=wrong[0].label,
        )


def incomplete_games(config: Config, facts: DayFacts, now: datetime) -> Iterator[Finding]:
    """Yield the games that are due and incomplete once the night's last post-game window is over."""
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
        scrapers=few(scrapers),
        stop="" if (stop := stop_of(config, facts, game, scrapers[0])) == NOT_CALLED else f" ({stop})",
        again="" if again is None else f". reconcile fetches them again at {clock(again)} ET",
        day=facts.day,
    )


def reconciles(config: Config, day: date) -> list[datetime]:
    """Return the times of the scheduled reconcile on the day after ``day``."""
    return config.reconcile_ticks.between(*config.day_bounds(day + timedelta(days=1)))


def repairs_until(config: Config, day: date) -> datetime | None:
    """Return the last moment at which reconcile may fetch the games of ``day``, or None without a scheduled one."""
    return max((after(tick, GRACE) for tick in reconciles(config, day)), default=None)


def _calling(config: Config) -> dict[str, Workflow]:
    """Return the enabled workflows that make calls: all but shadows."""
    return {name: workflow for name, workflow in config.enabled.items() if not config.is_shadow(name)}


def night_is_over(config: Config, facts: DayFacts, now: datetime) -> bool:
    """Return whether the day's last post-game window is over and the system was on for it.

    Before that no game counts as missing. Without a post-game window no game counts as missing at all.
    """
    windows = [w.schedule.fixed_time for w in _calling(config).values() if isinstance(w, PostGameWorkflow)]
    if not windows:
        return False
    night = max(at(facts.day + timedelta(days=1 if wall < NOON else 0), wall) for wall in windows)
    start, _ = config.day_bounds(facts.day)
    return facts.since(start) <= night and now >= after(night, GRACE)


def mostly_no_data(config: Config, facts: DayFacts, known: Collection[str] = ()) -> Iterator[Finding]:
    """Yield the scrapers whose calls mostly found no data (lesson K2), unless that is usual or ``known`` already.

    Discoveries and workflows after the games are left out: their calls come before the data is there.
    """
    for name, workflow in config.enabled.items():
        if workflow.after_games or isinstance(workflow, DiscoveryWorkflow):
            continue
        for scraper in workflow.execution_plan.scrapers:
            outcomes = Counter(c.status for c in facts.calls if (c.workflow, c.scraper_name) == (name, scraper))
            empty, worked = outcomes[Outcome.NO_DATA], outcomes[Outcome.NO_DATA] + outcomes[Outcome.SUCCESS]
            if scraper in known or worked < ENOUGH_CALLS or empty / worked < NO_DATA_SUSPICIOUS:
                continue
            before = [a for a in facts.asked if (a.workflow, a.scraper_name) == (name, scraper)]
            usual = sum(one.found for one in before) / sum(one.calls for one in before) if before else 1
            if len({one.target_date for one in before}) < ENOUGH_DAYS or 1 - empty / worked < usual / 2:
                yield finding(kinds.MOSTLY_NO_DATA, scraper, caller=name, empty=empty, calls=worked, day=facts.day)
