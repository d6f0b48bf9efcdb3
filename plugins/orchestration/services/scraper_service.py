"""The scraper service, through the HTTP provider's hook and the connection ``scraper_service``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from orchestration.services.answers import CallResult, failed, interpret

CONNECTION = "scraper_service"
ENDPOINT = "scrape"


class ScraperService:
    """Calls scrapers. The connection's own ``timeout`` (seconds), where it has one, caps every call's."""

    def __init__(self, connection: str = CONNECTION) -> None:
        self.connection = connection

    def call(self, scraper: str, parameters: Mapping[str, Any], workflow: str, timeout: float) -> CallResult:
        """Make one call and return its result; a fault of the service is a failed result, never an exception.

        ``timeout`` is seconds. Raises AirflowNotFoundException when the connection does not exist.
        """
        import requests
        from airflow.providers.http.hooks.http import HttpHook

        # tcp_keep_alive is for connections that stay open; a call here opens one and closes it.
        hook = HttpHook(method="POST", http_conn_id=self.connection, tcp_keep_alive=False)
        cap = hook.get_connection(self.connection).extra_dejson.get("timeout")
        seconds = min(timeout, float(cap)) if cap else timeout
        try:
            response = hook.run(
                ENDPOINT,
                json={"scraper": scraper, **parameters, "workflow": workflow, "source": "CONTROLLER"},
                extra_options={"timeout": seconds, "check_response": False, "allow_redirects": False},
            )
        except requests.exceptions.Timeout:
            return failed("timeout", f"no answer within {seconds:g} s", retryable=True)
        except requests.exceptions.ConnectionError as error:
            return failed("connection", f"the service could not be reached: {_short(error)}", retryable=True)
        except requests.exceptions.RequestException as error:
            return failed("transport", f"the answer broke off: {_short(error)}", retryable=True)
        return interpret(response.status_code, response.headers, response.content)


def _short(error: Exception) -> str:
    return f"{type(error).__name__}: {str(error)[:200]}"
