"""Checks of the channels of alerts: templates, names, levels that nobody gets, secrets in the file."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from orchestration.services.redaction import names_a_secret, struck_out
from orchestration.vocabulary.alerting import LOUD, AlertChannel, broken_texts, texts_in, unserved
from orchestration.vocabulary.model import SYSTEM_DAGS, Config
from orchestration.vocabulary.source import Path, Problem, Source
from orchestration.words import did_you_mean

HERE: Path = ("settings", "alerts", "channels")
SHORT_FORM = ("email_enabled", "slack_enabled", "critical_channels", "warning_channels")
PLAIN = "looks like a secret. Secrets live in Airflow connections: name the connection instead"
_ADDRESS = re.compile(r"[a-z][a-z0-9+.-]*://\S+", re.IGNORECASE)
_TOKEN = re.compile(r"(?=\D*\d)[A-Za-z0-9_:-]{16,}")
"""A part of an address that nobody would make up: long, with digits."""


def errors(config: Config, source: Source) -> Iterator[Problem]:
    """Yield the arguments that could never be filled in."""
    for index, channel in enumerate(config.settings.alerts.channels or ()):
        for path, problem in broken_texts(channel):
            yield source.problem((*HERE, index, "arguments", *path), problem)


def warnings(config: Config, source: Source) -> Iterator[Problem]:
    """Yield what loads but leaves alerts without a reader, or a secret in the file."""
    settings = config.settings
    channels = settings.channels
    where = HERE if settings.alerts.channels is not None else ("settings", "notifications")
    for level in LOUD:
        # A system without any channel has its alerts in the log, and wants no others.
        if channels and (when := unserved(channels, level)):
            what = f"no channel takes {level.value} alerts {when}"
            yield source.problem(where, f"{what} about the whole system, so they wait in the log")
    if (heartbeat := settings.alerts.heartbeat) and secret_address(heartbeat):
        yield source.problem(("settings", "alerts", "heartbeat"), PLAIN)
    if settings.alerts.channels is None:
        return
    for key in settings.notifications.model_fields_set.intersection(SHORT_FORM):
        yield source.problem(("settings", "notifications", key), "has no effect beside settings.alerts.channels")
    known = [*config.workflows, *SYSTEM_DAGS]
    for index, channel in enumerate(channels):
        for place, name in enumerate(channel.workflows):
            if name not in known:
                message = f"no workflow or DAG is named `{name}`{did_you_mean(name, known)}, so no alert is about it"
                yield source.problem((*HERE, index, "workflows", place), message)
        for path in _secrets(channel):
            yield source.problem((*HERE, index, "arguments", *path), PLAIN)


def _secrets(channel: AlertChannel) -> Iterator[Path]:
    for path, text in texts_in(channel.arguments):
        name = next((part for part in reversed(path) if isinstance(part, str)), "")
        named = names_a_secret(name) or (name.endswith("_key") and name != "dedup_key")
        odd = struck_out(text) != text or any(map(secret_address, _ADDRESS.findall(text)))
        if text and "{{" not in text and (named or odd):
            yield path


def secret_address(address: str) -> bool:
    """Return whether an address holds a secret: a login, a token in its path or in its query."""
    parts = urlsplit(address)
    return bool(parts.username) or any(
        _TOKEN.fullmatch(part) for part in re.split(r"[/=&?]", f"{parts.path}?{parts.query}")
    )
