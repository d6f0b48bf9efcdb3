"""The scraper service, through the HTTP provider's asynchronous hook and the connection ``scraper_service``."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from orchestration.config import Config
from orchestration.errors import UserError
from orchestration.services.answers import CallResult, failed, interpret
from orchestration.services.authorization import authorization
from orchestration.services.errors import hide_in_logs, in_short
from orchestration.vocabulary.answers import AnswerDescription
from orchestration.vocabulary.scrapers import answer_of
from orchestration.words import did_you_mean

if TYPE_CHECKING:
    from aiohttp import ClientResponse
    from airflow.providers.http.hooks.http import AsyncHttpSession

CONNECTION = "scraper_service"
AUDIENCE = "google_id_token_audience"
"""The extra of the connection that asks for a Google ID token. Its value is the audience: on Cloud Run the address."""
MAX_ANSWER_BYTES = 1_000_000
"""The most bytes of an unpacked answer. An answer is a summary; a larger one would fill memory and audit."""
CHUNK_BYTES = 65_536
LISTING_SECONDS = 10.0
NOT_ELSEWHERE = {"allow_redirects": False, "check_response": False}
"""Redirects are not followed: a redirect would send the connection's headers to another host."""
ONE_CALL = {"Connection": "close"}
"""No connection is kept. The service could close a kept connection while the next call is being sent."""

Answered = tuple[int, Mapping[str, str], bytes, tuple[str, ...]]
"""Status, headers and body of an answer, and the secrets of its request."""


class NoListing(UserError):
    """The service does not list its scrapers."""


class NoAnswer(Exception):
    """The service does not answer a GET request. The text names the request and the reason, without secrets."""


class NotSetUp(UserError):
    """The connection to the service does not exist, or its fields contradict each other."""

    def result(self) -> CallResult:
        """Return a failed result, to be retried: an outage of the secrets backend looks the same."""
        return failed("not_set_up", str(self), retryable=True)


class TooLarge(Exception):
    """The answer is longer than MAX_ANSWER_BYTES."""


async def _content(response: ClientResponse) -> bytes:
    """Return the whole body. Raises TooLarge."""
    content = bytearray()
    async for chunk in response.content.iter_chunked(CHUNK_BYTES):
        content += chunk
        if len(content) > MAX_ANSWER_BYTES:
            raise TooLarge(f"the answer is more than {MAX_ANSWER_BYTES:,} bytes long")
    return bytes(content)


def names_in(listing: Any) -> frozenset[str]:
    """Return the names of a listing, ``{"scrapers": [{"name", …}]}`` or plain names. Raises ValueError for others."""
    entries = listing.get("scrapers") if isinstance(listing, dict) else listing
    if isinstance(entries, list):
        found = {entry.get("name") if isinstance(entry, dict) else entry for entry in entries}
        names = frozenset(name for name in found if isinstance(name, str))
        if names and len(names) == len(found):
            return names
    raise ValueError("no list of scrapers")


class ScraperService:
    """Calls scrapers at the path ``endpoint``. A ``timeout`` (seconds) on the connection caps that of every call."""

    def __init__(self, endpoint: str = "scrape") -> None:
        self.endpoint = endpoint

    def call(
        self,
        scraper: str,
        parameters: Mapping[str, Any],
        workflow: str,
        timeout: float,
        description: AnswerDescription | None = None,
        *,
        event_source: bool = False,
    ) -> CallResult:
        """Make one call and wait for its result; see :meth:`Line.call`. Without a connection the call fails."""

        async def exchange() -> CallResult:
            async with self.line() as line:
                return await line.call(scraper, parameters, workflow, timeout, description, event_source=event_source)

        try:
            return asyncio.run(exchange())
        except NotSetUp as error:
            return error.result()

    @asynccontextmanager
    async def line(self) -> AsyncIterator[Line]:
        """Look the connection up once, for one call or for many.

        Raises NotSetUp if the connection does not exist, or asks for two ways to authenticate.
        """
        import aiohttp
        from airflow.providers.http.hooks.http import AsyncHttpSession, HttpAsyncHook
        from airflow.sdk.exceptions import AirflowNotFoundException

        # The hook must not retry: only tries of Airflow have a row.
        hook = HttpAsyncHook(method="POST", http_conn_id=CONNECTION, retry_limit=1)
        try:
            config = await hook.config()
        except (AirflowNotFoundException, ValueError) as error:
            raise NotSetUp(in_short(error)) from error
        # The hook's own session would keep its connections, whatever the header says.
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(force_close=True)) as client:
            session = AsyncHttpSession(hook=hook, request=client.post, config=config, method="POST")
            yield Line(self.endpoint, session, _audience(session))

    def names(self, timeout: float) -> frozenset[str]:
        """Return the names of the service's scrapers, from ``GET /scrapers`` beside the path for calls.

        Raises NoListing, with the reason, if the service lists none within ``timeout`` seconds.
        """
        return asyncio.run(self._names(timeout))

    async def _names(self, timeout: float) -> frozenset[str]:
        path = "/".join([*self.endpoint.split("/")[:-1], "scrapers"])
        try:
            async with self._get(path, timeout) as response:
                content = await _content(response)
            if response.status == 200:
                return names_in(json.loads(content))
        except NoAnswer as error:
            raise NoListing(str(error)) from None
        except ValueError as error:
            raise NoListing(f"GET /{path}: {in_short(error)}") from None
        raise NoListing(f"GET /{path}: HTTP {response.status}")

    def problem(self, timeout: float) -> str | None:
        """Return why the service is not well, by its ``GET /health``, or None. ``timeout`` is in seconds."""
        return asyncio.run(self._problem(timeout))

    async def _problem(self, timeout: float) -> str | None:
        try:
            async with self._get("health", timeout) as response:
                return None if response.status == 200 else f"GET /health: HTTP {response.status}"
        except NoAnswer as error:
            return str(error)

    @asynccontextmanager
    async def _get(self, path: str, timeout: float) -> AsyncIterator[ClientResponse]:
        """Send a GET request. Raises NoAnswer when the answer is late, too large or does not come."""
        import aiohttp
        from airflow.providers.http.hooks.http import HttpAsyncHook

        options = {**NOT_ELSEWHERE, "timeout": aiohttp.ClientTimeout(total=timeout)}
        secrets: tuple[str, ...] = ()
        async with HttpAsyncHook(method="GET", http_conn_id=CONNECTION, retry_limit=1).session() as session:
            try:
                headers, secrets = await authorization(session, _audience(session))
                async with await session.run(path, headers=headers, extra_options=options) as response:
                    yield response
            except (aiohttp.ClientError, OSError, TooLarge) as error:
                raise NoAnswer(f"GET /{path}: {in_short(error, secrets)}") from None


def _audience(session: AsyncHttpSession) -> str | None:
    """Return the audience of the ID token that the connection asks for. The hook does basic and header auth itself."""
    # The hook sends every extra that it does not know as a header.
    audience: str | None = session.config.headers.pop(AUDIENCE, None) or None
    if audience is not None and session.config.auth is not None:
        raise NotSetUp(f"connection {CONNECTION} has a login and asks for an ID token; remove one of them")
    return audience


class Line:
    """A connection that was looked up, for one call or for many at a time; see :meth:`ScraperService.line`."""

    def __init__(self, endpoint: str, session: AsyncHttpSession, audience: str | None) -> None:
        self.endpoint, self.session, self.audience = endpoint, session, audience
        self._one_by_one, self._masked = asyncio.Lock(), set[str]()

    async def call(
        self,
        scraper: str,
        parameters: Mapping[str, Any],
        workflow: str,
        timeout: float,
        description: AnswerDescription | None = None,
        *,
        event_source: bool = False,
    ) -> CallResult:
        """Make one call and return its result. A fault of the service is a failed result, never an exception.

        ``timeout`` is the limit for the complete answer, in seconds: a service that sends single bytes is cut off
        like one that hangs (lesson E8). ``description`` says how to read the answer (default: the built-in one).
        ``event_source``: other scrapers are called for the events of this one.
        """
        body = {"scraper": scraper, **parameters, "workflow": workflow, "source": "CONTROLLER"}
        cap = self.session.config.extra_options.get("timeout")
        seconds = min(timeout, float(cap)) if cap else timeout
        try:
            async with asyncio.timeout(seconds):
                answered = await self._send(body)
        except TimeoutError:
            late = f"no complete answer within {seconds:g} s"
            return failed("timeout", late, retryable=True, timeout_seconds=seconds)
        if isinstance(answered, CallResult):
            return replace(answered, timeout_seconds=seconds)
        status, headers, content, secrets = answered
        how = description or answer_of(scraper)
        result = interpret(status, headers, content, how, event_source=event_source, secrets=secrets)
        return replace(result, timeout_seconds=seconds)

    async def _send(self, body: Mapping[str, Any]) -> CallResult | Answered:
        """Return the whole answer, or a failed result if there is none."""
        import aiohttp
        from google.auth.exceptions import GoogleAuthError

        options = {**NOT_ELSEWHERE, "timeout": aiohttp.ClientTimeout(total=None)}
        secrets: tuple[str, ...] = ()
        try:
            async with self._one_by_one:
                headers, secrets = await authorization(self.session, self.audience, self._masked)
            headers = {**ONE_CALL, **headers}
            async with await self.session.run(
                self.endpoint, json=dict(body), headers=headers, extra_options=options
            ) as response:
                return response.status, response.headers, await _content(response), secrets
        except TooLarge as error:
            return failed("too_large", str(error), retryable=False)
        except GoogleAuthError as error:
            return failed("no_id_token", f"Google gave no ID token: {in_short(error)}", retryable=error.retryable)
        except (aiohttp.ClientPayloadError, aiohttp.ClientResponseError) as error:
            return failed("transport", f"the answer could not be read: {in_short(error, secrets)}", retryable=True)
        except (aiohttp.ClientError, OSError) as error:
            return failed("connection", f"the service could not be reached: {in_short(error, secrets)}", retryable=True)


def unknown_scrapers(config: Config, now: datetime) -> list[str]:
    """Return a line for each scraper that a workflow would call and the service does not know (lesson A8).

    A workflow that is halted at the aware ``now`` is left out. A shadow is not: it is meant to call later. Raises
    NoListing.
    """
    try:
        known = ScraperService(config.settings.endpoint).names(LISTING_SECONDS)
    except NoListing:
        raise
    except Exception as error:
        # For example without a connection or a login. The caller reports the reason and continues.
        hide_in_logs(error)
        raise NoListing(in_short(error)) from error
    callers: dict[str, list[str]] = {}
    for workflow in sorted(config.enabled):
        if config.halt_at(now, workflow):
            continue
        for scraper in config.enabled[workflow].execution_plan.scrapers:
            callers.setdefault(scraper, []).append(workflow)
    return [
        f"scrapers.{name}: the scraper service knows no {name}{did_you_mean(name, known)}; "
        f"{', '.join(workflows)} would call it"
        for name, workflows in sorted(callers.items())
        if name not in known
    ]
