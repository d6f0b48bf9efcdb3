"""The inputs of a page: the viewer, the day and moment in the address, and the data. Errors become pages."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from typing import Annotated, Any, NamedTuple

from airflow.api_fastapi.app import get_auth_manager
from airflow.api_fastapi.core_api.security import GetUserDep, requires_access_dag
from fastapi import Depends, HTTPException, Query, Request, Response
from fastapi.responses import HTMLResponse

from orchestration.audit.warehouse import WarehouseError
from orchestration.config import ConfigError
from orchestration.nba.eastern import after
from orchestration.records.tables import CallRecord
from orchestration.ui.addresses import AddressError, day_of, moment_of, shown_first
from orchestration.ui.data import DayData, PageData, RunState
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


def respond(request: Request, template: str, status: int = 200, **values: Any) -> HTMLResponse:
    """Return a page, with its security headers."""
    return HTMLResponse(render(template, root_of(request), **values), status, headers=SECURITY)


def show_problem(request: Request, problem: Exception) -> Response:
    """Return the page of a PageProblem."""
    return respond(request, "problem.html", **vars(problem))


@contextmanager
def problems_as_pages() -> Iterator[None]:
    """Raise PageProblem in place of an error of the address, of the configuration or of BigQuery."""
    try:
        yield
    except AddressError as error:
        raise PageProblem(400, "This address is not valid", str(error)) from None
    except ConfigError as error:
        headline, command = "UNKNOWN: the configuration cannot be read", "airflow dags list-import-errors"
        raise PageProblem(503, headline, str(error), command) from None
    except (WarehouseError, ValueError) as error:
        raise PageProblem(503, f"UNKNOWN: {error}", UNKNOWN, "airflow connections get google_cloud_default") from None


def allowed_to(user: GetUserDep) -> frozenset[str]:
    """Return the ids of the DAGs that the viewer's roles may see."""
    return frozenset(get_auth_manager().get_authorized_dag_ids(user=user))


Allowed = Annotated[frozenset[str], Depends(allowed_to)]
QueryText = Annotated[str, Query()]
SEE_DAG = [Depends(requires_access_dag("GET"))]


def requested_day(day: str, as_of: str) -> tuple[date, datetime | None]:
    """Return the day and the moment that the address names; the moment None means now. Raises PageProblem."""
    with problems_as_pages():
        config = data.config()
        shown = day_of(day) or shown_first(config, data.clock())[0]
        return shown, moment_of(as_of, shown, config) if as_of else None


def build_day(
    day: date, as_of: datetime | None, allowed: frozenset[str], *, beside: bool = False
) -> tuple[DayData, DayPage]:
    """Return the data of a day, and its page for a viewer who may see ``allowed``. Raises PageProblem.

    ``as_of``: the moment shown, None for the present. ``beside``: the data may be minutes old.
    """
    with problems_as_pages():
        found = data.day(day, as_of, beside=beside)
    return found, day_page(found.config, found.facts, found.planned, found.now, allowed, live=as_of is None)


def other_day(allowed: frozenset[str]) -> OtherDay:
    """Return the day to show in one line beside the current page: last night or the new day. Raises ConfigError."""
    first, day = shown_first(data.config(), data.clock())
    name = f"{'Last night' if day < first else 'The new day'}, {day:%a %d %b}"
    try:
        _, page = build_day(day, None, allowed, beside=True)
    except PageProblem as problem:
        return OtherDay(day, name, "unknown", problem.headline)
    return OtherDay(day, name, page.verdict.name.lower() if page.verdict else "plan", page.headline)


class ShownRow(NamedTuple):
    """The ticks of a workflow on a day, as the viewer may see them. ``halted``: the reason of a halt, or None."""

    read: DayData
    workflow: str
    day: date
    ticks: tuple[Tick, ...]
    halted: str | None


def shown_row(day: str, dag_id: str, allowed: Allowed, as_of: QueryText = "") -> ShownRow:
    """Return the row that the address names. Raises PageProblem, and HTTPException for a DAG that is not allowed."""
    shown, moment = requested_day(day, as_of)
    if dag_id not in allowed:
        raise HTTPException(403, "Forbidden")
    read, page = build_day(shown, moment, allowed)
    row = page.row(dag_id)
    if row is None:
        raise PageProblem(404, f"{dag_id} is not a workflow", "workflows.yaml has no enabled workflow of this name.")
    return ShownRow(read, dag_id, shown, row.ticks, row.halted or page.halt)


RowOfAddress = Annotated[ShownRow, Depends(shown_row)]


def shown_tick(row: RowOfAddress, offset: int) -> Tick:
    """Return the tick that the address names. Raises as :func:`shown_row`."""
    tick = next((tick for tick in reversed(row.ticks) if tick.offset == offset), None)
    if tick is None:
        headline = f"{row.workflow} has no tick at this time on {row.day}"
        raise PageProblem(404, headline, "The workflow has no run at this time either.")
    return tick


TickOfAddress = Annotated[Tick, Depends(shown_tick)]


def why_of(tick: Tick, allowed: frozenset[str]) -> tuple[Why | None, str | None]:
    """Return the checks of a tick and None; or None and the reason why the checks cannot be evaluated."""
    try:
        config, schedule, history = data.tick(tick.workflow, tick.at)
        return why(tick.workflow, config, tick.at, schedule, history, HiddenNames(config, allowed)), None
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
