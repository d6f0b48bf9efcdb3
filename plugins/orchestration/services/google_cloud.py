"""Google Cloud, through the provider's hooks: whether a file exists, and handoff messages to publish."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime

from orchestration.errors import UserError
from orchestration.services.errors import hide_in_logs, in_short
from orchestration.services.files import FilePath, LostFile, recovery_message

CONNECTION = "google_cloud_default"
LOOKUP_SECONDS = 10
PUBLISH_SECONDS = 10
"""The limit for one message, the client's own retries included: a silent Pub/Sub must not hold up the cleanup."""


class FilesUnknown(UserError):
    """Cloud Storage does not say whether a file exists. Do not treat the file as present or as gone."""


def vanished_files(paths: Iterable[str]) -> set[str]:
    """Return the paths whose file no longer exists. Raises FilesUnknown when Cloud Storage does not say.

    A path without a bucket cannot be looked up, and is never returned.
    """
    from airflow.providers.google.cloud.hooks.gcs import GCSHook
    from google.api_core.retry import Retry

    hook = GCSHook(gcp_conn_id=CONNECTION)
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


def republish(topic: str, files: Iterable[LostFile], moment: datetime) -> dict[str, str | None]:
    """Publish a handoff message for each file to ``topic``; return by path None for a sent one, else the reason.

    Messages go one at a time, so that each has its own result. A failure that does not concern one message alone (no
    answer, no topic, no permission) stops the publishing: all remaining paths get its reason.
    """
    from airflow.providers.google.cloud.hooks.pubsub import PubSubHook
    from google.api_core.exceptions import InvalidArgument, NotFound
    from google.api_core.retry import Retry

    hook = PubSubHook(gcp_conn_id=CONNECTION)
    publisher, address = hook.get_conn(), f"projects/{hook.project_id}/topics/{topic}"
    retry = Retry(initial=0.5, maximum=2, timeout=PUBLISH_SECONDS)
    results: dict[str, str | None] = {}
    down: str | None = None
    for file in files:
        if down is not None:
            results[file.gcs_path] = down
            continue
        body, attributes = recovery_message(file, moment)
        try:
            data = json.dumps(body).encode()
            sent = publisher.publish(address, data, retry=retry, timeout=PUBLISH_SECONDS, **attributes)
            sent.result(timeout=2 * PUBLISH_SECONDS)
            results[file.gcs_path] = None
        except InvalidArgument as error:
            results[file.gcs_path] = in_short(error)
        except NotFound:
            results[file.gcs_path] = down = f"the topic {address} does not exist"
        except Exception as error:
            results[file.gcs_path] = down = in_short(error)
    return results
