"""Stages a row, appends it, and kills itself at a step: python crash.py <step>. test_outbox.py runs it."""

from __future__ import annotations

import os
import signal
import sys

from airflow.sdk import ObjectStoragePath

from orchestration.audit.outbox import Outbox
from orchestration.audit.warehouse import Warehouse
from support.rows import a_decision

STEPS = ("before staging", "half written", "staged", "before append", "appended", "removed")


def die(*_: object, **__: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def main(step: str) -> None:
    outbox, append = Outbox(), Warehouse.append
    if step == "before staging":
        die()
    if step == "half written":
        ObjectStoragePath.replace = die
    names = outbox.stage([a_decision()])
    if step == "staged":
        die()
    if step == "before append":
        Warehouse.append = die
    if step == "appended":
        Warehouse.append = lambda self, table, rows: (append(self, table, rows), die())
    outbox.append("workflow_decisions", names)
    die()


if __name__ == "__main__":
    main(sys.argv[1])
