"""A kind of finding, and a finding: what is wrong, how badly, and the first command to type. Pure.

All kinds are in :mod:`orchestration.health.kinds`.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from datetime import date, timedelta
from enum import StrEnum
from typing import Any

from orchestration.words import AlertLevel, Verdict

GRACE = timedelta(minutes=45)
"""From a tick until its execution must be over: the hold, the calls and their retries."""
MORNING = timedelta(hours=7)
"""So long after a lock the day before is still looked at: the night's box scores, what was to heal."""
CLEANUP_PATIENCE = timedelta(hours=2, minutes=30)
"""So long after one cleanup the next is not missed yet, and what it saw still says something."""
SCRIPTS = "bin/orchestration"
_PLACEHOLDER = re.compile(r"{(\w+)}")


class Part(StrEnum):
    """The part of the status to which a finding belongs."""

    LOCKER = "locker"
    DECISIONS = "decisions"
    EXECUTIONS = "executions"
    CALLS = "calls"
    BOX_SCORES = "box scores"
    HANDOFF = "handoff"
    CLEANUP = "cleanup"


class Role(StrEnum):
    """What a finding is beside others.

    CAUSE: it explains others, and comes before them. MINOR: it explains no other, and is a cause of its own.
    EFFECT: it may follow from a cause.
    """

    CAUSE = "cause"
    MINOR = "minor"
    EFFECT = "effect"


class AlertedBy(StrEnum):
    """The task that alerts people, as DAG.task. HEALTH_ONLY: no task raises this one, another alerts in its place."""

    HEALTH_ONLY = "the health check only"
    WATCH = "cleanup.watch"
    DRAIN_OUTBOX = "cleanup.drain_outbox"
    REPUBLISH = "cleanup.republish_lost_files"
    LOCK = "schedule_locker.lock"
    CHECK_TABLES = "schedule_locker.check_tables"
    TELL_OPEN = "reconcile.tell_open"
    DECIDE = "WORKFLOW.decide"
    ABORT = "WORKFLOW.abort"
    FINISH = "WORKFLOW.finish"
    DEADLINE = "WORKFLOW's deadline"


@dataclass(frozen=True)
class FindingKind:
    """A kind of finding or alert, or a second sentence for one.

    ``id`` is stored and never changes. ``text`` and ``command`` are templates: ``{name}`` is what a finding fills in,
    ``{workflow}`` is always known.
    """

    id: str
    command: str
    text: str
    alerted_by: AlertedBy = AlertedBy.WATCH
    level: AlertLevel = AlertLevel.CRITICAL
    or_warning: bool = False
    """Whether the finding decides between ``level`` and WARNING, by what is lost."""
    alerts_key: str | None = None
    """The key of the workflow's ``alerts`` that sets the level; ``level`` is then the least, or NONE."""
    part: Part | None = None
    """None for what only a task finds."""
    role: Role = Role.EFFECT
    explains: frozenset[tuple[str, str]] = frozenset()
    """The findings, by kind and detail, that are not shown beside this one."""
    of_a_shadow: bool = False
    """Whether a shadow is to blame for it itself. Calls, games and files are the other system's."""
    lasts: bool = True
    """Whether it is over once it is no longer found. What has happened once is not."""
    example: str = ""
    """What the text is like, where a decision's reason is all of it."""

    def also(self, **changes: Any) -> FindingKind:
        """Return the same kind with another sentence."""
        return replace(self, **changes)

    def says(self, workflow: str, values: dict[str, object]) -> tuple[str, str]:
        """Return the text and the command with ``values`` filled in. Raises KeyError for one that is missing."""
        known = {"workflow": workflow, **values}
        text, command = (_PLACEHOLDER.sub(lambda m: str(known[m[1]]), t) for t in (self.text, self.command))
        return text, command


@dataclass(frozen=True)
class Finding:
    """One thing that is not as it should be, with the first command to type.

    Its kind and ``workflow`` name it; ``workflow`` may also be a DAG of the system or a source. ``run_id``: Airflow's.
    ``detail``: what else tells two findings of one kind apart, such as the rule of an ABORT.
    """

    verdict: Verdict
    of: FindingKind
    workflow: str
    text: str
    command: str
    run_id: str | None = None
    detail: str = ""

    @property
    def kind(self) -> str:
        """The id of its kind."""
        return self.of.id


def finding(
    kind: FindingKind,
    workflow: str,
    *,
    run_id: str | None = None,
    detail: str = "",
    critical: bool = True,
    **values: object,
) -> Finding:
    """Return a finding, with ``values`` for the placeholders of its kind.

    It makes the day UNHEALTHY if its kind is CRITICAL, else DEGRADED. ``critical=False``: a kind that may be either is
    a WARNING here.
    """
    text, command = kind.says(workflow, {"run_id": run_id, **values})
    loud = kind.level is AlertLevel.CRITICAL and (critical or not kind.or_warning)
    verdict = Verdict.UNHEALTHY if loud else Verdict.DEGRADED
    return Finding(verdict, kind, workflow, text, command, run_id, detail)


def script(name: str, day: date | str, more: str = "") -> str:
    """Return the command that runs one of our scripts for a day."""
    return f"{SCRIPTS}/{name}.sh --date {day}{more}"


def trigger(dag_id: str, **conf: object) -> str:
    """Return the command that starts a run by hand."""
    return f"airflow dags trigger {dag_id}" + (f" --conf '{json.dumps(conf)}'" if conf else "")
