"""The connection ``scraper_service``: what is wrong with its fields, before the first call, and its proxy."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cache
from math import isfinite
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from requests.utils import get_environ_proxies, select_proxy

from orchestration.errors import UserError
from orchestration.services.answers import CallResult, failed

if TYPE_CHECKING:
    from airflow.providers.http.hooks.http import HttpAsyncHook, SessionConfig
    from airflow.sdk import Connection

CONNECTION = "scraper_service"

AUDIENCE = "google_id_token_audience"
"""The extra of the connection that asks for a Google ID token. Its value is the audience: on Cloud Run the address."""
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
"""A header's name, by RFC 9110."""
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")


class NotSetUp(UserError):
    """The connection to the service cannot be read, or one of its fields cannot be used."""

    def __init__(self, text: str, *, retryable: bool = True) -> None:
        super().__init__(text)
        self.retryable = retryable
        """Whether a retry may help: an outage of the secrets backend looks like a connection that does not exist."""

    def result(self) -> CallResult:
        """Return a failed result."""
        return failed("not_set_up", str(self), retryable=self.retryable)


def service_hook(method: str) -> HttpAsyncHook:
    """Return the HTTP hook of the connection. It makes no retries: only tries of Airflow have a row."""
    return _hook_class()(method=method, http_conn_id=CONNECTION, retry_limit=1)


@cache
def _hook_class() -> type[HttpAsyncHook]:
    # Importing the provider takes a second. Only calls need it.
    from airflow.providers.http.hooks.http import HttpAsyncHook

    class ServiceHook(HttpAsyncHook):
        """The provider's hook. Airflow itself takes an extra that is no JSON object for an empty one."""

        @classmethod
        async def aget_connection(cls, conn_id: str) -> Connection:
            found: Connection = await super().aget_connection(conn_id)
            try:
                known = isinstance(json.loads(found.extra or "{}"), dict)
            except (ValueError, RecursionError):
                known = False
            if not known:
                raise NotSetUp(f"connection {conn_id}: extra is not a JSON object", retryable=False)
            return found

    return ServiceHook


def check(config: SessionConfig) -> None:
    """Raise NotSetUp with the fields of the connection that no call can use.

    No text has the value of a field, which may be a secret.
    """
    headers, login = config.headers or {}, config.auth
    found = list(_of_the_address(config.base_url))
    if login is not None:
        # Basic authentication is sent in Latin-1.
        named = {"login": login.login, "password": login.password}
        sent = "holds a character that basic authentication cannot send"
        found += [f"{name} {sent}" for name, value in named.items() if any(ord(letter) > 0xFF for letter in value)]
        if headers.get(AUDIENCE):
            found.append("has a login and asks for an ID token; remove one of them")
    # The hook sends every extra that it does not know as a header.
    found += [f"extra.{name} {why}" for name, value in headers.items() if (why := _of_a_header(name, value))]
    options = config.extra_options or {}
    found += [f"extra.{name} {why}" for name, value in options.items() if (why := _of_an_option(name, value))]
    if found:
        raise NotSetUp(f"connection {CONNECTION}: {'; '.join(found)}", retryable=False)


def proxy_of(base_url: str) -> str | None:
    """Return the proxy of an address from HTTP_PROXY, HTTPS_PROXY and NO_PROXY, as Google's client does."""
    # The session's own ``trust_env`` would also send logins from ~/.netrc.
    proxy = select_proxy(base_url, get_environ_proxies(base_url))
    return f"http://{proxy}" if proxy and "://" not in proxy else proxy


def _of_the_address(base_url: str) -> Iterator[str]:
    try:
        parts = urlsplit(base_url)
        host, port = parts.hostname, parts.port
    except ValueError:
        yield "host is not an address"
        return
    if parts.scheme not in ("http", "https"):
        yield f"schema is {parts.scheme!r}, not http or https"
    if not host or re.search(r"[\s\x00-\x1f\x7f]", base_url):
        yield "host is empty" if not host else "host holds a space or a line break"
    elif port == 0:
        yield "port is 0"


def _of_a_header(name: str, value: object) -> str | None:
    if not isinstance(value, str):
        kinds = {bool: "true or false", type(None): "null", dict: "an object", list: "a list"}
        return f"is sent as a header and is {kinds.get(type(value), 'a number')}, not text. Write it in quotes"
    if name != AUDIENCE and not _NAME.fullmatch(name):
        return "is not the name of a header or of an option"
    if found := _CONTROL.search(value):
        what = "a line break" if found[0] in "\r\n" else "a control character"
        return f"holds {what}" + (
            "" if _CONTROL.search(value.rstrip()) else " at its end, as after a paste from a file"
        )
    return None


def _of_an_option(name: str, value: object) -> str | None:
    if name == "timeout" and not _seconds(value):
        return "is not a number of seconds above 0"
    if name == "proxy" and (not isinstance(value, str) or not urlsplit(value).hostname):
        return "is not one address, such as http://proxy.example:3128"
    if name == "verify_ssl" and not isinstance(value, bool):
        return "is not true or false. For an authority of your own, set SSL_CERT_FILE"
    return None


def _seconds(value: object) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return False
    try:
        return isfinite(float(value)) and float(value) > 0
    except ValueError:
        return False
