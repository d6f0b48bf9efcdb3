"""What a RUN amounted to, from the states and outcomes of its calls. Pure (lessons K4, K6, K7)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from orchestration.words import ExecutionStatus, Outcome

VETOED = "Vetoed by"
"""How the error of an execution begins that a person has stopped."""
FEW = 2
"""So many failed calls of one scraper are named one by one."""
NOT_MADE = ("upstream_failed", "removed")
WHY_NOT_MADE = "not made, what it needs failed"
_NOT_MADE_IN_SHORT = re.compile(
    rf"(?:(?P<count>\d+) calls of )?(?P<label>(?P<scraper>\S+)(?: \[\d+\])?): {WHY_NOT_MADE}"
)


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
    left: Mapping[str, Any] | None = None
    """What the call left of itself."""

    @property
    def reported(self) -> bool:
        """Whether the task's last try left a row. One that was killed left none."""
        return self.execution_id is not None


def call_ends(
    scrapers: Iterable[str],
    states: Mapping[tuple[str, int], str],
    outcomes: Mapping[tuple[str, int], Sequence[Mapping[str, Any]]],
) -> list[CallEnd]:
    """Return the ends of a run's calls.

    ``states`` are Airflow's and ``outcomes`` what the calls of a task left, both by task id and map index (-1: not
    mapped). Skipped calls (an empty list, a scraper that was not asked for) do not count. A task that left nothing
    counts as one call, however many it was to make.
    """
    ends = []
    for scraper in scrapers:
        for map_index, state in sorted((index, state) for (task, index), state in states.items() if task == scraper):
            label = scraper if map_index < 0 else f"{scraper} [{map_index}]"
            lefts = outcomes.get((scraper, map_index), ())
            if state in NOT_MADE:
                ends.append(CallEnd(scraper, map_index, None, label))
            elif state in ("failed", "success") and not lefts:
                # Killed before it could leave anything, or its state was set by hand.
                ends.append(CallEnd(scraper, map_index, Outcome.FAILED, label, error_type="killed"))
            elif state in ("failed", "success"):
                # What the call said goes before the task's state: Airflow can fail a task whose call has succeeded.
                ends += [_end(scraper, map_index, left, Outcome(left["outcome"])) for left in lefts]
    return ends


def _end(scraper: str, map_index: int, left: Mapping[str, Any], outcome: Outcome) -> CallEnd:
    return CallEnd(
        scraper,
        map_index,
        outcome,
        label=str(left["call"]["label"]),
        execution_id=left["execution_id"],
        error_type=left["error_type"],
        triggered_at=left["triggered_at"],
        left=left,
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
    """Return the failed calls in one line, or None. Many of one scraper that failed alike are counted."""
    groups: dict[tuple[str, str], list[str]] = {}
    for end in ends:
        if end.outcome in (None, Outcome.FAILED):
            why = WHY_NOT_MADE if end.outcome is None else end.error_type or "failed"
            groups.setdefault((end.scraper, why), []).append(end.label)
    parts = []
    for (scraper, why), labels in groups.items():
        if len(labels) > FEW:
            parts.append(f"{len(labels)} calls of {scraper}: {why}")
        else:
            parts += [f"{label}: {why}" for label in labels]
    return "; ".join(parts) or None


def not_made(short: str | None) -> list[CallEnd]:
    """Return the calls that were not made, from what :func:`failures_in_short` said: no row of theirs says it."""
    found = (_NOT_MADE_IN_SHORT.fullmatch(part) for part in (short or "").split("; "))
    return [
        CallEnd(part["scraper"], -1, None, part["label"])
        for part in found
        if part is not None
        for _ in range(int(part["count"] or 1))
    ]
