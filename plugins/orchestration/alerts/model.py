"""Alerts: what a person is told, once per workflow, kind and ET day (lesson C8). Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date

from orchestration.health.findings import Finding
from orchestration.words import AlertLevel, Verdict

Open = dict[str, str]
"""What a source found when it last looked: the text of each alert, by its key."""


@dataclass(frozen=True)
class Alert:
    """Something that needs a person. ``kind`` and ``workflow`` say which; ``command`` is the first one to type.

    ``workflow`` is what it is about: a workflow, a DAG of the system, or a scraper. ``run_id`` is Airflow's, if one run
    is to blame.
    """

    kind: str
    workflow: str
    text: str
    command: str = "bin/orchestration/check_system_status.sh"
    level: AlertLevel = AlertLevel.CRITICAL
    run_id: str | None = None

    @property
    def key(self) -> str:
        """What makes two alerts the same."""
        return f"{self.kind} {self.workflow}"


@dataclass(frozen=True)
class News:
    """What to tell: alerts to raise, texts of what has healed; and what is open now."""

    raised: tuple[Alert, ...]
    healed: tuple[str, ...]
    open: Open


def alert_of(finding: Finding, failure: AlertLevel | None = None) -> Alert:
    """Return the alert for a finding. ``failure``: the workflow's own level for executions that failed."""
    level = AlertLevel.CRITICAL if finding.verdict is Verdict.UNHEALTHY else AlertLevel.WARNING
    if failure is not None and finding.kind == "execution_failed":
        level = failure
    return Alert(finding.kind, finding.workflow, finding.text, finding.command, level, finding.run_id)


def together(found: Iterable[Alert]) -> dict[str, Alert]:
    """Return the alerts by key; several of one key become one, as loud as the loudest."""
    merged: dict[str, Alert] = {}
    for alert in found:
        other = merged.get(alert.key)
        if other is None:
            merged[alert.key] = alert
        elif other.text != alert.text:
            loudest = max(other.level, alert.level, key=list(AlertLevel).index)
            merged[alert.key] = replace(other, text=f"{other.text}; {alert.text}", level=loudest)
    return merged


def news(told: Mapping[str, str | None], was_open: Open, found: Mapping[str, Alert], day: date) -> News:
    """Return what is new among ``found`` on the ET date ``day``, and what of ``was_open`` is over.

    ``told`` says on which ET day each alert was told last. What lasts is raised anew on each day; what comes back on
    the same day is not.
    """
    raised = tuple(alert for key, alert in found.items() if told.get(key) != day.isoformat())
    healed = tuple(text for key, text in was_open.items() if key not in found)
    return News(raised, healed, {key: alert.text for key, alert in found.items()})
