"""The most likely causes: what many findings have in common, named first. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from orchestration.config.model import Config
from orchestration.health.facts import CallFact, DayFacts
from orchestration.health.findings import Finding, bad, script, worse
from orchestration.health.running import standing_aborts, standing_failures
from orchestration.nba.eastern import clock
from orchestration.words import ExecutionStatus, Outcome

UNREACHABLE = "connection"
IN_WORDS = {
    "blocked": "blocks us (HTTP 403)",
    "rate_limited": "limits our rate (HTTP 429)",
    "timeout": "does not answer in time",
    # The real service's word for "I have tried eight times, and what came could not be read" (lesson A5).
    "DownloadDecodeMaxRetryException": "blocks us or answers nonsense",
}
"""What a kind of error means, for somebody half awake; the kind itself stands after it."""
ENOUGH_FILES = 3
REPUBLISHED_IN_VAIN_MINUTES = 100
"""A lost message is found within 90 minutes of its file; a file that is missing after that was republished in vain."""


def causes(config: Config, facts: DayFacts) -> Iterator[Finding]:
    """Yield what explains the other findings."""
    yield from _bigquery(config, facts)
    yield from _sources(config, facts)
    yield from _handoff(facts)


def _bigquery(config: Config, facts: DayFacts) -> Iterator[Finding]:
    unread = [d for d in standing_aborts(config, facts) if d.rule == "history_unreadable"]
    if len({d.workflow for d in unread}) < 2:
        return
    ticks = sorted({d.tick for d in unread})
    times = clock(ticks[0]) if len(ticks) == 1 else f"{clock(ticks[0])} to {clock(ticks[-1])}"
    text = f"BigQuery did not answer at {times} ET: {len(unread)} decisions were ABORT"
    yield bad("bigquery_down", "all", text, script("check_system_status", facts.day))


def failed_calls(config: Config, facts: DayFacts) -> list[CallFact]:
    """Return the last tries of the failed calls of executions that nothing made up for."""
    last: dict[tuple[object, ...], CallFact] = {}
    for call in sorted(facts.calls, key=lambda call: call.try_number):
        last[call.workflow, call.tick, call.scraper, call.map_index, call.call_index] = call
    runs = {(e.workflow, e.tick) for e in standing_failures(config, facts)}
    return [c for c in last.values() if c.outcome is Outcome.FAILED and (c.workflow, c.tick) in runs]


def _sources(config: Config, facts: DayFacts) -> Iterator[Finding]:
    """The scraper service itself, or the sources behind it, by what the failed calls have in common."""
    failed = failed_calls(config, facts)
    lost = any(e.status is ExecutionStatus.FAILED for e in standing_failures(config, facts))
    level = bad if lost else worse
    command = script("investigate_scraper_failures", facts.day, " --days 1")
    cut_off = [call for call in failed if call.error_type == UNREACHABLE]
    if cut_off:
        text = f"the scraper service cannot be reached: {_calls(cut_off)}"
        yield level("service_down", "scraper_service", text, script("check_system_status", facts.day))
    groups: dict[tuple[str, str], list[CallFact]] = defaultdict(list)
    for call in failed:
        if call.error_type != UNREACHABLE:
            model = config.scrapers.get(call.scraper)
            source = (model.pool if model else None) or call.scraper
            groups[source, call.error_type or "failed"].append(call)
    for (source, kind), calls in sorted(groups.items(), key=lambda item: -len(item[1])):
        text = f"the source {source} {IN_WORDS.get(kind, 'fails')}: {_calls(calls)} ({kind})"
        yield level("source_failing", source, text, command)


def _calls(calls: list[CallFact]) -> str:
    scrapers = sorted({call.scraper for call in calls})
    names = ", ".join(scrapers[:3]) + (" and others" if len(scrapers) > 3 else "")
    count = f"{len(calls)} call{'' if len(calls) == 1 else 's'}"
    return f"since {clock(min(c.tick for c in calls))} ET {count} of {names} failed"


def _handoff(facts: DayFacts) -> Iterator[Finding]:
    """Files that do not reach their tables: Pub/Sub that takes no messages, or Phase 2 that reads none."""
    last = facts.last_cleanup
    if last is None:
        return
    command = script("check_system_status", facts.day)
    unsent = [error for error in last.errors if "not published" in error]
    if unsent:
        yield worse("cannot_publish", "cleanup", f"Pub/Sub takes no messages: {unsent[0]}", command)
        return
    nothing_arrives = last.missing == last.checked
    in_vain = last.oldest_missing_minutes >= REPUBLISHED_IN_VAIN_MINUTES
    if last.missing >= ENOUGH_FILES and (nothing_arrives or in_vain):
        text = (
            f"Phase 2 reads no messages: {last.missing} of {last.checked} files are not in their tables at "
            f"{clock(last.at)} ET, the oldest for {last.oldest_missing_minutes} min"
        )
        yield worse("phase2_silent", "phase2", text, command)
