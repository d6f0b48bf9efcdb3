"""How a request to the scraper service authenticates, and which of its parts are secret."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from orchestration.services.google_cloud import CONNECTION

if TYPE_CHECKING:
    from airflow.providers.http.hooks.http import AsyncHttpSession

NO_SECRETS = re.compile(r"accept(-.*)?|content-.*|user-agent|cache-control|connection|host|from|pragma", re.IGNORECASE)
"""Headers whose values are not secret. An answer may contain the same values by chance."""

_CREDENTIALS: dict[str, Any] = {}
_LOCK = threading.Lock()


async def authorization(
    session: AsyncHttpSession, audience: str | None, masked: set[str] | None = None
) -> tuple[dict[str, str], tuple[str, ...]]:
    """Return the header with an ID token for ``audience`` (or no header), and every secret that the request sends.

    The hook does basic and header authentication itself. Airflow masks the secrets in its logs from now on; the caller
    strikes them out of answers. ``masked`` holds the secrets that Airflow knows already. Raises GoogleAuthError.
    """
    from airflow.sdk.log import amask_secret
    from asgiref.sync import sync_to_async

    headers, known = {}, set() if masked is None else masked
    if audience is not None:
        headers["Authorization"] = f"Bearer {await sync_to_async(id_token)(audience)}"
    secrets = tuple(_secrets(session, headers))
    for secret in secrets:
        if secret not in known:
            await amask_secret(secret)
            known.add(secret)
    return headers, secrets


def _secrets(session: AsyncHttpSession, headers: Mapping[str, str]) -> Iterator[str]:
    """Yield the secrets of a request: passwords, and the values of all headers but NO_SECRETS."""
    if (auth := session.config.auth) is not None:
        yield auth.password
        yield auth.encode().split()[-1]
    yield urlsplit(session.base_url).password or ""
    for name, value in {**session.config.headers, **headers}.items():
        if not NO_SECRETS.fullmatch(name):
            yield from {str(value), str(value).split(" ")[-1]}


def id_token(audience: str) -> str:
    """Return a valid Google ID token for ``audience``, for a service on Cloud Run.

    Tokens are kept in the process. Blocks while it fetches a new one, shortly before the last one expires. The token is
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
