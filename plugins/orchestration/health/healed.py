"""What was wrong with a day and is right again: the check, as it would have answered hour by hour. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from orchestration.config import Config
from orchestration.health.facts import DayFacts
from orchestration.health.findings import Finding
from orchestration.health.verdict import assess
from orchestration.nba.eastern import after

FIRST_LOOK = timedelta(minutes=50)
"""So long after the full hour the check looks back: what belongs to the hour's tick is over by then."""
HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class Healed:
    """A finding of the past, as it was said last, and the first and last look that made it (aware, ET)."""

    finding: Finding
    first: datetime
    last: datetime


def healed(config: Config, facts: DayFacts, now: datetime) -> tuple[Healed, ...]:
    """Return what the check would have found during the day and does not find at the aware ``now``, in its order.

    What a cause explains is said with it, not one by one: the ABORTs of an outage of BigQuery.

    The schedule is today's, as it is for everything that looks back.
    """
    still = {(f.kind, f.workflow, f.detail) for f in assess(config, facts, now).findings}
    found: dict[tuple[str, str, str], Healed] = {}
    start, end = config.day_bounds(facts.day)
    look = after(start, FIRST_LOOK)
    while look < min(now, end):
        for finding in assess(config, facts.known_at(look), look).findings:
            key = finding.kind, finding.workflow, finding.detail
            if key not in still:
                found[key] = Healed(finding, found[key].first if key in found else look, look)
        look = after(look, HOUR)
    return tuple(was for was in found.values() if not any(_explains(cause, was) for cause in found.values()))


def _explains(cause: Healed, was: Healed) -> bool:
    of_it = (was.finding.kind, was.finding.detail) in cause.finding.of.explains
    return of_it and cause.first <= was.first and was.last <= cause.last
