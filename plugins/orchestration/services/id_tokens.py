"""Google ID tokens for a scraper service on Cloud Run, from the Google connection; kept until they age."""

from __future__ import annotations

import threading
from typing import Any

from orchestration.services.publisher import CONNECTION

_CREDENTIALS: dict[tuple[str, str], Any] = {}
_LOCK = threading.Lock()


def id_token(audience: str, connection: str = CONNECTION) -> str:
    """Return a valid ID token for ``audience``; a new one is fetched when the last is about to expire.

    Blocks while it fetches. The token is masked in every log. Raises GoogleAuthError when Google gives none.
    """
    from airflow.sdk.log import mask_secret
    from google.auth.transport.requests import Request

    with _LOCK:
        credentials = _CREDENTIALS.get((connection, audience))
        if credentials is None:
            credentials = _CREDENTIALS[connection, audience] = _credentials(audience, connection)
        if not credentials.valid:
            credentials.refresh(Request())
            mask_secret(credentials.token)
        token: str = credentials.token
        return token


def _credentials(audience: str, connection: str) -> Any:
    """Return ID token credentials of the same identity as the connection's."""
    from airflow.providers.google.common.hooks.base_google import GoogleBaseHook
    from airflow.providers.google.common.utils.id_token_credentials import get_default_id_token_credentials
    from google.auth import impersonated_credentials
    from google.oauth2 import service_account

    identity = GoogleBaseHook(gcp_conn_id=connection).get_credentials()
    if isinstance(identity, service_account.Credentials):
        token_uri = identity._token_uri
        return service_account.IDTokenCredentials(identity.signer, identity.service_account_email, token_uri, audience)
    if isinstance(identity, impersonated_credentials.Credentials):
        return impersonated_credentials.IDTokenCredentials(identity, target_audience=audience, include_email=True)
    return get_default_id_token_credentials(audience)
