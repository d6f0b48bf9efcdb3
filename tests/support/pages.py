"""Our pages without Airflow. The test chooses the viewer and the facts."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from datetime import date, datetime
from typing import Any

import pytest
import uvicorn
from airflow.api_fastapi.common.db.common import _get_session
from airflow.api_fastapi.core_api import security
from fastapi import FastAPI
from fastapi.responses import HTMLResponse

from orchestration.config import SYSTEM_DAGS, Config
from orchestration.decisions.model import History
from orchestration.health.facts import DayFacts
from orchestration.planning.day import plan
from orchestration.ui import app as ui
from orchestration.ui import pages
from orchestration.ui.data import AHEAD, DayData, PageData

SANDBOX = "allow-scripts allow-same-origin allow-forms allow-downloads"
"""The sandbox flags that Airflow 3.3 sets on the frame of an external view."""
FRAME = f"""<!doctype html><html class="light"><head><title>Airflow</title></head><body>
<iframe title="Orchestration" sandbox="{SANDBOX}" src="/orchestration/day" width="1200" height="900"></iframe>
</body></html>"""


class Known(PageData):
    """Page data from given facts. ``reads`` lists the queries that BigQuery would receive.

    ``following``: the facts of the day after. Without them nothing was recorded on that day.
    """

    def __init__(
        self,
        config: Config,
        facts: DayFacts,
        now: datetime,
        history: History | None = None,
        following: DayFacts | None = None,
    ) -> None:
        super().__init__()
        self.following = following
        self.known, self.facts, self.now, self.history = config, facts, now, history or History()
        self.reads: list[str] = []
        self.failing: Exception | None = None
        self.outbox = "0 rows staged, 0 refused"

    def clock(self) -> datetime:
        return self.now

    def config(self) -> Config:
        return self.known

    def _read(self, what: str) -> None:
        self.reads.append(what)
        if self.failing:
            raise self.failing

    def _day(self, day: date, now: datetime, key: Any) -> DayData:
        self._read("facts")
        known = [one for one in (self.facts, self.following) if one is not None and one.day == day]
        facts = known[0] if known else DayFacts(day, self.facts.schedule)
        planned: tuple[Any, ...] = ()
        if now < self.known.day_bounds(day)[1]:
            planned = self.plans.get(key, lambda: self._plan(self.known, day, now))
        return DayData(self.known, facts, planned, now, self.outbox)

    def _plan(self, config: Config, day: date, now: datetime) -> Any:
        self._read("inputs")
        start, end = config.day_bounds(day)
        return tuple(plan(config, max(now, start), end, self.facts.schedule, self.history))

    def _ahead(self) -> Any:
        self._read("inputs")
        schedule = self.facts.schedule
        return self.known, self.now, tuple(plan(self.known, self.now, self.now + AHEAD, schedule, self.history))

    def _tick(self, workflow: str, tick: datetime) -> Any:
        self._read("inputs")
        return self.known, self.facts.schedule, self.history


class Viewer:
    """The viewer of a page, who may see ``dags``. None means all DAGs."""

    def __init__(self, config: Config) -> None:
        self.everything = frozenset({*config.workflows, *SYSTEM_DAGS})
        self.dags: frozenset[str] | None = None
        self.sent: list[Any] = []
        self.runs: list[Any] = []
        self.run: Any = None

    @property
    def allowed(self) -> frozenset[str]:
        return self.everything if self.dags is None else self.dags


class _Manager:
    """The part of Airflow's auth manager that our pages use."""

    def __init__(self, viewer: Viewer) -> None:
        self.viewer = viewer

    def is_authorized_dag(self, *, details: Any, **_: Any) -> bool:
        return details.id in self.viewer.allowed

    def get_authorized_dag_ids(self, **_: Any) -> frozenset[str]:
        return self.viewer.allowed


def site(patch: pytest.MonkeyPatch, data: PageData, viewer: Viewer) -> FastAPI:
    """Return an application with our pages at Airflow's paths, and a frame like Airflow's."""
    manager = _Manager(viewer)
    patch.setattr(pages, "data", data)
    patch.setattr(pages, "get_auth_manager", lambda: manager)
    patch.setattr(security, "get_auth_manager", lambda: manager)
    patch.setattr(security.DagModel, "get_team_name", lambda dag_id: None)
    patch.setattr(pages, "sent_alerts", lambda *_: viewer.sent)
    patch.setattr(pages, "runs_between", lambda *_: viewer.runs)
    patch.setattr(pages, "run_of", lambda *_: viewer.run)
    pages.rendered.clear()
    for dependency in (security.get_user, _get_session):
        patch.setitem(ui.app.dependency_overrides, dependency, lambda: None)
    outer = FastAPI()
    outer.mount("/orchestration", ui.app)

    @outer.get("/plugin/orchestration", response_class=HTMLResponse)
    def framed() -> str:
        return FRAME

    @outer.get("/dags/{path:path}", response_class=HTMLResponse)
    def airflows(path: str) -> str:
        return f"<title>Airflow: {path}</title>"

    return outer


@contextlib.contextmanager
def serving(app: FastAPI) -> Iterator[str]:
    """Serve the application, and yield its address."""
    with contextlib.closing(socket.create_server(("127.0.0.1", 0))) as listener:
        server = uvicorn.Server(uvicorn.Config(app, log_level="warning"))
        thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join()
