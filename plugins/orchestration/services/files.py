"""Whether a scraper's file is still there, through the Google provider's GCSHook."""

from __future__ import annotations

from collections.abc import Iterable

from orchestration.services.errors import hide_in_logs, in_short
from orchestration.services.paths import FilePath
from orchestration.services.publisher import CONNECTION

LOOKUP_SECONDS = 10


class FilesUnknown(Exception):
    """Cloud Storage does not say whether a file exists. Never to be read as either."""


class Files:
    """Looks files up by path."""

    def __init__(self, connection: str = CONNECTION) -> None:
        self.connection = connection

    def vanished(self, paths: Iterable[str]) -> set[str]:
        """Return the paths whose file no longer exists. Raises FilesUnknown when that cannot be found out.

        A path that names no bucket cannot be looked up, and is not among them.
        """
        from airflow.providers.google.cloud.hooks.gcs import GCSHook
        from google.api_core.retry import Retry

        hook = GCSHook(gcp_conn_id=self.connection)
        retry = Retry(initial=0.5, maximum=2, timeout=LOOKUP_SECONDS)
        gone = set()
        for path in paths:
            file = FilePath.of(path)
            try:
                if file.bucket is not None and not hook.exists(file.bucket, file.name, retry=retry):
                    gone.add(path)
            except Exception as error:
                hide_in_logs(error)
                raise FilesUnknown(f"{path}: {in_short(error)}") from error
        return gone
