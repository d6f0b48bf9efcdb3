"""The parts that all dialects share: calls, failures, answers, messages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol

from sandbox.scrapers import Finding

TOPIC = "nba-phase1-scrapers-complete"

Answer = tuple[int, dict[str, Any], dict[str, str]]
"""Status, body and headers."""


@dataclass(frozen=True)
class ServiceCall:
    """One request to the service. ``at`` is the time of the request."""

    name: str
    run_id: str
    parameters: Mapping[str, Any]
    workflow: str | None
    source: str | None
    at: datetime


@dataclass(frozen=True)
class Failure:
    """Why a call failed: kind ``blocked``, ``absent``, ``parameters``, or one of :data:`sandbox.world.FAULTS`."""

    kind: str
    text: str


class Dialect(Protocol):
    """The differences between dialects."""

    topic: str
    scrapers: tuple[str, ...]
    """The names that the service knows."""
    logs: bool
    """Whether the service writes a log of its own."""
    batches: bool
    """Whether rows of the log can come late."""
    overwrites: bool
    """Whether Phase 2 overwrites the schedule's table at each refresh."""

    def run_id(self, bits: int) -> str:
        """Return the id of a run from 128 random bits."""

    def listing(self) -> dict[str, Any]:
        """Return the answer of GET /scrapers."""

    def judge(self, call: ServiceCall, result: Finding | Failure) -> Finding | Failure:
        """Return the service's own view of a scraper's result: some count an empty result as a failure."""

    def answer(self, call: ServiceCall, result: Finding | Failure, path: str | None) -> Answer:
        """Return the answer to the caller. ``path`` is that of the scraper's file, if there is one."""

    def log_row(
        self, call: ServiceCall, result: Finding | Failure, path: str | None, now: datetime
    ) -> dict[str, Any] | None:
        """Return the row of the log, or None if the scraper never began."""

    def message(self, call: ServiceCall, finding: Finding, path: str, now: datetime) -> dict[str, Any]:
        """Return the body of the handoff's message."""

    def processed(self, name: str, row: Mapping[str, Any], path: str) -> dict[str, Any]:
        """Return the row that Phase 2 writes for a row of the scraper's file."""


def unknown(dialect: Dialect, name: object) -> Answer:
    """Return the answer to an unknown scraper name."""
    return 400, {"error": f"Unknown scraper: {name}", "available_scrapers": list(dialect.scrapers)}, {}


def iso(moment: datetime) -> str:
    """Return a moment in UTC, in the form of messages and rows."""
    return moment.astimezone(UTC).isoformat()


def message_body(call: ServiceCall, name: str, finding: Finding, path: str, now: datetime) -> dict[str, Any]:
    """Return the body that every handoff message has. ``name`` is the scraper's own name for itself."""
    return {
        "name": name,
        "scraper_name": name,
        "execution_id": call.run_id,
        "status": "success",
        "gcs_path": path,
        "record_count": finding.record_count,
        "duration_seconds": 0.1,
        "timestamp": iso(now),
        "workflow": call.workflow,
        "error_message": None,
        "metadata": {},
    }
