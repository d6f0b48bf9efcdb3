"""Which files are missing, and which of them to republish. Pure. In doubt, nothing is republished (lesson C2)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from orchestration.alerts.model import Alert, alert
from orchestration.health import task_kinds
from orchestration.records.tables import FollowedFile
from orchestration.services.files import FilePath, KnownFiles, LostFile
from orchestration.vocabulary.settings import CleanupProcessor

FIRST_PAUSE = timedelta(minutes=30)
"""The pause between the first and the second republishing of a file. Each further pause is twice as long."""


@dataclass(frozen=True)
class Republished:
    """How often a file was republished, and when last."""

    times: int
    last: datetime


@dataclass(frozen=True)
class Backlog:
    """The result of one cleanup. ``alerts`` say what is not republished and why.

    ``known``: whether files could be checked at all. ``followed``: the files that left the look-back before they
    arrived, open or closed just now. ``since``: the calls since then were looked at.
    """

    checked: int
    missing: tuple[LostFile, ...]
    publish: tuple[LostFile, ...]
    alerts: tuple[Alert, ...]
    known: bool = True
    followed: tuple[FollowedFile, ...] = ()
    since: datetime | None = None


def backlog(
    candidates: Iterable[LostFile],
    processed: Iterable[str],
    before: Mapping[str, Republished],
    now: datetime,
    settings: CleanupProcessor,
) -> Backlog:
    """Return the missing files among ``candidates`` and those to republish now.

    * ``candidates``: files whose table could be read.
    * ``processed``: the paths in these tables.
    * ``before``: earlier republishings, by path.

    A path may fit several files. Then none of these files counts as processed, and each counts as republished.
    """
    files = list(candidates)
    there = KnownFiles(file.gcs_path for file in files).named(processed)
    missing = tuple(file for file in files if FilePath.of(file.gcs_path) not in there)
    if len(missing) > settings.storm_threshold:
        storm = alert(
            task_kinds.STORM, "cleanup", missing=len(missing), files=len(files), limit=settings.storm_threshold
        )
        return Backlog(len(files), missing, (), (storm,))
    publish, alerts = [], []
    past_of = _by_file(missing, before)
    for file in missing:
        past = past_of.get(FilePath.of(file.gcs_path))
        if past is None:
            publish.append(file)
        elif past.times >= settings.max_republish:
            alerts.append(alert(task_kinds.STUCK, file.scraper_name, file=file.gcs_path, times=past.times))
        elif now >= past.last + FIRST_PAUSE * 2 ** (past.times - 1):
            publish.append(file)
    return Backlog(len(files), missing, tuple(publish), tuple(alerts))


def _by_file(missing: Iterable[LostFile], before: Mapping[str, Republished]) -> dict[FilePath, Republished]:
    known = KnownFiles(file.gcs_path for file in missing)
    found: dict[FilePath, Republished] = {}
    for path, past in before.items():
        for file in known.fitting(path):
            other = found.get(file)
            found[file] = past if other is None else Republished(past.times + other.times, max(past.last, other.last))
    return found
