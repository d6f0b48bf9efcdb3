"""Airflow callbacks: they append the rows that a task staged to BigQuery.

A callback is the fast path, never the only one: Airflow runs none for a killed task and swallows its exceptions. The
cleanup DAG appends the rows that stay staged (DESIGN section 7).
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from airflow.sdk.observability import stats

if TYPE_CHECKING:
    from airflow.sdk import Context

log = logging.getLogger(__name__)


def append_staged(context: Context) -> None:
    """Append the rows that this task staged and remove them from the outbox. On failure the rows stay there."""
    from orchestration.audit.outbox import Outbox

    staged = getattr(context["task"], "staged", {})
    if not any(staged.values()):
        return
    outbox = Outbox()
    for table, names in staged.items():
        try:
            outbox.append(table, names)
        except Exception:
            stats.incr("orchestration.rows_left_staged", len(names), tags={"table": table})
            log.exception("%d row(s) for %s stay in the outbox; the cleanup DAG appends them", len(names), table)
