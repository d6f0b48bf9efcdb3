"""What is wrong around us, as the last cleanup saw it: configuration, Airflow, the service, the clock. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from orchestration.config.model import Config
from orchestration.health.facts import DayFacts, SeenFact
from orchestration.health.findings import CLEANUP_PATIENCE, Finding, bad, script, worse
from orchestration.health.running import unexecuted
from orchestration.nba.eastern import clock, et, et_date
from orchestration.planning.day import day_bounds, rules_digest
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
    _, end = day_bounds(config, facts.day)
    broken = facts.broken_config if now < end else None
    here = [] if broken is None else [SeenFact(Around.CONFIG, "workflows.yaml", broken)]
    for seen in here:
        yield from _found(config, facts, seen, "", now)
    last = max((c for c in facts.cleanups if c.at < end), key=lambda cleanup: cleanup.at, default=None)
    if last is None or last.at < min(now, end) - CLEANUP_PATIENCE:
        return
    at = f"at {clock(last.at)} ET"
    for seen in last.seen:
        if seen.kind not in {one.kind for one in here} and not (halted and seen.kind in OF_RUNNING):
            yield from _found(config, facts, seen, at, now)


def _found(config: Config, facts: DayFacts, seen: SeenFact, at: str, now: datetime) -> Iterator[Finding]:
    command = script("check_system_status", facts.day)
    match seen.kind:
        case Around.CONFIG:
            text = f"{seen.about} is broken and not in force, the last good one is: {seen.text}"
            yield bad("config_broken", "workflows.yaml", text, "python -m orchestration validate")
        case Around.OUTBOX if seen.text.startswith(UNWRITABLE):
            text = f"the outbox {at} {seen.text}: rows go to BigQuery at once, and are lost if it does not take them"
            yield worse("outbox_unwritable", "outbox", text, command)
        case Around.OUTBOX:
            text = f"BigQuery does not take our rows {at}, they wait in the outbox: {seen.text}"
            yield bad("rows_not_taken", "outbox", text, command)
        case Around.COMPONENT:
            text = f"Airflow's {seen.about} is dead {at}: {seen.text}"
            yield bad("airflow_part_dead", seen.about, text, "airflow jobs check --limit 10 --allow-multiple")
        case Around.WAITING:
            workflow, _, tasks = seen.text.partition(": ")
            if _stands_still(config, facts, workflow, seen.about, now):
                text = f"the pool {seen.about} is full {at}: {tasks} tasks of {workflow} wait for a slot"
                yield bad("pool_full", seen.about, text, "airflow pools list")
        case Around.PAUSED:
            text = f"the DAG {seen.about} is paused {at}"
            yield bad("dag_paused", seen.about, text, f"airflow dags unpause {seen.about}")
        case Around.SERVICE:
            text = f"the scraper service cannot be reached {at}: {seen.text}"
            yield bad("service_down", "scraper_service", text, command)
        case Around.UNKNOWN_SCRAPER:
            text = f"the scraper service does not know every scraper {at}; was it deployed anew? {seen.text}"
            yield bad("unknown_scraper", "scraper_service", text, "python -m orchestration init")
        case Around.CLOCK:
            text = f"the clock of {seen.about} is off {at}: {seen.text}"
            yield worse("clock_off", "cleanup", text, command)


def _stands_still(config: Config, facts: DayFacts, workflow: str, pool: str, now: datetime) -> bool:
    """Return whether a RUN should have made calls in a pool by now and nobody has made one since: a busy pool moves."""
    grace = timedelta(minutes=config.settings.execution_delay_minutes) + CALLS_GRACE
    runs = {decision.tick for decision in unexecuted(facts, now, grace) if decision.workflow == workflow}
    scrapers = {name for name, scraper in config.scrapers.items() if (scraper.pool or DEFAULT_POOL) == pool}
    moved = max((call.at or call.tick for call in facts.calls if call.scraper in scrapers), default=None)
    return any(moved is None or moved < tick for tick in runs)


def changed(config: Config, facts: DayFacts, now: datetime) -> Iterator[Finding]:
    """Rules that are others than those by which the day was locked: what was expected need not happen any more."""
    _, end = day_bounds(config, facts.day)
    if now >= end or facts.locked_at is None:
        return
    ticks: dict[str, list[datetime]] = {}
    for run in facts.expected:
        there = run.workflow in config.enabled
        if run.rules is not None and (not there or rules_digest(config, run.workflow) != run.rules):
            ticks.setdefault(run.workflow, []).append(run.tick)
    for name, expected in sorted(ticks.items()):
        says = (
            config.workflows[name].in_words(config.settings) if name in config.enabled else "It is not there any more."
        )
        text = (
            f"workflows.yaml was changed after the lock of {clock(facts.locked_at)} ET: {name} was expected at "
            f"{', '.join(clock(tick) for tick in sorted(expected))} ET by other rules. Now: {says} If that is meant, "
            "lock the day again"
        )
        yield worse("rules_changed", name, text, "airflow dags trigger schedule_locker --conf '{\"force\": true}'")


def forgotten(config: Config, facts: DayFacts, now: datetime) -> Iterator[Finding]:
    """Halts that are over and still stand in workflows.yaml: what they were for may not be over (lesson C10)."""
    if now >= day_bounds(config, facts.day)[1]:
        return
    if config.settings.halt is not None and config.settings.halt.holds_at(now, et_date(now)):
        return
    halts = [("all", config.settings.halt), *((name, workflow.halt) for name, workflow in config.enabled.items())]
    for name, halt in halts:
        if halt is not None and not halt.holds_at(now, et_date(now)):
            what = "everything" if name == "all" else name
            until = halt.until
            over = f"{et(until):%a %d %b %H:%M} ET" if isinstance(until, datetime) else f"{until:%a %d %b %Y}"
            text = (
                f"the halt of {what} ended with {over} and was forgotten: it runs again, and workflows.yaml still has "
                f"the halt ({halt.reason}). Remove it, or give it another end"
            )
            yield worse("halt_forgotten", name, text, "python -m orchestration describe")
