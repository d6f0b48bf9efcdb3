"""Publishing handoff messages, through the Google provider's PubSubHook."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime

from orchestration.services.messages import TOPIC, LostFile, recovery_message

CONNECTION = "google_cloud_default"


class Publisher:
    """Publishes one message at a time, so that what was sent and what was not is known for each."""

    def __init__(self, connection: str = CONNECTION) -> None:
        self.connection = connection

    def republish(self, files: Sequence[LostFile], moment: datetime) -> dict[str, str | None]:
        """Publish a message for each file; return, by path, None for what was sent and else what went wrong."""
        from airflow.providers.google.cloud.hooks.pubsub import PubSubHook

        hook = PubSubHook(gcp_conn_id=self.connection)
        results: dict[str, str | None] = {}
        for file in files:
            body, attributes = recovery_message(file, moment)
            message = {"data": json.dumps(body).encode(), "attributes": attributes}
            try:
                hook.publish(topic=TOPIC, messages=[message], project_id=hook.project_id)
                results[file.gcs_path] = None
            except Exception as error:
                results[file.gcs_path] = f"{type(error).__name__}: {str(error)[:200]}"
        return results
