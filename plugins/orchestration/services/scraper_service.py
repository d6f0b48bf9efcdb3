"""The scraper service, through the HTTP provider's hook and the connection ``scraper_service``."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from orchestration.services.answers import CallResult, failed, interpret

if TYPE_CHECKING:
    from airflow.providers.http.hooks.http import HttpHook

CONNECTION = "scraper_service"
ENDPOINT = "scrape"
MAX_ANSWER_BYTES = 10_000_000
"""An answer is a summary; one that is larger is none, and would only fill the worker's memory."""
CHUNK_BYTES = 65_536


class ScraperService:
    """Calls scrapers. The connection's own ``timeout`` (seconds), where it has one, caps every call's."""

    def __init__(self, connection: str = CONNECTION) -> None:
        self.connection = connection

    def call(self, scraper: str, parameters: Mapping[str, Any], workflow: str, timeout: float) -> CallResult:
        """Make one call and return its result; a fault of the service is a failed result, never an exception.

        ``timeout`` is seconds for the complete answer: a service that drips byte by byte is as late as one that hangs
        (lesson E8). Raises AirflowNotFoundException when the connection does not exist.
        """
        from airflow.providers.http.hooks.http import HttpHook

        # tcp_keep_alive is for connections that stay open; a call here opens one and closes it.
        hook = HttpHook(method="POST", http_conn_id=self.connection, tcp_keep_alive=False)
        cap = hook.get_connection(self.connection).extra_dejson.get("timeout")
        seconds = min(timeout, float(cap)) if cap else timeout
        body = {"scraper": scraper, **parameters, "workflow": workflow, "source": "CONTROLLER"}
        ends: list[CallResult | Exception] = []
        # The HTTP library times each piece of an answer; only somebody who waits beside it can stop the whole.
        exchange = threading.Thread(target=lambda: ends.append(_exchange(hook, body, seconds)), daemon=True)
        exchange.start()
        exchange.join(seconds)
        if not ends:
            return failed("timeout", f"no complete answer within {seconds:g} s", retryable=True)
        if isinstance(ends[0], Exception):
            raise ends[0]
        return ends[0]


def _exchange(hook: HttpHook, body: Mapping[str, Any], seconds: float) -> CallResult | Exception:
    """Send the request and read the answer. Returns what it cannot make a result of."""
    import requests

    options = {"timeout": seconds, "stream": True, "check_response": False, "allow_redirects": False}
    try:
        with hook.run(ENDPOINT, json=body, extra_options=options) as response:
            content = bytearray()
            for chunk in response.iter_content(CHUNK_BYTES):
                content += chunk
                if len(content) > MAX_ANSWER_BYTES:
                    message = f"the answer is more than {MAX_ANSWER_BYTES:,} bytes long"
                    return failed("too_large", message, retryable=False)
            return interpret(response.status_code, response.headers, bytes(content))
    except requests.exceptions.Timeout:
        return failed("timeout", f"no complete answer within {seconds:g} s", retryable=True)
    except requests.exceptions.ChunkedEncodingError as error:
        return failed("transport", f"the answer broke off: {_short(error)}", retryable=True)
    except requests.exceptions.ConnectionError as error:
        return failed("connection", f"the service could not be reached: {_short(error)}", retryable=True)
    except requests.exceptions.RequestException as error:
        return failed("transport", f"the answer broke off: {_short(error)}", retryable=True)
    except Exception as error:
        return error


def _short(error: Exception) -> str:
    return f"{type(error).__name__}: {str(error)[:200]}"
