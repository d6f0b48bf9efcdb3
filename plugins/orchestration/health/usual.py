"""Findings about what is usual: a tick, a discovery or a duration against the same one on earlier days. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from math import comb
from statistics import median

from orchestration.config import Config
from orchestration.decisions.types.discovery import ATTEMPTS_USED_UP, DiscoveryWorkflow
from orchestration.health import kinds
from orchestration.health.facts import DayFacts
from orchestration.health.findings import Finding, finding
from orchestration.nba.eastern import after, at, clock, et, et_date
from orchestration.nba.games import Game
from orchestration.records.tables import CallRecord
from orchestration.words import Outcome, plural

ENOUGH_DAYS = 7
"""So many earlier days make a usual hour, and an answer that was never empty before."""
ENOUGH_TICKS = 5
"""So many earlier ticks at the same hour are compared. With fewer, all earlier ticks are."""
ENOUGH_CALLS = 10
"""So many earlier calls make a usual share."""
FAR_BELOW = 0.7
"""At this part of its usual share, or less, a tick may be dry."""
BY_CHANCE = 0.01
"""A tick is dry only if chance would explain it this rarely."""
DRY_DAYS = timedelta(days=7)
"""For this long a dry tick does not count as usual."""
CALLS_TIME = timedelta(minutes=10)
"""From the end of a tick's hold until a single call is over."""


@dataclass(frozen=True)
class Tick:
    """The calls of one scraper at a tick that did not fail. ``found``: those with data."""

    at: datetime
    calls: int
    found: int

    @property
    def share(self) -> float:
        """The share of the calls that found data."""
        return self.found / self.calls

    @property
    def of_a_weekend(self) -> bool:
        """Whether its ET date is a Saturday or Sunday."""
        return et_date(self.at).weekday() >= 5


def dry_sources(config: Config, facts: DayFacts) -> Iterator[Finding]:
    """Yield the scrapers whose last two ticks found far less data than usual, or whose one tick of the day did.

    Discoveries and workflows after the games are left out: the hour of their data is not the same every day.
    """
    today = _ticks_of_today(config, facts)
    for name, workflow in config.enabled.items():
        if workflow.after_games or isinstance(workflow, DiscoveryWorkflow):
            continue
        games = [game for game in facts.schedule.on(facts.day, workflow.game_types) if workflow.needs_games]
        for scraper in workflow.execution_plan.scrapers:
            ticks = today.get((name, scraper))
            if not ticks:
                continue
            before = _ticks_before(facts, name, scraper)
            every = [*before, *ticks]
            dry = _dry_since(every, games)
            if len(dry) < (1 if once_a_day(tick.at for tick in before) else 2) or dry[0] not in ticks:
                continue
            last, since = dry[0], dry[-1].at
            usual = round(100 * median(tick.share for tick in _usual(last, every)))
            when = clock(since) if et_date(since) == et_date(last.at) else f"{et(since):%a %d %b} {clock(since)}"
            yield finding(
                kinds.SOURCE_DRY,
                scraper,
                scraper=scraper,
                caller=name,
                since=when,
                at=clock(last.at),
                empty=last.calls - last.found,
                calls=plural(last.calls, "call"),
                usual=usual,
                day=facts.day,
            )


def once_a_day(ticks: Iterable[datetime]) -> bool:
    """Return whether most of the earlier days had one tick. Without an earlier day nobody knows."""
    days = Counter(map(et_date, ticks)).values()
    return bool(days) and median(days) <= 1


def _ticks_of_today(config: Config, facts: DayFacts) -> dict[tuple[str, str], list[Tick]]:
    """Return the ticks of the day in order, by workflow and scraper."""
    _, end = config.day_bounds(facts.day)
    calls: dict[tuple[str, str], dict[datetime, list[CallRecord]]] = {}
    for call in facts.calls:
        if call.workflow is not None and call.status is not Outcome.FAILED and call.tick < end:
            calls.setdefault((call.workflow, call.scraper_name), {}).setdefault(call.tick, []).append(call)
    return {
        key: [
            Tick(tick, len(made), sum(call.status is Outcome.SUCCESS for call in made))
            for tick, made in sorted(of.items())
        ]
        for key, of in calls.items()
    }


def _ticks_before(facts: DayFacts, workflow: str, scraper: str) -> list[Tick]:
    """Return the ticks of the days before, in order."""
    sums: dict[datetime, Tick] = {}
    for one in facts.asked:
        if (one.workflow, one.scraper_name) == (workflow, scraper):
            seen = sums.get(one.tick, Tick(one.tick, 0, 0))
            sums[one.tick] = Tick(one.tick, seen.calls + one.calls, seen.found + one.found)
    return [sums[tick] for tick in sorted(sums)]


def _usual(tick: Tick, every: Sequence[Tick]) -> list[Tick]:
    """Return the earlier ticks to compare with: at the same hour and kind of day, else at the hour, else all.

    The latest of them are left out while they are dry themselves, so that a dry source does not become usual.
    """
    hour = [t for t in every if t.at < tick.at and et_date(t.at) < et_date(tick.at) and clock(t.at) == clock(tick.at)]
    kind = [t for t in hour if t.of_a_weekend == tick.of_a_weekend]
    same = next((ticks for ticks in (kind, hour) if len(ticks) >= ENOUGH_TICKS), None)
    usual: list[Tick] = []
    dry: list[Tick] = []
    for one in same if same is not None else (t for t in every if t.at < tick.at):
        if one.share < 1 and tick.at - one.at <= DRY_DAYS and _far_below(one, usual):
            dry.append(one)
        else:
            usual += [*dry, one]
            dry = []
    return usual


def _dry_since(every: Sequence[Tick], games: Sequence[Game]) -> list[Tick]:
    """Return the latest ticks that all found far less than usual, the last first.

    A game that has begun may have no data any more. When all have begun, only a full answer tells something.
    """
    dry: list[Tick] = []
    for tick in reversed(every):
        begun = sum(game.begins <= tick.at for game in games)
        if tick.found < tick.calls and games and begun == len(games):
            continue
        if tick.found == tick.calls or not _far_below(
            tick, _usual(tick, every), 1 - begun / len(games) if games else 1
        ):
            break
        dry.append(tick)
    return dry


def _far_below(tick: Tick, usual: Sequence[Tick], part: float = 1) -> bool:
    """Return whether a tick is far below the ``usual`` ones, of which only a ``part`` can be expected now."""
    if not usual:
        return False
    shares = sorted(one.share for one in usual)
    if tick.found == 0 and shares[0] > 0 and len(shares) >= ENOUGH_DAYS:
        return True
    # One odd day among many does not make a low share usual.
    lowest = shares[1] if len(shares) > ENOUGH_DAYS else shares[0]
    calls, found = (sum(numbers) for numbers in zip(*((one.calls, one.found) for one in usual), strict=True))
    if calls < ENOUGH_CALLS or tick.share >= lowest * part or tick.share > FAR_BELOW * median(shares) * part:
        return False
    chance = (found + 1) / (calls + 2) * part
    at_most = sum(comb(tick.calls, n) * chance**n * (1 - chance) ** (tick.calls - n) for n in range(tick.found + 1))
    return at_most <= BY_CHANCE


def not_found(config: Config, facts: DayFacts, now: datetime) -> Iterator[Finding]:
    """Yield the discoveries that found nothing by ``expected_by``, by their usual hour, or in all attempts of the day.

    Without ``expected_by`` the usual hour is the latest of the days before at which the data was first found.
    """
    grace = timedelta(minutes=config.settings.execution_delay_minutes) + CALLS_TIME
    for name, workflow in config.enabled.items():
        if not isinstance(workflow, DiscoveryWorkflow):
            continue
        calls = [c for c in facts.calls if c.workflow == name and c.target_date == facts.day]
        used_up = any(d.workflow_name == name and d.rule == ATTEMPTS_USED_UP for d in facts.decisions)
        last = at(facts.day, config.ticks_of(name).times[-1])
        for scraper in workflow.execution_plan.scrapers:
            made = [c for c in calls if c.scraper_name == scraper]
            asked = sorted({c.tick for c in made if c.status is Outcome.NO_DATA})
            if not asked or any(c.status is Outcome.SUCCESS for c in made):
                continue
            expected, usual = workflow.schedule.expected_by, _usual_hour(facts, name, scraper)
            if expected is not None:
                late, why = now >= after(at(facts.day, expected), grace), f"expected by {expected:%H:%M} ET"
            else:
                late = usual is not None and clock(asked[-1]) > usual[0]
                why = "" if usual is None else f"on {usual[1]} days before found by {usual[0]} ET"
            over = used_up or now >= after(last, grace)
            if late or over:
                yield finding(
                    kinds.NOT_FOUND,
                    name,
                    detail=scraper,
                    scraper=scraper,
                    since=clock(asked[0]),
                    attempts=plural(len(asked), "attempt"),
                    why=f", {why}" if why else "",
                    next="Today it is not asked again" if over else "The next attempts follow",
                    day=facts.day,
                )


def _usual_hour(facts: DayFacts, workflow: str, scraper: str) -> tuple[str, int] | None:
    """Return the latest ET time at which a day's data was first found, and on how many days. None if too few."""
    asked: dict[date, list[str]] = {}
    for one in facts.asked:
        if (one.workflow, one.scraper_name) == (workflow, scraper) and one.target_date == et_date(one.tick):
            found = asked.setdefault(one.target_date, [])
            if one.found:
                found.append(clock(one.tick))
    first = [min(times) for times in asked.values() if times]
    enough = len(first) >= ENOUGH_DAYS and len(first) >= FAR_BELOW * len(asked)
    return (max(first), len(first)) if enough else None
