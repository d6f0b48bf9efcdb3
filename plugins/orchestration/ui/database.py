"""The data that the pages read from Airflow's own database: the runs of a day, one run, and the alerts sent."""

from __future__ import annotations

import json
from collections.abc import Set
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from airflow.models.asset import AssetModel  # noqa: TID251  the API server may open Airflow's database; tasks may not
from airflow.models.asset_state_store import AssetStateStoreModel  # noqa: TID251
from airflow.models.dagrun import DagRun  # noqa: TID251
from sqlalchemy import select
from sqlalchemy.orm import Session

from orchestration.alerts.memory import ALERTS
from orchestration.nba.eastern import et

TOLD = "told "
"""The memory of alerts keeps the date of a sent alert under a key with this prefix."""
MOST_RUNS = 5000


@dataclass(frozen=True, slots=True)
class RunState:
    """A DAG run in Airflow's database. ``at`` (ET): its logical date, else the time from which it may start."""

    dag_id: str
    run_id: str
    state: str
    at: datetime


@dataclass(frozen=True, slots=True)
class SentAlert:
    """An alert that was sent: its kind, its subject, and the ET date."""

    kind: str
    about: str
    day: date


def run_of(session: Session, dag_id: str, run_id: str) -> Any:
    """Return a DAG run, or None."""
    return session.scalar(select(DagRun).where(DagRun.dag_id == dag_id, DagRun.run_id == run_id))


def runs_between(session: Session, dag_ids: Set[str], start: datetime, end: datetime) -> list[RunState]:
    """Return the runs of these DAGs with ``start`` <= logical date < ``end``, in order."""
    found = session.execute(
        select(DagRun.dag_id, DagRun.run_id, DagRun.state, DagRun.logical_date, DagRun.run_after)
        .where(DagRun.dag_id.in_(dag_ids), DagRun.run_after >= start, DagRun.run_after < end)
        .order_by(DagRun.run_after)
        .limit(MOST_RUNS)
    )
    return [RunState(r.dag_id, r.run_id, str(r.state), et(r.logical_date or r.run_after)) for r in found]


def sent_alerts(session: Session, days: Set[date], allowed: Set[str], known: Set[str]) -> list[SentAlert]:
    """Return the alerts sent on these ET ``days``, without alerts about DAGs that are not ``allowed``.

    ``known``: all DAGs of the system. The subject of an alert may also be a source or a scraper.
    """
    rows = session.execute(
        select(AssetStateStoreModel.key, AssetStateStoreModel.value)
        .join(AssetModel, AssetModel.id == AssetStateStoreModel.asset_id)
        .where(AssetModel.name == ALERTS.name, AssetStateStoreModel.key.startswith(TOLD))
    )
    found = []
    for key, value in rows:
        kind, _, about = key.removeprefix(TOLD).partition(" ")
        day = _date(value)
        if day is not None and day in days and (about not in known or about in allowed):
            found.append(SentAlert(kind, about, day))
    return sorted(found, key=lambda one: (one.day, one.kind, one.about), reverse=True)


def _date(value: str) -> date | None:
    try:
        return date.fromisoformat(str(json.loads(value)))
    except ValueError:
        return None
