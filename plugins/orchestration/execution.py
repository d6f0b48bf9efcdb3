"""What a RUN amounted to, from the states and outcomes of its calls. Pure (lessons K4, K6, K7)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from orchestration.words import ExecutionStatus, Outcome

NOT_MADE = ("upstream_failed", "removed")


@dataclass(frozen=True)
class CallEnd:
    """How one call ended. ``outcome`` None: it was to be made and was not, since what it needs had failed."""

    scraper: str
    map_index: int
    outcome: Outcome | None
    label: str
    execution_id: str | None = None
    error_type: str | None = None
    triggered_at: str | None = None
    reported: bool = True
    """False: the task ended, but left no row (it was killed)."""


def call_ends(
    scrapers: Iterable[str], states: Mapping[str, str | None], outcomes: Mapping[tuple[str, int], Mapping[str, Any]]
) -> list[CallEnd]:
    """Return the ends of a run's calls.

    ``states`` are Airflow's: by task id, with ``_<map index>`` behind it for mapped ones. ``outcomes`` are what the
    calls left, by scraper and map index. Skipped calls (an empty list, a scraper that was not asked for) do not count.
    """
    ends = []
    for scraper in scrapers:
        for map_index, state in sorted(_instances(scraper, states).items()):
            label = scraper if map_index < 0 else f"{scraper} [{map_index}]"
            left = outcomes.get((scraper, map_index))
            if state in NOT_MADE:
                ends.append(CallEnd(scraper, map_index, None, label))
            elif state == "success" and left is not None:
                ends.append(_reported(scraper, map_index, left, Outcome(left["outcome"])))
            elif state == "failed" and left is not None:
                # A call that outlived its limit may have left a success; its task failed, and so did the call.
                ends.append(_reported(scraper, map_index, left, Outcome.FAILED))
            elif state in ("failed", "success"):
                ends.append(CallEnd(scraper, map_index, Outcome.FAILED, label, error_type="killed", reported=False))
    return ends


def _instances(scraper: str, states: Mapping[str, str | None]) -> dict[int, str | None]:
    prefix = f"{scraper}_"
    found = {-1: states[scraper]} if scraper in states else {}
    for task, state in states.items():
        if task.startswith(prefix) and task[len(prefix) :].isdigit():
            found[int(task[len(prefix) :])] = state
    return found


def _reported(scraper: str, map_index: int, left: Mapping[str, Any], outcome: Outcome) -> CallEnd:
    return CallEnd(
        scraper,
        map_index,
        outcome,
        str(left["label"]),
        left["execution_id"],
        left.get("error_type"),
        left.get("triggered_at"),
    )


def status_of(ends: Sequence[CallEnd], critical: frozenset[str]) -> ExecutionStatus:
    """Return completed, partial or failed. A critical call that could not be made counts as a failed one."""
    bad = [end for end in ends if end.outcome in (None, Outcome.FAILED)]
    if not bad:
        return ExecutionStatus.COMPLETED
    if len(bad) == len(ends) or any(end.scraper in critical for end in bad):
        return ExecutionStatus.FAILED
    return ExecutionStatus.PARTIAL


def failures_in_short(ends: Iterable[CallEnd]) -> str | None:
    """Return the failed calls in one line, or None."""
    parts = [
        f"{end.label}: {'not made, what it needs failed' if end.outcome is None else end.error_type or 'failed'}"
        for end in ends
        if end.outcome in (None, Outcome.FAILED)
    ]
    return "; ".join(parts) or None
