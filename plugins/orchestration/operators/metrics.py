"""Numbers for other tools, through Airflow's own stats: StatsD or OpenTelemetry, whichever ``[metrics]`` switches on.

What each is good for, and the dashboard and alert rules over them: docs/orchestration/11-metrics.md.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from airflow.sdk.observability import stats

log = logging.getLogger(__name__)


@contextmanager
def measuring(what: str) -> Iterator[None]:
    """Log what goes wrong while something is measured or sent: no task fails for a number."""
    try:
        yield
    except Exception:
        log.warning("The metric %s was not sent", what, exc_info=True)


@dataclass(frozen=True)
class Metric:
    """A metric's name, which Airflow's prefix goes before, and the tags that each of its values has."""

    name: str
    tags: tuple[str, ...] = ()

    def _send(self, how: Callable[..., None], value: float | timedelta, tags: dict[str, str]) -> None:
        with measuring(self.name):
            if tags.keys() != set(self.tags):
                raise ValueError(f"has the tags {self.tags}, not {tuple(tags)}")
            how(self.name, value, tags=tags)


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
