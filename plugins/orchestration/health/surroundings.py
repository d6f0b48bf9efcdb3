"""What is wrong around us, as the last cleanup saw it: configuration, Airflow, the service, the clock. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from orchestration.config import Config
from orchestration.health import kinds
from orchestration.health.facts import DayFacts
from orchestration.health.findings import CLEANUP_PATIENCE, Finding, finding
from orchestration.health.running import unexecuted
from orchestration.nba.eastern import clock, et
from orchestration.planning.day import rules_digest
from orchestration.records.tables import Seen
from orchestration.words import Around

CALLS_GRACE = timedelta(minutes=10)
"""From the end of a tick's wait (``execution_delay_minutes``) until the first of its calls must have been made."""
DEFAULT_POOL = "default_pool"
"""Airflow's own."""
UNWRITABLE = "cannot be written"
"""What the outbox is when it takes no files; the cleanup begins with it what it saw."""
OF_RUNNING = frozenset({Around.SERVICE, Around.UNKNOWN_SCRAPER, Around.WAITING, Around.PAUSED})
"""What is nobody's loss while everything is halted."""


def around(config: Config, facts: DayFacts, now: datetime, *, halted: bool = False) -> Iterator[Finding]:
    """Yield what was not as it should be when the cleanup last looked, while that says something about ``now``.

    ``halted``: everything is. A file that is broken now is nothing of a day that is over.
    """
    _, end = config.day_bounds(facts.day)
    broken = facts.broken_config if now < end else None
    here = [] if broken is None else [Seen(kind=Around.CONFIG, about="workflows.yaml", text=broken)]
    for seen in here:
        yield from _found(config, facts, seen, "", now)
    last = max(
        (c for c in facts.cleanups if c.cleanup_time < end), key=lambda cleanup: cleanup.cleanup_time, default=None
    )
    if last is None or last.cleanup_time < min(now, end) - CLEANUP_PATIENCE:
        return
    at = f"at {clock(last.cleanup_time)} ET"
    for seen in last.seen:
        if seen.kind not in {one.kind for one in here} and not (halted and seen.kind in OF_RUNNING):
            yield from _found(config, facts, seen, at, now)


def _found(config: Config, facts: DayFacts, seen: Seen, at: str, now: datetime) -> Iterator[Finding]:
    said: dict[str, Any] = {"about": seen.about, "at": at, "why": seen.text, "day": facts.day}
    match seen.kind:
        case Around.CONFIG:
            yield finding(kinds.CONFIG_BROKEN, "workflows.yaml", **said)
        case Around.OUTBOX if seen.text.startswith(UNWRITABLE):
            yield finding(kinds.OUTBOX_UNWRITABLE, "outbox", **said)
        case Around.OUTBOX:
            yield finding(kinds.ROWS_NOT_TAKEN, "outbox", **said)
        case Around.COMPONENT:
            yield finding(kinds.AIRFLOW_PART_DEAD, seen.about, **said)
        case Around.WAITING:
            waiting, _, tasks = seen.text.partition(": ")
            if _stands_still(config, facts, waiting, seen.about, now):
                yield finding(kinds.POOL_FULL, seen.about, at=at, tasks=tasks, waiting=waiting)
        case Around.PAUSED:
            yield finding(kinds.DAG_PAUSED, seen.about, **said)
        case Around.SERVICE:
            yield finding(kinds.SERVICE_DOWN, "scraper_service", **said)
        case Around.UNKNOWN_SCRAPER:
            yield finding(kinds.UNKNOWN_SCRAPER, "scraper_service", **said)
        case Around.CLOCK:
            yield finding(kinds.CLOCK_OFF, "cleanup", **said)


def _stands_still(config: Config, facts: DayFacts, workflow: str, pool: str, now: datetime) -> bool:
    """Return whether a RUN should have made calls in a pool by now and nobody has made one since: a busy pool moves."""
    grace = timedelta(minutes=config.settings.execution_delay_minutes) + CALLS_GRACE
    runs = {decision.tick for decision in unexecuted(facts, now, grace) if decision.workflow_name == workflow}
    scrapers = {name for name, scraper in config.scrapers.items() if (scraper.pool or DEFAULT_POOL) == pool}
    moved = max((call.triggered_at for call in facts.calls if call.scraper_name in scrapers), default=None)
    return any(moved is None or moved < tick for tick in runs)


def changed(config: Config, facts: DayFacts, now: datetime) -> Iterator[Finding]:
    """Rules that are others than those by which the day was locked: what was expected need not happen any more."""
    _, end = config.day_bounds(facts.day)
    if now >= end or facts.locked_at is None:
        return
    ticks: dict[str, list[datetime]] = {}
    for run in facts.expected:
        there = run.workflow_name in config.enabled
        if run.rules is not None and (not there or rules_digest(config, run.workflow_name) != run.rules):
            ticks.setdefault(run.workflow_name, []).append(run.tick)
    for name, expected in sorted(ticks.items()):
        rule = (
            config.workflows[name].in_words(config.settings) if name in config.enabled else "It is not there any more."
        )
        times = ", ".join(clock(tick) for tick in sorted(expected))
        yield finding(kinds.RULES_CHANGED, name, locked=clock(facts.locked_at), times=times, rule=rule)


def forgotten(config: Config, facts: DayFacts, now: datetime) -> Iterator[Finding]:
    """Halts that are over and still stand in workflows.yaml: what they were for may not be over (lesson C10)."""
    if now >= config.day_bounds(facts.day)[1]:
        return
    if config.halt_at(now) is not None:
        return
    halts = [("all", config.settings.halt), *((name, workflow.halt) for name, workflow in config.enabled.items())]
    for name, halt in halts:
        if halt is not None and not halt.holds_at(now):
            what = "everything" if name == "all" else name
            until = halt.until
            over = f"{et(until):%a %d %b %H:%M} ET" if isinstance(until, datetime) else f"{until:%a %d %b %Y}"
            yield finding(kinds.HALT_FORGOTTEN, name, what=what, until=over, reason=halt.reason)
