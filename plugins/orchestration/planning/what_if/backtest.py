"""What a configuration decides at the ticks on record, with what was known at each, beside what was decided. Pure.

With the configuration of then the two must be equal: that is also the check that the engine of today agrees with the
decisions of yesterday. What cannot be known again is the schedule before its last refresh: a game that was moved since,
or of which the source said something else, is decided as it is known now.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from orchestration.config import Config
from orchestration.decisions.engine import decide
from orchestration.decisions.model import NOT_KNOWING, Decision, History, PastCall, PastDecision, PastExecution
from orchestration.nba.eastern import hold_instants
from orchestration.nba.games import Schedule
from orchestration.words import Action, AlertLevel


@dataclass(frozen=True, slots=True)
class Recorded:
    """A decision on record. ``made``: when its row was, by the clock on the wall; ``by``: who asked for its run."""

    workflow: str
    tick: datetime
    action: Action
    rule: str
    reason: str
    alert: AlertLevel
    target_date: date
    games: frozenset[str]
    scrapers: tuple[str, ...]
    made: datetime
    by: str = "schedule"

    def __post_init__(self) -> None:
        hold_instants(self, "tick", "made")

    @property
    def left_out(self) -> str | None:
        """Why it cannot be decided again, or None: it was not the rule's, or it was for want of knowledge."""
        if self.rule == "forced" or self.by.startswith(("manual", "reconcile")):
            return "asked for by hand"
        return "made without knowing enough" if self.rule in NOT_KNOWING else None


@dataclass(frozen=True, slots=True)
class Version:
    """One version of the row of an execution or call. ``spoken_for``: said of a task that was killed."""

    row_id: str
    made: datetime
    what: PastExecution | PastCall
    spoken_for: bool = False

    def __post_init__(self) -> None:
        hold_instants(self, "made")


@dataclass(frozen=True)
class Past:
    """What is on record of a span of ticks, from before its first decision as far as the rules look back.

    ``theirs``: what the system beside or before this one did.
    """

    schedule: Schedule
    decisions: tuple[Recorded, ...]
    versions: tuple[Version, ...]
    theirs: History = field(default_factory=History)

    def known_at(self, config: Config, one: Recorded) -> History:
        """Return the history as it was known when a decision was made, as far back as its rules look."""
        first = one.tick - timedelta(hours=config.look_back_hours(one.workflow))
        newest: dict[str, Version] = {}
        for version in self.versions:
            if version.made <= one.made and first <= version.what.tick < one.tick:
                known = newest.get(version.row_id)
                if known is None or _rank(known) < _rank(version):
                    newest[version.row_id] = version
        rows = [version.what for version in newest.values()]
        executions = [row for row in (*rows, *self.theirs.executions) if isinstance(row, PastExecution)]
        calls = [row for row in (*rows, *self.theirs.calls) if isinstance(row, PastCall)]
        return History(
            tuple(e for e in executions if first <= e.tick < one.tick),
            tuple(c for c in calls if first <= c.tick < one.tick),
            tuple(
                PastDecision(d.workflow, d.tick, d.target_date, d.action, d.rule)
                for d in self.decisions
                if first <= d.tick < one.tick and d.made <= one.made
            ),
        )


def _rank(version: Version) -> tuple[bool, datetime]:
    """What a task said itself goes before what was said for it; then the later version, as in the views."""
    return not version.spoken_for, version.made


@dataclass(frozen=True, slots=True)
class Again:
    """A decision on record and what is decided again. ``again`` None: the workflow is not in the file, or off."""

    then: Recorded
    again: Decision | None

    @property
    def differs(self) -> tuple[str, ...]:
        """What of it is not the same."""
        if self.again is None:
            return ("workflow",)
        pairs = {
            "action": (self.then.action, self.again.action),
            "rule": (self.then.rule, self.again.rule),
            "target date": (self.then.target_date, self.again.target_date),
            "games": (self.then.games, frozenset(game.game_id for game in self.again.games)),
            "scrapers": (self.then.scrapers, self.again.scrapers),
            "alert": (self.then.alert, self.again.alert_level),
            "reason": (self.then.reason, self.again.reason),
        }
        return tuple(name for name, (then, again) in pairs.items() if then != again)


def decided_again(config: Config, past: Past, start: datetime, end: datetime) -> Iterator[Again]:
    """Yield the decisions on record with ``start`` <= tick < ``end``, in order, each with what is decided now.

    Those that cannot be decided again are left out.
    """
    for one in sorted(within(past.decisions, start, end), key=lambda one: (one.tick, one.workflow)):
        if one.left_out is None:
            known = one.workflow in config.enabled
            # That the schedule was fresh enough is on record, since it was decided by it.
            schedule = past.schedule.seen_at(one.tick)
            again = decide(one.workflow, config, one.tick, schedule, past.known_at(config, one)) if known else None
            yield Again(one, again)


def within(decisions: Iterable[Recorded], start: datetime, end: datetime) -> list[Recorded]:
    """Return the decisions with ``start`` <= tick < ``end``."""
    return [one for one in decisions if start <= one.tick < end]
