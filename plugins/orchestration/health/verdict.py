"""From the facts of a day to findings and a verdict. What is not due yet is not missing (DESIGN section 9)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from orchestration.config.model import Config
from orchestration.health import data, running, schedule
from orchestration.health.around import around, changed, forgotten
from orchestration.health.causes import causes
from orchestration.health.facts import DayFacts
from orchestration.health.findings import Finding
from orchestration.words import Verdict

CAUSES = (
    *("bigquery_down", "rows_not_taken", "missing_ticks"),
    *("airflow_part_dead", "pool_full", "dag_paused", "config_broken", "rules_changed"),
    *("service_down", "answers_cut", "unknown_scraper", "source_failing", "service_slow"),
    *("schedule_frozen", "misdated_tips", "source_silent", "source_late"),
    *("table_gone", "cannot_publish", "phase2_silent"),
)
"""Kinds that explain others and so come first, in this order; ``missing_ticks`` only of all workflows.

What everything needs comes before what only a part of it needs: BigQuery, Airflow, our rules, the service, a source,
the handoff.
"""
MINOR = ("not_locked", "mostly_no_data", "clock_off", "outbox_unwritable", "halt_forgotten")
"""Kinds that explain no others, and are causes of their own: beside another the first line names them too."""
TOLD_ELSEWHERE = frozenset(
    {
        "no_cleanup",
        "files_missing",
        "cleanup_says",
        "cleanup_blind",
        "cannot_publish",
        "deadline_missed",
        "rows_not_taken",
        "table_gone",
    }
)
"""Kinds that the cleanup and the deadline's callback tell people themselves."""


OF_A_SHADOW = frozenset(
    {"bigquery_down", "missing_ticks", "schedule_unknown", "not_locked", "expected_missed", "abort", "deadline_missed"}
    | {"no_cleanup", "cleanup_says", "rows_not_taken", "airflow_part_dead", "dag_paused", "config_broken"}
    | {"rules_changed", "schedule_frozen", "misdated_tips", "clock_off", "halt_forgotten"}
    | {"outbox_unwritable"}
)
"""Kinds that a shadow is to blame for itself. Calls, games and files are the other system's."""


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
            named = [f for f in self.findings if is_cause(f) or f.kind in MINOR]
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
    halt = config.settings.halt if all(data.halted(config, name, facts) for name in config.enabled) else None
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
    findings = [f for f in findings if f.kind in OF_A_SHADOW or not config.is_shadow(f.workflow)]
    findings.sort(key=_first_things_first)
    worst = Verdict.UNHEALTHY if any(f.verdict is Verdict.UNHEALTHY for f in findings) else Verdict.DEGRADED
    verdict = worst if findings else Verdict.HEALTHY if games else Verdict.NO_GAMES
    due = [game for game in games if game.due <= now]
    shadow = config.is_shadow()
    collected = 0 if shadow else len(games) - len(data.lacking(config, facts, critical_only=True))
    return Health(verdict, tuple(findings), len(games), collected, len(due), halt.reason if halt else None, shadow)


def is_cause(finding: Finding) -> bool:
    """Return whether a finding explains others."""
    return finding.kind in CAUSES and (finding.kind != "missing_ticks" or finding.workflow == "all")


def _first_things_first(finding: Finding) -> tuple[int, int, int]:
    rank = CAUSES.index(finding.kind) if is_cause(finding) else len(CAUSES)
    minor = MINOR.index(finding.kind) if finding.kind in MINOR else len(MINOR)
    return rank, 0 if finding.verdict is Verdict.UNHEALTHY else 1, minor
