"""The pages of a day, a tick, a DAG and a DAG run, and the verdict for Airflow's home page."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from typing import Any

from airflow.api_fastapi.common.db.common import SessionDep
from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse

from orchestration.config import SYSTEM_DAGS, ConfigError
from orchestration.runs.clock import RunClock
from orchestration.ui import page_inputs
from orchestration.ui.data import DayData, SharedCache, run_of, runs_between, sent_alerts
from orchestration.ui.day import force_conf, planned_tick
from orchestration.ui.model import Tick, TickState
from orchestration.ui.page_inputs import (
    SEE_DAG,
    Allowed,
    PageProblem,
    QueryText,
    RowOfAddress,
    TickOfAddress,
    build_day,
    calls_of_run,
    other_day,
    problems_as_pages,
    requested_day,
    respond,
    root_of,
    vetoable,
    why_of,
)
from orchestration.ui.rendering import SECURITY, render
from orchestration.ui.visibility import HiddenNames
from orchestration.words import Action

router = APIRouter()
rendered: SharedCache[str] = SharedCache()


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
            config = page_inputs.data.config()
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
    why, problem = why_of(tick, allowed)
    recorded = {TickState.SKIP: Action.SKIP, TickState.ABORT: Action.ABORT}.get(tick.state, Action.RUN)
    differs = why is not None and why.action is not recorded and tick.decision_id is not None
    return respond(request, "why.html", why=why, problem=problem, differs=differs, **_of_tick(row.read, tick))


def _of_tick(read: DayData, tick: Tick) -> dict[str, Any]:
    """Return the values that the pages of a tick and of a run show."""
    conf = force_conf(tick.target_date or tick.day)
    return {"tick": tick, "calls": calls_of_run(read, tick), "vetoable": vetoable(read, tick), "conf": conf}


@router.get("/dags/{dag_id}/next", response_class=HTMLResponse, dependencies=SEE_DAG)
def show_next(request: Request, dag_id: str, allowed: Allowed) -> Response:
    """Show the planned decisions of the next 24 hours, in the tab of a DAG."""
    with problems_as_pages():
        config, now, decisions = page_inputs.data.ahead()
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
        config = page_inputs.data.config()
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
