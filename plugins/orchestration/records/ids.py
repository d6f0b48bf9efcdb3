"""Deterministic ids: the same try of the same task always makes the same row (lesson E3)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid5

_NAMESPACE = UUID("5a5d0f6e-6b0b-5c1e-9b6f-3d1e0a7c2f10")


@dataclass(frozen=True, slots=True)
class TaskKey:
    """One try of one task instance, as Airflow names it. ``map_index`` is -1 for a task that is not mapped."""

    dag_id: str
    run_id: str
    task_id: str
    map_index: int = -1
    try_number: int = 1

    def columns(self) -> dict[str, Any]:
        """Return the columns that every audit row carries."""
        return {
            "dag_id": self.dag_id,
            "run_id": self.run_id,
            "task_id": self.task_id,
            "map_index": self.map_index,
            "try_number": self.try_number,
        }


def decision_id(dag_id: str, run_id: str) -> str:
    """Return the id of the decision of a run. All tries have the same id."""
    return row_id("decision", TaskKey(dag_id, run_id, "decide"), per_try=False)


def execution_id(dag_id: str, run_id: str) -> str:
    """Return the id of the execution of a run. Every writer of its row uses this id."""
    return row_id("execution", TaskKey(dag_id, run_id, "finish"), per_try=False)


def row_id(kind: str, key: TaskKey, *more: object, per_try: bool = True) -> str:
    """Return the UUIDv5 of ``kind``, the task key and ``more``. ``per_try=False``: one id for all tries of a task."""
    tried = (key.try_number,) if per_try else ()
    parts = (kind, key.dag_id, key.run_id, key.task_id, key.map_index, *tried, *more)
    return str(uuid5(_NAMESPACE, "\x1f".join(str(part) for part in parts)))
