"""Findings about the lock of the day, and about the slate that it kept. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from orchestration.config import LOCKER, Config
from orchestration.health import kinds, record
from orchestration.health.facts import DayFacts
from orchestration.health.findings import Finding, finding
from orchestration.nba.eastern import after, clock
from orchestration.nba.slate import Changes, LockedGame, postponed_dates, usual_games
from orchestration.records.tables import ExpectedRun
from orchestration.words import Action, Surrounding, few, plural

LOCK_GRACE = timedelta(minutes=15)
"""From the lock's tick until the day must be locked."""
AT_ONCE = 2
"""From this many postponed games of a date, or dates, they count as postponed together."""
SCHEDULE, FORCED = "schedule_dependency", "forced"


def missing_lock(config: Config, facts: DayFacts, now: datetime) -> Iterator[Finding]:
    """Yield a missing lock, unless the system was switched on after its time."""
    start, _ = config.day_bounds(facts.day)
    if not config.settings.daily_schedule_lock.enabled or facts.since(start) > start:
        return
    if facts.expected or now < after(start, LOCK_GRACE) or record.gap(config, facts, now, ExpectedRun.TABLE):
        return
    games, last = facts.schedule.on(facts.day), facts.last_cleanup
    if not games:
        yield finding(kinds.NOT_LOCKED, LOCKER, day=facts.day)
        return
    check = "Check whether the DAG schedule_locker is paused"
    if (
        last
        and last.cleanup_time >= start
        and not any((s.kind, s.about) == (Surrounding.PAUSED, LOCKER) for s in last.seen)
    ):
        check = "schedule_locker is not paused: its run failed, it locked nothing, or its rows were deleted"
    yield finding(kinds.GAMES_NOT_LOCKED, LOCKER, day=facts.day, games=plural(len(games), "game"), check=check)


def partly_locked(config: Config, facts: DayFacts, since: Changes | None) -> Iterator[Finding]:
    """Yield a lock that lacks workflows which ran by their rules.

    A workflow may also run unexpected because games appeared or tips moved. That is no fault of the lock.
    """
    if facts.locked_at is None or (since and (since.appeared or since.tips)):
        return
    locked = {run.workflow_name for run in facts.expected}
    ran = {
        decision.workflow_name
        for decision in facts.decisions
        if decision.action is Action.RUN and decision.rule != FORCED and decision.tick >= facts.locked_at
    }
    if missing := (ran - locked).intersection(config.enabled):
        named, lacking = (few(sorted(names)) for names in (locked, missing))
        yield finding(kinds.PARTLY_LOCKED, LOCKER, locked=clock(facts.locked_at), named=named, missing=lacking)


def changed_slate(facts: DayFacts, since: Changes | None) -> Iterator[Finding]:
    """Yield the games that vanished since the lock without a trace, and those that appeared (lesson F1)."""
    if since is None:
        return
    if since.vanished:
        yield finding(kinds.SLATE_VANISHED, SCHEDULE, games=since.fault)
    if since.appeared:
        kind = kinds.SLATE_APPEARED if since.lock.games else kinds.LOCKED_EMPTY
        games = plural(len(since.appeared), "game")
        which = ", ".join(LockedGame(game.game_id, game.code).label for game in since.appeared)
        locked = clock(since.lock.locked_at)
        yield finding(kind, LOCKER, games=games, day=facts.day, locked=locked, which=which)


def no_games_left(facts: DayFacts, since: Changes | None) -> Iterator[Finding]:
    """Yield games that are postponed together, and a day without games that usually has some (lesson F1)."""
    postponed = postponed_dates(facts.schedule, facts.day)
    today = len(postponed.get(facts.day, ())) >= AT_ONCE
    if today or len(postponed) >= AT_ONCE:
        dates = [facts.day] if today and len(postponed) == 1 else list(postponed)
        games = sum(len(postponed[day]) for day in dates)
        named = f"{dates[0]}" if len(dates) == 1 else f"{len(dates)} dates, from {dates[0]} to {dates[-1]}"
        yield finding(kinds.SLATE_POSTPONED, SCHEDULE, dates=named, games=plural(games, "game"))
    if (since is None or not since.games) and (usual := usual_games(facts.schedule, facts.day)):
        yield finding(kinds.SLATE_MISSING, SCHEDULE, day=f"{facts.day:%a %d %b %Y}", usual=usual)
