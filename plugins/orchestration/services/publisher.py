"""Publishing handoff messages, through the client of the Google provider's PubSubHook."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime

from orchestration.services.errors import in_short
from orchestration.services.messages import LostFile, recovery_message

CONNECTION = "google_cloud_default"
PUBLISH_SECONDS = 10
"""For one message, with the client's own retries: a Pub/Sub that does not answer must not hold the cleanup for long."""


class Publisher:
    """Publishes to one ``topic``, a message at a time, so that what was sent and what was not is known for each."""

    def __init__(self, topic: str, connection: str = CONNECTION) -> None:
        self.topic = topic
        self.connection = connection

    def republish(self, files: Sequence[LostFile], moment: datetime) -> dict[str, str | None]:
        """Publish a message for each file; return, by path, None for what was sent and else what went wrong.

        After a failure that is not about one message (no answer, no topic, no permission) the rest is not tried, and
        has that failure's reason.
        """
        from airflow.providers.google.cloud.hooks.pubsub import PubSubHook
        from google.api_core.exceptions import InvalidArgument, NotFound
        from google.api_core.retry import Retry

        hook = PubSubHook(gcp_conn_id=self.connection)
        publisher, topic = hook.get_conn(), f"projects/{hook.project_id}/topics/{self.topic}"
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
                sent = publisher.publish(topic, data, retry=retry, timeout=PUBLISH_SECONDS, **attributes)
                sent.result(timeout=2 * PUBLISH_SECONDS)
                results[file.gcs_path] = None
            except InvalidArgument as error:
                results[file.gcs_path] = in_short(error)
            except NotFound:
                results[file.gcs_path] = down = f"the topic {topic} does not exist"
            except Exception as error:
                results[file.gcs_path] = down = in_short(error)
        return results
