"""``plan`` and ``explain``: what would run and why, without touching anything."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from rich.console import Console

from orchestration.config import Config, ConfigError, load
from orchestration.decisions.case import day as moment_text
from orchestration.decisions.case import plural
from orchestration.decisions.engine import examine
from orchestration.decisions.model import Decision, History
from orchestration.nba.document import DocumentError, read_document
from orchestration.nba.eastern import clock, et, et_date
from orchestration.nba.games import Schedule
from orchestration.planning.assumptions import Assumption, read_assumptions
from orchestration.planning.calls import planned_calls
from orchestration.planning.day import day_bounds, plan
from orchestration.words import Action

COLOURS = {Action.RUN: "green", Action.SKIP: "dim", Action.ABORT: "bold red"}


@dataclass(frozen=True)
class Sources:
    """Where schedule, configuration and assumptions come from."""

    config: str | None = None
    games: str | None = None
    assume: str | None = None


def run_plan(day: date, days: int, sources: Sources, *, as_json: bool, only: str | None, verbose: bool) -> int:
    """Print the decisions of ``days`` orchestration days from ``day`` on. Returns 0, or 1 with what is in the way."""
    try:
        config = load(sources.config).config
        start, end = day_bounds(config, day)[0], day_bounds(config, day + timedelta(days=days - 1))[1]
        assumptions = _assumptions(sources)
        schedule, history = _inputs(config, list(config.enabled), start, days, sources)
    except _Unusable as error:
        print(f"plan: {error}", file=sys.stderr)
        return 1
    decisions = [d for d in plan(config, start, end, schedule, history, assumptions) if only in (None, d.workflow)]
    if as_json:
        print("[\n" + ",\n".join(json.dumps(_object(config, d), ensure_ascii=False) for d in decisions) + "\n]")
    else:
        _timeline(config, decisions, verbose=verbose)
    return 0


def run_explain(workflow: str, at: datetime, sources: Sources) -> int:
    """Print every check of one decision. Returns 0, or 1 with what is in the way."""
    try:
        config = load(sources.config).config
        if workflow not in config.workflows:
            raise _Unusable(f"no workflow is named {workflow}; there are {', '.join(config.workflows)}")
        schedule, history = _inputs(config, [workflow], at, 1, sources)
    except _Unusable as error:
        print(f"explain: {error}", file=sys.stderr)
        return 1
    decision, examined = examine(workflow, config, at, schedule, history)
    console = Console(highlight=False, soft_wrap=True)
    console.print(f"[bold]{workflow}[/] at {moment_text(at)}: [{COLOURS[decision.action]}]{decision.action.value}[/]")
    console.print(f"  {decision.reason}", markup=False)
    games = schedule.on(decision.target_date, config.workflows[workflow].game_types)
    tips = f", tips {clock(games[0].tip)}-{clock(games[-1].tip)} ET" if games else ""
    console.print(f"  target date {decision.target_date}, {len(games)} games{tips}")
    console.print(f"  next check {moment_text(decision.next_check_time)}, alert {decision.alert_level.value}")
    for number, one in enumerate(examined, 1):
        mark = "answered" if one.verdict else "passed" if one.reached else "not asked"
        console.print(f"  {number:2} {mark:9} {one.name}: {one.question.replace('``', '')}", markup=False)
        for key, value in (one.verdict.context if one.verdict else {}).items():
            console.print(f"               {key} = {value}", markup=False)
    return 0


class _Unusable(Exception):
    """Something that the command needs cannot be read."""


def _inputs(
    config: Config, names: Sequence[str], start: datetime, days: int, sources: Sources
) -> tuple[Schedule, History]:
    if sources.games is None:
        from orchestration.audit.inputs import decision_inputs
        from orchestration.audit.warehouse import Warehouse, WarehouseError

        try:
            return decision_inputs(Warehouse(config.settings), config, names, start, days_ahead=days)
        except WarehouseError as error:
            raise _Unusable(f"{error} (or give a schedule with --games FILE)") from error
    try:
        document = read_document(Path(sources.games).read_bytes())
    except OSError as error:
        raise _Unusable(f"{sources.games}: {error.strerror}") from error
    except DocumentError as error:
        raise _Unusable(f"{sources.games}: {error}") from error
    if document.without_teams:
        print(f"note: {len(document.without_teams)} games without teams are left out", file=sys.stderr)
    return Schedule(document.games, start), History()


def _assumptions(sources: Sources) -> list[Assumption]:
    if sources.assume is None:
        return []
    try:
        return read_assumptions(Path(sources.assume).read_bytes(), sources.assume)
    except OSError as error:
        raise _Unusable(f"{sources.assume}: {error.strerror}") from error
    except ConfigError as error:
        raise _Unusable(str(error)) from error


def _object(config: Config, decision: Decision) -> dict[str, Any]:
    return {
        "tick": decision.tick.isoformat(),
        "workflow": decision.workflow,
        "action": decision.action.value,
        "rule": decision.rule,
        "reason": decision.reason,
        "alert_level": decision.alert_level.value,
        "next_check_time": decision.next_check_time.isoformat(),
        "target_date": decision.target_date.isoformat(),
        "target_games": [game.game_id for game in decision.games],
        "calls": [call.label for call in planned_calls(config, decision)],
        "context": dict(decision.context),
    }


def _timeline(config: Config, decisions: Sequence[Decision], *, verbose: bool) -> None:
    """Print RUN and ABORT with their reasons; SKIPs as a count, or each with ``verbose``."""
    console = Console(highlight=False, soft_wrap=True)
    day: date | None = None
    for tick in sorted({decision.tick for decision in decisions}):
        here = [decision for decision in decisions if decision.tick == tick]
        if et_date(tick) != day:
            day = et_date(tick)
            console.print(f"[bold]{et(tick):%a %d %b %Y}[/]")
        shown = here if verbose else [d for d in here if d.action is not Action.SKIP]
        for decision in shown:
            calls = len(list(planned_calls(config, decision)))
            more = f" [dim]({plural(calls, 'call')})[/]" if calls else ""
            line = f"{clock(tick)} [{COLOURS[decision.action]}]{decision.action.value:5}[/] {decision.workflow:20} "
            console.print(line + decision.reason.replace("[", r"\[") + more)
        skipped = len(here) - len(shown)
        if skipped:
            console.print(f"{clock(tick)} [dim]SKIP  {skipped} workflows[/]")
