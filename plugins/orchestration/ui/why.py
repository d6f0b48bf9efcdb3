"""Why a tick was decided as it was, check by check, and what would have to change for it to run. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from orchestration.config import SYSTEM_DAGS, Config
from orchestration.decisions.engine import examine
from orchestration.decisions.model import Decision, History
from orchestration.nba.eastern import after, clock
from orchestration.nba.games import Schedule
from orchestration.planning.day import plan
from orchestration.ui.visibility import HiddenNames, config_for
from orchestration.words import Action

LOOKS_AHEAD = timedelta(hours=36)
TO_RUN: Mapping[str, str] = {
    "halted": "the halt ends, or is taken out of workflows.yaml",
    "schedule_unknown": "the schedule is refreshed: schedule_dependency runs and its file reaches the schedule's table",
    "unusable_rows": "the source names teams and ids of these games, and the schedule is refreshed",
    "unusable_rows_reported": "the source names teams and ids of these games, and the schedule is refreshed",
    "undecided": "the source names the teams of these games, and the schedule is refreshed",
    "no_games": "the schedule has a game that counts on the target date",
    "waiting_for_required": "the workflow that it waits for completes for this date",
    "missed_window": "nothing: the window is over; a forced run fetches what is missing",
    "miss_already_reported": "nothing: the window is over; a forced run fetches what is missing",
    "done": "nothing: it is done; a forced run does it again",
    "found": "nothing: it was found; a forced run asks again",
    "fresh": "the last success grows older than the age that is allowed",
    "before_window": "the window opens",
    "before_business_hours": "business hours begin",
    "before_fixed_time": "the fixed time is near enough",
    "before_first_hour": "the first hour of attempts comes",
    "outside_window": "the tick lies within the tolerance of the workflow's fixed time",
    "not_tipped": "one of the missing games tips",
    "not_due": "a missing game is over and its delay has passed",
    "condition_not_met": "the games of the date are as the condition asks",
    "too_soon": "more time passes since it last ran",
    "before_opening": "the window before the first tip opens",
    "max_attempts_reached": "nothing: the attempts of this date are used up; a forced run asks again",
    "history_unreadable": "BigQuery answers; the next tick decides again",
    "internal_error": "the error that the run's log names is mended",
}
"""By the check that answered, what would have to change."""


@dataclass(frozen=True, slots=True)
class AskedCheck:
    """One check: ``mark`` is answered, passed or not asked; ``values``: what the answer rests on."""

    name: str
    question: str
    mark: str
    values: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Why:
    """A decision taken apart. ``next_run``: the first tick ahead at which it would run, if all goes as planned."""

    action: Action
    rule: str
    reason: str
    target_date: date
    next_check: datetime
    alert: str
    checks: tuple[AskedCheck, ...]
    games: int
    tips: str
    to_run: str | None = None
    next_run: datetime | None = None


def why(
    name: str, config: Config, tick: datetime, schedule: Schedule, history: History, hiding: HiddenNames | None = None
) -> Why:
    """Return why the engine decides about the workflow ``name`` at the aware ``tick`` as it does.

    ``hiding``: what the viewer may not see.
    """
    hiding = hiding or HiddenNames(config, {*config.workflows, *SYSTEM_DAGS})
    decision, examined = examine(name, config, tick, schedule, history)
    checks = tuple(
        AskedCheck(
            one.name,
            one.question.replace("``", ""),
            "answered" if one.answer else "passed" if one.reached else "not asked",
            tuple(
                (key, hiding.text(_text(value))) for key, value in (one.answer.context if one.answer else {}).items()
            ),
        )
        for one in examined
    )
    games = schedule.on(decision.target_date, config.workflows[name].game_types)
    known = [game.tip for game in games if game.tip is not None]
    runs = decision.action is Action.RUN
    return Why(
        decision.action,
        decision.rule,
        hiding.text(decision.reason),
        decision.target_date,
        decision.next_check_time,
        decision.alert_level.value,
        checks,
        len(games),
        f"{clock(known[0])} to {clock(known[-1])} ET" if known else "none known",
        None if runs else hiding.text(to_run(decision.rule)),
        None if runs else _next_run(name, config, decision, schedule, history),
    )


def to_run(rule: str) -> str:
    """Return what would have to change for a decision by ``rule`` to be RUN."""
    return TO_RUN.get(rule, "what the check that answered asks for")


def _text(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def _next_run(name: str, config: Config, decision: Decision, schedule: Schedule, history: History) -> datetime | None:
    """The first tick after this one at which the same engine says RUN, with what is known now."""
    if name not in config.enabled:
        return None
    end = after(decision.tick, LOOKS_AHEAD)
    few = config_for(config, _with_required(config, name))
    ahead = plan(few, after(decision.tick, timedelta(seconds=1)), end, schedule, history)
    return next((d.tick for d in ahead if d.workflow == name and d.action is Action.RUN), None)


def _with_required(config: Config, name: str) -> set[str]:
    """Return the workflow and those that it requires, theirs included."""
    found, open_names = set(), [name]
    while open_names:
        here = open_names.pop()
        if here not in found:
            found.add(here)
            open_names += config.workflows[here].dependencies.requires
    return found
