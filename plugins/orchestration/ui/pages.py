"""The pages of a day, a tick, a DAG and a DAG run, and the verdict for Airflow's home page. Errors become pages."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import date, datetime, timedelta
from typing import Annotated, Any, NamedTuple

from airflow.api_fastapi.app import get_auth_manager
from airflow.api_fastapi.common.db.common import SessionDep
from airflow.api_fastapi.core_api.security import GetUserDep, requires_access_dag
from fastapi import APIRouter, Depends, HTTPException, Query, Request, Response
from fastapi.responses import HTMLResponse

from orchestration.audit.warehouse import WarehouseError
from orchestration.config import SYSTEM_DAGS, ConfigError
from orchestration.nba.eastern import after
from orchestration.runs.clock import RunClock
from orchestration.ui.addresses import AddressError, day_of, moment_of, shown_first
from orchestration.ui.data import DayData, PageData, RunState, SharedCache, run_of, runs_between, sent_alerts
from orchestration.ui.day import day_page, force_conf, planned_tick
from orchestration.ui.model import DayPage, OtherDay, Tick, TickState
from orchestration.ui.rendering import SECURITY, render
from orchestration.ui.visibility import HiddenNames
from orchestration.ui.why import Why, why
from orchestration.words import Action

router = APIRouter()
rendered: SharedCache[str] = SharedCache()
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


@router.get("/day", response_class=HTMLResponse)
def show_day(
    request: Request, session: SessionDep, allowed: Allowed, day: QueryText = "", as_of: QueryText = ""
) -> Response:
    """Show the verdict, the timeline, the games and the handoff of a day."""
    shown, moment = requested_day(day, as_of)
    root = root_of(request)
    try:
        read, page = build_day(shown, moment, allowed)
    except PageProblem as problem:
        with suppress(ConfigError):
            config = data.config()
            names = frozenset({*config.enabled, *SYSTEM_DAGS}) & allowed
            problem.runs, problem.day = runs_between(session, names, *config.day_bounds(shown)), shown
        raise
    beside = None if day or as_of else other_day(allowed)
    days = frozenset({shown, shown + timedelta(days=1)})
    alerts = sent_alerts(session, days, allowed, frozenset({*read.config.workflows, *SYSTEM_DAGS}))
    values = {"page": page, "sent": alerts, "outbox": read.outbox, "beside": beside}
    values["as_of"] = f"?as_of={as_of}" if as_of else ""
    key = (shown, moment, read.now, allowed, root, tuple(alerts), beside)
    return HTMLResponse(rendered.get(key, lambda: render("day.html", root, **values)), headers=SECURITY)


@router.get("/day/{day}/{dag_id}", response_class=HTMLResponse, dependencies=SEE_DAG)
def show_ticks(request: Request, row: RowOfAddress) -> Response:
    """Show all ticks of a workflow on a day."""
    title, conf = f"ticks of {row.day:%a %d %b %Y}", force_conf(row.day)
    return respond(request, "ticks.html", title=title, conf=conf, note=None, **row._asdict())


@router.get("/day/{day}/{dag_id}/{offset}/brief", response_class=HTMLResponse, dependencies=SEE_DAG)
def show_brief(request: Request, tick: TickOfAddress) -> Response:
    """Show a tick in short, below the timeline."""
    return respond(request, "brief.html", tick=tick)


@router.get("/day/{day}/{dag_id}/{offset}", response_class=HTMLResponse, dependencies=SEE_DAG)
def show_why(request: Request, row: RowOfAddress, tick: TickOfAddress, allowed: Allowed) -> Response:
    """Show every check behind the decision of a tick, and the calls of its RUN."""
    checks, problem = why_of(tick, allowed)
    recorded = {TickState.SKIP: Action.SKIP, TickState.ABORT: Action.ABORT}.get(tick.state, Action.RUN)
    differs = checks is not None and checks.action is not recorded and tick.decision_id is not None
    return respond(request, "why.html", why=checks, problem=problem, differs=differs, **_of_tick(row.read, tick))


def _of_tick(read: DayData, tick: Tick) -> dict[str, Any]:
    """Return the values that the pages of a tick and of a run show."""
    calls = [c for c in read.facts.calls if c.workflow == tick.workflow and tick.run_id and c.dag_run_id == tick.run_id]
    calls.sort(key=lambda call: (call.scraper_name, call.map_index, call.call_index or 0, call.try_number))
    # A person can veto the run during its hold, before the calls.
    hold = timedelta(minutes=read.config.settings.execution_delay_minutes)
    vetoable = tick.state is TickState.RUNNING and read.now < after(tick.at, hold)
    return {"tick": tick, "calls": calls, "vetoable": vetoable, "conf": force_conf(tick.target_date or tick.day)}


@router.get("/dags/{dag_id}/next", response_class=HTMLResponse, dependencies=SEE_DAG)
def show_next(request: Request, dag_id: str, allowed: Allowed) -> Response:
    """Show the planned decisions of the next 24 hours, in the tab of a DAG."""
    with problems_as_pages():
        config, now, decisions = data.ahead()
    here = HiddenNames(config, allowed).of_plan(decision for decision in decisions if decision.workflow == dag_id)
    note = None
    if dag_id in SYSTEM_DAGS:
        note = "This DAG is part of the orchestration itself and has no decision rule."
    elif dag_id not in config.enabled:
        note = "This DAG is not an enabled workflow of workflows.yaml."
    states = {Action.RUN: TickState.EXPECTED, Action.SKIP: TickState.SKIP, Action.ABORT: TickState.ABORT}
    locks = (config.day_bounds(config.current_day(decision.tick))[0] for decision in here)
    halt = config.halt_at(now, dag_id)
    return respond(
        request,
        "ticks.html",
        workflow=dag_id,
        title="decisions of the next 24 hours, as planned now",
        ticks=[planned_tick(one, lock, states[one.action]) for one, lock in zip(here, locks, strict=True)],
        day=None,
        halted=halt.reason if halt is not None else None,
        note=note,
        conf=force_conf(config.current_day(now)) if here else None,
    )


@router.get("/dags/{dag_id}/run", response_class=HTMLResponse, dependencies=SEE_DAG)
def show_run(request: Request, session: SessionDep, dag_id: str, allowed: Allowed, run_id: QueryText) -> Response:
    """Show the decision, the checks and the calls of a DAG run, in the tab of a run."""
    run = run_of(session, dag_id, run_id)
    if run is None:
        problem = f"Airflow has no run {run_id} of {dag_id}. The run may have been deleted."
        raise PageProblem(404, "No such run", problem)
    with problems_as_pages():
        config = data.config()
    values: dict[str, Any] = {"dag_id": dag_id, "run_id": run_id, "note": None, "tick": None}
    if dag_id not in config.enabled:
        off = "not an enabled workflow of workflows.yaml"
        what = "part of the orchestration itself" if dag_id in SYSTEM_DAGS else off
        return respond(request, "run.html", **{**values, "note": f"This DAG is {what}. It makes no decision."})
    read, page = build_day(config.current_day(RunClock.of_run(run).tick), None, allowed)
    row = page.row(dag_id)
    tick = next((tick for tick in row.ticks if tick.run_id == run_id), None) if row else None
    if tick is None:
        values["note"] = "This run has recorded no decision yet, or its row is still in the outbox."
        return respond(request, "run.html", **values)
    return respond(request, "run.html", **{**values, **_of_tick(read, tick), "why": why_of(tick, allowed)[0]})


@router.get("/verdict")
def verdict(request: Request, allowed: Allowed) -> dict[str, str]:
    """Return the verdict in short for Airflow's home page, with last night or the new day in one line."""
    shown, moment = requested_day("", "")
    try:
        _, page = build_day(shown, moment, allowed)
    except PageProblem as problem:
        return {"verdict": "UNKNOWN", "headline": problem.headline, "seen": "", "next": problem.command}
    beside = other_day(allowed)
    return {
        "verdict": page.verdict.value if page.verdict else "",
        "headline": f"{page.halt}; {page.headline}" if page.halt else page.headline,
        "seen": f"{page.seen:%a %d %b %H:%M} ET",
        "next": page.advice[0].command if page.advice else "",
        "beside": f"{beside.name}: {beside.headline}",
    }
