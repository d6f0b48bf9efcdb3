"""Google Cloud, through the provider's hooks: files that exist, messages to publish, and ID tokens."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from orchestration.errors import UserError
from orchestration.services.errors import hide_in_logs, in_short
from orchestration.services.files import FilePath, LostFile, recovery_message

CONNECTION = "google_cloud_default"
LOOKUP_SECONDS = 10
PUBLISH_SECONDS = 10
"""The limit for one message, the client's own retries included: a silent Pub/Sub must not hold up the cleanup."""
_CREDENTIALS: dict[str, Any] = {}
_LOCK = threading.Lock()


class FilesUnknown(UserError):
    """Cloud Storage does not say whether a file exists. The file counts neither as present nor as gone."""


def vanished_files(paths: Iterable[str]) -> set[str]:
    """Return the paths whose file no longer exists. Raises FilesUnknown when Cloud Storage does not say.

    A path without a bucket cannot be looked up, so it is never returned.
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
    """Publish a handoff message for each file to ``topic``. Return by path None if it was sent, else why it was not.

    Messages are sent one by one, so that each has its own result. After a failure that concerns all messages (no
    answer, no topic, no permission) no more are sent, and all remaining paths get its reason.
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


def id_token(audience: str) -> str:
    """Return a valid Google ID token for ``audience``, for a service on Cloud Run.

    The process keeps the token and fetches a new one shortly before it expires; the call blocks meanwhile. The token is
    masked in every log. Raises GoogleAuthError when Google issues no token.
    """
    from airflow.sdk.log import mask_secret
    from google.auth.transport.requests import Request

    with _LOCK:
        credentials = _CREDENTIALS.get(audience)
        if credentials is None:
            credentials = _CREDENTIALS[audience] = _credentials(audience)
        if not credentials.valid:
            credentials.refresh(Request())
            mask_secret(credentials.token)
        token: str = credentials.token
        return token


def _credentials(audience: str) -> Any:
    """Return ID token credentials for the identity of the Google connection."""
    from airflow.providers.google.common.hooks.base_google import GoogleBaseHook
    from airflow.providers.google.common.utils.id_token_credentials import get_default_id_token_credentials
    from google.auth import impersonated_credentials
    from google.oauth2 import service_account

    identity = GoogleBaseHook(gcp_conn_id=CONNECTION).get_credentials()
    if isinstance(identity, service_account.Credentials):
        token_uri = identity._token_uri
        return service_account.IDTokenCredentials(identity.signer, identity.service_account_email, token_uri, audience)
    if isinstance(identity, impersonated_credentials.Credentials):
        return impersonated_credentials.IDTokenCredentials(identity, target_audience=audience, include_email=True)
    return get_default_id_token_credentials(audience)
