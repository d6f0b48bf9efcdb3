"""From the facts of a day to findings and a verdict. What is not due yet is not missing (DESIGN section 9)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from orchestration.config import Config
from orchestration.health import data, running, schedule
from orchestration.health.causes import causes
from orchestration.health.facts import DayFacts
from orchestration.health.findings import Finding, Role
from orchestration.health.kinds import RANK
from orchestration.health.surroundings import around, changed, forgotten
from orchestration.words import Verdict


@dataclass(frozen=True)
class Health:
    """The verdict and what led to it, the most likely cause first. ``collected``: games with all box scores."""

    verdict: Verdict
    findings: tuple[Finding, ...]
    games: int
    collected: int
    due: int
    halt: str | None = None
    shadow: bool = False

    @property
    def headline(self) -> str:
        """One line: the verdict and the most likely cause."""
        if self.findings:
            first = self.findings[0]
            named = [f for f in self.findings if f.of.role is not Role.EFFECT]
            also = {(f.kind, f.detail): f.text for f in reversed(named)}
            also.pop((first.kind, first.detail), None)
            return "; also: ".join([f"{self.verdict.value}: {first.text}", *list(reversed(also.values()))])
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
    halt = config.settings.halt if all(config.halt_on(facts.day, name) for name in config.enabled) else None
    findings = [
        *causes(config, facts),
        *around(config, facts, now, halted=halt is not None),
        *changed(config, facts, now),
        *forgotten(config, facts, now),
        *(() if halt else schedule.frozen(facts)),
        *(() if halt else schedule.misdated(facts)),
        *(() if halt else running.schedule_known(config, facts, now)),
        *(() if halt else running.locked(config, facts, now)),
        *running.ticked(config, facts, now),
        *running.happened(config, facts, now),
        *running.decided(config, facts, now),
        *running.executed(config, facts),
        *(() if halt else data.usable(facts)),
        *data.complete(config, facts, now),
        *data.not_empty(config, facts),
        *running.cleaned(config, facts, now),
    ]
    findings = [f for f in findings if f.of.of_a_shadow or not config.is_shadow(f.workflow)]
    findings.sort(key=_first_things_first)
    worst = Verdict.UNHEALTHY if any(f.verdict is Verdict.UNHEALTHY for f in findings) else Verdict.DEGRADED
    verdict = worst if findings else Verdict.HEALTHY if games else Verdict.NO_GAMES
    due = [game for game in games if game.due <= now]
    shadow = config.is_shadow()
    collected = 0 if shadow else len(games) - len(data.lacking(config, facts, critical_only=True))
    return Health(verdict, tuple(findings), len(games), collected, len(due), halt.reason if halt else None, shadow)


def _first_things_first(finding: Finding) -> tuple[int, int, int]:
    """Causes by their rank; then what makes the day UNHEALTHY, and of equals what is a cause of its own."""
    rank, role = RANK[finding.kind], finding.of.role
    cause, minor = (rank if role is one else len(RANK) for one in (Role.CAUSE, Role.MINOR))
    return cause, 0 if finding.verdict is Verdict.UNHEALTHY else 1, minor
