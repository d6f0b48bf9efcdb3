"""Findings that explain others: BigQuery, the scraper service, a source, the handoff. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import date, datetime, timedelta

from orchestration.config import Config
from orchestration.decisions.model import HISTORY_UNREADABLE
from orchestration.health import kinds
from orchestration.health.data import REPUBLISHED
from orchestration.health.facts import DayFacts
from orchestration.health.findings import FOLLOWED, Finding, finding
from orchestration.health.incidents import (
    BROKEN_OFF,
    NOT_JSON,
    NOT_SET_UP,
    OF_THE_SERVICE,
    SERVICE,
    UNKNOWN,
    UNREACHABLE,
    error_group,
    source_of,
)
from orchestration.health.running import standing_aborts, standing_failures
from orchestration.nba.eastern import after, clock, et_date, from_to
from orchestration.records.tables import KILLED, CallRecord, CleanupRecord, last_tries
from orchestration.runs.execution import for_people
from orchestration.words import PLATFORM, ExecutionStatus, KeptPaths, NoAnswer, Outcome, brief, few, plural

SERVICE_IN_WORDS = {
    UNREACHABLE: "the service is unreachable",
    NOT_SET_UP: "the connection scraper_service does not exist or contradicts itself",
    BROKEN_OFF: "the answer breaks off in the middle",
    UNKNOWN: "the service does not know the scraper; check whether a new version was deployed",
    PLATFORM: "something else answers in place of the service",
    NOT_JSON: "something else answers in place of the service",
    KILLED: "the calls were stopped: a process died, or a person set their state",
}
IN_WORDS = {
    "blocked": "blocks us (HTTP 403)",
    "rate_limited": "limits our rate (HTTP 429)",
    "timeout": "does not answer in time",
    # The service's own error after eight tries without a readable answer (lesson A5).
    "DownloadDecodeMaxRetryException": "blocks us or answers nonsense",
}
"""What an error type means. The finding also names the error type."""
ENOUGH_FILES = 3
ENOUGH_CALLS = 3
SILENT_DAYS = 2
"""A source counts as silent on the day after this many days without data."""


def causes(config: Config, facts: DayFacts) -> Iterator[Finding]:
    """Yield the findings that explain others."""
    yield from _bigquery(config, facts)
    yield from _sources(config, facts)
    yield from _late(config, facts)
    yield from _silent(config, facts)
    yield from _handoff(config, facts)


def _bigquery(config: Config, facts: DayFacts) -> Iterator[Finding]:
    unread = [d for d in standing_aborts(config, facts) if d.rule == HISTORY_UNREADABLE]
    if len({d.workflow_name for d in unread}) < 2:
        return
    ticks = sorted({d.tick for d in unread})
    when = from_to(ticks[0], ticks[-1])
    why = next((why for why in NoAnswer if why.value in unread[-1].reason), NoAnswer.DOWN)
    more = "" if why is NoAnswer.DOWN else f". BigQuery said: {brief(unread[-1].reason.partition(f'{why.value}: ')[2])}"
    yield finding(kinds.BIGQUERY_DOWN, "all", why=why.value, when=when, aborts=len(unread), more=more, day=facts.day)


def in_words(short: str) -> str:
    """Return the meaning of each error type of failed calls, then the execution's short text about these calls."""
    known = {**SERVICE_IN_WORDS, **{kind: f"the source {says}" for kind, says in IN_WORDS.items()}}
    meant = [says for kind, says in known.items() if f": {kind}" in short]
    return ": ".join(filter(None, ("; ".join(meant), for_people(short))))


def failed_calls(config: Config, facts: DayFacts) -> list[CallRecord]:
    """Return the last tries of failed calls, unless a later execution made up for theirs."""
    runs = {(e.workflow_name, e.tick) for e in standing_failures(config, facts)}
    return [c for c in last_tries(facts.calls) if c.status is Outcome.FAILED and (c.workflow, c.tick) in runs]


def _sources(config: Config, facts: DayFacts) -> Iterator[Finding]:
    """Yield one finding for each error type of the service, and one for each source and error type."""
    failed = failed_calls(config, facts)
    lost = any(e.status is ExecutionStatus.FAILED for e in standing_failures(config, facts))
    for error, kind in OF_THE_SERVICE.items():
        if calls := [call for call in failed if error_group(call.error_type) == error]:
            # Both kinds have the id service_down. The detail makes a missing connection a finding of its own.
            detail = NOT_SET_UP if error == NOT_SET_UP else ""
            yield finding(kind, SERVICE, detail=detail, critical=lost, calls=_calls(calls), day=facts.day)
    groups: dict[tuple[str, str], list[CallRecord]] = defaultdict(list)
    for call in failed:
        if error_group(call.error_type) not in OF_THE_SERVICE:
            groups[source_of(config, call.scraper_name), call.error_type or "failed"].append(call)
    for (source, error), calls in sorted(groups.items(), key=lambda item: -len(item[1])):
        fails = "failed once" if len(calls) == 1 else IN_WORDS.get(error, "fails")
        yield finding(
            kinds.SOURCE_FAILING, source, critical=lost, fails=fails, calls=_calls(calls), error=error, day=facts.day
        )


def _calls(calls: list[CallRecord]) -> str:
    scrapers = sorted({call.scraper_name for call in calls})
    names = few(scrapers, counted=False)
    return f"{plural(len(calls), 'call')} of {names} failed since {clock(min(c.tick for c in calls))} ET"


def _late(config: Config, facts: DayFacts) -> Iterator[Finding]:
    """Yield the sources whose scrapers found none of the games that are due."""
    games = {game.game_id: game for game in facts.schedule.on(facts.day)}
    asked: dict[str, dict[str, bool]] = defaultdict(dict)
    for call in facts.calls:
        game = games.get(call.game_id or "")
        if game is not None and call.tick >= game.due and call.status is not Outcome.FAILED:
            found = asked[call.scraper_name].get(game.game_id, False)
            asked[call.scraper_name][game.game_id] = found or call.status is Outcome.SUCCESS
    late: dict[str, list[str]] = defaultdict(list)
    for scraper, found_of in asked.items():
        if len(found_of) >= ENOUGH_CALLS and not any(found_of.values()):
            late[source_of(config, scraper)].append(scraper)
    # The source that most scrapers wait for comes first.
    for source, scrapers in sorted(late.items(), key=lambda item: (-len(item[1]), item[0])):
        count = max(len(asked[scraper]) for scraper in scrapers)
        names = few(sorted(scrapers))
        yield finding(kinds.SOURCE_LATE, source, scrapers=names, games=count, day=facts.day)


def _silent(config: Config, facts: DayFacts) -> Iterator[Finding]:
    """Yield the scrapers that found data earlier, but nothing today and on the days before."""
    last: dict[str, datetime] = {}
    days: dict[str, dict[date, bool]] = defaultdict(dict)
    for fact in facts.asked:
        of = days[fact.scraper_name]
        of[fact.target_date] = of.get(fact.target_date, False) or fact.found > 0
        if fact.found:
            last[fact.scraper_name] = max(fact.tick, last.get(fact.scraper_name, fact.tick))
    for scraper, before in sorted(last.items()):
        quiet_days = [day for day, found in days[scraper].items() if not found and day > et_date(before)]
        outcomes = [c.status for c in facts.calls if c.scraper_name == scraper and c.status is not Outcome.FAILED]
        quiet = len(outcomes) >= ENOUGH_CALLS and set(outcomes) == {Outcome.NO_DATA}
        if quiet and len(quiet_days) >= SILENT_DAYS:
            since, source = f"{before:%a %d %b} {clock(before)}", source_of(config, scraper)
            yield finding(kinds.SOURCE_SILENT, scraper, source=source, calls=len(outcomes), since=since, day=facts.day)


def _handoff(config: Config, facts: DayFacts) -> Iterator[Finding]:
    """Yield why files do not reach their tables: a missing table, Pub/Sub, or Phase 2."""
    last = facts.last_cleanup
    unsent: list[str] = []
    if last is not None:
        gone = [error for error in last.errors if NoAnswer.GONE.value in error]
        if gone:
            yield finding(kinds.TABLE_GONE, "phase2", at=clock(last.cleanup_time), why=gone[0], day=facts.day)
        unsent = [error for error in last.errors if "not published" in error]
        if unsent:
            yield finding(kinds.CANNOT_PUBLISH, "cleanup", why=unsent[0], day=facts.day)
    yield from _undelivered(config, facts, can_publish=not unsent)


def _undelivered(config: Config, facts: DayFacts, *, can_publish: bool) -> Iterator[Finding]:
    """Yield the files that Phase 2 does not deliver. It is over when they arrived, not when they are old (F2)."""
    left, last = facts.open_files(config.day_bounds(facts.day)[1]), facts.last_look
    silent = can_publish and last is not None and last.missing_files_found >= ENOUGH_FILES
    if silent and last is not None and (_nothing_arrives(config, facts, last) or _in_vain(facts, last)):
        yield finding(
            kinds.PHASE2_SILENT,
            "phase2",
            missing=last.missing_files_found,
            files=last.files_checked,
            at=clock(last.cleanup_time),
            minutes=last.oldest_missing_minutes,
            more=f". {plural(len(left), 'older file')} never arrived" if left else "",
            day=facts.day,
        )
    elif left:
        since, end = left[0].triggered_at, after(left[0].triggered_at, FOLLOWED)
        yield finding(
            kinds.PHASE2_OWES,
            "phase2",
            files=plural(len(left), "file"),
            scrapers=few(sorted({file.scraper_name for file in left})),
            since=f"{since:%a %d %b} {clock(since)}",
            which=few([file.gcs_path for file in left]),
            end=f"{end:%a %d %b}",
            day=facts.day,
        )


def _nothing_arrives(config: Config, facts: DayFacts, last: CleanupRecord) -> bool:
    return last.missing_files_found == last.files_checked or _none_since(config, facts, last)


def _in_vain(facts: DayFacts, last: CleanupRecord) -> bool:
    """Return whether enough old files are still missing although an earlier cleanup republished them.

    After a gap a cleanup finds old files that no cleanup has republished yet: these do not count. The day's first
    cleanup has no earlier one to compare with, so all its files count.
    """
    before = {
        file.gcs_path
        for cleanup in facts.cleanups
        if cleanup.cleanup_time < last.cleanup_time
        for file in cleanup.missing_files
    }
    first = all(cleanup.cleanup_time >= last.cleanup_time for cleanup in facts.cleanups)
    new = set() if first else {file.gcs_path for file in last.missing_files} - before
    return (
        timedelta(minutes=last.oldest_missing_minutes) >= REPUBLISHED
        and last.missing_files_found - len(new) >= ENOUGH_FILES
    )


def _none_since(config: Config, facts: DayFacts, last: CleanupRecord) -> bool:
    """Return whether no file has arrived since the oldest missing file was written."""
    waiting = {file.gcs_path for file in last.missing_files}
    since = after(last.cleanup_time, -timedelta(minutes=last.oldest_missing_minutes + 1))
    until = after(last.cleanup_time, -timedelta(minutes=config.settings.cleanup_processor.min_file_age_minutes))
    kept = {n for n, s in config.scrapers.items() if s.traceable and s.keeps_paths is KeptPaths.ALL}
    files = {
        c.gcs_path for c in facts.calls if c.gcs_path and c.scraper_name in kept and since <= c.triggered_at <= until
    }
    return bool(files) and files <= waiting
