"""The facts of one orchestration day. Plain values, times are aware ET."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta

from pydantic import BaseModel, ConfigDict

from orchestration.decisions.model import NOT_KNOWING
from orchestration.nba.games import Schedule
from orchestration.records.base import Moment
from orchestration.records.tables import (
    CallRecord,
    CleanupRecord,
    DecisionRecord,
    ExecutionRecord,
    ExpectedRun,
    FollowedFile,
)
from orchestration.words import FileState, Surrounding


class FirstDecision(BaseModel):
    """A workflow's first decision in the last :data:`RECORD` before the day. It sums up many rows.

    ``tick``: the decision's tick. ``decided_at``: when it was made. Both are aware, ET.
    """

    model_config = ConfigDict(frozen=True)

    workflow_name: str
    tick: Moment
    decided_at: Moment


class AskedTick(BaseModel):
    """The calls of a scraper at an earlier tick about one ET date, without those that failed. It sums up many rows.

    ``found``: how many of them found data. ``seconds``: how long these took on average, or None if none did.
    ``last_file`` and ``last_content``: the path of a file and the hash of a content, as far as they are known.
    """

    model_config = ConfigDict(frozen=True)

    workflow: str
    scraper_name: str
    tick: Moment
    target_date: date
    calls: int
    found: int
    seconds: float | None = None
    last_file: str | None = None
    last_content: str | None = None


class LockedBefore(BaseModel):
    """The runs of a workflow that the lock of an earlier ET date expected: how many, and the first. It sums up rows.

    ``rules`` and ``calls`` are digests, as in :class:`ExpectedRun`.
    """

    model_config = ConfigDict(frozen=True)

    workflow_name: str
    date: date
    runs: int
    first: Moment
    rules: str | None = None
    calls: str | None = None


class WrittenTwice(BaseModel):
    """Rows with one id that two processes made. It sums up the rows of a workflow and a tick (aware, ET).

    ``written_to``: their table. Its view shows only the latest of such rows. ``ids``: the number of such ids.
    """

    model_config = ConfigDict(frozen=True)

    written_to: str
    workflow_name: str
    tick: Moment
    ids: int


RECORD = timedelta(days=8)
"""How far back the facts look for earlier decisions and locks."""
LEARNED = timedelta(days=21)
"""How far back the facts look for earlier calls."""


@dataclass(frozen=True)
class DayFacts:
    """All facts of one day. ``executions`` and ``calls`` include later ones about the day's games."""

    day: date
    schedule: Schedule
    expected: tuple[ExpectedRun, ...] = ()
    decisions: tuple[DecisionRecord, ...] = ()
    executions: tuple[ExecutionRecord, ...] = ()
    calls: tuple[CallRecord, ...] = ()
    cleanups: tuple[CleanupRecord, ...] = ()
    first: tuple[FirstDecision, ...] = ()
    asked: tuple[AskedTick, ...] = ()
    """The calls of the days before, as far back as :data:`LEARNED`."""
    locked_before: tuple[LockedBefore, ...] = ()
    """The locks of the days before, as far back as :data:`RECORD`."""
    twice: tuple[WrittenTwice, ...] = ()
    cleanup_before: CleanupRecord | None = None
    """The last cleanup before the day that could check files."""
    in_tables: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """The ids of the day's games that each table has now. A table that was not asked is left out."""
    broken_config: str | None = None
    """The error of the workflows.yaml that the health check itself reads, or None."""

    def since(self, start: datetime, workflow: str | None = None) -> datetime:
        """Return the earliest moment at which a missing tick may be reported: ``start`` of the day or later.

        Without earlier decisions on record it is the first decision of the ``workflow``. On the system's first day it
        is the first row of any workflow, so a workflow that never decides is missing. The first decision of a workflow
        does not count if other rows are older than every decision: then decisions are lost.
        """
        ticks = {fact.workflow_name: fact.tick for fact in self.first}
        began = self.began or start
        alone = workflow is None or began > start or began < min(ticks.values(), default=began)
        return max(start, began if alone or workflow is None else ticks.get(workflow, start))

    @property
    def began(self) -> datetime | None:
        """When the system was first on: its first decision on record, or an earlier execution, call or cleanup. None
        without any decision.

        The decisions alone would make a day on which their table was emptied look like a first day. A cleanup counts
        only with the one after it, and not if it saw a paused DAG: somebody was still switching the system on.
        """
        if not self.first:
            return None
        made = [*(one.tick for one in self.executions), *(one.tick for one in self.calls)]
        asked = [one.tick for one in self.asked if one.found and one.target_date >= self.day - RECORD]
        on = [one.cleanup_time for one in self.cleanups if all(seen.kind != Surrounding.PAUSED for seen in one.seen)]
        first = min(fact.tick for fact in self.first)
        return min([first, *made, *asked, *(sorted(on)[:1] if len(on) > 1 else [])])

    @property
    def recorded(self) -> bool:
        """Whether anything is on record about the day or the days before."""
        return any((self.expected, self.decisions, self.executions, self.calls, self.cleanups, self.first, self.asked))

    def known_at(self, moment: datetime) -> DayFacts:
        """Return the facts that were known at the aware ``moment``.

        What the tables had at that time is not known. The schedule and a forced lock stay as they are now, because each
        overwrites the earlier version.
        """
        return replace(
            self,
            expected=tuple(e for e in self.expected if e.forced or e.locked_at <= moment),
            decisions=tuple(d for d in self.decisions if d.decision_time <= moment),
            executions=tuple(e for e in self.executions if e.ended <= moment),
            calls=tuple(c for c in self.calls if c.triggered_at <= moment),
            cleanups=tuple(c for c in self.cleanups if c.cleanup_time <= moment),
            in_tables={},
        )

    @property
    def locked_at(self) -> datetime | None:
        """The time of the day's lock, or None."""
        return max((run.locked_at for run in self.expected), default=None)

    @property
    def last_cleanup(self) -> CleanupRecord | None:
        """The latest cleanup of the day, or None."""
        return max(self.cleanups, key=lambda cleanup: cleanup.cleanup_time, default=None)

    @property
    def last_look(self) -> CleanupRecord | None:
        """The last cleanup that could check files, also of the days before, else the latest of the day."""
        known = [cleanup for cleanup in self.cleanups if cleanup.files_since is not None]
        last = max(known, key=lambda cleanup: cleanup.cleanup_time, default=self.cleanup_before)
        return self.last_cleanup if last is None else last

    def open_files(self, until: datetime) -> tuple[FollowedFile, ...]:
        """Return the files of calls before ``until`` that left the look-back and are still open, oldest first."""
        last = self.last_look
        files = () if last is None else last.followed_files
        return tuple(file for file in files if file.state is FileState.OPEN and file.triggered_at < until)


def ours(decision: DecisionRecord) -> bool:
    """Return whether a decision counts as ours. In a shadow only an ABORT for lack of knowledge counts."""
    return not decision.shadow or decision.rule in NOT_KNOWING
