"""The part of Airflow's REST API that the demo and the tests use."""

from __future__ import annotations

import time
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import requests

TRIES = 6


class AirflowApi:
    """A session with the API server at ``url``. ``login`` is name and password, if the server asks for them."""

    def __init__(self, url: str, login: tuple[str, str] | None = None) -> None:
        self.url = url
        self.session = requests.Session()
        if login is None:
            reply = self.session.get(f"{url}/auth/token", timeout=20)
        else:
            body = {"username": login[0], "password": login[1]}
            reply = self.session.post(f"{url}/auth/token", json=body, timeout=20)
        self.session.headers["Authorization"] = f"Bearer {reply.json()['access_token']}"

    def get(self, path: str, **parameters: Any) -> dict[str, Any]:
        """Return the answer of GET /api/v2/``path``. Raises requests.HTTPError for 4xx and 5xx."""
        reply = self._send("GET", path, params=parameters)
        reply.raise_for_status()
        answer: dict[str, Any] = reply.json()
        return answer

    def post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """Return the answer of POST /api/v2/``path``. Raises requests.HTTPError for 4xx and 5xx."""
        reply = self._send("POST", path, json=body)
        reply.raise_for_status()
        answer: dict[str, Any] = reply.json()
        return answer

    def patch(self, path: str, body: dict[str, Any]) -> None:
        """Change the resource at /api/v2/``path``. Raises requests.HTTPError for 4xx and 5xx."""
        self._send("PATCH", path, json=body).raise_for_status()

    def _send(self, method: str, path: str, **arguments: Any) -> requests.Response:
        """Send a request, and retry it on 5xx: the server answers 500 while the scheduler locks SQLite."""
        for _ in range(TRIES - 1):
            reply = self.session.request(method, f"{self.url}/api/v2/{path}", timeout=90, **arguments)
            if reply.status_code < 500:
                return reply
            time.sleep(0.5)
        return self.session.request(method, f"{self.url}/api/v2/{path}", timeout=90, **arguments)

    def await_dags(self, dag_ids: Iterable[str], seconds: float = 90) -> None:
        """Wait until Airflow knows all DAGs. Raises TimeoutError, with any import errors."""
        wanted, deadline = set(dag_ids), time.monotonic() + seconds
        while time.monotonic() < deadline:
            known = {dag["dag_id"] for dag in self.get("dags", limit=200)["dags"]}
            if wanted <= known:
                return
            time.sleep(0.5)
        errors = "; ".join(error["stack_trace"][-500:] for error in self.get("importErrors")["import_errors"])
        raise TimeoutError(f"DAGs missing after {seconds:g} s: {sorted(wanted - known)}. {errors}")

    def trigger(self, dag_id: str, as_of: datetime, **conf: Any) -> str:
        """Start a replay of ``dag_id`` at ``as_of`` and return the run's id."""
        run_id = f"replay__{as_of.isoformat()}"
        # The UI shows and sorts by the tick. But a run with a date in the future would wait for that date.
        ahead = as_of > datetime.now(UTC)
        body = {
            "dag_run_id": run_id,
            "logical_date": None if ahead else as_of.isoformat(),
            "run_after": datetime.now(UTC).isoformat() if ahead else as_of.isoformat(),
            "conf": {"as_of": as_of.isoformat(), **conf},
        }
        reply = self._send("POST", f"dags/{dag_id}/dagRuns", json=body)
        # 409: an earlier try started the run although it seemed to fail.
        if reply.status_code >= 400 and reply.status_code != 409:
            raise RuntimeError(f"{dag_id} could not be started: HTTP {reply.status_code} {reply.text[:300]}")
        return run_id

    def unfinished(self) -> int:
        """Return the number of queued and running DAG runs."""
        total = self.get("dags/~/dagRuns", state=["queued", "running"], limit=1)["total_entries"]
        return int(total)
