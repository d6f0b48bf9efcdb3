"""``plan``, ``explain`` and ``describe``: what would run, and why. They change nothing."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import groupby
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.text import Text

from orchestration.audit.inputs import decision_inputs, past_answers
from orchestration.audit.warehouse import Warehouse, WarehouseError
from orchestration.cli.app import (
    PLAN,
    WORKFLOWS,
    AsJson,
    AsOf,
    Assume,
    ConfigFile,
    Games,
    Tick,
    a_day,
    assumptions_in,
    check_name,
    command,
    days_option,
    document_in,
)
from orchestration.cli.screen import UNLIMITED, grid, show, show_object, wrapped
from orchestration.config import Config, load
from orchestration.decisions.engine import examine
from orchestration.decisions.model import Decision, History
from orchestration.errors import UserError
from orchestration.nba.eastern import clock, day_and_time, et_date
from orchestration.nba.games import Schedule, named
from orchestration.planning.calls import Assumption, assumed_calls
from orchestration.planning.day import plan as planned
from orchestration.planning.description import described, usual_in_words
from orchestration.words import Action, ExitCode, plural

COLOURS = {Action.RUN: "green", Action.SKIP: "dim", Action.ABORT: "bold red"}
TICKS = 5
SHOWN_KEYS = ("tick", "workflow", "action", "rule", "reason", "alert_level", "next_check_time", "target_date")


@command("plan", PLAN, "--date 2026-01-14", "--date 2026-01-14 --workflow betting_lines -v")
def plan(
    day: Annotated[date, a_day("--date", what="First ET date. A day lasts from its lock to the next.")],
    days: Annotated[int, days_option(366, "Number of days.")] = 1,
    workflow: Annotated[
        str | None, typer.Option(autocompletion=WORKFLOWS, metavar="NAME", help="Only this workflow.")
    ] = None,
    games: Games = None,
    config: ConfigFile = None,
    assume: Assume = None,
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", metavar="", help="Show every SKIP with its reason.")
    ] = False,
    as_json: AsJson = False,
) -> int:
    """Show what would run on a date, and why, tick by tick.

    It changes nothing. Each call succeeds unless --assume names it.
    """
    last = day + timedelta(days=days - 1)
    conf = load(config).config
    if workflow is not None:
        check_name("workflow", workflow, conf.workflows)
        if workflow not in conf.enabled:
            raise UserError(
                f"{workflow} is switched off, so it never runs", next_step="set its `enabled: true` in workflows.yaml"
            )
    start, end = conf.day_bounds(day)[0], conf.day_bounds(last)[1]
    assumptions = assumptions_in(assume) if assume else []
    schedule, history = _inputs(conf, list(conf.enabled), start, days, games)
    _note(schedule, (day, last), games)
    decisions = [
        one for one in planned(conf, start, end, schedule, history, assumptions) if workflow in (None, one.workflow)
    ]
    if as_json:
        show_object({"decisions": [_object(conf, decision, assumptions) for decision in decisions]})
    else:
        _timeline(conf, decisions, assumptions, verbose=verbose)
    return ExitCode.WELL


@command("explain", PLAN, "--workflow betting_lines --at 2026-01-14T13:00-05:00")
def explain(
    workflow: Annotated[str, typer.Option(autocompletion=WORKFLOWS, metavar="NAME", help="The workflow.")],
    at: Tick,
    games: Games = None,
    config: ConfigFile = None,
) -> int:
    """Show every check of one decision.

    Each check passed, answered, or was not asked. Below the check that answered are its values.
    """
    conf = load(config).config
    check_name("workflow", workflow, conf.workflows)
    schedule, history = _inputs(conf, [workflow], at, 1, games)
    decision, examined = examine(workflow, conf, at, schedule, history)
    _note(schedule, (decision.target_date, decision.target_date), games)
    action = Text(decision.action.value, style=COLOURS[decision.action])
    show(Text.assemble((workflow, "bold"), f" at {day_and_time(at)}: ", action), width=UNLIMITED)
    on_day = schedule.on(decision.target_date, conf.workflows[workflow].game_types)
    known = [game.tip for game in on_day if game.tip is not None]
    tips = f", tips {clock(known[0])}-{clock(known[-1])} ET" if known else ""
    unknown = f", {len(on_day) - len(known)} without a known tip" if len(on_day) > len(known) else ""
    print(f"  {decision.reason}")
    print(f"  target date {decision.target_date}, {plural(len(on_day), 'game')}{tips}{unknown}")
    print(f"  next check {day_and_time(decision.next_check_time)}, alert {decision.alert_level.value}")
    checks = grid(1, -2, 9, 0)
    for number, one in enumerate(examined, 1):
        mark = "answered" if one.answer else "passed" if one.reached else "not asked"
        values = one.answer.context if one.answer else {}
        lines = [f"{one.name}: {one.question.replace('``', '')}"]
        lines += [f"  {key} = {value}" for key, value in values.items()]
        checks.add_row("", str(number), mark, "\n".join(lines))
    show(checks, width=UNLIMITED)
    return ExitCode.WELL


@command("describe", PLAN, "", "post_game_window_2")
def describe(
    workflow: Annotated[
        str | None, typer.Argument(autocompletion=WORKFLOWS, metavar="NAME", help="A workflow. Default: all.")
    ] = None,
    config: ConfigFile = None,
    as_of: AsOf = None,
    as_json: AsJson = False,
) -> int:
    """Say in sentences what a workflow's YAML means.

    After the sentences it shows the workflow's next five ticks. For one workflow it also says which number of records
    it has learned as usual.
    """
    conf, now = load(config).config, as_of or datetime.now(UTC)
    if workflow is not None:
        check_name("workflow", workflow, conf.workflows)
    names = [workflow] if workflow else list(conf.workflows)
    usual = [] if workflow is None else _plain(_usual(conf, workflow, now))
    if as_json:
        known = {"usual": usual} if workflow else {}
        show_object({"workflows": [{**_description(conf, name, now), **known} for name in names]})
        return ExitCode.WELL
    for number, name in enumerate(names):
        model = conf.workflows[name]
        head = f"{name} ({model.decision_type}, {model.priority.value})"
        print("\n" * (number > 0) + wrapped(f"{head}: {model.description}".rstrip(": "), hanging=0))
        sentences = _sentences(conf, name)
        if model.enabled:
            sentences.append(f"Next ticks: {', '.join(map(day_and_time, _next(conf, name, now)))}.")
        for sentence in [*sentences, *usual]:
            print(wrapped(sentence, 2))
    return ExitCode.WELL


def _inputs(
    config: Config, names: Sequence[str], start: datetime, days: int, games: Path | None
) -> tuple[Schedule, History]:
    """Return the schedule and the history of the workflows. A document has no history."""
    if games is not None:
        return document_in(games).seen_at(start), History()
    try:
        return decision_inputs(Warehouse(config.settings), config, names, start, days_ahead=days)
    except WarehouseError as error:
        raise UserError(str(error), next_step=f"{error.next_step}, or give a schedule with --games FILE") from error


def _note(schedule: Schedule, days: tuple[date, date], games: Path | None) -> None:
    """Print the schedule's unusable rows, and the dates that the document does not cover."""
    if rows := schedule.unusable:
        print(f"note: {plural(len(rows), 'row')} left out: {'; '.join(named(rows))}", file=sys.stderr)
    if schedule.reach and not schedule.reach[0] <= days[0] <= days[1] <= schedule.reach[1]:
        reach = f"{games} reaches from {schedule.reach[0]} to {schedule.reach[1]}"
        print(f"note: {reach}; the games of other dates are unknown", file=sys.stderr)


def _calls(config: Config, decision: Decision, assumptions: Sequence[Assumption]) -> list[str]:
    """Return the calls that the decision would make. A call that depends on a failed call is left out."""
    return [call.label for call, outcome in assumed_calls(config, decision, assumptions) if outcome is not None]


def _object(config: Config, decision: Decision, assumptions: Sequence[Assumption]) -> dict[str, Any]:
    return {
        **{key: getattr(decision, key) for key in SHOWN_KEYS},
        "target_games": [game.game_id for game in decision.games],
        "calls": _calls(config, decision, assumptions),
        "context": dict(decision.context),
    }


def _timeline(
    config: Config, decisions: Sequence[Decision], assumptions: Sequence[Assumption], *, verbose: bool
) -> None:
    """Print RUN and ABORT with their reasons, and SKIP as a number; with ``verbose`` each SKIP with its reason.

    Each line is a text of its own, because a table of a season takes twice as long.
    """
    width = max(20, *map(len, config.enabled))
    for day, of_day in groupby(decisions, key=lambda decision: et_date(decision.tick)):
        lines = [Text(f"{day:%a %d %b %Y}", style="bold")]
        for tick, group in groupby(of_day, key=lambda decision: decision.tick):
            here = list(group)
            shown = here if verbose else [decision for decision in here if decision.action is not Action.SKIP]
            for decision in shown:
                calls = len(_calls(config, decision, assumptions))
                more = (f" ({plural(calls, 'call')})" if calls else "", "dim")
                action = (f"{decision.action.value:5} ", COLOURS[decision.action])
                rest = f"{decision.workflow:{width}} {decision.reason}"
                lines.append(Text.assemble(f"{clock(tick)} ", action, rest, more))
            if skipped := len(here) - len(shown):
                lines.append(Text.assemble(f"{clock(tick)} ", (f"SKIP  {plural(skipped, 'workflow')}", "dim")))
        show(Text("\n").join(lines), width=UNLIMITED)


def _description(config: Config, name: str, now: datetime) -> dict[str, Any]:
    model = config.workflows[name]
    return {
        "workflow": name,
        "decision_type": model.decision_type,
        "priority": model.priority.value,
        "description": model.description,
        "enabled": model.enabled,
        "sentences": _sentences(config, name),
        "next_asked": _next(config, name, now) if model.enabled else [],
    }


def _sentences(config: Config, name: str) -> list[str]:
    return _plain(described(config, name))


def _plain(sentences: Iterable[str]) -> list[str]:
    return [sentence.replace("`", "").replace("**", "") for sentence in sentences]


def _usual(config: Config, name: str, now: datetime) -> list[str]:
    """Return what was learned about the answers of a workflow's scrapers, or why that is unknown."""
    try:
        return list(usual_in_words(config, name, past_answers(Warehouse(config.settings), config, name, now)))
    except WarehouseError as error:
        return [f"What its scrapers usually return is unknown: {error}"]


def _next(config: Config, name: str, now: datetime) -> list[datetime]:
    found: list[datetime] = []
    while len(found) < TICKS:
        found.append(config.ticks_of(name).next_after(found[-1] if found else now))
    return found
