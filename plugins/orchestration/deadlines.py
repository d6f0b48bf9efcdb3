"""DAG-level SLAs: Airflow 3's deadline alerts, still marked experimental, so only this module touches them."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Any

# Airflow's own stub of airflow.sdk does not list these three yet.
from airflow.sdk import DeadlineAlert, DeadlineReference, SyncCallback  # type: ignore[attr-defined]

log = logging.getLogger(__name__)


def deadline(workflow: str, minutes: float | None) -> DeadlineAlert | None:
    """Return the alert for a run of ``workflow`` that is not over ``minutes`` after it was queued, or None."""
    if minutes is None:
        return None
    return DeadlineAlert(
        reference=DeadlineReference.DAGRUN_QUEUED_AT,
        interval=timedelta(minutes=minutes),
        callback=SyncCallback(report_missed, kwargs={"workflow": workflow, "minutes": minutes}),
    )


def report_missed(workflow: str, minutes: float, **context: Any) -> None:
    """Say that a run missed its deadline."""
    run = (context.get("context") or {}).get("dag_run", {})
    log.error("SLA missed: %s was not over %g min after it was queued (run %s)", workflow, minutes, run)
