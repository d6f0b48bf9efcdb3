"""Which files are missing, and which of them to republish. Pure; fails closed (lessons C2, DESIGN section 8)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from orchestration.alerts.model import Alert
from orchestration.config.settings import CleanupProcessor
from orchestration.services.messages import LostFile
from orchestration.words import AlertLevel

FIRST_PAUSE = timedelta(minutes=30)
"""Between the first and the second republishing of a file; it doubles from then on."""
_PREFIXES = ("https://storage.googleapis.com/", "https://storage.cloud.google.com/", "gcs://", "/gcs/", "/")


def canonical_path(path: str) -> str:
    """Return ``gs://bucket/object`` for any of the forms in which readers and writers note a path (lesson C2)."""
    text = path.strip()
    if not text.startswith("gs://"):
        for prefix in _PREFIXES:
            if text.startswith(prefix):
                text = text[len(prefix) :]
                break
        text = f"gs://{text}"
    bucket, _, name = text[len("gs://") :].partition("/")
    return f"gs://{bucket}/{'/'.join(part for part in name.split('/') if part)}"


@dataclass(frozen=True)
class Republished:
    """How often a file has been republished, and when last."""

    times: int
    last: datetime


@dataclass(frozen=True)
class Backlog:
    """What one look found. ``alerts`` say, for people, what is not republished and why."""

    checked: int
    missing: tuple[LostFile, ...]
    publish: tuple[LostFile, ...]
    alerts: tuple[Alert, ...]


def backlog(
    candidates: Iterable[LostFile],
    processed: Iterable[str],
    before: Mapping[str, Republished],
    now: datetime,
    settings: CleanupProcessor,
) -> Backlog:
    """Return the missing files among ``candidates`` and those to republish now.

    ``candidates`` are only files whose table could be read; ``processed`` are the paths found there; ``before`` is by
    canonical path.
    """
    files = list(candidates)
    there = {canonical_path(path) for path in processed}
    missing = tuple(file for file in files if canonical_path(file.gcs_path) not in there)
    if len(missing) > settings.storm_threshold:
        storm = (
            f"storm: {len(missing)} of {len(files)} files are missing at once, more than {settings.storm_threshold}; "
            "nothing is republished, since the tables are probably wrong, not the files"
        )
        return Backlog(len(files), missing, (), (Alert("storm", "cleanup", storm),))
    publish, alerts = [], []
    for file in missing:
        past = before.get(canonical_path(file.gcs_path))
        if past is None:
            publish.append(file)
        elif past.times >= settings.max_republish:
            text = f"stuck: {file.gcs_path} is still missing after {past.times} republishings"
            alerts.append(Alert("stuck", file.scraper_name, text, level=AlertLevel.WARNING))
        elif now >= past.last + FIRST_PAUSE * 2 ** (past.times - 1):
            publish.append(file)
    return Backlog(len(files), missing, tuple(publish), tuple(alerts))
