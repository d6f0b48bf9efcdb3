"""The scraper service, through the HTTP provider's asynchronous hook and the connection ``scraper_service``."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from pydantic.dataclasses import dataclass

from orchestration.config import Config
from orchestration.errors import UserError
from orchestration.services.answers import CallResult, failed, interpret
from orchestration.services.body import PACKED, BrokenOff, TooLarge, content
from orchestration.services.connection import AUDIENCE, CONNECTION, NotSetUp, check, proxy_of, service_hook
from orchestration.services.errors import hide_in_logs, in_short
from orchestration.services.google_cloud import id_token
from orchestration.services.redaction import names_a_secret
from orchestration.services.references import looked_up
from orchestration.vocabulary.answers import AnswerDescription
from orchestration.vocabulary.scrapers import answer_of
from orchestration.words import did_you_mean

if TYPE_CHECKING:
    from airflow.providers.http.hooks.http import AsyncHttpSession

NO_SECRETS = re.compile(r"accept(-.*)?|content-.*|user-agent|cache-control|connection|host|from|pragma", re.IGNORECASE)
"""Headers whose values are not secret. An answer may contain the same values by chance."""
LISTING_SECONDS = 10.0
ONE_CALL = {"Connection": "close", "Accept-Encoding": PACKED}
"""No connection is kept. The service could close a kept connection while the next call is being sent."""

Answered = tuple[int, Mapping[str, str], bytes]
"""Status, headers and body of an answer."""


@dataclass(frozen=True)
class CallRequest:
    """One call of a scraper, with its parameters, for a workflow.

    ``timeout_seconds`` is the limit for the complete answer: a service that sends single bytes is cut off like one that
    hangs (lesson E8). ``description`` says how to read the answer; None means the built-in description of the scraper.
    ``event_source``: other scrapers are called for the events of this one. ``references``: the parameters that are
    looked up in Airflow's connections and variables before the call.
    """

    scraper: str
    parameters: Mapping[str, Any]
    workflow: str
    timeout_seconds: float
    description: AnswerDescription | None = None
    event_source: bool = False
    references: tuple[str, ...] | None = None


class NoListing(UserError):
    """The service does not list its scrapers."""


class NoReply(Exception):
    """A GET request got no usable reply. The text names the request and the reason, without secrets."""


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

    def call(self, request: CallRequest) -> CallResult:
        """Make one call and return its result, as :meth:`acall`."""
        return asyncio.run(self.acall(request))

    async def acall(self, request: CallRequest) -> CallResult:
        """Make one call and return its result. A fault of service or connection is a failed result, no exception."""
        try:
            async with self.line() as line:
                return await line.call(request)
        except NotSetUp as error:
            return error.result()

    @asynccontextmanager
    async def line(self, method: str = "POST") -> AsyncIterator[Line]:
        """Look the connection up once, for one call or for many.

        Raises NotSetUp if the connection does not exist, or names the fields that cannot be used.
        """
        import aiohttp
        from airflow.providers.http.hooks.http import AsyncHttpSession

        hook = service_hook(method)
        try:
            config = await hook.config()
        except NotSetUp:
            raise
        except Exception as error:
            # A missing connection, an outage of the secrets backend, or fields that the hook itself refuses.
            raise NotSetUp(f"connection {CONNECTION} cannot be read: {in_short(error)}") from error
        check(config)
        # The hook's own session would keep its connections, whatever the header says.
        connector = aiohttp.TCPConnector(force_close=True)
        async with aiohttp.ClientSession(connector=connector, auto_decompress=False) as client:
            send = client.post if method == "POST" else client.get
            yield Line(self.endpoint, AsyncHttpSession(hook=hook, request=send, config=config, method=method))

    def names(self, timeout: float) -> frozenset[str]:
        """Return the names of the service's scrapers, from ``GET /scrapers`` beside the path for calls.

        Raises NoListing, with the reason, if the service lists none within ``timeout`` seconds.
        """
        path = "/".join([*self.endpoint.split("/")[:-1], "scrapers"])
        try:
            status, listing = self._get(path, timeout)
            if status == 200:
                return names_in(json.loads(listing))
        except NoReply as error:
            raise NoListing(str(error)) from None
        except (ValueError, RecursionError) as error:
            raise NoListing(f"GET /{path}: {in_short(error)}") from None
        raise NoListing(f"GET /{path}: HTTP {status}")

    def problem(self, timeout: float) -> str | None:
        """Return why the service is not well, by its ``GET /health``, or None. ``timeout`` is in seconds."""
        try:
            status, _ = self._get("health", timeout)
        except NoReply as error:
            return str(error)
        return None if status == 200 else f"GET /health: HTTP {status}"

    def _get(self, path: str, timeout: float) -> tuple[int, bytes]:
        """Return status and body of a GET request. Raises NoReply when none comes in time."""

        async def exchange() -> CallResult | Answered:
            async with self.line("GET") as line, asyncio.timeout(timeout):
                return await line.send(path)

        try:
            answered = asyncio.run(exchange())
        except TimeoutError:
            raise NoReply(f"GET /{path}: no complete answer within {timeout:g} s") from None
        except NotSetUp as error:
            if error.retryable:
                raise
            raise NoReply(str(error)) from None
        if isinstance(answered, CallResult):
            raise NoReply(f"GET /{path}: {answered.error_message}")
        return answered[0], answered[2]


class Line:
    """A connection that was looked up, for one call or for many at a time; see :meth:`ScraperService.line`."""

    def __init__(self, endpoint: str, session: AsyncHttpSession) -> None:
        self.endpoint, self.session = endpoint, session
        # The hook sends every extra that it does not know as a header. It does basic and header authentication itself.
        self.audience: str | None = session.config.headers.pop(AUDIENCE, None) or None
        self.proxy: str | None = session.config.extra_options.get("proxy") or proxy_of(session.base_url)
        self.secrets: set[str] = set()
        """What the requests authenticated with. Airflow masks it in its logs; we strike it out of answers."""
        self.credentials: set[str] = set()
        """The secrets that are no ordinary headers: we strike them out of ids and paths too."""
        self._one_by_one = asyncio.Lock()

    async def call(self, request: CallRequest) -> CallResult:
        """Make one call and return its result. A fault of the service is a failed result, never an exception."""
        try:
            known = await looked_up(request.parameters, request.references or ())
        except NotSetUp as error:
            return error.result()
        self.secrets |= set(known.values())
        self.credentials |= set(known.values())
        parameters = {**request.parameters, **known}
        body = {"scraper": request.scraper, **parameters, "workflow": request.workflow, "source": "CONTROLLER"}
        cap = self.session.config.extra_options.get("timeout")
        seconds = min(request.timeout_seconds, float(cap)) if cap else request.timeout_seconds
        try:
            async with asyncio.timeout(seconds):
                result = await self.send(self.endpoint, body)
        except TimeoutError:
            result = failed("timeout", f"no complete answer within {seconds:g} s", retryable=True)
        if not isinstance(result, CallResult):
            how = request.description or answer_of(request.scraper)
            status, headers, content = result
            secrets, surely = self.secrets, self.credentials
            result = interpret(
                status, headers, content, how, event_source=request.event_source, secrets=secrets, credentials=surely
            )
        return replace(result, timeout_seconds=seconds)

    async def send(self, path: str, body: Mapping[str, Any] | None = None) -> CallResult | Answered:
        """Return the whole answer, or a failed result if there is none."""
        import aiohttp
        from google.auth.exceptions import GoogleAuthError

        # A redirect would send the connection's headers to another host.
        options = {"allow_redirects": False, "check_response": False, "timeout": aiohttp.ClientTimeout(total=None)}
        if self.proxy:
            options["proxy"] = self.proxy
        json = None if body is None else dict(body)
        try:
            async with self._one_by_one:
                headers = {**ONE_CALL, **await self._authorization()}
            async with await self.session.run(path, json=json, headers=headers, extra_options=options) as response:
                return response.status, response.headers, await content(response)
        except TooLarge as error:
            return failed("too_large", str(error), retryable=False)
        except GoogleAuthError as error:
            return failed("no_id_token", f"Google gave no ID token ({in_short(error)})", retryable=error.retryable)
        except aiohttp.ClientHttpProxyError as error:
            return failed("connection", f"the proxy answered HTTP {error.status} to CONNECT", retryable=True)
        except (BrokenOff, aiohttp.ClientPayloadError, aiohttp.ClientResponseError) as error:
            why = f"the answer could not be read: {in_short(error, self.secrets)}"
            return failed("transport", why, retryable=True)
        except (aiohttp.ClientError, OSError) as error:
            why = f"the service could not be reached: {in_short(error, self.secrets)}"
            return failed("connection", why, retryable=True)
        except (TypeError, ValueError) as error:
            why = f"no request can be made from connection {CONNECTION}: {in_short(error, self.secrets)}"
            return failed("not_set_up", why, retryable=False)

    async def _authorization(self) -> dict[str, str]:
        """Return the header with an ID token, if the connection asks for one, and mask all secrets of the request.

        Raises GoogleAuthError.
        """
        from airflow.sdk.log import amask_secret
        from asgiref.sync import sync_to_async

        headers = {}
        if self.audience is not None:
            headers["Authorization"] = f"Bearer {await sync_to_async(id_token)(self.audience)}"
        for secret, surely in dict(self._secrets(headers)).items():
            if secret not in self.secrets:
                await amask_secret(secret)
            self.secrets.add(secret)
            if surely:
                self.credentials.add(secret)
        return headers

    def _secrets(self, headers: Mapping[str, str]) -> Iterator[tuple[str, bool]]:
        """Yield the possible secrets of a request, and whether each is surely one.

        These are passwords, and the values of all headers but NO_SECRETS.
        """
        config = self.session.config
        if config.auth is not None:
            yield config.auth.password, True
            yield config.auth.encode().split()[-1], True
        for address in (self.session.base_url, self.proxy):
            yield urlsplit(address or "").password or "", True
        for name, value in {**config.headers, **headers}.items():
            if not NO_SECRETS.fullmatch(name):
                for secret in (str(value), str(value).split(" ")[-1]):
                    yield secret, names_a_secret(name)


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
