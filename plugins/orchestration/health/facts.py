"""What is known of one orchestration day. Plain values; times are aware ET."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from pydantic import BaseModel, ConfigDict

from orchestration.decisions.model import NOT_KNOWING
from orchestration.nba.games import Schedule
from orchestration.records.base import Moment
from orchestration.records.tables import CallRecord, CleanupRecord, DecisionRecord, ExecutionRecord, ExpectedRun


class FirstDecision(BaseModel):
    """When a workflow decided first, up to :data:`RECORD` before the day. Not a record: it counts over many rows.

    ``tick`` is that decision's; ``decided_at`` is when it was made. Both are aware, ET.
    """

    model_config = ConfigDict(frozen=True)

    workflow_name: str
    tick: Moment
    decided_at: Moment


class AskedDate(BaseModel):
    """That calls of a scraper asked about an ET date before the day. Not a record: it counts over many rows.

    ``last_success``: the latest tick (aware, ET) at which one brought data, None where none did.
    """

    model_config = ConfigDict(frozen=True)

    scraper_name: str
    target_date: date
    last_success: Moment | None = None


RECORD = timedelta(days=8)
"""So far back it is looked whether a system, or a workflow, was there before."""


@dataclass(frozen=True)
class DayFacts:
    """Everything known of one day. ``executions`` and ``calls`` also hold later ones about its games."""

    day: date
    schedule: Schedule
    expected: tuple[ExpectedRun, ...] = ()
    decisions: tuple[DecisionRecord, ...] = ()
    executions: tuple[ExecutionRecord, ...] = ()
    calls: tuple[CallRecord, ...] = ()
    cleanups: tuple[CleanupRecord, ...] = ()
    first: tuple[FirstDecision, ...] = ()
    asked: tuple[AskedDate, ...] = ()
    """Of the days before, up to :data:`RECORD`."""
    broken_config: str | None = None
    """What is wrong with workflows.yaml where the health check itself reads it."""

    def since(self, start: datetime, workflow: str | None = None) -> datetime:
        """Return from when on, at ``start`` of the day or later, this workflow, or anything at all, can be missing.

        A system, or a workflow, that was not there in the days before is there from its first decision on. On the first
        day of a system that is the first one of any workflow: one that never decides is missing.
        """
        ticks = {fact.workflow_name: fact.tick for fact in self.first}
        began = min(ticks.values(), default=start)
        return max(start, began if began > start or workflow is None else ticks.get(workflow, start))

    def known_at(self, moment: datetime) -> DayFacts:
        """Return what of this was known at the aware ``moment``.

        The schedule is today's: a refresh overwrites what was known before, as a forced lock does.
        """
        return replace(
            self,
            expected=tuple(e for e in self.expected if e.forced or e.locked_at <= moment),
            decisions=tuple(d for d in self.decisions if d.decision_time <= moment),
            executions=tuple(e for e in self.executions if e.ended <= moment),
            calls=tuple(c for c in self.calls if c.triggered_at <= moment),
            cleanups=tuple(c for c in self.cleanups if c.cleanup_time <= moment),
        )

    @property
    def locked_at(self) -> datetime | None:
        """When the day was locked, if it was."""
        return max((run.locked_at for run in self.expected), default=None)

    @property
    def last_cleanup(self) -> CleanupRecord | None:
        """The latest cleanup of the day, if there was one."""
        return max(self.cleanups, key=lambda cleanup: cleanup.cleanup_time, default=None)


def ours(decision: DecisionRecord) -> bool:
    """Return whether we must see to what follows from a decision: in a shadow, only to what kept it from deciding."""
    return not decision.shadow or decision.rule in NOT_KNOWING
