"""Alerts: what a person is told, once per workflow, kind and ET day (lesson C8). Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

Known = dict[str, dict[str, str]]
"""What is remembered, by the alert's key: ``day`` (ET) on which it was raised, ``text``, and ``open``, yes or no."""


@dataclass(frozen=True)
class Alert:
    """Something that needs a person. ``kind`` and ``workflow`` say which; ``command`` is the first one to type."""

    kind: str
    workflow: str
    text: str
    command: str = ""

    @property
    def key(self) -> str:
        """What makes two alerts the same."""
        return f"{self.kind} {self.workflow}"


@dataclass(frozen=True)
class News:
    """What to tell: alerts to raise, texts of what has healed; and what to remember."""

    raised: tuple[Alert, ...]
    healed: tuple[str, ...]
    known: Known


def news(known: Mapping[str, Mapping[str, str]], found: Iterable[Alert], day: date) -> News:
    """Return what is new among ``found`` on the ET date ``day``, and what of ``known`` is over.

    Several of one key become one. What lasts is raised anew on each day, what comes back on the same day is not.
    """
    together: dict[str, Alert] = {}
    for alert in found:
        other = together.get(alert.key)
        text = alert.text if other is None else f"{other.text}; {alert.text}"
        together[alert.key] = Alert(alert.kind, alert.workflow, text, alert.command)
    today = day.isoformat()
    raised = tuple(alert for key, alert in together.items() if known.get(key, {}).get("day") != today)
    healed = tuple(past["text"] for key, past in known.items() if past.get("open") == "yes" and key not in together)
    remembered = {
        key: {**past, "open": "no"} for key, past in known.items() if key not in together and past["day"] == today
    }
    remembered |= {key: {"day": today, "text": alert.text, "open": "yes"} for key, alert in together.items()}
    return News(raised, healed, remembered)
