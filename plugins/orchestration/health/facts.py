"""What is known of one orchestration day. Plain values; times are aware ET."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from orchestration.decisions.model import NOT_KNOWING
from orchestration.nba.eastern import hold_instants
from orchestration.nba.games import Schedule
from orchestration.words import Action, ExecutionStatus, Outcome


@dataclass(frozen=True, slots=True)
class ExpectedFact:
    """A run that the locker expects."""

    workflow: str
    tick: datetime
    reason: str
    locked_at: datetime | None = None
    rules: str | None = None
    """The digest of the workflow's rules by which it was locked, as :func:`orchestration.planning.day.rules_digest`."""
    forced: bool = False
    """Of a lock that took the place of the day's first one, which is not known any more."""

    def __post_init__(self) -> None:
        hold_instants(self, "tick", "locked_at")


@dataclass(frozen=True, slots=True)
class DecisionFact:
    """A decision that was made."""

    decision_id: str
    workflow: str
    tick: datetime
    action: Action
    rule: str
    reason: str
    run_id: str | None = None
    shadow: bool = False
    """Whether it was only recorded."""
    target_date: date | None = None
    next_check: datetime | None = None
    at: datetime | None = None
    """When it was made."""

    def __post_init__(self) -> None:
        hold_instants(self, "tick", "next_check", "at")

    @property
    def ours(self) -> bool:
        """Whether what follows from it is ours to see to: in a shadow, only that nothing could be decided."""
        return not self.shadow or self.rule in NOT_KNOWING


@dataclass(frozen=True, slots=True)
class ExecutionFact:
    """An execution that took place."""

    decision_id: str | None
    workflow: str
    tick: datetime
    target_date: date
    status: ExecutionStatus
    calls: int
    no_data: int
    error: str | None
    deadline_missed: bool = False
    run_id: str | None = None
    ended: datetime | None = None

    def __post_init__(self) -> None:
        hold_instants(self, "tick", "ended")


@dataclass(frozen=True, slots=True)
class CallFact:
    """One try of a call."""

    scraper: str
    workflow: str
    tick: datetime
    target_date: date
    outcome: Outcome
    game_id: str | None
    error_type: str | None
    map_index: int = -1
    try_number: int = 1
    label: str = ""
    error: str | None = None
    run_id: str | None = None
    gcs_path: str | None = None
    at: datetime | None = None
    """When it was made."""
    call_index: int | None = None
    """Its place among the calls of one task, None where that makes no other."""
    seconds: float | None = None
    timeout_seconds: float | None = None
    """How long it took, and how long it might have taken."""

    def __post_init__(self) -> None:
        hold_instants(self, "tick", "at")


@dataclass(frozen=True, slots=True)
class WaitingFile:
    """A file that a cleanup did not find in its table. ``age_minutes``: since its call."""

    scraper: str
    gcs_path: str
    age_minutes: int


@dataclass(frozen=True, slots=True)
class SeenFact:
    """Something around us that was not as it should be when a cleanup looked.

    ``kind`` is one of :class:`orchestration.words.Around`, ``about`` the DAG, pool, table or part that it is about.
    """

    kind: str
    about: str
    text: str


@dataclass(frozen=True, slots=True)
class CleanupFact:
    """One cleanup."""

    at: datetime
    checked: int
    missing: int
    republished: int
    errors: tuple[str, ...]
    oldest_missing_minutes: int = 0
    waiting: tuple[WaitingFile, ...] = ()
    seen: tuple[SeenFact, ...] = ()

    def __post_init__(self) -> None:
        hold_instants(self, "at")


@dataclass(frozen=True, slots=True)
class FirstFact:
    """A workflow's first decision on record, up to :data:`RECORD` before the day: its tick, and when it was made."""

    workflow: str
    tick: datetime
    made_at: datetime

    def __post_init__(self) -> None:
        hold_instants(self, "tick", "made_at")


@dataclass(frozen=True, slots=True)
class BroughtFact:
    """That a scraper was asked about an ET ``date`` before the day, and when it last brought something, if it did."""

    scraper: str
    date: date
    last: datetime | None = None

    def __post_init__(self) -> None:
        hold_instants(self, "last")


RECORD = timedelta(days=8)
"""So far back it is looked whether a system, or a workflow, was there before."""


@dataclass(frozen=True)
class DayFacts:
    """Everything known of one day. ``executions`` and ``calls`` also hold later ones about its games."""

    day: date
    schedule: Schedule
    expected: tuple[ExpectedFact, ...] = ()
    decisions: tuple[DecisionFact, ...] = ()
    executions: tuple[ExecutionFact, ...] = ()
    calls: tuple[CallFact, ...] = ()
    cleanups: tuple[CleanupFact, ...] = ()
    first: tuple[FirstFact, ...] = ()
    brought: tuple[BroughtFact, ...] = ()
    """Of the days before, up to :data:`RECORD`."""
    broken_config: str | None = None
    """What is wrong with workflows.yaml where the health check itself reads it."""

    def since(self, start: datetime, workflow: str | None = None) -> datetime:
        """Return from when on, at ``start`` of the day or later, this workflow, or anything at all, can be missing.

        A system, or a workflow, that was not there in the days before is there from its first decision on. On the first
        day of a system that is the first one of any workflow: one that never decides is missing.
        """
        ticks = {fact.workflow: fact.tick for fact in self.first}
        began = min(ticks.values(), default=start)
        return max(start, began if began > start or workflow is None else ticks.get(workflow, start))

    def known_at(self, moment: datetime) -> DayFacts:
        """Return what of this was known at the aware ``moment``.

        The schedule is today's: a refresh overwrites what was known before, as a forced lock does.
        """
        return replace(
            self,
            expected=tuple(e for e in self.expected if e.forced or e.locked_at is None or e.locked_at <= moment),
            decisions=tuple(d for d in self.decisions if (d.at or d.tick) <= moment),
            executions=tuple(e for e in self.executions if (e.ended or e.tick) <= moment),
            calls=tuple(c for c in self.calls if (c.at or c.tick) <= moment),
            cleanups=tuple(c for c in self.cleanups if c.at <= moment),
        )

    @property
    def locked_at(self) -> datetime | None:
        """When the day was locked, if it was."""
        return max((run.locked_at for run in self.expected if run.locked_at is not None), default=None)

    @property
    def last_cleanup(self) -> CleanupFact | None:
        """The latest cleanup of the day, if there was one."""
        return max(self.cleanups, key=lambda cleanup: cleanup.at, default=None)
