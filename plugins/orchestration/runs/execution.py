"""The status of an execution, from the states and outcomes of its calls. Pure (lessons K4, K6, K7)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from orchestration.words import ExecutionStatus, Outcome

VETOED = "Vetoed by"
"""The start of the error of an execution that a person stopped."""
NOBODY = "; nobody could be told"
"""The end of the stored error of a missed deadline that nobody was alerted about. A query reads it: never change it."""
FEW = 2
"""Up to this many failed calls of a scraper are named one by one."""
NOT_MADE = ("upstream_failed", "removed")
WHY_NOT_MADE = "not made, what it needs failed"
_NOT_MADE_IN_SHORT = re.compile(
    rf"(?:(?P<count>\d+) calls of )?(?P<label>(?P<scraper>\S+)(?: \[\d+\])?): {WHY_NOT_MADE}"
)


@dataclass(frozen=True)
class CallEnd:
    """The end of one planned call, with or without a row: a call that was not made or was killed has none.

    ``outcome`` is None for a call that was not made: a call that it needs has failed.
    """

    scraper: str
    map_index: int
    outcome: Outcome | None
    label: str
    execution_id: str | None = None
    error_type: str | None = None
    triggered_at: str | None = None
    left: Mapping[str, Any] | None = None
    """The report that the call left in its XCom."""

    @property
    def reported(self) -> bool:
        """Whether the last try of the task left a row. A killed try leaves none."""
        return self.execution_id is not None


def call_ends(
    scrapers: Iterable[str],
    states: Mapping[tuple[str, int], str],
    outcomes: Mapping[tuple[str, int], Sequence[Mapping[str, Any]]],
) -> list[CallEnd]:
    """Return the ends of a run's calls.

    ``states`` are Airflow's states of the tasks, and ``outcomes`` the reports of each task's calls. Both are by task id
    and map index (-1: not mapped). Skipped calls (an empty list, a scraper that was not requested) do not count. A task
    without a report counts as one call, even if it should have made several.
    """
    ends = []
    for scraper in scrapers:
        for map_index, state in sorted((index, state) for (task, index), state in states.items() if task == scraper):
            label = scraper if map_index < 0 else f"{scraper} [{map_index}]"
            lefts = outcomes.get((scraper, map_index), ())
            if state in NOT_MADE:
                ends.append(CallEnd(scraper, map_index, None, label))
            elif state in ("failed", "success") and not lefts:
                # The task was killed before its report, or a person set its state.
                ends.append(CallEnd(scraper, map_index, Outcome.FAILED, label, error_type="killed"))
            elif state in ("failed", "success"):
                # The report wins over the state: Airflow can fail a task whose call succeeded.
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
    """Return completed, partial or failed. A critical call that was not made counts as failed."""
    bad = [end for end in ends if end.outcome in (None, Outcome.FAILED)]
    if not bad:
        return ExecutionStatus.COMPLETED
    if len(bad) == len(ends) or any(end.scraper in critical for end in bad):
        return ExecutionStatus.FAILED
    return ExecutionStatus.PARTIAL


def failures_in_short(ends: Iterable[CallEnd]) -> str | None:
    """Return the failed calls in one line, or None. Calls of one scraper with the same error are counted."""
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


def for_people(short: str) -> str:
    """Return a line of :func:`failures_in_short` in plainer words. The stored words never change."""
    return short.replace(WHY_NOT_MADE, "not called, because a call that it needs failed")


def not_made(short: str | None) -> list[CallEnd]:
    """Return the calls that were not made, from a line of :func:`failures_in_short`. Such calls have no row."""
    found = (_NOT_MADE_IN_SHORT.fullmatch(part) for part in (short or "").split("; "))
    return [
        CallEnd(part["scraper"], -1, None, part["label"])
        for part in found
        if part is not None
        for _ in range(int(part["count"] or 1))
    ]
