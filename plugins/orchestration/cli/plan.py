"""``plan`` and ``explain``: what would run and why, without touching anything."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import groupby
from pathlib import Path
from typing import Any

from rich.console import Console

from orchestration.config import Config, ConfigError, load
from orchestration.decisions.engine import examine
from orchestration.decisions.model import Decision, History
from orchestration.nba.document import DocumentError, read_document
from orchestration.nba.eastern import clock, day_and_time, et, et_date
from orchestration.nba.games import Schedule, named
from orchestration.planning.calls import Assumption, assumed_calls, read_assumptions
from orchestration.planning.day import plan
from orchestration.words import Action, clipped, did_you_mean, plural

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
        if only is not None:
            _check_workflow(config, only)
            if only not in config.enabled:
                raise _Unusable(f"{only} is not enabled in workflows.yaml, so nothing of it runs")
        start, end = config.day_bounds(day)[0], config.day_bounds(day + timedelta(days=days - 1))[1]
        assumptions = _assumptions(sources)
        schedule, history = _inputs(config, list(config.enabled), start, days, sources)
    except _Unusable as error:
        print(f"plan: {error}", file=sys.stderr)
        return 1
    _note(schedule, (day, day + timedelta(days=days - 1)), sources)
    decisions = [d for d in plan(config, start, end, schedule, history, assumptions) if only in (None, d.workflow)]
    if as_json:
        objects = (json.dumps(_object(config, d, assumptions), ensure_ascii=False) for d in decisions)
        print("[\n" + ",\n".join(objects) + "\n]")
    else:
        _timeline(config, decisions, assumptions, verbose=verbose)
    return 0


def run_explain(workflow: str, at: datetime, sources: Sources) -> int:
    """Print every check of one decision. Returns 0, or 1 with what is in the way."""
    try:
        config = load(sources.config).config
        _check_workflow(config, workflow)
        schedule, history = _inputs(config, [workflow], at, 1, sources)
    except _Unusable as error:
        print(f"explain: {error}", file=sys.stderr)
        return 1
    decision, examined = examine(workflow, config, at, schedule, history)
    _note(schedule, (decision.target_date, decision.target_date), sources)
    console = Console(highlight=False, soft_wrap=True)
    console.print(f"[bold]{workflow}[/] at {day_and_time(at)}: [{COLOURS[decision.action]}]{decision.action.value}[/]")
    console.print(f"  {decision.reason}", markup=False)
    games = schedule.on(decision.target_date, config.workflows[workflow].game_types)
    known = [game.tip for game in games if game.tip is not None]
    tips = f", tips {clock(known[0])}-{clock(known[-1])} ET" if known else ""
    unknown = f", {len(games) - len(known)} without a known tip" if len(games) > len(known) else ""
    console.print(f"  target date {decision.target_date}, {len(games)} games{tips}{unknown}")
    console.print(f"  next check {day_and_time(decision.next_check_time)}, alert {decision.alert_level.value}")
    for number, one in enumerate(examined, 1):
        mark = "answered" if one.answer else "passed" if one.reached else "not asked"
        console.print(f"  {number:2} {mark:9} {one.name}: {one.question.replace('``', '')}", markup=False)
        for key, value in (one.answer.context if one.answer else {}).items():
            console.print(f"               {key} = {value}", markup=False)
    return 0


class _Unusable(Exception):
    """Something that the command needs cannot be read."""


def _check_workflow(config: Config, name: str) -> None:
    if name not in config.workflows:
        near = did_you_mean(name, config.workflows)
        raise _Unusable(f"no workflow is named {clipped(name)}{near}; there are {', '.join(config.workflows)}")


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
    return document.schedule(start), History()


def _note(schedule: Schedule, days: tuple[date, date], sources: Sources) -> None:
    """Say what of the schedule cannot be relied on, beside the plan itself."""
    if rows := schedule.unusable:
        print(f"note: {plural(len(rows), 'row')} left out: {'; '.join(named(rows))}", file=sys.stderr)
    if schedule.reach and not schedule.reach[0] <= days[0] <= days[1] <= schedule.reach[1]:
        reach = f"{sources.games} reaches from {schedule.reach[0]} to {schedule.reach[1]}"
        print(f"note: {reach}; what is played on other dates is unknown", file=sys.stderr)


def _assumptions(sources: Sources) -> list[Assumption]:
    if sources.assume is None:
        return []
    try:
        return read_assumptions(Path(sources.assume).read_bytes(), sources.assume)
    except OSError as error:
        raise _Unusable(f"{sources.assume}: {error.strerror}") from error
    except ConfigError as error:
        raise _Unusable(str(error)) from error


def _calls(config: Config, decision: Decision, assumptions: Sequence[Assumption]) -> list[str]:
    """Return the calls that would be made: without those that wait in vain for one that fails."""
    return [call.label for call, outcome in assumed_calls(config, decision, assumptions) if outcome is not None]


def _object(config: Config, decision: Decision, assumptions: Sequence[Assumption]) -> dict[str, Any]:
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
        "calls": _calls(config, decision, assumptions),
        "context": dict(decision.context),
    }


def _timeline(
    config: Config, decisions: Sequence[Decision], assumptions: Sequence[Assumption], *, verbose: bool
) -> None:
    """Print RUN and ABORT with their reasons; SKIPs as a count, or each with ``verbose``. ``decisions`` in order."""
    console = Console(highlight=False, soft_wrap=True)
    day: date | None = None
    for tick, group in groupby(decisions, key=lambda decision: decision.tick):
        here = list(group)
        if et_date(tick) != day:
            day = et_date(tick)
            console.print(f"[bold]{et(tick):%a %d %b %Y}[/]")
        shown = here if verbose else [d for d in here if d.action is not Action.SKIP]
        for decision in shown:
            calls = len(_calls(config, decision, assumptions))
            more = f" [dim]({plural(calls, 'call')})[/]" if calls else ""
            line = f"{clock(tick)} [{COLOURS[decision.action]}]{decision.action.value:5}[/] {decision.workflow:20} "
            console.print(line + decision.reason.replace("[", r"\[") + more)
        skipped = len(here) - len(shown)
        if skipped:
            console.print(f"{clock(tick)} [dim]SKIP  {skipped} workflows[/]")
