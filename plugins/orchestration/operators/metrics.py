"""Numbers for other tools, through Airflow's own stats: StatsD or OpenTelemetry, whichever ``[metrics]`` switches on.

What each is good for, and the dashboard and alert rules over them: docs/orchestration/11-metrics.md.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from airflow.sdk.observability import stats

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Metric:
    """A metric's name, which Airflow's prefix goes before, and the tags that each of its values has.

    A value that cannot be sent is logged and costs no task anything else: it is not worth one.
    """

    name: str
    tags: tuple[str, ...] = ()

    def _send(self, how: Callable[..., None], value: float | timedelta, tags: dict[str, str]) -> None:
        try:
            if tags.keys() != set(self.tags):
                raise ValueError(f"has the tags {self.tags}, not {tuple(tags)}")
            how(self.name, value, tags=tags)
        except Exception:
            log.warning("The metric %s was not sent", self.name, exc_info=True)


class Counter(Metric):
    """Counts what happens."""

    def count(self, number: int = 1, **tags: Any) -> None:
        """Count ``number`` more."""
        self._send(stats.incr, number, tags)


class Gauge(Metric):
    """Says how it is at present. None has tags, so that no reader without them mixes values."""

    def set(self, value: float) -> None:
        """Say that it is ``value`` now."""
        self._send(stats.gauge, value, {})


class Timer(Metric):
    """Measures how long something takes."""

    def took(self, duration: timedelta, **tags: Any) -> None:
        """Say how long it took; it is sent in milliseconds, as Airflow's own times are."""
        self._send(stats.timing, duration, tags)


DECISIONS = Counter("orchestration.decisions", ("workflow", "action"))
CALLS = Counter("orchestration.calls", ("scraper", "outcome"))
CALL_DURATION = Timer("orchestration.call_duration", ("scraper",))
OUTBOX_ROWS = Gauge("orchestration.outbox_rows")
OUTBOX_OLDEST_MINUTES = Gauge("orchestration.outbox_oldest_minutes")
FILES_MISSING = Gauge("orchestration.files_missing")
FILES_REPUBLISHED = Counter("orchestration.files_republished")
GAMES_DUE = Gauge("orchestration.games_due")
GAMES_COLLECTED = Gauge("orchestration.games_collected")
LOCK_AGE_MINUTES = Gauge("orchestration.lock_age_minutes")
VERDICT = Gauge("orchestration.verdict")

ALL: tuple[Metric, ...] = (
    DECISIONS,
    CALLS,
    CALL_DURATION,
    OUTBOX_ROWS,
    OUTBOX_OLDEST_MINUTES,
    FILES_MISSING,
    FILES_REPUBLISHED,
    GAMES_DUE,
    GAMES_COLLECTED,
    LOCK_AGE_MINUTES,
    VERDICT,
)
