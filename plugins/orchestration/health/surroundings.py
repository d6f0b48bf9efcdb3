"""Findings about the surroundings: configuration, outbox, Airflow, pools, the service, the clock, the cleanup. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from itertools import takewhile

from orchestration.config import Config
from orchestration.health import kinds
from orchestration.health.facts import DayFacts
from orchestration.health.findings import CLEANUP_PATIENCE, GRACE, MORNING, UNWRITABLE, Finding, finding
from orchestration.health.running import unexecuted
from orchestration.nba.eastern import after, clock, et
from orchestration.planning.day import calls_digest, rules_digest
from orchestration.records.tables import ExpectedRun, Seen
from orchestration.words import Surrounding, plural

NO_FILE = "name no file"
"""These words mark the cleanup's alert about calls without a file name (lesson A2). Stored rows hold them."""
CALLS_GRACE = timedelta(minutes=10)
"""From the end of a tick's hold (``execution_delay_minutes``) until its first call must have been made."""
DEFAULT_POOL = "default_pool"
"""Airflow's own pool, for scrapers without one."""
OF_RUNNING = frozenset({Surrounding.SERVICE, Surrounding.UNKNOWN_SCRAPER, Surrounding.WAITING, Surrounding.PAUSED})
"""Faults that cost nothing while everything is halted."""
SEEN_AS = {
    Surrounding.CONFIG: kinds.CONFIG_BROKEN,
    Surrounding.OUTBOX: kinds.ROWS_NOT_TAKEN,
    Surrounding.COMPONENT: kinds.AIRFLOW_PART_DEAD,
    Surrounding.PAUSED: kinds.DAG_PAUSED,
    Surrounding.SERVICE: kinds.SERVICE_DOWN,
    Surrounding.UNKNOWN_SCRAPER: kinds.UNKNOWN_SCRAPER,
    Surrounding.CLOCK: kinds.CLOCK_OFF,
    Surrounding.TWICE: kinds.CALLED_TWICE,
    Surrounding.CHANNEL: kinds.CHANNEL_FAILING,
    Surrounding.HEARTBEAT: kinds.HEARTBEAT_FAILING,
}
"""The kind of finding for each kind of fault that a cleanup sees, unless the fault's text or the record decides."""


def seen_by_cleanup(config: Config, facts: DayFacts, now: datetime, *, halted: bool = False) -> Iterator[Finding]:
    """Yield the faults that the last cleanup saw, while its look is recent enough for the aware ``now``.

    ``halted``: whether everything is halted. A workflows.yaml that is broken now is no fault of a past day.
    """
    _, end = config.day_bounds(facts.day)
    broken = facts.broken_config if now < end else None
    if broken is not None:
        yield finding(kinds.CONFIG_BROKEN, "workflows.yaml", why=broken)
    before = (cleanup for cleanup in facts.cleanups if cleanup.cleanup_time < end)
    last = max(before, key=lambda cleanup: cleanup.cleanup_time, default=None)
    if last is None or last.cleanup_time < min(now, end) - CLEANUP_PATIENCE:
        return
    for seen in last.seen:
        known = broken is not None and seen.kind == Surrounding.CONFIG
        if not known and not (halted and seen.kind in OF_RUNNING):
            yield from _found(config, facts, seen, last.cleanup_time, now)


def _found(config: Config, facts: DayFacts, seen: Seen, at: datetime, now: datetime) -> Iterator[Finding]:
    """Yield the finding for the fault that the cleanup ``at`` has seen."""
    if seen.kind == Surrounding.WAITING:
        waiting, _, tasks = seen.text.partition(": ")
        if _stands_still(config, facts, waiting, seen.about, now):
            count = plural(int(tasks), "task")
            yield finding(kinds.POOL_FULL, seen.about, at=clock(at), tasks=count, waiting=waiting)
    elif seen.kind in SEEN_AS:
        unwritable = seen.kind == Surrounding.OUTBOX and seen.text.startswith(UNWRITABLE)
        kind = kinds.OUTBOX_UNWRITABLE if unwritable else SEEN_AS[seen.kind]
        workflow = "cleanup" if seen.kind == Surrounding.CLOCK else seen.about
        since = clock(_seen_since(facts, seen, at))
        yield finding(kind, workflow, about=seen.about, since=since, why=seen.text, day=facts.day)


def _seen_since(facts: DayFacts, seen: Seen, at: datetime) -> datetime:
    """Return the time of the first cleanup from which every cleanup up to ``at`` has seen this fault."""

    def same(other: Seen) -> bool:
        same_fault = other.text.startswith(UNWRITABLE) == seen.text.startswith(UNWRITABLE)
        return (other.kind, other.about) == (seen.kind, seen.about) and same_fault

    until = (cleanup for cleanup in facts.cleanups if cleanup.cleanup_time <= at)
    latest_first = sorted(until, key=lambda cleanup: cleanup.cleanup_time, reverse=True)
    with_it = takewhile(lambda cleanup: any(same(other) for other in cleanup.seen), latest_first)
    return min(cleanup.cleanup_time for cleanup in with_it)


def _stands_still(config: Config, facts: DayFacts, workflow: str, pool: str, now: datetime) -> bool:
    """Return whether a RUN should have made calls in the pool by now, and no call was made in the pool since.

    A pool that is only busy still makes calls.
    """
    grace = timedelta(minutes=config.settings.execution_delay_minutes) + CALLS_GRACE
    runs = {decision.tick for decision in unexecuted(facts, now, grace) if decision.workflow_name == workflow}
    scrapers = {name for name, scraper in config.scrapers.items() if (scraper.pool or DEFAULT_POOL) == pool}
    moved = max((call.triggered_at for call in facts.calls if call.scraper_name in scrapers), default=None)
    return any(moved is None or moved < tick for tick in runs)


def cleanup_problems(config: Config, facts: DayFacts, now: datetime) -> Iterator[Finding]:
    """Yield a missing cleanup and the problems of the last one. Files that the last one republished are no problem."""
    if not config.settings.cleanup_processor.enabled:
        return
    start, end = config.day_bounds(facts.day)
    due = config.cleanup_ticks.between(facts.since(start), min(end, after(now, -GRACE)))
    last = facts.last_cleanup
    if due and (last is None or last.cleanup_time < due[-1] - CLEANUP_PATIENCE):
        since = "today" if last is None else f"since {clock(last.cleanup_time)} ET"
        yield finding(kinds.NO_CLEANUP, "cleanup", since=since)
    if last is None:
        return
    at, day = clock(last.cleanup_time), facts.day
    blind = [error for error in last.errors if NO_FILE in error]
    if blind:
        yield finding(kinds.CLEANUP_BLIND, "cleanup", at=at, why=blind[0].removeprefix("blind: "), day=day)
    others = [error for error in last.errors if error not in blind]
    if last.missing_files_found > last.republished_count:
        missing, sent = last.missing_files_found, last.republished_count
        yield finding(
            kinds.FILES_MISSING, "cleanup", missing=missing, files=last.files_checked, republished=sent, at=at, day=day
        )
    elif others:
        yield finding(kinds.CLEANUP_SAYS, "cleanup", at=at, why=others[0], day=day)


def changed_rules(config: Config, facts: DayFacts, now: datetime) -> Iterator[Finding]:
    """Yield the workflows whose rules or calls changed after the day's lock: their expected runs may not happen."""
    _, end = config.day_bounds(facts.day)
    if now >= end or facts.locked_at is None:
        return
    runs: dict[str, list[ExpectedRun]] = {}
    for run in facts.expected:
        runs.setdefault(run.workflow_name, []).append(run)
    for name, expected in sorted(runs.items()):
        there, known = name in config.enabled, {run.rules for run in expected} - {None}
        other = _other_calls(max(run.calls or "" for run in expected), _calls_of(config, name))
        if known and (not there or known != {rules_digest(config, name)}):
            gone = f"none, the workflow is {'switched off' if name in config.workflows else 'not in the file'}."
            rule = config.workflows[name].in_words(config.settings) if there else gone
            times = ", ".join(clock(run.tick) for run in sorted(expected, key=lambda run: run.tick))
            what = f". The lock expects {name} at {times} ET, and these runs may not happen. The rule now: {rule}"
            yield finding(kinds.RULES_CHANGED, name, locked=clock(facts.locked_at), what=what)
        elif there and other:
            yield finding(kinds.RULES_CHANGED, name, locked=clock(facts.locked_at), what=f": {name} {other}.")


def changed_since_lock_before(config: Config, facts: DayFacts, now: datetime) -> Iterator[Finding]:
    """Yield, in the morning after, what changed between the lock before and the day's lock."""
    start, _ = config.day_bounds(facts.day)
    if facts.locked_at is not None and now < after(start, MORNING):
        for name, before, what in since_lock_before(config, facts):
            yield finding(kinds.RULES_SINCE, name, before=f"{before:%a %d %b}", what=what)


def since_lock_before(config: Config, facts: DayFacts) -> Iterator[tuple[str, date, str]]:
    """Yield each workflow whose rules or calls differ from those of the lock before, with its date and what changed.

    A workflow without games in the lock before is compared with the last lock that expected it.
    """
    newest = max((lock.date for lock in facts.locked_before), default=None)
    last = {lock.workflow_name: lock for lock in sorted(facts.locked_before, key=lambda lock: lock.date)}
    for name, lock in sorted(last.items()):
        today = [run for run in facts.expected if run.workflow_name == name]
        if not today and lock.date != newest:
            continue
        if not today and name not in config.enabled:
            runs = f"({plural(lock.runs, 'run')}, the first at {clock(lock.first)} ET)"
            yield name, lock.date, f"is no longer expected {runs}"
            continue
        rules = max((run.rules or "" for run in today), default=None)
        calls = max((run.calls or "" for run in today), default=None)
        what = _other_calls(lock.calls or "", _calls_of(config, name) if calls is None else calls)
        if rules is None:
            rules = rules_digest(config, name)
        if lock.rules and rules and lock.rules != rules and name in config.enabled:
            rule = config.workflows[name].in_words(config.settings).rstrip(".")
            what = " and ".join(filter(None, (f"has other rules ({rule})", what)))
        if what:
            yield name, lock.date, what


def _calls_of(config: Config, name: str) -> str:
    return calls_digest(config, name) if name in config.enabled else ""


def _other_calls(before: str, now: str) -> str:
    """Return in words how the calls differ from those before, or nothing. Each is a digest, or empty if unknown."""
    if not before or not now:
        return ""
    old, new = (dict(one.split("=") for one in text.split()) for text in (before, now))
    gone = sorted(old.keys() - new.keys())
    other = sorted(name for name in old.keys() & new.keys() if old[name] != new[name])
    said = (
        f"no longer calls {', '.join(gone)}" if gone else "",
        f"calls {', '.join(other)} with other parameters" if other else "",
    )
    return " and ".join(filter(None, said))


def forgotten_halts(config: Config, facts: DayFacts, now: datetime) -> Iterator[Finding]:
    """Yield the halts that are over and still stand in workflows.yaml: their reason may not be over (lesson C10)."""
    if now >= config.day_bounds(facts.day)[1] or config.halt_at(now) is not None:
        return
    halts = [("all", config.settings.halt), *((name, workflow.halt) for name, workflow in config.enabled.items())]
    for name, halt in halts:
        if halt is not None and not halt.holds_at(now):
            what = "everything" if name == "all" else name
            end = halt.until
            until = f"{et(end):%a %d %b %H:%M} ET" if isinstance(end, datetime) else f"{end:%a %d %b %Y}"
            yield finding(kinds.HALT_FORGOTTEN, name, what=what, until=until, reason=halt.reason)
