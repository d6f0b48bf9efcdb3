"""Days of the sandbox world, played through a real Airflow with its scheduler."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC
from pathlib import Path
from typing import Any

from rich.console import Console

from sandbox.day import Day
from sandbox.stack import Ports, Stack
from support.ports import free_ports
from support.standins import PATIENCE_SECONDS
from support.worlds import et

LONG_AGO = "DATE '2026-01-01'"
"""A date before all played days, for partition filters."""


def some_ports() -> Ports:
    """Return free ports for a stack."""
    names = ("api", "execution", "bigquery", "bigquery_grpc", "scrapers", "pubsub")
    return Ports(**dict(zip(names, free_ports(len(names)), strict=True)))


class PlayedDay(Day):
    """A played day with queries about its outcome."""

    def rows(self, text: str) -> list[dict[str, Any]]:
        """Return the rows of a BigQuery statement."""
        return [dict(row) for row in self.bigquery.query(text).result(timeout=PATIENCE_SECONDS)]

    def executions_of_each_run(self) -> list[int]:
        """Return the number of executions of each RUN decision."""
        found = self.rows(
            f"""
            SELECT d.decision_id, COUNT(e.execution_id) AS executions
            FROM nba_orchestration.v_workflow_decisions AS d
            LEFT JOIN nba_orchestration.v_workflow_executions AS e ON e.decision_id = d.decision_id
            WHERE DATE(d.decision_time) > {LONG_AGO} AND d.action = 'RUN'
            GROUP BY d.decision_id
            """,
        )
        return [row["executions"] for row in found]

    def wait_for(self, done: Callable[[], object], what: str, seconds: float = PATIENCE_SECONDS) -> None:
        """Wait until ``done`` is true. Raises AssertionError after ``seconds``, and StackError if a process ends."""
        deadline = time.monotonic() + seconds
        while not done():
            self.stack.check()
            assert time.monotonic() < deadline, f"waited too long for {what}"
            time.sleep(0.2)

    def wait_for_runs(self) -> None:
        """Wait until no run is queued or running."""
        self.wait_for(lambda: not self.api.unfinished(), "the runs to end")


@contextlib.contextmanager
def played_day(
    home: Path, timeline: Mapping[str, list[str]], kind: type[PlayedDay] = PlayedDay, **world: Any
) -> Iterator[PlayedDay]:
    """Start a stack under ``home``, play ``timeline`` (ET times of the day: DAGs) on it, and yield the day."""
    with Stack(home, some_ports(), **world) as stack:
        played = kind(stack, Console(quiet=True))
        played.api.await_dags({dag for dags in timeline.values() for dag in dags}, PATIENCE_SECONDS)
        played.play({et(moment).astimezone(UTC): dags for moment, dags in timeline.items()})
        yield played
