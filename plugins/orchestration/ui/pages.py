"""The pages of a day, a tick, a DAG and a DAG run, and the verdict for Airflow's home page."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Annotated, Any

from airflow.api_fastapi.common.db.common import SessionDep
from fastapi import APIRouter, HTTPException, Query, Request, Response
from fastapi.responses import HTMLResponse

from orchestration.audit.warehouse import WarehouseError
from orchestration.config import SYSTEM_DAGS, Config, ConfigError
from orchestration.decisions.model import Decision
from orchestration.runs.clock import RunClock
from orchestration.ui import page_inputs
from orchestration.ui.cached_data import DayData, SharedCache
from orchestration.ui.database import run_of, runs_between, sent_alerts
from orchestration.ui.day import force_conf
from orchestration.ui.model import Tick, TickState
from orchestration.ui.page_inputs import (
    SEE_DAG,
    Allowed,
    DayText,
    PageProblem,
    as_page,
    bigquery_problem,
    build_day,
    calls_of_run,
    config_or_none,
    config_problem,
    other_day,
    requested_day,
    root_of,
    vetoable,
    why_of,
)
from orchestration.ui.rendering import render
from orchestration.ui.visibility import HiddenNames
from orchestration.ui.why import Why
from orchestration.words import Action

router = APIRouter()
rendered: SharedCache[str] = SharedCache()


@router.get("/day", response_class=HTMLResponse)
def show_day(
    request: Request, session: SessionDep, allowed: Allowed, day: DayText = "", as_of: Annotated[str, Query()] = ""
) -> Response:
    """Show the verdict, the timeline, the games and the handoff of a day."""
    shown, moment = requested_day(day, as_of)
    root = root_of(request)
    try:
        read, page = build_day(shown, moment, allowed)
    except PageProblem as problem:
        if problem.status == 503 and (config := config_or_none()) is not None:
            names = frozenset({*config.enabled, *SYSTEM_DAGS}) & allowed
            problem.runs, problem.day = runs_between(session, names, *config.day_bounds(shown)), shown
        raise
    beside = None if day or as_of else other_day(allowed)
    days = frozenset({shown, shown + timedelta(days=1)})
    alerts = sent_alerts(session, days, allowed, frozenset({*read.config.workflows, *SYSTEM_DAGS}))
    suffix = f"?as_of={as_of}" if as_of and moment is not None else ""
    key = (shown, moment, read.now, allowed, root, tuple(alerts), beside)
    html = rendered.get(
        key,
        lambda: render("day.html", root, page=page, sent=alerts, outbox=read.outbox, as_of=suffix, beside=beside),
    )
    return as_page(html)


def _row(
    day: str, as_of: str, dag_id: str, allowed: frozenset[str]
) -> tuple[DayData, date, Sequence[Tick], str | None]:
    shown, moment = requested_day(day, as_of)
    if dag_id not in allowed:
        raise HTTPException(403, "Forbidden")
    read, page = build_day(shown, moment, allowed)
    row = page.row(dag_id)
    if row is None:
        raise PageProblem(404, f"{dag_id} is not a workflow", "workflows.yaml has no enabled workflow of this name.")
    return read, shown, row.ticks, row.halted or page.halt


@router.get("/day/{day}/{dag_id}", response_class=HTMLResponse, dependencies=SEE_DAG)
def show_ticks(
    request: Request, day: str, dag_id: str, allowed: Allowed, as_of: Annotated[str, Query()] = ""
) -> Response:
    """Show all ticks of a workflow on a day."""
    _, shown, ticks, halted = _row(day, as_of, dag_id, allowed)
    html = render(
        "ticks.html",
        root_of(request),
        workflow=dag_id,
        title=f"ticks of {shown:%a %d %b %Y}",
        ticks=ticks,
        day=shown,
        days=[shown] * len(ticks),
        halted=halted,
        note=None,
        conf=force_conf(shown),
    )
    return as_page(html)


def _tick(day: str, as_of: str, dag_id: str, offset: int, allowed: frozenset[str]) -> tuple[DayData, date, Tick]:
    read, shown, ticks, _ = _row(day, as_of, dag_id, allowed)
    tick = next((tick for tick in reversed(ticks) if tick.offset == offset), None)
    if tick is None:
        raise PageProblem(
            404, f"{dag_id} has no tick at this time on {shown}", "The workflow has no run at this time either."
        )
    return read, shown, tick


@router.get("/day/{day}/{dag_id}/{offset}/brief", response_class=HTMLResponse, dependencies=SEE_DAG)
def show_brief(
    request: Request, day: str, dag_id: str, offset: int, allowed: Allowed, as_of: Annotated[str, Query()] = ""
) -> Response:
    """Show a tick in short, below the timeline."""
    _, shown, tick = _tick(day, as_of, dag_id, offset, allowed)
    return as_page(render("brief.html", root_of(request), tick=tick, day=shown))


@router.get("/day/{day}/{dag_id}/{offset}", response_class=HTMLResponse, dependencies=SEE_DAG)
def show_why(
    request: Request, day: str, dag_id: str, offset: int, allowed: Allowed, as_of: Annotated[str, Query()] = ""
) -> Response:
    """Show every check behind the decision of a tick, and the calls of its RUN."""
    read, shown, tick = _tick(day, as_of, dag_id, offset, allowed)
    reasons, problem = why_of(dag_id, tick, allowed)
    html = render(
        "why.html",
        root_of(request),
        tick=tick,
        day=shown,
        why=reasons,
        problem=problem,
        differs=reasons is not None and _differs(tick, reasons),
        calls=calls_of_run(read, tick),
        vetoable=vetoable(read, tick),
        conf=force_conf(tick.target_date or shown),
    )
    return as_page(html)


def _differs(tick: Tick, reasons: Why) -> bool:
    recorded = {TickState.SKIP: Action.SKIP, TickState.LATER: Action.SKIP, TickState.ABORT: Action.ABORT}
    return reasons.action is not recorded.get(tick.state, Action.RUN) and tick.decision_id is not None


@router.get("/dags/{dag_id}/next", response_class=HTMLResponse, dependencies=SEE_DAG)
def show_next(request: Request, dag_id: str, allowed: Allowed) -> Response:
    """Show the planned decisions of the next 24 hours, in the tab of a DAG."""
    try:
        config, now, decisions = page_inputs.data.ahead()
        note = None
    except ConfigError as error:
        raise config_problem(error) from None
    except (WarehouseError, ValueError) as error:
        raise bigquery_problem(error) from None
    here = HiddenNames(config, allowed).of_plan(decision for decision in decisions if decision.workflow == dag_id)
    if dag_id in SYSTEM_DAGS:
        note = "This DAG is part of the orchestration itself and has no decision rule."
    elif dag_id not in config.enabled:
        note = "This DAG is not an enabled workflow of workflows.yaml."
    days = [config.current_day(decision.tick) for decision in here]
    halt = config.halt_at(now, dag_id)
    html = render(
        "ticks.html",
        root_of(request),
        workflow=dag_id,
        title="decisions of the next 24 hours, as planned now",
        ticks=[_planned(config, decision, day) for decision, day in zip(here, days, strict=True)],
        day=None,
        days=days,
        halted=halt.reason if halt is not None else None,
        note=note,
        conf=force_conf(config.current_day(now)) if here else None,
    )
    return as_page(html)


def _planned(config: Config, decision: Decision, day: date) -> Tick:
    states = {Action.RUN: TickState.EXPECTED, Action.SKIP: TickState.SKIP, Action.ABORT: TickState.ABORT}
    return Tick(
        decision.workflow,
        decision.tick,
        int((decision.tick - config.day_bounds(day)[0]).total_seconds()),
        states[decision.action],
        decision.reason,
        decision.next_check_time,
        decision.target_date,
    )


@router.get("/dags/{dag_id}/run", response_class=HTMLResponse, dependencies=SEE_DAG)
def show_run(
    request: Request, session: SessionDep, dag_id: str, allowed: Allowed, run_id: Annotated[str, Query()]
) -> Response:
    """Show the decision, the checks and the calls of a DAG run, in the tab of a run."""
    run = run_of(session, dag_id, run_id)
    if run is None:
        raise PageProblem(
            404, "No such run", f"Airflow has no run {run_id} of {dag_id}. The run may have been deleted."
        )
    values: dict[str, Any] = {"dag_id": dag_id, "run_id": run_id, "note": None, "tick": None}
    try:
        config = page_inputs.data.config()
    except ConfigError as error:
        raise config_problem(error) from None
    if dag_id not in config.enabled:
        off = "not an enabled workflow of workflows.yaml"
        what = "part of the orchestration itself" if dag_id in SYSTEM_DAGS else off
        values["note"] = f"This DAG is {what}. It makes no decision."
        return as_page(render("run.html", root_of(request), **values))
    moment = RunClock.of_run(run).tick
    day = config.current_day(moment)
    read, page = build_day(day, None, allowed)
    row = page.row(dag_id)
    tick = next((tick for tick in row.ticks if tick.run_id == run_id), None) if row else None
    if tick is None:
        values["note"] = "This run has recorded no decision yet, or its row is still in the outbox."
        return as_page(render("run.html", root_of(request), **values))
    values.update(tick=tick, day=day, calls=calls_of_run(read, tick), vetoable=vetoable(read, tick))
    values.update(why=why_of(dag_id, tick, allowed)[0], conf=force_conf(tick.target_date or day))
    return as_page(render("run.html", root_of(request), **values))


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
