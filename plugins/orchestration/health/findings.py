"""A finding of the health check: what is wrong, how badly, and the first command to type. Pure."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date, timedelta

from orchestration.words import Verdict

GRACE = timedelta(minutes=45)
"""From a tick until its execution must be over: the hold, the calls and their retries."""
MORNING = timedelta(hours=7)
"""So long after a lock the day before is still looked at: the night's box scores, what was to heal."""
CLEANUP_PATIENCE = timedelta(hours=2, minutes=30)
"""So long after one cleanup the next is not missed yet, and what it saw still says something."""
SCRIPTS = "bin/orchestration"


@dataclass(frozen=True)
class Finding:
    """One thing that is not as it should be, with the first command to type.

    ``kind`` and ``workflow`` name it; ``workflow`` may also be a DAG of the system or a source. ``run_id``: Airflow's.
    ``detail``: what else tells two findings of one kind apart, such as the rule of an ABORT.
    """

    verdict: Verdict
    kind: str
    workflow: str
    text: str
    command: str
    run_id: str | None = None
    detail: str = ""


def bad(kind: str, workflow: str, text: str, command: str, run_id: str | None = None, detail: str = "") -> Finding:
    """Return a finding that makes the day UNHEALTHY."""
    return Finding(Verdict.UNHEALTHY, kind, workflow, text, command, run_id, detail)


def worse(kind: str, workflow: str, text: str, command: str, run_id: str | None = None, detail: str = "") -> Finding:
    """Return a finding that makes the day DEGRADED."""
    return Finding(Verdict.DEGRADED, kind, workflow, text, command, run_id, detail)


def script(name: str, day: date, more: str = "") -> str:
    """Return the command that runs one of our scripts for a day."""
    return f"{SCRIPTS}/{name}.sh --date {day.isoformat()}{more}"


def trigger(dag_id: str, **conf: object) -> str:
    """Return the command that starts a run by hand."""
    return f"airflow dags trigger {dag_id}" + (f" --conf '{json.dumps(conf)}'" if conf else "")
