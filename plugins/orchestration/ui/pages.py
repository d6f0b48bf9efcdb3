"""The day, its ticks and their *why*, for whoever may see the DAGs: permissions, addresses, and nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Annotated, Any

from airflow.api_fastapi.app import get_auth_manager
from airflow.api_fastapi.common.db.common import SessionDep
from airflow.api_fastapi.core_api.security import GetUserDep, requires_access_dag
from fastapi import APIRouter, Depends, HTTPException, Query, Request, Response
from fastapi.responses import HTMLResponse

from orchestration.audit.warehouse import WarehouseError
from orchestration.config import ConfigError
from orchestration.config.model import SYSTEM_DAGS, Config
from orchestration.decisions.model import Decision
from orchestration.health.facts import CallFact
from orchestration.nba.eastern import after
from orchestration.planning.day import current_day, day_bounds
from orchestration.runs.clock import RunClock
from orchestration.ui.addresses import AddressError, day_of, moment_of, shown_first
from orchestration.ui.database import run_of, runs_between, told
from orchestration.ui.day import day_page, force_conf
from orchestration.ui.looking import Look, Looks
from orchestration.ui.model import Beside, DayPage, Tick, TickState
from orchestration.ui.rendering import SECURITY, render
from orchestration.ui.shared import Shared
from orchestration.ui.why import Why, why
from orchestration.words import Action

router = APIRouter()
looks = Looks()
rendered: Shared[str] = Shared()


class Problem(Exception):
    """What kept a page from being made: for people, with the first command to type."""

    def __init__(self, status: int, headline: str, problem: str, command: str = "", runs: Any = None, day: Any = None):
        super().__init__(problem)
        self.status, self.headline, self.problem, self.command = status, headline, problem, command
        self.runs, self.day = runs, day


def root_of(request: Request) -> str:
    """Return the path under which the API server has our pages."""
    return str(request.scope.get("root_path", ""))


def show_problem(request: Request, problem: Exception) -> Response:
    """Show a problem as a page."""
    assert isinstance(problem, Problem)
    html = render(
        "problem.html",
        root_of(request),
        headline=problem.headline,
        problem=problem.problem,
        command=problem.command,
        runs=problem.runs,
        day=problem.day,
    )
    return HTMLResponse(html, problem.status, headers=SECURITY)


def allowed_to(user: GetUserDep) -> frozenset[str]:
    """Return the ids of the DAGs that the viewer's roles let them see."""
    return frozenset(get_auth_manager().get_authorized_dag_ids(user=user))


Allowed = Annotated[frozenset[str], Depends(allowed_to)]
DayText = Annotated[str, Query(alias="day")]
SEE_DAG = [Depends(requires_access_dag("GET"))]


def _page(html: str) -> HTMLResponse:
    return HTMLResponse(html, headers=SECURITY)


def _asked(day: str, as_of: str) -> tuple[date, datetime | None]:
    """Return the day and the moment that were asked for; None: the present."""
    try:
        config, now = looks.config(), looks.clock()
        asked = day_of(day) or shown_first(config, now)[0]
        if as_of:
            return asked, moment_of(as_of, asked, config)
        return asked, _end_of_past(config, asked) if day else None
    except AddressError as error:
        raise Problem(400, "This address makes no sense", str(error)) from None
    except ConfigError as error:
        raise _broken(error) from None


def _end_of_past(config: Config, day: date) -> datetime | None:
    """A day that is over is seen from the end of its grace, so that its address shows the same for ever."""
    end = after(day_bounds(config, day)[1], timedelta(hours=2))
    return end if end < looks.clock() else None


def _broken(error: ConfigError) -> Problem:
    return Problem(503, "UNKNOWN: the configuration cannot be read", str(error), "airflow dags list-import-errors")


def _look(day: date, as_of: datetime | None) -> Look:
    try:
        return looks.day(day, as_of)
    except ConfigError as error:
        raise _broken(error) from None
    except (WarehouseError, ValueError) as error:
        raise Problem(503, f"UNKNOWN: {error}", _UNKNOWN, "airflow connections get google_cloud_default") from None


_UNKNOWN = "Decisions, calls and games are in BigQuery; whether the night is in cannot be known until it answers."


def _made(day: date, as_of: datetime | None, allowed: frozenset[str]) -> tuple[Look, DayPage]:
    look = _look(day, as_of)
    page = day_page(look.config, look.facts, look.planned, look.now, allowed, live=as_of is None)
    return look, page


@router.get("/day", response_class=HTMLResponse)
def show_day(
    request: Request, session: SessionDep, allowed: Allowed, day: DayText = "", as_of: Annotated[str, Query()] = ""
) -> Response:
    """Show a day: its verdict, timeline, games and handoff."""
    asked, moment = _asked(day, as_of)
    root = root_of(request)
    try:
        look, page = _made(asked, moment, allowed)
    except Problem as problem:
        if problem.status == 503 and (config := _config()) is not None:
            names = frozenset({*config.enabled, *SYSTEM_DAGS}) & allowed
            problem.runs, problem.day = runs_between(session, names, *day_bounds(config, asked)), asked
        raise
    beside = None if day or as_of else _beside(allowed)
    days = frozenset({asked, asked + timedelta(days=1)})
    alerts = told(session, days, allowed, frozenset({*look.config.workflows, *SYSTEM_DAGS}))
    suffix = f"?as_of={as_of}" if as_of and moment is not None else ""
    key = (asked, moment, look.now, allowed, root, tuple(alerts), beside)
    html = rendered.get(
        key,
        lambda: render("day.html", root, page=page, told=alerts, outbox=look.outbox, asked=suffix, beside=beside),
    )
    return _page(html)


def _beside(allowed: frozenset[str]) -> Beside | None:
    """Return, for whoever names no day, the other one of last night and today."""
    day = shown_first(looks.config(), looks.clock())[1]
    try:
        _, page = _made(day, None, allowed)
    except Problem as problem:
        return Beside(day, "unknown", problem.headline)
    return Beside(day, page.verdict.name.lower() if page.verdict else "plan", page.headline)


def _config() -> Config | None:
    try:
        return looks.config()
    except ConfigError:
        return None


def _row(day: str, as_of: str, dag_id: str, allowed: frozenset[str]) -> tuple[Look, date, Sequence[Tick], str | None]:
    asked, moment = _asked(day, as_of)
    if dag_id not in allowed:
        raise HTTPException(403, "Forbidden")
    look, page = _made(asked, moment, allowed)
    row = page.row(dag_id)
    if row is None:
        raise Problem(404, f"{dag_id} is no workflow", "workflows.yaml has no enabled workflow of this name.")
    return look, asked, row.ticks, row.halted or page.halt


@router.get("/day/{day}/{dag_id}", response_class=HTMLResponse, dependencies=SEE_DAG)
def show_ticks(
    request: Request, day: str, dag_id: str, allowed: Allowed, as_of: Annotated[str, Query()] = ""
) -> Response:
    """Show all ticks of a workflow on a day."""
    _, asked, ticks, halted = _row(day, as_of, dag_id, allowed)
    html = render(
        "ticks.html",
        root_of(request),
        workflow=dag_id,
        title=f"the ticks of {asked:%a %d %b %Y}",
        ticks=ticks,
        day=asked,
        days=[asked] * len(ticks),
        halted=halted,
        note=None,
        conf=force_conf(asked.isoformat()),
    )
    return _page(html)


def _tick(day: str, as_of: str, dag_id: str, offset: int, allowed: frozenset[str]) -> tuple[Look, date, Tick]:
    look, asked, ticks, _ = _row(day, as_of, dag_id, allowed)
    tick = next((tick for tick in reversed(ticks) if tick.offset == offset), None)
    if tick is None:
        raise Problem(404, f"{dag_id} has no such tick on {asked}", "No tick and no run of it lies there.")
    return look, asked, tick


@router.get("/day/{day}/{dag_id}/{offset}/brief", response_class=HTMLResponse, dependencies=SEE_DAG)
def show_brief(
    request: Request, day: str, dag_id: str, offset: int, allowed: Allowed, as_of: Annotated[str, Query()] = ""
) -> Response:
    """Show a tick in short, for the timeline."""
    _, asked, tick = _tick(day, as_of, dag_id, offset, allowed)
    return _page(render("brief.html", root_of(request), tick=tick, day=asked))


@router.get("/day/{day}/{dag_id}/{offset}", response_class=HTMLResponse, dependencies=SEE_DAG)
def show_why(
    request: Request, day: str, dag_id: str, offset: int, allowed: Allowed, as_of: Annotated[str, Query()] = ""
) -> Response:
    """Show why a tick was decided as it was, and what its RUN called."""
    look, asked, tick = _tick(day, as_of, dag_id, offset, allowed)
    reasons, problem = _why(dag_id, tick)
    html = render(
        "why.html",
        root_of(request),
        tick=tick,
        day=asked,
        why=reasons,
        problem=problem,
        differs=reasons is not None and _differs(tick, reasons),
        calls=_calls(look, tick),
        vetoable=_vetoable(look, tick),
        conf=force_conf((tick.target_date or asked).isoformat()),
    )
    return _page(html)


def _why(workflow: str, tick: Tick) -> tuple[Why | None, str | None]:
    try:
        config, schedule, history = looks.tick(workflow, tick.at)
        return why(workflow, config, tick.at, schedule, history), None
    except (ConfigError, WarehouseError, ValueError) as error:
        return None, f"The checks cannot be gone through: {error}"


def _differs(tick: Tick, reasons: Why) -> bool:
    recorded = {TickState.SKIP: Action.SKIP, TickState.LATER: Action.SKIP, TickState.ABORT: Action.ABORT}
    return reasons.action is not recorded.get(tick.state, Action.RUN) and tick.decision_id is not None


def _calls(look: Look, tick: Tick) -> list[CallFact]:
    found = [c for c in look.facts.calls if c.workflow == tick.workflow and tick.run_id and c.run_id == tick.run_id]
    return sorted(found, key=lambda call: (call.scraper, call.map_index, call.try_number))


def _vetoable(look: Look, tick: Tick) -> bool:
    """Whether the run is in its hold, in which a person can stop it."""
    hold = timedelta(minutes=look.config.settings.execution_delay_minutes)
    return tick.state is TickState.RUNNING and look.now < after(tick.at, hold)


@router.get("/dags/{dag_id}/next", response_class=HTMLResponse, dependencies=SEE_DAG)
def show_next(request: Request, dag_id: str) -> Response:
    """Show the ticks of a DAG's next 24 hours and what they would decide now: the tab of a DAG."""
    try:
        config, now, decisions = looks.ahead()
        note = None
    except ConfigError as error:
        raise _broken(error) from None
    except (WarehouseError, ValueError) as error:
        raise Problem(503, f"UNKNOWN: {error}", _UNKNOWN, "airflow connections get google_cloud_default") from None
    here = [decision for decision in decisions if decision.workflow == dag_id]
    if dag_id in SYSTEM_DAGS:
        note = "This DAG is a part of the orchestration itself: it has no rule that decides."
    elif dag_id not in config.enabled:
        note = "This DAG is no workflow of workflows.yaml."
    days = [current_day(config, decision.tick) for decision in here]
    halt = config.settings.halt or (config.workflows[dag_id].halt if dag_id in config.workflows else None)
    html = render(
        "ticks.html",
        root_of(request),
        workflow=dag_id,
        title="the next 24 hours, as it would decide now",
        ticks=[_planned(config, decision, day) for decision, day in zip(here, days, strict=True)],
        day=None,
        days=days,
        halted=halt.reason if halt is not None and halt.holds_at(now, current_day(config, now)) else None,
        note=note,
        conf=force_conf(current_day(config, now).isoformat()) if here else None,
    )
    return _page(html)


def _planned(config: Config, decision: Decision, day: date) -> Tick:
    states = {Action.RUN: TickState.EXPECTED, Action.SKIP: TickState.SKIP, Action.ABORT: TickState.ABORT}
    return Tick(
        decision.workflow,
        decision.tick,
        int((decision.tick - day_bounds(config, day)[0]).total_seconds()),
        states[decision.action],
        decision.reason,
        decision.next_check_time,
        decision.target_date,
    )


@router.get("/dags/{dag_id}/run", response_class=HTMLResponse, dependencies=SEE_DAG)
def show_run(
    request: Request, session: SessionDep, dag_id: str, allowed: Allowed, run_id: Annotated[str, Query()]
) -> Response:
    """Show a DAG run: its decision, checks, and calls with their outcomes: the tab of a run."""
    run = run_of(session, dag_id, run_id)
    if run is None:
        raise Problem(404, "No such run", f"Airflow knows no run {run_id} of {dag_id} any more.")
    nothing = {"tick": None, "why": None, "calls": [], "vetoable": False, "conf": None, "day": None}
    values: dict[str, Any] = {**nothing, "dag_id": dag_id, "run_id": run_id, "note": None}
    config = _config()
    if config is None or dag_id not in config.enabled:
        what = "a part of the orchestration itself" if dag_id in SYSTEM_DAGS else "no workflow of workflows.yaml"
        values["note"] = f"This DAG is {what}: it decides nothing."
        return _page(render("run.html", root_of(request), **values))
    moment = RunClock.of_run(run).tick
    day = current_day(config, moment)
    look, page = _made(day, _end_of_past(config, day), allowed)
    row = page.row(dag_id)
    tick = next((tick for tick in row.ticks if tick.run_id == run_id), None) if row else None
    if tick is None:
        values["note"] = "This run has recorded no decision yet, or its row is still in the outbox."
        return _page(render("run.html", root_of(request), **values))
    values.update(tick=tick, day=day, calls=_calls(look, tick), vetoable=_vetoable(look, tick))
    values.update(why=_why(dag_id, tick)[0], conf=force_conf((tick.target_date or day).isoformat()))
    return _page(render("run.html", root_of(request), **values))


@router.get("/verdict")
def verdict(request: Request, allowed: Allowed) -> dict[str, str]:
    """Return the verdict in short, for Airflow's home page."""
    asked, moment = _asked("", "")
    try:
        _, page = _made(asked, moment, allowed)
    except Problem as problem:
        return {"verdict": "UNKNOWN", "headline": problem.headline, "seen": "", "next": problem.command}
    return {
        "verdict": page.verdict.value if page.verdict else "",
        "headline": f"{page.halt}; {page.headline}" if page.halt else page.headline,
        "seen": f"{page.seen:%a %d %b %H:%M} ET",
        "next": page.advice[0].command if page.advice else "",
    }
