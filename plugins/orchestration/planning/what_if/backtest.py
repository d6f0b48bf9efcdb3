"""The recorded decisions, made again with another configuration and the data known at each tick. Pure.

With the configuration of then every decision must be the same, which also checks the engine of today. One input cannot
be restored: the schedule before its last refresh. A game that was moved or corrected since is decided as known now.
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
    """Return why a decision cannot be made again, or None: the rule did not make it, or its data was missing."""
    if decision.rule == "forced" or (decision.triggered_by or "").startswith(("manual", "reconcile")):
        return "started by hand"
    return "made without enough data" if decision.rule in NOT_KNOWING else None


@dataclass(frozen=True)
class Past:
    """The record of a span of ticks. It begins before the first decision, as far as the rules look back.

    ``theirs``: the work of the system beside or before ours.
    """

    schedule: Schedule
    decisions: tuple[DecisionRecord, ...]
    versions: tuple[ExecutionRecord | CallRecord, ...]
    """Every version of the rows of our executions and calls."""
    theirs: History = field(default_factory=History)

    def known_at(self, config: Config, one: DecisionRecord) -> History:
        """Return the history known when a decision was made, as far as its rules look back."""
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
    """Return the rank of a version: rows of the task itself beat rows written for a killed task, then the time."""
    return not (isinstance(version, CallRecord) and version.killed), version.created_at


@dataclass(frozen=True, slots=True)
class Redecision:
    """A recorded decision, and the decision made again: None if the file has no such enabled workflow."""

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
            # The schedule counts as refreshed at the tick, since the recorded decision rested on it.
            schedule = past.schedule.seen_at(one.tick)
            again = decide(one.workflow_name, config, one.tick, schedule, past.known_at(config, one)) if known else None
            yield Redecision(one, again)


def within(decisions: Iterable[DecisionRecord], start: datetime, end: datetime) -> list[DecisionRecord]:
    """Return the decisions with ``start`` <= tick < ``end``."""
    return [one for one in decisions if start <= one.tick < end]
