"""The inputs of a page: the viewer, the day and moment in the address, and the data. Errors become pages."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Annotated

from airflow.api_fastapi.app import get_auth_manager
from airflow.api_fastapi.core_api.security import GetUserDep, requires_access_dag
from fastapi import Depends, Query, Request, Response
from fastapi.responses import HTMLResponse

from orchestration.audit.warehouse import WarehouseError
from orchestration.config import Config, ConfigError
from orchestration.nba.eastern import after
from orchestration.records.tables import CallRecord
from orchestration.ui.addresses import AddressError, day_of, moment_of, shown_first
from orchestration.ui.cached_data import DayData, PageData
from orchestration.ui.database import RunState
from orchestration.ui.day import day_page
from orchestration.ui.model import DayPage, OtherDay, Tick, TickState
from orchestration.ui.rendering import SECURITY, render
from orchestration.ui.visibility import HiddenNames
from orchestration.ui.why import Why, why

data = PageData()
UNKNOWN = "Decisions, calls and games are in BigQuery. Until BigQuery answers, the state of the night is unknown."


class PageProblem(Exception):
    """A page cannot be shown: the headline, the problem, and the first command to type, which may be empty."""

    def __init__(self, status: int, headline: str, problem: str, command: str = "") -> None:
        super().__init__(problem)
        self.status, self.headline, self.problem, self.command = status, headline, problem, command
        self.day: date | None = None
        self.runs: list[RunState] | None = None
        """The runs of ``day`` in Airflow's own database, None if the page does not show them."""


def root_of(request: Request) -> str:
    """Return the path of our pages on the API server."""
    return str(request.scope.get("root_path", ""))


def show_problem(request: Request, problem: Exception) -> Response:
    """Return the page of a PageProblem."""
    assert isinstance(problem, PageProblem)
    return HTMLResponse(render("problem.html", root_of(request), **vars(problem)), problem.status, headers=SECURITY)


def allowed_to(user: GetUserDep) -> frozenset[str]:
    """Return the ids of the DAGs that the viewer's roles may see."""
    return frozenset(get_auth_manager().get_authorized_dag_ids(user=user))


Allowed = Annotated[frozenset[str], Depends(allowed_to)]
DayText = Annotated[str, Query(alias="day")]
SEE_DAG = [Depends(requires_access_dag("GET"))]


def as_page(html: str) -> HTMLResponse:
    """Return the response of a page, with its security headers."""
    return HTMLResponse(html, headers=SECURITY)


def requested_day(day: str, as_of: str) -> tuple[date, datetime | None]:
    """Return the day and the moment that the address names; the moment None means now. Raises PageProblem."""
    try:
        config, now = data.config(), data.clock()
        shown = day_of(day) or shown_first(config, now)[0]
        if as_of:
            return shown, moment_of(as_of, shown, config)
        return shown, None
    except AddressError as error:
        raise PageProblem(400, "This address is not valid", str(error)) from None
    except ConfigError as error:
        raise config_problem(error) from None


def config_problem(error: ConfigError) -> PageProblem:
    """Return the problem to show while no configuration can be read."""
    return PageProblem(503, "UNKNOWN: the configuration cannot be read", str(error), "airflow dags list-import-errors")


def bigquery_problem(error: Exception) -> PageProblem:
    """Return the problem to show while BigQuery does not answer."""
    return PageProblem(503, f"UNKNOWN: {error}", UNKNOWN, "airflow connections get google_cloud_default")


def build_day(
    day: date, as_of: datetime | None, allowed: frozenset[str], *, beside: bool = False
) -> tuple[DayData, DayPage]:
    """Return the data of a day, and its page for a viewer who may see ``allowed``. Raises PageProblem.

    ``as_of``: the moment shown, None for the present. ``beside``: the data may be minutes old.
    """
    try:
        found = data.day(day, as_of, beside=beside)
    except ConfigError as error:
        raise config_problem(error) from None
    except (WarehouseError, ValueError) as error:
        raise bigquery_problem(error) from None
    page = day_page(found.config, found.facts, found.planned, found.now, allowed, live=as_of is None)
    return found, page


def other_day(allowed: frozenset[str]) -> OtherDay:
    """Return the day to show in one line beside the current page: last night or the new day. Raises ConfigError."""
    first, day = shown_first(data.config(), data.clock())
    name = f"{'Last night' if day < first else 'The new day'}, {day:%a %d %b}"
    try:
        _, page = build_day(day, None, allowed, beside=True)
    except PageProblem as problem:
        return OtherDay(day, name, "unknown", problem.headline)
    return OtherDay(day, name, page.verdict.name.lower() if page.verdict else "plan", page.headline)


def config_or_none() -> Config | None:
    """Return the configuration in use, or None if it cannot be read."""
    try:
        return data.config()
    except ConfigError:
        return None


def why_of(workflow: str, tick: Tick, allowed: frozenset[str]) -> tuple[Why | None, str | None]:
    """Return the checks of a tick and None; or None and the reason why the checks cannot be evaluated."""
    try:
        config, schedule, history = data.tick(workflow, tick.at)
        return why(workflow, config, tick.at, schedule, history, HiddenNames(config, allowed)), None
    except (ConfigError, WarehouseError, ValueError) as error:
        return None, f"The checks cannot be evaluated: {error}"


def calls_of_run(read: DayData, tick: Tick) -> list[CallRecord]:
    """Return every try of the calls of a RUN."""
    found = [c for c in read.facts.calls if c.workflow == tick.workflow and tick.run_id and c.dag_run_id == tick.run_id]
    return sorted(found, key=lambda call: (call.scraper_name, call.map_index, call.call_index or 0, call.try_number))


def vetoable(read: DayData, tick: Tick) -> bool:
    """Return whether a person can still veto the run, because its hold before the calls has not passed."""
    hold = timedelta(minutes=read.config.settings.execution_delay_minutes)
    return tick.state is TickState.RUNNING and read.now < after(tick.at, hold)
