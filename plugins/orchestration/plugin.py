"""The Airflow plugin: what this package adds to Airflow itself."""

from __future__ import annotations

import logging
import sys
from typing import Any

from airflow.listeners import hookimpl
from airflow.plugins_manager import AirflowPlugin

from orchestration.alerts.deadlines import RunQueued
from orchestration.ui.links import PREFIX, FileLink, LogRowLink

log = logging.getLogger(__name__)


class Preload:
    """Imports the modules of all tasks in the scheduler, from which LocalExecutor forks the tasks."""

    @hookimpl  # type: ignore[untyped-decorator]
    def on_starting(self, component: Any) -> None:
        """Import the modules when a scheduler starts."""
        # The job has no type yet; the arguments of its process show that it is a scheduler.
        if type(component).__name__ == "Job" and sys.argv[1:2] == ["scheduler"]:
            from orchestration.generator.preload import MODULES

            log.info("Preloaded %s", ", ".join(MODULES))


# Addresses without a leading slash lie below Airflow's own address.
_HERE = PREFIX.removeprefix("/")


def _view(name: str, destination: str, url_route: str, page: str, **more: Any) -> dict[str, Any]:
    icons = {"icon": f"{_HERE}/static/icon.svg", "icon_dark_mode": f"{_HERE}/static/icon-dark.svg"}
    view = {"name": name, "destination": destination, "url_route": url_route, "href": f"{_HERE}/{page}"}
    return {**view, **icons, **more}


VIEWS = (
    _view("Orchestration", "nav", "orchestration", "day", nav_top_level=True),
    _view("Next ticks", "dag", "ticks", "dags/{DAG_ID}/next"),
    _view("Decision", "dag_run", "decision", "dags/{DAG_ID}/run?run_id={RUN_ID}"),
)
"""Our pages in Airflow's navigation, as a tab of each DAG, and of each DAG run."""
VERDICT = {
    "name": "Orchestration verdict",
    "bundle_url": f"{_HERE}/static/verdict.js",
    "destination": "dashboard",
    "url_route": "verdict",
}
"""The verdict on Airflow's home page."""


async def pages(scope: Any, receive: Any, send: Any) -> None:
    """Serve our pages. The import is here because every process of Airflow loads this plugin."""
    from orchestration.ui.app import app

    await app(scope, receive, send)


class OrchestrationPlugin(AirflowPlugin):
    """What this package adds to Airflow itself."""

    name = "orchestration"
    listeners = [Preload()]  # noqa: RUF012
    deadline_references = [RunQueued]  # noqa: RUF012
    operator_extra_links = [LogRowLink(), FileLink()]  # noqa: RUF012
    fastapi_apps = [{"name": "orchestration", "app": pages, "url_prefix": PREFIX}]  # noqa: RUF012
    external_views = list(VIEWS)  # noqa: RUF012
    react_apps = [VERDICT]  # noqa: RUF012
