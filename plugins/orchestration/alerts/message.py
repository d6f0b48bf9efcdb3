"""The subject and the text of an alert's message, and how a medium escapes them. Pure.

The subject is the first sentence of the alert's text, so that sentence must stand alone.
"""

from __future__ import annotations

import re
from datetime import datetime
from html import escape

from orchestration.alerts.model import Alert
from orchestration.health import task_kinds
from orchestration.nba.eastern import et
from orchestration.words import AlertLevel, first_sentence, shortened

MOST_OF_SUBJECT, MOST_OF_TEXT = 120, 300
"""A phone shows this many characters: of the subject, and of the text before the details."""


def shown_level(alert: Alert) -> AlertLevel:
    """Return the level that people read. An all-clear is INFO, although it goes to those who got the alert."""
    return AlertLevel.INFO if alert.kind == task_kinds.HEALED.id else alert.level


def subject_of(alert: Alert) -> str:
    """Return the level and the first sentence of the alert in one line. The subject of an all-clear has no level."""
    says = first_sentence(alert.text)
    level = shown_level(alert)
    return shortened(says if level is AlertLevel.INFO else f"{level.value}: {says}", MOST_OF_SUBJECT)


def message_of(alert: Alert, at: datetime, page: str, run: str | None) -> str:
    """Return the message: text, first command, links to our page and to the run, ET time; then what was cut off.

    ``at``: the aware time of the alert. ``page``, ``run``: addresses. ``run`` is None if the alert is about no run.
    """
    short = shortened(alert.text, MOST_OF_TEXT)
    lines = [
        short,
        alert.command and f"Next: {alert.command}",
        f"Page: {page}",
        run and f"Run: {run}",
        f"Sent: {et(at):%a %d %b %Y %H:%M} ET",
        "" if short == alert.text else f"Details: {alert.text}",
    ]
    return "\n".join(line for line in lines if line)


def anchor(key: str) -> str:
    """Return the place of an incident on the page of its day, by the key of its alert or finding."""
    return "incident-" + re.sub(r"[^\w.-]+", "-", key)


def for_mail(text: str) -> str:
    """Return ``text`` for a mail's HTML, with nothing in it that HTML would read."""
    return escape(text)


def for_slack(text: str) -> str:
    """Return ``text`` for Slack, so that names from outside mention nobody and make no links."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
