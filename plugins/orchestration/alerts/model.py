"""Alerts: what a person is told, once per workflow, kind and ET day (lesson C8). Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date

from pydantic import TypeAdapter

from orchestration.health import kinds
from orchestration.health.findings import Finding, FindingKind
from orchestration.vocabulary.workflows import Alerts
from orchestration.words import AlertLevel, Verdict

Open = dict[str, dict[str, str | None]]
"""What a source found when it last looked, by the alerts' keys, as JSON."""


@dataclass(frozen=True)
class Alert:
    """Something that needs a person. ``kind`` and ``workflow`` say which; ``command`` is the first one to type.

    ``workflow`` is what it is about: a workflow, a DAG of the system, or a scraper. ``run_id`` is Airflow's, if one run
    is to blame. ``day``: the orchestration day in which it was found, if it is about one. ``lasts``: whether it is over
    once it is no longer found; what has happened once is not. ``detail``: what tells two of one kind apart.
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
        """What makes two alerts the same."""
        return " ".join(filter(None, (self.kind, self.workflow, self.detail)))

    def to_open(self) -> dict[str, str | None]:
        """Return what is kept of it until it is over."""
        kept: dict[str, str | None] = _JSON.dump_python(self, mode="json", exclude={"run_id", "lasts"})
        return kept

    @classmethod
    def from_open(cls, kept: Mapping[str, str | None]) -> Alert:
        """Read what ``to_open`` returned, in this release or in one before."""
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

    ``level``: where the case or the workflow decides it, else the kind does.
    """
    text, command = kind.says(workflow, {"day": day, "run_id": run_id, **values})
    return Alert(kind.id, workflow, text, command, level or kind.level, run_id, day, kind.lasts, detail)


@dataclass(frozen=True)
class News:
    """What to tell: alerts to raise, those that are over; and what is open now."""

    raised: tuple[Alert, ...]
    healed: tuple[Alert, ...]
    open: Open


def alert_of(finding: Finding, alerts: Alerts | None = None, day: date | None = None) -> Alert:
    """Return the alert for a finding of the orchestration ``day``, as loud as its workflow's ``alerts`` ask for."""
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


def news(
    told: Mapping[str, str | None],
    was_open: Open,
    found: Mapping[str, Alert],
    day: date,
    looked_at: Collection[date] | None = (),
) -> News:
    """Return what is new among ``found`` on the ET date ``day``, and what of ``was_open`` is over.

    ``told`` says on which ET day each alert was told last. What lasts is raised anew on each day; what comes back on
    the same day is not, unless people were told that it was over.

    ``looked_at``: the orchestration days in which the source looked. What was found in another day is not over for not
    being found, it is of the past. None where the source could not look at all: then all is as it was.
    """
    raised = tuple(alert for key, alert in found.items() if told.get(key) != day.isoformat())
    still_open = {key: alert.to_open() for key, alert in found.items() if alert.lasts}
    if looked_at is None:
        return News(raised, (), was_open | still_open)
    gone = {key: Alert.from_open(kept) for key, kept in was_open.items() if key not in found}
    healed = tuple(alert for alert in gone.values() if alert.day is None or alert.day in looked_at)
    return News(raised, healed, still_open)


def right_again(healed: Collection[Alert], source: str) -> Alert:
    """Return what tells those who were told of ``healed``, one or more, that it is over: as widely, and once."""
    about = {alert.workflow for alert in healed}
    loudest = max((alert.level for alert in healed), key=list(AlertLevel).index)
    what = "; ".join(alert.text for alert in healed)
    return alert(kinds.HEALED, about.pop() if len(about) == 1 else source, level=loudest, what=what)
