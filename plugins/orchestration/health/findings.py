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

from orchestration.words import AlertLevel, Verdict, brief

GRACE = timedelta(minutes=45)
"""From a tick until its execution must be over: the hold, the calls and their retries."""
MORNING = timedelta(hours=7)
"""For this time after a lock the watchdog still checks the day before, for its box scores and all-clears."""
CLEANUP_PATIENCE = timedelta(hours=2, minutes=30)
"""After this time without a new cleanup, one is missing and the faults that the last one saw no longer count."""
UNWRITABLE = "cannot be written"
"""How the cleanup's text begins when the outbox takes no files."""
FOLLOWED = timedelta(days=7)
"""A file that has not arrived for this long is given up."""
SCRIPTS = "bin/orchestration"
_QUOTED = {"why", "reason"}
"""The values that quote an error. Only their first clause is shown."""
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
    """The role of a finding beside others.

    A CAUSE explains other findings and comes before them. A MINOR finding has its own cause and explains no other
    finding. An EFFECT may follow from a cause.
    """

    CAUSE = "cause"
    MINOR = "minor"
    EFFECT = "effect"


class AlertedBy(StrEnum):
    """The task that sends the alert, as DAG.task. HEALTH_ONLY: none, a task has sent another alert about it."""

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
    PERSON = "python -m orchestration alerts test"


@dataclass(frozen=True)
class FindingKind:
    """A kind of finding or alert, or a second sentence for one.

    ``id`` is stored and never changes. ``text`` and ``command`` are templates. A finding fills in each ``{name}``;
    ``{workflow}`` is always known.
    """

    id: str
    command: str
    text: str
    alerted_by: AlertedBy = AlertedBy.WATCH
    level: AlertLevel = AlertLevel.CRITICAL
    or_warning: bool = False
    """Whether the level is only WARNING if less is lost."""
    alerts_key: str | None = None
    """The key of the workflow's ``alerts`` that sets the level of the alert."""
    part: Part | None = None
    """None for a kind that only a task raises."""
    role: Role = Role.EFFECT
    explains: frozenset[str] = frozenset()
    """The ids of the kinds that follow from this one: they belong to its incident (:mod:`.incidents`)."""
    explains_own: frozenset[str] = frozenset()
    """The same, for findings of the same workflow, scraper or source only."""
    cause: str = ""
    """The key of the incident to which every finding of the kind belongs, if that is another kind's."""
    of_a_shadow: bool = False
    """Whether a shadow can have this fault. Calls, games and files belong to the other system."""
    lasts: bool = True
    """Whether the alert is over once the fault is no longer found. False for an event, which is never over."""
    example: str = ""
    """An example of the text for the page 12-alerts, if another module writes the text."""

    def also(self, **changes: Any) -> FindingKind:
        """Return the same kind with another sentence."""
        return replace(self, **changes)

    def says(self, workflow: str, values: dict[str, object]) -> tuple[str, str]:
        """Return the text and the command with ``values`` filled in. Raises KeyError if one is missing."""
        known = {"workflow": workflow, **{name: brief(v) if name in _QUOTED else v for name, v in values.items()}}
        text, command = (_PLACEHOLDER.sub(lambda m: str(known[m[1]]), t) for t in (self.text, self.command))
        return text, command


@dataclass(frozen=True)
class Finding:
    """One fault, with the first command to type.

    ``workflow`` is a workflow, a DAG of the system, a scraper or a source. ``run_id`` is Airflow's. ``detail`` tells
    two findings of the same kind and workflow apart, such as the rule of an ABORT.

    ``cause``: the key of its incident, if the facts name the cause. ``hits``: the runs that it hits, such as
    ``betting_lines 15:00``. ``losses``: those of them that nobody makes up for.
    """

    verdict: Verdict
    of: FindingKind
    workflow: str
    text: str
    command: str
    run_id: str | None = None
    detail: str = ""
    cause: str = ""
    hits: tuple[str, ...] = ()
    losses: tuple[str, ...] = ()

    @property
    def kind(self) -> str:
        """The id of its kind."""
        return self.of.id

    @property
    def key(self) -> str:
        """The identity of the finding: two findings with one key are about the same thing."""
        return key_of(self.kind, self.workflow, self.detail)


def key_of(kind: str, workflow: str, detail: str = "") -> str:
    """Return the key of a finding, an alert or an incident. It is stored and never changes."""
    return " ".join(filter(None, (kind, workflow, detail)))


def finding(
    kind: FindingKind,
    workflow: str,
    *,
    run_id: str | None = None,
    detail: str = "",
    critical: bool = True,
    cause: str = "",
    hits: tuple[str, ...] = (),
    losses: tuple[str, ...] = (),
    **values: object,
) -> Finding:
    """Return a finding, with ``values`` for the placeholders of its kind.

    A CRITICAL kind makes the day UNHEALTHY, a WARNING makes it DEGRADED. ``critical=False`` makes a kind with
    ``or_warning`` a WARNING.
    """
    text, command = kind.says(workflow, {"run_id": run_id, **values})
    loud = kind.level is AlertLevel.CRITICAL and (critical or not kind.or_warning)
    verdict = Verdict.UNHEALTHY if loud else Verdict.DEGRADED
    return Finding(verdict, kind, workflow, text, command, run_id, detail, cause or kind.cause, hits, losses)


def script(name: str, day: date | str, more: str = "") -> str:
    """Return the command that runs one of our scripts for a day."""
    return f"{SCRIPTS}/{name}.sh --date {day}{more}"


def trigger(dag_id: str, **conf: object) -> str:
    """Return the command that starts a run by hand."""
    return f"airflow dags trigger {dag_id}" + (f" --conf '{json.dumps(conf)}'" if conf else "")
