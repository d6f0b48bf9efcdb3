"""Metrics through Airflow's own stats: StatsD or OpenTelemetry, as its section ``[metrics]`` says.

The use of each metric, the dashboard and the alert rules: docs/orchestration/11-metrics.md.
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
    """Log errors instead of raising them: no task fails because of a metric."""
    try:
        yield
    except Exception:
        log.warning("The metric %s was not sent", what, exc_info=True)


@dataclass(frozen=True)
class Metric:
    """The name of a metric, without Airflow's prefix, and the tags that each value must have."""

    name: str
    tags: tuple[str, ...] = ()

    def _send(self, how: Callable[..., None], value: float | timedelta, tags: dict[str, str]) -> None:
        with measuring(self.name):
            if tags.keys() != set(self.tags):
                raise ValueError(f"has the tags {self.tags}, not {tuple(tags)}")
            how(self.name, value, tags=tags)


class Counter(Metric):
    """A metric that counts events."""

    def count(self, number: int = 1, **tags: Any) -> None:
        """Add ``number``."""
        self._send(stats.incr, number, tags)


class Gauge(Metric):
    """A metric with a present value. It has no tags, because a reader that ignores tags would mix their values."""

    def set(self, value: float) -> None:
        """Set the present value."""
        self._send(stats.gauge, value, {})


class Timer(Metric):
    """A metric of durations."""

    def took(self, duration: timedelta, **tags: Any) -> None:
        """Send a duration, in milliseconds as Airflow's own."""
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

ALL: tuple[Metric, ...] = tuple(one for one in globals().values() if isinstance(one, Metric))
