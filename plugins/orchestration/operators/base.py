"""What the operators share: staging audit rows, with the callbacks that append them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperator

from orchestration.callbacks import append_staged
from orchestration.config.last_good import load_or_last_good
from orchestration.config.model import Config

if TYPE_CHECKING:
    from orchestration.audit.rows import Row

RETRIES_OF_OUR_OWN = 2
"""Tries again for a task of ours that stumbled over something passing, such as a full disk."""


def audited(**arguments: Any) -> dict[str, Any]:
    """Return operator arguments with the callbacks that append what the task staged."""
    return {
        "on_success_callback": append_staged,
        "on_failure_callback": append_staged,
        "on_retry_callback": append_staged,
        "on_skipped_callback": append_staged,
        "retries": RETRIES_OF_OUR_OWN,
        "retry_delay": timedelta(seconds=10),
        **arguments,
    }


class AuditedOperator(BaseOperator):
    """An operator that stages rows in ``execute``. ``workflow`` is a name in workflows.yaml, or None."""

    ui_color = "#e8f0fb"

    def __init__(self, *, workflow: str | None = None, **arguments: Any) -> None:
        super().__init__(**audited(**arguments))
        self.workflow = workflow
        self.staged: dict[str, list[str]] = {}

    @cached_property
    def config(self) -> Config:
        """The configuration in use, read again by every task, once (lesson K9)."""
        return load_or_last_good().config

    def stage(self, rows: Iterable[Row]) -> None:
        """Stage rows: when this returns they cannot be lost. The callback appends them."""
        from orchestration.audit.outbox import Outbox

        rows = list(rows)
        Outbox().stage(rows)
        for row in rows:
            self.staged.setdefault(row.TABLE, []).append(row.key)
