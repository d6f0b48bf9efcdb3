"""Alerts to people, each sent once per workflow, kind and ET day (lesson C8). Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date

from pydantic import TypeAdapter

from orchestration.health import task_kinds
from orchestration.health.findings import Finding, FindingKind
from orchestration.vocabulary.workflows import Alerts
from orchestration.words import AlertLevel, Verdict, first_sentence

Open = dict[str, dict[str, str | None]]
"""The alerts that were open when a task last looked, by key, as JSON."""


@dataclass(frozen=True)
class Alert:
    """Something that needs a person. ``kind`` and ``workflow`` name it; ``command`` is the first command to type.

    ``workflow``: a workflow, a DAG of the system, or a scraper. ``run_id``: the run of Airflow that failed, if it is
    one run. ``day``: the orchestration day of a finding. ``lasts``: whether the alert is over once its fault is no
    longer found. ``detail`` tells two alerts of one kind apart.
    """

    kind: str
    workflow: str
    text: str
    command: str = "bin/orchestration/check_system_status.sh"
    level: AlertLevel = AlertLevel.CRITICAL
    run_id: str | None = None
    day: date | None = None
    lasts: bool = True
    detail: str = ""

    @property
    def key(self) -> str:
        """The identity of the alert: two alerts with one key are about the same thing."""
        return " ".join(filter(None, (self.kind, self.workflow, self.detail)))

    def to_open(self) -> dict[str, str | None]:
        """Return the JSON form that is kept until the alert is over."""
        kept: dict[str, str | None] = _JSON.dump_python(self, mode="json", exclude={"run_id", "lasts"})
        return kept

    @classmethod
    def from_open(cls, kept: Mapping[str, str | None]) -> Alert:
        """Return the alert that ``to_open`` turned into JSON, in this release or an earlier one."""
        return _JSON.validate_python(kept)


_JSON = TypeAdapter(Alert)


def alert(
    kind: FindingKind,
    workflow: str,
    *,
    level: AlertLevel | None = None,
    run_id: str | None = None,
    day: date | None = None,
    detail: str = "",
    **values: object,
) -> Alert:
    """Return an alert, with ``values``, ``day`` and ``run_id`` for the placeholders of its kind.

    ``level``: the level of this alert, by default that of its kind.
    """
    text, command = kind.says(workflow, {"day": day, "run_id": run_id, **values})
    return Alert(kind.id, workflow, text, command, level or kind.level, run_id, day, kind.lasts, detail)


@dataclass(frozen=True)
class News:
    """The alerts to send, the alerts that are over, and the alerts that are open now."""

    raised: tuple[Alert, ...]
    healed: tuple[Alert, ...]
    open: Open


def alert_of(finding: Finding, alerts: Alerts | None = None, day: date | None = None) -> Alert:
    """Return the alert for a finding of the orchestration ``day``, at the level of its verdict.

    ``alerts``: the levels of the workflow. If the kind names one of their keys, that level counts instead.
    """
    level = AlertLevel.CRITICAL if finding.verdict is Verdict.UNHEALTHY else AlertLevel.WARNING
    if alerts is not None and finding.of.alerts_key is not None:
        level = getattr(alerts, finding.of.alerts_key)
    return Alert(
        finding.kind,
        finding.workflow,
        finding.text,
        finding.command,
        level,
        finding.run_id,
        day,
        finding.of.lasts,
        finding.detail,
    )


def together(found: Iterable[Alert]) -> dict[str, Alert]:
    """Return the alerts by key. Several of one key become one, at the loudest level."""
    merged: dict[str, Alert] = {}
    for alert in found:
        other = merged.get(alert.key)
        if other is None:
            merged[alert.key] = alert
        elif other.text != alert.text:
            loudest = max(other.level, alert.level, key=list(AlertLevel).index)
            merged[alert.key] = replace(other, text=f"{other.text}; {alert.text}", level=loudest)
    return merged


def news(
    sent_on: Mapping[str, str | None],
    was_open: Open,
    found: Mapping[str, Alert],
    day: date,
    looked_at: Collection[date] | None = (),
) -> News:
    """Return which of ``found`` are new on the ET date ``day``, and which of ``was_open`` are over.

    ``sent_on``: the ET day on which each alert was last sent. An alert that lasts is sent again each day. An alert that
    comes back on the same day is sent again only after its all-clear.

    ``looked_at``: the orchestration days that the task looked at. An alert of another day gets no all-clear. None means
    that the task could not look, so every open alert stays open.
    """
    raised = tuple(alert for key, alert in found.items() if sent_on.get(key) != day.isoformat())
    still_open = {key: alert.to_open() for key, alert in found.items() if alert.lasts}
    if looked_at is None:
        return News(raised, (), was_open | still_open)
    gone = {key: Alert.from_open(kept) for key, kept in was_open.items() if key not in found}
    healed = tuple(alert for alert in gone.values() if alert.day is None or alert.day in looked_at)
    return News(raised, healed, still_open)


def all_clear(healed: Collection[Alert], source: str) -> Alert:
    """Return one all-clear for the alerts ``healed`` of the task ``source``, at their loudest level."""
    about = {alert.workflow for alert in healed}
    loudest = max((alert.level for alert in healed), key=list(AlertLevel).index)
    what = "; ".join(first_sentence(alert.text) for alert in healed)
    return alert(task_kinds.HEALED, about.pop() if len(about) == 1 else source, level=loudest, what=what)
