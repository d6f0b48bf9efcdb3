"""The verdict on a day and its findings, now and hour by hour. Pure.

What is not due yet is not missing (DESIGN section 9).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from orchestration.config import Config
from orchestration.health import answers, data, locked, record, running, slow, usual
from orchestration.health.causes import causes
from orchestration.health.facts import DayFacts
from orchestration.health.findings import Finding, Role
from orchestration.health.incidents import explains, incidents
from orchestration.health.kinds import RANK
from orchestration.health.surroundings import (
    changed_rules,
    changed_since_lock_before,
    cleanup_problems,
    forgotten_halts,
    seen_by_cleanup,
)
from orchestration.nba.eastern import after
from orchestration.nba.slate import changes
from orchestration.words import Verdict, plural

FIRST_LOOK = timedelta(minutes=50)
"""From each full hour to the check that :func:`healed` repeats: by then the hour's tick is over."""
HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class Health:
    """The verdict and its findings, the most likely cause first. ``collected``: games with all box scores.

    ``stops``: how many games that are due stop where on the way into their tables.
    """

    verdict: Verdict
    findings: tuple[Finding, ...]
    games: int
    collected: int
    due: int
    halt: str | None = None
    shadow: bool = False
    since_lock: str = ""
    """The normal changes of the slate since the lock."""
    stops: Mapping[str, int] = field(default_factory=dict)

    @property
    def box_scores(self) -> str:
        """The games with all box scores in one line, and where those that are due stop."""
        where = "".join(f"; {count} {stop}" for stop, count in self.stops.items())
        return f"{self.collected} of {plural(self.games, 'game')} ({self.due} due){where}"

    @property
    def headline(self) -> str:
        """One line: the verdict, the most likely cause, the other causes, and the slate's changes since the lock."""
        return ". ".join(filter(None, (self._headline, self.since_lock)))

    @property
    def _headline(self) -> str:
        if self.findings:
            first = self.findings[0]
            named = [f for f in self.findings if f.of.role is not Role.EFFECT]
            also = {(f.kind, f.detail): f.text for f in reversed(named)}
            also.pop((first.kind, first.detail), None)
            return ". Also: ".join([f"{self.verdict.value}: {first.text}", *list(reversed(also.values()))])
        if self.halt:
            return f"{self.verdict.value}: halted: {self.halt}"
        if self.shadow:
            return f"{self.verdict.value}: a shadow: everything is decided and recorded, nothing is called"
        if self.verdict is Verdict.NO_GAMES:
            return f"{self.verdict.value}: no game that counts, and everything else is in order"
        return f"{self.verdict.value}: box scores of {self.collected} of {self.due} games that are due are in"


def assess(config: Config, facts: DayFacts, now: datetime) -> Health:
    """Return the health of ``facts.day`` as seen at the aware ``now``."""
    games = facts.schedule.on(facts.day)
    if unknown := tuple(record.nothing_recorded(config, facts, now)):
        return Health(Verdict.UNKNOWN, unknown, len(games), 0, len([g for g in games if g.due <= now]))
    halt = config.settings.halt if all(config.halt_on(facts.day, name) for name in config.enabled) else None
    since = changes(facts.schedule, facts.day, now)
    findings = [
        *causes(config, facts),
        *record.lost_rows(config, facts, now),
        *record.two_writers(facts),
        *record.contradicting_clocks(facts),
        *seen_by_cleanup(config, facts, now, halted=halt is not None),
        *changed_rules(config, facts, now),
        *changed_since_lock_before(config, facts, now),
        *forgotten_halts(config, facts, now),
        *(() if halt else data.frozen_schedule(facts)),
        *(() if halt else data.misdated_tips(facts)),
        *(() if halt else running.unknown_schedule(config, facts, now)),
        *(() if halt else locked.missing_lock(config, facts, now)),
        *(() if halt else locked.partly_locked(config, facts, since)),
        *(() if halt else locked.changed_slate(facts, since)),
        *(() if halt else locked.no_games_left(facts, since)),
        *running.missing_ticks(config, facts, now),
        *running.missed_runs(config, facts, now),
        *running.runs_and_aborts(config, facts, now),
        *running.failed_executions(config, facts),
        *(() if halt else data.unusable_rows(facts)),
        *data.incomplete_games(config, facts, now),
        *data.games_not_in_tables(config, facts, now),
        *(dry := list(usual.dry_sources(config, facts))),
        *data.mostly_no_data(config, facts, {finding.workflow for finding in dry}),
        *usual.not_found(config, facts, now),
        *slow.slow_calls(facts),
        *answers.partial_answers(config, facts, now),
        *answers.unchanged_answers(config, facts),
        *cleanup_problems(config, facts, now),
    ]
    findings = [f for f in findings if f.of.of_a_shadow or not config.is_shadow(f.workflow)]
    findings.sort(key=_first_things_first)
    worst = Verdict.UNHEALTHY if any(f.verdict is Verdict.UNHEALTHY for f in findings) else Verdict.DEGRADED
    had_games = games or (since is not None and since.games)
    verdict = worst if findings else Verdict.HEALTHY if had_games else Verdict.NO_GAMES
    due = [game for game in games if game.due <= now]
    shadow = config.is_shadow()
    not_in = data.lacking(config, facts, critical_only=True) | data.not_in_table(config, facts, critical_only=True)
    collected = 0 if shadow else len(games) - len(not_in)
    return Health(
        verdict,
        tuple(findings),
        len(games),
        collected,
        len(due),
        halt.reason if halt else None,
        shadow,
        since.normal if since and not halt else "",
        {} if shadow else data.stops(config, facts, now),
    )


def _first_things_first(finding: Finding) -> tuple[int, int, int]:
    """Return the sort key: causes by rank, then findings that make the day UNHEALTHY, then MINOR before EFFECT."""
    rank, role = RANK[finding.kind], finding.of.role
    cause, minor = (rank if role is one else len(RANK) for one in (Role.CAUSE, Role.MINOR))
    return cause, 0 if finding.verdict is Verdict.UNHEALTHY else 1, minor


@dataclass(frozen=True)
class Healed:
    """A past finding in its last wording, and the first and last look that made it (aware, ET)."""

    finding: Finding
    first: datetime
    last: datetime


def healed(config: Config, facts: DayFacts, now: datetime) -> tuple[Healed, ...]:
    """Return the findings of the day that are over at the aware ``now``, oldest first.

    The check is repeated for each hour of the day, with the schedule of now, because the schedule keeps no history.
    Findings that a cause explains are left out while the cause lasted, such as the ABORTs of a BigQuery outage. While
    the cause stands they are not over: a file that left the look-back has not arrived (lesson F2).
    """
    standing = assess(config, facts, now).findings
    still = {(f.kind, f.workflow, f.detail) for f in standing}
    known = {incident.key for incident in incidents(standing)}
    found: dict[tuple[str, str, str], Healed] = {}
    start, end = config.day_bounds(facts.day)
    look = after(start, FIRST_LOOK)
    while look < min(now, end):
        for finding in assess(config, facts.known_at(look), look).findings:
            key = finding.kind, finding.workflow, finding.detail
            if key not in still and finding.of.lasts and finding.cause not in known and not _explained(finding, known):
                found[key] = Healed(finding, found[key].first if key in found else look, look)
        look = after(look, HOUR)
    return tuple(was for was in found.values() if not any(_explains(cause, was) for cause in found.values()))


def _explained(finding: Finding, known: Collection[str]) -> bool:
    return any(explains(key, finding.kind, finding.workflow) for key in known)


def _explains(cause: Healed, was: Healed) -> bool:
    one, key = was.finding, cause.finding.cause or cause.finding.key
    of_it = one is not cause.finding and (one.cause == key or explains(key, one.kind, one.workflow))
    return of_it and cause.first <= was.first and was.last <= cause.last
