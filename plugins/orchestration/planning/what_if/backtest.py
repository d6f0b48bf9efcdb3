"""The recorded decisions, made again with another configuration and the data known at each tick. Pure.

With the configuration of that time, every decision must be the same. This also checks today's engine. One input cannot
be restored: the schedule before its last refresh. A game that was moved or corrected later counts as known now.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from orchestration.config import Config
from orchestration.decisions.engine import decide
from orchestration.decisions.model import NOT_KNOWING, Decision, History
from orchestration.nba.games import Schedule
from orchestration.records.tables import CallRecord, DecisionRecord, ExecutionRecord
from orchestration.words import AlertLevel


def left_out(decision: DecisionRecord) -> str | None:
    """Return why a decision cannot be made again, or None if it can."""
    if decision.rule == "forced" or (decision.triggered_by or "").startswith(("manual", "reconcile")):
        return "started by hand"
    return "made without enough data" if decision.rule in NOT_KNOWING else None


@dataclass(frozen=True)
class Past:
    """The records of a span of ticks, and of the earlier ticks that the rules of these decisions read.

    ``theirs``: the work of another system.
    """

    schedule: Schedule
    decisions: tuple[DecisionRecord, ...]
    versions: tuple[ExecutionRecord | CallRecord, ...]
    """Every version of the rows of our executions and calls."""
    theirs: History = field(default_factory=History)

    def known_at(self, config: Config, one: DecisionRecord) -> History:
        """Return the history that a decision knew when it was made, as far as its rules look back."""
        first = one.tick - timedelta(hours=config.look_back_hours(one.workflow_name))
        newest: dict[str, ExecutionRecord | CallRecord] = {}
        for version in self.versions:
            if version.created_at <= one.created_at and first <= version.tick < one.tick:
                known = newest.get(version.key)
                if known is None or _rank(known) < _rank(version):
                    newest[version.key] = version
        executions = [row for row in newest.values() if isinstance(row, ExecutionRecord)]
        calls = [row for row in newest.values() if isinstance(row, CallRecord)]
        return History(
            (*executions, *(e for e in self.theirs.executions if first <= e.tick < one.tick)),
            (*calls, *(c for c in self.theirs.calls if first <= c.tick < one.tick)),
            tuple(d for d in self.decisions if first <= d.tick < one.tick and d.created_at <= one.created_at),
        )


def _rank(version: ExecutionRecord | CallRecord) -> tuple[bool, datetime]:
    """Return the rank of a version. A task's own row beats a row written for a killed task; then the newer row wins."""
    return not (isinstance(version, CallRecord) and version.killed), version.created_at


@dataclass(frozen=True, slots=True)
class Redecision:
    """A recorded decision, and the decision made again, None if the workflow is not enabled in the configuration."""

    then: DecisionRecord
    again: Decision | None

    @property
    def differs(self) -> tuple[str, ...]:
        """The names of the fields that differ."""
        if self.again is None:
            return ("workflow",)
        pairs = {
            "action": (self.then.action, self.again.action),
            "rule": (self.then.rule, self.again.rule),
            "target date": (self.then.target_date, self.again.target_date),
            "games": (frozenset(self.then.target_games), frozenset(game.game_id for game in self.again.games)),
            "scrapers": (self.then.scrapers_triggered, self.again.scrapers),
            "alert": (self.then.alert_level or AlertLevel.NONE, self.again.alert_level),
            "reason": (self.then.reason, self.again.reason),
        }
        return tuple(name for name, (then, again) in pairs.items() if then != again)


def decide_again(config: Config, past: Past, start: datetime, end: datetime) -> Iterator[Redecision]:
    """Yield the recorded decisions with ``start`` <= tick < ``end``, in order, each with the decision made again.

    Decisions that cannot be made again are left out.
    """
    for one in sorted(within(past.decisions, start, end), key=lambda one: (one.tick, one.workflow_name)):
        if left_out(one) is None:
            known = one.workflow_name in config.enabled
            # The recorded decision used this schedule, so the schedule counts as refreshed at the tick.
            schedule = past.schedule.seen_at(one.tick)
            again = decide(one.workflow_name, config, one.tick, schedule, past.known_at(config, one)) if known else None
            yield Redecision(one, again)


def within(decisions: Iterable[DecisionRecord], start: datetime, end: datetime) -> list[DecisionRecord]:
    """Return the decisions with ``start`` <= tick < ``end``."""
    return [one for one in decisions if start <= one.tick < end]
