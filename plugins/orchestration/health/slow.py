"""Findings about slow calls, before they reach their time limit. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from statistics import median

from orchestration.health import kinds
from orchestration.health.facts import DayFacts
from orchestration.health.findings import Finding, finding
from orchestration.health.usual import ENOUGH_DAYS, once_a_day
from orchestration.nba.eastern import clock
from orchestration.records.tables import CallRecord
from orchestration.words import Outcome

SLOW = 0.8
"""A call that takes this share of its time limit is slow."""
SLOWER, SLOW_SECONDS = 10, 5
"""A call is also slow if it takes so many times its usual time, and at least so many seconds."""
SEVERAL, SLOW_SCRAPERS = 3, 3
"""So many calls of a tick tell as much as two ticks, and so many slow scrapers are a slow service."""


def slow_calls(facts: DayFacts) -> Iterator[Finding]:
    """Yield a slow service, or the scrapers that are slow: far slower than usual, or near their time limit."""
    if service := _slow_service(facts):
        yield service
        return
    slow = [one for scraper in sorted({c.scraper_name for c in facts.calls}) if (one := _slow_scraper(facts, scraper))]
    if len(slow) >= SLOW_SCRAPERS and all(one.usual for one in slow):
        worst = max(slow, key=lambda one: one.seconds / (one.usual or 1))
        took = f"for example {worst.scraper} {worst.seconds:.0f} s, usually {worst.usual:.2g} s"
        what = f"{len(slow)} scrapers take {SLOWER} times their usual time or more, {took}"
        since = clock(min(one.since for one in slow))
        yield finding(kinds.SERVICE_SLOW, "scraper_service", since=since, what=what, day=facts.day)
        return
    for one in slow:
        yield finding(
            kinds.SCRAPER_SLOW,
            one.scraper,
            scraper=one.scraper,
            since=clock(one.since),
            seconds=f"{one.seconds:.0f}",
            usual="" if one.usual is None else f", usually {one.usual:.2g} s",
            limit="" if one.limit is None else f". At its time limit of {one.limit:.0f} s it fails",
        )


def _slow_service(facts: DayFacts) -> Finding | None:
    """Return the finding if the latest calls of several scrapers nearly reached their time limit."""
    timed = [c for c in facts.calls if c.duration_seconds is not None and c.timeout_seconds]
    latest: list[CallRecord] = []
    for tick in sorted({call.tick for call in timed}, reverse=True):
        if len(latest) < SEVERAL:
            latest += [call for call in timed if call.tick == tick and call.status is not Outcome.FAILED]
    slow = [c for c in latest if (c.duration_seconds or 0) >= SLOW * (c.timeout_seconds or 0)]
    if len(slow) < SEVERAL or len(slow) * 2 < len(latest) or len({c.scraper_name for c in slow}) == 1:
        return None
    what = f"{len(slow)} of {len(latest)} calls took {SLOW:.0%} or more of their time limit"
    since = clock(min(c.tick for c in slow))
    return finding(kinds.SERVICE_SLOW, "scraper_service", since=since, what=what, day=facts.day)


@dataclass(frozen=True)
class SlowScraper:
    """A slow scraper: the seconds of a call since when, its usual seconds and its time limit, as far as known."""

    scraper: str
    since: datetime
    seconds: float
    usual: float | None
    limit: float | None


def _slow_scraper(facts: DayFacts, scraper: str) -> SlowScraper | None:
    """Return the scraper if its last two ticks were slow, or one of several calls, or its one tick of the day."""
    calls: dict[datetime, list[CallRecord]] = {}
    for call in facts.calls:
        if call.scraper_name == scraper and call.duration_seconds is not None and call.status is not Outcome.FAILED:
            calls.setdefault(call.tick, []).append(call)
    before = [one for one in facts.asked if one.scraper_name == scraper]
    known = [one.seconds for one in before if one.seconds is not None]
    usual = median(known) if len(known) >= ENOUGH_DAYS else None
    slow: list[datetime] = []
    for tick in sorted(calls, reverse=True):
        if not _is_slow(calls[tick], usual):
            break
        slow.append(tick)
    if not slow:
        return None
    last = calls[slow[0]]
    if len(slow) == 1 and len(last) < SEVERAL and not once_a_day({one.tick for one in before}):
        return None
    limits = [call.timeout_seconds for call in last if call.timeout_seconds]
    seconds = median(call.duration_seconds or 0 for call in last)
    return SlowScraper(scraper, slow[-1], seconds, usual, min(limits, default=None))


def _is_slow(calls: Sequence[CallRecord], usual: float | None) -> bool:
    """Return whether half of the calls nearly reached their time limit, or took far longer than ``usual`` seconds.

    A call without data may wait long for its source, so only calls with data are compared with the usual.
    """
    shares = [(call.duration_seconds or 0) / call.timeout_seconds for call in calls if call.timeout_seconds]
    found = [call.duration_seconds or 0 for call in calls if call.status is Outcome.SUCCESS]
    near = bool(shares) and median(shares) >= SLOW
    return near or (usual is not None and bool(found) and median(found) >= max(SLOWER * usual, SLOW_SECONDS))
