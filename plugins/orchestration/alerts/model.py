"""Alerts to people: one message when an incident begins, one when it gets worse, one when it ends. Pure (F9)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from pydantic import TypeAdapter

from orchestration.health import task_kinds
from orchestration.health.findings import Finding, FindingKind, Part, key_of
from orchestration.health.incidents import incident_of
from orchestration.health.kinds import KINDS, RANK
from orchestration.vocabulary.workflows import Alerts
from orchestration.words import AlertLevel, Verdict, few, first_sentence, loudness

Open = dict[str, dict[str, Any]]
"""The alerts that were open when a task last looked, by key, as JSON."""


@dataclass(frozen=True)
class Alert:
    """Something that needs a person. ``kind`` and ``workflow`` name it; ``command`` is the first command to type.

    ``workflow``: a workflow, a DAG of the system, or a scraper. ``run_id``: the run of Airflow that failed, if it is
    one run. ``day``: the orchestration day of a finding. ``lasts``: whether the alert is over once its fault is no
    longer found. ``detail`` tells two alerts of one kind apart.

    ``cause``: the key of its incident, if that is not the alert's own. ``hits``: the runs that it hits. ``losses``:
    those of them that nobody makes up for by itself.
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
    cause: str = ""
    hits: tuple[str, ...] = ()
    losses: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """The identity of the alert: two alerts with one key are about the same thing."""
        return key_of(self.kind, self.workflow, self.detail)

    @property
    def incident(self) -> str:
        """The key of its incident."""
        return self.cause or self.key

    def to_open(self) -> dict[str, Any]:
        """Return the JSON form that is kept until the alert is over."""
        kept: dict[str, Any] = _JSON.dump_python(self, mode="json", exclude={"run_id", "lasts"})
        return kept

    @classmethod
    def from_open(cls, kept: Mapping[str, Any]) -> Alert:
        """Return the alert that ``to_open`` turned into JSON, in this release or an earlier one."""
        return _JSON.validate_python(kept)


_JSON = TypeAdapter(Alert)
_WATCHED = frozenset(kind.id for kind in KINDS if isinstance(kind.part, Part))


def alert(
    kind: FindingKind,
    workflow: str,
    *,
    level: AlertLevel | None = None,
    run_id: str | None = None,
    day: date | None = None,
    detail: str = "",
    cause: str = "",
    hits: tuple[str, ...] = (),
    losses: tuple[str, ...] = (),
    **values: object,
) -> Alert:
    """Return an alert, with ``values``, ``day`` and ``run_id`` for the placeholders of its kind.

    ``level``: the level of this alert, by default that of its kind. The rest is as in :class:`Alert`.
    """
    text, command = kind.says(workflow, {"day": day, "run_id": run_id, **values})
    level, cause = level or kind.level, cause or kind.cause
    return Alert(kind.id, workflow, text, command, level, run_id, day, kind.lasts, detail, cause, hits, losses)


def alert_of(finding: Finding, alerts: Alerts | None = None, day: date | None = None) -> Alert:
    """Return the alert for a finding of the orchestration ``day``, at the level of its verdict.

    ``alerts``: the levels of the workflow. If the kind names one of their keys, that level is the loudest.
    """
    level = AlertLevel.CRITICAL if finding.verdict is Verdict.UNHEALTHY else AlertLevel.WARNING
    if alerts is not None and finding.of.alerts_key is not None:
        level = min(level, getattr(alerts, finding.of.alerts_key), key=loudness)
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
        finding.cause,
        finding.hits,
        finding.losses,
    )


def together(found: Iterable[Alert]) -> dict[str, Alert]:
    """Return the alerts by key. Several of one key become one, at the loudest level."""
    merged: dict[str, Alert] = {}
    for alert in found:
        other = merged.get(alert.key)
        if other is None:
            merged[alert.key] = alert
        elif other.text != alert.text:
            merged[alert.key] = replace(
                other,
                text=f"{other.text}; {alert.text}",
                level=max(other.level, alert.level, key=loudness),
                hits=_union(other.hits, alert.hits),
                losses=_union(other.losses, alert.losses),
            )
    return merged


def _union(*names: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for some in names for name in some))


@dataclass(frozen=True)
class Memory:
    """What people know about an incident: the ET day of the last message, its level and text, and the runs it hit.

    ``worse_on``: the ET day of the last message that it got worse.
    """

    sent_on: date | None = None
    level: AlertLevel = AlertLevel.CRITICAL
    text: str = ""
    workflow: str = ""
    hits: tuple[str, ...] = ()
    losses: tuple[str, ...] = ()
    worse_on: date | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the form that is stored."""
        kept: dict[str, Any] = _MEMORY.dump_python(self, mode="json")
        return kept

    @classmethod
    def of(cls, kept: Mapping[str, Any] | None, sent_on: str | None) -> Memory:
        """Return the memory from its stored form. An earlier release stored only the ET day of the message."""
        found = _MEMORY.validate_python(kept or {})
        return replace(found, sent_on=date.fromisoformat(sent_on) if sent_on else None)


_MEMORY = TypeAdapter(Memory)


@dataclass(frozen=True)
class News:
    """The messages to send, by incident, what to remember of every incident, the alerts that are over or open now."""

    raised: dict[str, Alert]
    memory: dict[str, Memory]
    healed: tuple[Alert, ...]
    open: Open


def placed(found: Mapping[str, Alert], known: Collection[str]) -> dict[str, Alert]:
    """Return the alerts, each in its incident: one of the ``known``, or its own. Parts follow their cause."""
    groups: dict[str, list[Alert]] = defaultdict(list)
    for alert in found.values():
        groups[alert.incident].append(alert)
    own = {}
    for key, alerts in groups.items():
        first = _first(key, alerts)
        own[key] = incident_of(first.kind, first.workflow, key, [*known, *(other for other in groups if other != key)])
    return {key: replace(one, cause=own[one.incident]) for key, one in found.items()}


def news(
    memory: Mapping[str, Memory],
    was_open: Open,
    found: Mapping[str, Alert],
    day: date,
    looked_at: Collection[date] | None = (),
) -> News:
    """Return what is new on the ET date ``day``, and which alerts of ``was_open`` are over.

    ``memory``: what people know about each incident. A message is due when an incident begins, on each further day that
    it lasts, when its level rises, and once a day when it takes another window. One that comes back on the same day is
    sent again only after its all-clear.

    ``looked_at``: the orchestration days that the task looked at. An alert of another day gets no all-clear. None means
    that the task could not look, so every open alert stays open.
    """
    groups: dict[str, list[Alert]] = defaultdict(list)
    for alert in found.values():
        groups[alert.incident].append(alert)
    raised, known = {}, {}
    for incident, alerts in groups.items():
        before, first = memory.get(incident, Memory()), _first(incident, alerts)
        level = max((one.level for one in alerts), key=loudness)
        hits, losses = (_union(*(getattr(one, name) for one in alerts)) for name in ("hits", "losses"))
        another = bool(before.losses and _hours(losses) - _hours(before.losses)) and before.worse_on != day
        begins = before.sent_on != day
        worse = not begins and (loudness(level) > loudness(before.level) or another)
        if begins or worse:
            raised[incident] = replace(first, level=level)
        known[incident] = Memory(
            before.sent_on,
            level if begins else max(level, before.level, key=loudness),
            first.text if begins or not before.text else before.text,
            first.workflow if begins or not before.workflow else before.workflow,
            hits if before.sent_on is None else _union(before.hits, hits),
            losses if before.sent_on is None else _union(before.losses, losses),
            day if worse else before.worse_on,
        )
    still_open = {key: alert.to_open() for key, alert in found.items() if alert.lasts}
    if looked_at is None:
        return News(raised, known, (), was_open | still_open)
    gone = {key: Alert.from_open(kept) for key, kept in was_open.items() if key not in found}
    healed = tuple(alert for alert in gone.values() if alert.day is None or alert.day in looked_at)
    return News(raised, known, healed, still_open)


def _first(incident: str, alerts: Collection[Alert]) -> Alert:
    """Return the alert that speaks for its incident: the cause, else the loudest, the nearest to a cause first."""
    return min(alerts, key=lambda one: (one.key != incident, -loudness(one.level), RANK.get(one.kind, len(RANK))))


def _hours(runs: Iterable[str]) -> set[str]:
    """Return the hours of runs, such as 15. Several workflows that lose one hour lose one window."""
    return {run.rpartition(" ")[2].partition(":")[0] for run in runs}


def is_watched(alert: Alert) -> bool:
    """Return whether the watchdog finds the same, so that it also sees when it is over."""
    return alert.kind in _WATCHED


def all_clear(incident: str, was: Memory) -> Alert:
    """Return the message that an incident is over: what it was, what is lost for good and what was made up."""
    made_up = [run for run in was.hits if run not in was.losses]
    what = ". ".join(
        filter(
            None,
            (
                first_sentence(was.text or incident),
                f"Lost for good: {few(was.losses, counted=False)} ET" if was.losses else "",
                f"Made up: {few(made_up, counted=False)} ET" if made_up else "",
            ),
        )
    )
    about = was.workflow or incident.split()[1]
    return alert(task_kinds.HEALED, about, level=was.level, cause=incident, what=what)
