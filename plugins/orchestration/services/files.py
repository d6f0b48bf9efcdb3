"""The files that scrapers write: whether two paths name the same file, and the message for a lost file. Pure.

A path comes in several forms (lessons A3, C2). The service's log has ``gs://bucket/object``. Tables of Phase 2 have the
name of the object, with or without the bucket. A path without a scheme is ambiguous: ``b/x.json`` may be ``x.json`` in
bucket ``b``, or ``b/x.json`` in any bucket. Such a path is compared in both readings and never taken apart.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, unquote

_HOSTS = ("storage.googleapis.com", "storage.cloud.google.com")
_ADDRESS = re.compile(rf"https?://(?:(?P<bucket>[^/]+)\.)?(?:{'|'.join(map(re.escape, _HOSTS))})/", re.IGNORECASE)
_SCHEME = re.compile(r"(?:gs|gcs)://|/gcs/", re.IGNORECASE)


@dataclass(frozen=True)
class FilePath:
    """A path as a log or a table has it. If ``bucket`` is None, ``name`` may begin with a bucket."""

    bucket: str | None
    name: str

    @classmethod
    def of(cls, text: str) -> FilePath:
        """Return the path of a text: with or without scheme and bucket, or an address. Doubled slashes are removed."""
        text = text.strip()
        if found := _ADDRESS.match(text):
            # Only an address is URL-encoded and may have a query.
            bucket, rest = found["bucket"], unquote(re.split("[?#]", text[found.end() :])[0])
        elif found := _SCHEME.match(text):
            bucket, rest = None, text[found.end() :]
        else:
            return cls(None, _tidy(text))
        if bucket is None:
            bucket, _, rest = rest.lstrip("/").partition("/")
        return cls(bucket, _tidy(rest))

    @property
    def readings(self) -> frozenset[str]:
        """The names that this file may have in a path without a scheme."""
        return frozenset({self.name} if self.bucket is None else {self.name, f"{self.bucket}/{self.name}"})

    @property
    def asked(self) -> frozenset[str]:
        """The values that SQL's ``bare_path`` and ``inner_path`` may have for this file, plain or encoded for a URL."""
        return self.readings | {quote(name, safe=safe) for name in self.readings for safe in ("", "/")}

    def fits(self, other: FilePath) -> bool:
        """Return whether both paths may name the same file. If both have a bucket, the answer is certain."""
        if self.bucket is not None and other.bucket is not None:
            return self == other
        return bool(self.readings & other.readings)


def _tidy(name: str) -> str:
    return "/".join(part for part in name.split("/") if part)


class KnownFiles:
    """Files that are looked up by the paths that other systems have noted."""

    def __init__(self, paths: Iterable[str]) -> None:
        self._by_reading: dict[str, set[FilePath]] = defaultdict(set)
        for path in paths:
            file = FilePath.of(path)
            for reading in file.readings:
                self._by_reading[reading].add(file)

    def fitting(self, noted: str) -> set[FilePath]:
        """Return the files that a noted path may name, or only the file that has exactly this path."""
        path = FilePath.of(noted)
        if path in self._by_reading.get(path.name, ()):
            return {path}
        return {file for reading in path.readings for file in self._by_reading.get(reading, ()) if file.fits(path)}

    def named(self, noted: Iterable[str]) -> set[FilePath]:
        """Return the files that noted paths prove. A path that may name two files proves neither of them."""
        found = (self.fitting(path) for path in noted)
        return {file for files in found if len(files) == 1 for file in files}


@dataclass(frozen=True)
class LostFile:
    """A file of a successful call that has not reached its table. Times are aware."""

    scraper_name: str
    gcs_path: str
    execution_id: str
    workflow: str | None
    record_count: int | None
    triggered_at: datetime


def recovery_message(file: LostFile, moment: datetime) -> tuple[dict[str, Any], dict[str, str]]:
    """Return body and attributes of the message that cleanup publishes for a lost file (lesson C5).

    The body has the scraper's name twice: some readers look at ``name``, others at ``scraper_name``.
    """
    attributes = {
        "scraper_name": file.scraper_name,
        "status": "success",
        "execution_id": file.execution_id,
        "workflow": file.workflow or "",
    }
    body = {
        **attributes,
        "name": file.scraper_name,
        "gcs_path": file.gcs_path,
        "record_count": file.record_count,
        "timestamp": moment.astimezone(UTC).isoformat(),
        "recovery": True,
    }
    return body, {**attributes, "recovery": "true"}
