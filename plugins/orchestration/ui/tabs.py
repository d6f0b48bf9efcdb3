"""The tabs of a DAG and of a DAG run, and the verdict for Airflow's home page."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any

from airflow.api_fastapi.common.db.common import SessionDep
from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import HTMLResponse

from orchestration.audit.warehouse import WarehouseError
from orchestration.config import ConfigError
from orchestration.config.model import SYSTEM_DAGS, Config
from orchestration.decisions.model import Decision
from orchestration.nba.eastern import et_date
from orchestration.planning.day import current_day, day_bounds
from orchestration.runs.clock import RunClock
from orchestration.ui import asking
from orchestration.ui.asking import (
    SEE_DAG,
    Allowed,
    Problem,
    as_page,
    asked_for,
    broken,
    calls_of_run,
    made,
    other_day,
    root_of,
    unanswered,
    vetoable,
    why_of,
)
from orchestration.ui.database import run_of
from orchestration.ui.day import force_conf
from orchestration.ui.model import Tick, TickState
from orchestration.ui.rendering import render
from orchestration.ui.seeing import Hiding
from orchestration.words import Action

router = APIRouter()


@router.get("/dags/{dag_id}/next", response_class=HTMLResponse, dependencies=SEE_DAG)
def show_next(request: Request, dag_id: str, allowed: Allowed) -> Response:
    """Show the ticks of a DAG's next 24 hours and what they would decide now: the tab of a DAG."""
    try:
        config, now, decisions = asking.looks.ahead()
        note = None
    except ConfigError as error:
        raise broken(error) from None
    except (WarehouseError, ValueError) as error:
        raise unanswered(error) from None
    here = Hiding(config, allowed).of_plan(decision for decision in decisions if decision.workflow == dag_id)
    if dag_id in SYSTEM_DAGS:
        note = "This DAG is a part of the orchestration itself: it has no rule that decides."
    elif dag_id not in config.enabled:
        note = "This DAG is no workflow that workflows.yaml has switched on."
    days = [current_day(config, decision.tick) for decision in here]
    halts = (config.settings.halt, config.workflows[dag_id].halt if dag_id in config.workflows else None)
    halt = next((halt for halt in halts if halt is not None and halt.holds_at(now, et_date(now))), None)
    html = render(
        "ticks.html",
        root_of(request),
        workflow=dag_id,
        title="the next 24 hours, as it would decide now",
        ticks=[_planned(config, decision, day) for decision, day in zip(here, days, strict=True)],
        day=None,
        days=days,
        halted=halt.reason if halt is not None else None,
        note=note,
        conf=force_conf(current_day(config, now).isoformat()) if here else None,
    )
    return as_page(html)


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
    nothing: dict[str, Any] = {"tick": None, "why": None, "calls": [], "vetoable": False, "conf": None, "day": None}
    values: dict[str, Any] = {**nothing, "dag_id": dag_id, "run_id": run_id, "note": None}
    try:
        config = asking.looks.config()
    except ConfigError as error:
        raise broken(error) from None
    if dag_id not in config.enabled:
        off = "no workflow that workflows.yaml has switched on"
        what = "a part of the orchestration itself" if dag_id in SYSTEM_DAGS else off
        values["note"] = f"This DAG is {what}: it decides nothing."
        return as_page(render("run.html", root_of(request), **values))
    moment = RunClock.of_run(run).tick
    day = current_day(config, moment)
    look, page = made(day, None, allowed)
    row = page.row(dag_id)
    tick = next((tick for tick in row.ticks if tick.run_id == run_id), None) if row else None
    if tick is None:
        values["note"] = "This run has recorded no decision yet, or its row is still in the outbox."
        return as_page(render("run.html", root_of(request), **values))
    values.update(tick=tick, day=day, calls=calls_of_run(look, tick), vetoable=vetoable(look, tick))
    values.update(why=why_of(dag_id, tick, allowed)[0], conf=force_conf((tick.target_date or day).isoformat()))
    return as_page(render("run.html", root_of(request), **values))


@router.get("/verdict")
def verdict(request: Request, allowed: Allowed) -> dict[str, str]:
    """Return the verdict in short, and the other one of last night and today in one line, for Airflow's home page."""
    asked, moment = asked_for("", "")
    try:
        _, page = made(asked, moment, allowed)
    except Problem as problem:
        return {"verdict": "UNKNOWN", "headline": problem.headline, "seen": "", "next": problem.command}
    beside = other_day(allowed)
    return {
        "verdict": page.verdict.value if page.verdict else "",
        "headline": f"{page.halt}; {page.headline}" if page.halt else page.headline,
        "seen": f"{page.seen:%a %d %b %H:%M} ET",
        "next": page.advice[0].command if page.advice else "",
        "beside": f"{beside.name}: {beside.headline}",
    }
