"""Incidents: one cause with all that follows from it, so that people get one message for it (lesson F9). Pure.

The key of an incident is the id of the cause's kind and its subject. Every task and the watchdog find the same key:
who comes first sends the message, and the others join in silence.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from orchestration.config import Config
from orchestration.decisions.model import HISTORY_UNREADABLE
from orchestration.health import kinds
from orchestration.health.findings import Finding, key_of
from orchestration.health.kinds import KINDS
from orchestration.nba.slate import SLATE_VANISHED
from orchestration.records.tables import KILLED
from orchestration.words import PLATFORM, NoAnswer

BIGQUERY = key_of(kinds.BIGQUERY_DOWN.id, "all")
TABLE_GONE = key_of(kinds.TABLE_GONE.id, "phase2")
SERVICE = "scraper_service"
SCHEDULE, UNKNOWN_SCHEDULE = "schedule_dependency", "schedule_unknown"
UNREACHABLE, BROKEN_OFF, UNKNOWN, NOT_SET_UP = "connection", "transport", "unknown_scraper", "not_set_up"
NOT_JSON = "not_json"
OF_THE_SERVICE = {
    NOT_SET_UP: kinds.SERVICE_NOT_SET_UP,
    UNREACHABLE: kinds.SERVICE_UNREACHABLE,
    BROKEN_OFF: kinds.ANSWERS_CUT,
    UNKNOWN: kinds.UNKNOWN_SCRAPER_CALLED,
    PLATFORM: kinds.NOT_THE_SERVICE,
    KILLED: kinds.CALLS_KILLED,
}
"""The kind of finding for each error type that is not about a source (lesson F11)."""
_OF_RULES = {
    HISTORY_UNREADABLE: BIGQUERY,
    SLATE_VANISHED: key_of(kinds.SLATE_VANISHED.id, SCHEDULE),
    UNKNOWN_SCHEDULE: key_of(kinds.SCHEDULE_UNKNOWN.id, SCHEDULE),
}
_BY_ID = {kind.id: kind for kind in reversed(KINDS)}


@dataclass(frozen=True)
class Incident:
    """A cause, and the findings that follow from it."""

    key: str
    cause: Finding
    parts: tuple[Finding, ...] = ()

    @property
    def findings(self) -> tuple[Finding, ...]:
        """The cause and its parts."""
        return self.cause, *self.parts


def explains(incident: str, kind: str, workflow: str) -> bool:
    """Return whether a finding of this kind and workflow follows from the cause of an incident, by its key."""
    cause, _, subject = incident.partition(" ")
    if cause not in _BY_ID or (cause, subject) == (kind, workflow):
        return False
    of, everywhere = _BY_ID[cause], cause != kinds.ALL_TICKS_MISSING.id or subject == "all"
    return (kind in of.explains and (everywhere or subject == workflow)) or (
        kind in of.explains_own and subject == workflow
    )


def incident_of(kind: str, workflow: str, own: str, known: Collection[str]) -> str:
    """Return the key of the incident to which a finding belongs, among the ``known`` incidents.

    ``own``: the key of the incident that the finding opens if none of them explains it.
    """
    if own in known:
        return own
    return next((one for one in known if explains(one, kind, workflow)), own)


def incidents(findings: Iterable[Finding]) -> tuple[Incident, ...]:
    """Return the incidents of a day's ``findings``, in their order: the nearest cause first."""
    found = list(findings)
    known = list(dict.fromkeys(one.cause or one.key for one in found))
    # A cause that follows from another one is no incident of its own.
    own = {key: key for key in known}
    for one in found:
        key = one.cause or one.key
        if not one.cause:
            others = [other for other in known if other != key]
            own[key] = next((other for other in others if explains(other, one.kind, one.workflow)), key)
    groups: dict[str, list[Finding]] = {}
    for one in found:
        groups.setdefault(_root(one.cause or one.key, own), []).append(one)
    return tuple(Incident(key, *_cause_first(key, group)) for key, group in groups.items())


def _root(key: str, own: dict[str, str]) -> str:
    """Return the incident at the end of the chain of causes."""
    seen = {key}
    while own[key] not in seen:
        key = own[key]
        seen.add(key)
    return key


def _cause_first(key: str, group: list[Finding]) -> tuple[Finding, tuple[Finding, ...]]:
    cause = next((one for one in group if one.key == key), group[0])
    return cause, tuple(one for one in group if one is not cause)


def cause_of_rule(rule: str) -> str:
    """Return the key of the incident of an ABORT by this rule, or nothing if the rule names no cause."""
    return _OF_RULES.get(rule, "")


def cause_of_error(why: object) -> str:
    """Return the key of the incident of an error of BigQuery, in words. Of an unknown error it is nothing."""
    if NoAnswer.GONE.value in str(why):
        return TABLE_GONE
    return BIGQUERY if any(known.value in str(why) for known in NoAnswer) else ""


def cause_of_calls(config: Config, failed: Iterable[tuple[str, str | None]]) -> str:
    """Return the key of the incident of failed calls (scraper and error type): of the service before a source.

    Of several sources it is the one with most failed calls. Without a call it is nothing.
    """
    calls = [(scraper, error_group(error)) for scraper, error in failed]
    for error, kind in OF_THE_SERVICE.items():
        if any(of_call == error for _, of_call in calls):
            return key_of(kind.id, SERVICE, NOT_SET_UP if error == NOT_SET_UP else "")
    sources = [source_of(config, scraper) for scraper, _ in calls]
    return key_of(kinds.SOURCE_FAILING.id, max(sources, key=sources.count)) if sources else ""


def error_group(error_type: str | None) -> str | None:
    """Return the error type under which a failed call is counted: one for all answers that are not the service's."""
    foreign = error_type is not None and (error_type.startswith(PLATFORM) or error_type == NOT_JSON)
    return PLATFORM if foreign else error_type


def source_of(config: Config, scraper: str) -> str:
    """Return the source of a scraper: its pool, or the scraper itself."""
    model = config.scrapers.get(scraper)
    return (model.pool if model else None) or scraper
