"""The day, its ticks and their *why*, for whoever may see the DAGs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Annotated

from airflow.api_fastapi.common.db.common import SessionDep
from fastapi import APIRouter, HTTPException, Query, Request, Response
from fastapi.responses import HTMLResponse

from orchestration.config.model import SYSTEM_DAGS
from orchestration.planning.day import day_bounds
from orchestration.ui.asking import (
    SEE_DAG,
    Allowed,
    DayText,
    Problem,
    as_page,
    asked_for,
    calls_of_run,
    config_if_any,
    made,
    other_day,
    root_of,
    vetoable,
    why_of,
)
from orchestration.ui.database import runs_between, told
from orchestration.ui.day import force_conf
from orchestration.ui.looking import Look
from orchestration.ui.model import Tick, TickState
from orchestration.ui.rendering import render
from orchestration.ui.shared import Shared
from orchestration.ui.why import Why
from orchestration.words import Action

router = APIRouter()
rendered: Shared[str] = Shared()


@router.get("/day", response_class=HTMLResponse)
def show_day(
    request: Request, session: SessionDep, allowed: Allowed, day: DayText = "", as_of: Annotated[str, Query()] = ""
) -> Response:
    """Show a day: its verdict, timeline, games and handoff."""
    asked, moment = asked_for(day, as_of)
    root = root_of(request)
    try:
        look, page = made(asked, moment, allowed)
    except Problem as problem:
        if problem.status == 503 and (config := config_if_any()) is not None:
            names = frozenset({*config.enabled, *SYSTEM_DAGS}) & allowed
            problem.runs, problem.day = runs_between(session, names, *day_bounds(config, asked)), asked
        raise
    beside = None if day or as_of else other_day(allowed)
    days = frozenset({asked, asked + timedelta(days=1)})
    alerts = told(session, days, allowed, frozenset({*look.config.workflows, *SYSTEM_DAGS}))
    suffix = f"?as_of={as_of}" if as_of and moment is not None else ""
    key = (asked, moment, look.now, allowed, root, tuple(alerts), beside)
    html = rendered.get(
        key,
        lambda: render("day.html", root, page=page, told=alerts, outbox=look.outbox, asked=suffix, beside=beside),
    )
    return as_page(html)


def _row(day: str, as_of: str, dag_id: str, allowed: frozenset[str]) -> tuple[Look, date, Sequence[Tick], str | None]:
    asked, moment = asked_for(day, as_of)
    if dag_id not in allowed:
        raise HTTPException(403, "Forbidden")
    look, page = made(asked, moment, allowed)
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
    return as_page(html)


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
    return as_page(render("brief.html", root_of(request), tick=tick, day=asked))


@router.get("/day/{day}/{dag_id}/{offset}", response_class=HTMLResponse, dependencies=SEE_DAG)
def show_why(
    request: Request, day: str, dag_id: str, offset: int, allowed: Allowed, as_of: Annotated[str, Query()] = ""
) -> Response:
    """Show why a tick was decided as it was, and what its RUN called."""
    look, asked, tick = _tick(day, as_of, dag_id, offset, allowed)
    reasons, problem = why_of(dag_id, tick, allowed)
    html = render(
        "why.html",
        root_of(request),
        tick=tick,
        day=asked,
        why=reasons,
        problem=problem,
        differs=reasons is not None and _differs(tick, reasons),
        calls=calls_of_run(look, tick),
        vetoable=vetoable(look, tick),
        conf=force_conf((tick.target_date or asked).isoformat()),
    )
    return as_page(html)


def _differs(tick: Tick, reasons: Why) -> bool:
    recorded = {TickState.SKIP: Action.SKIP, TickState.LATER: Action.SKIP, TickState.ABORT: Action.ABORT}
    return reasons.action is not recorded.get(tick.state, Action.RUN) and tick.decision_id is not None
