"""The checks behind the decision of a tick, and what must change for a RUN. Pure."""

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
_NAMED = "It runs when the source gives teams and ids of these games, and the schedule is refreshed."
_OVER = "It does not run again, because the window is over. A forced run fetches the missing data."
TO_RUN: Mapping[str, str] = {
    "halted": "It runs when the halt ends, or is removed from workflows.yaml.",
    "schedule_unknown": "It runs when schedule_dependency has run and its file has reached the schedule's table.",
    "unusable_rows": _NAMED,
    "unusable_rows_reported": _NAMED,
    "undecided": "It runs when the source gives the teams of these games, and the schedule is refreshed.",
    "slate_vanished": "It runs when the games are in the schedule again, or a forced lock accepts that they are gone.",
    "no_games": "It runs when the schedule has a game that counts on the target date.",
    "waiting_for_required": "It runs when the workflow that it waits for has completed for this date.",
    "missed_window": _OVER,
    "miss_already_reported": _OVER,
    "done": "It does not run again, because the work is done. A forced run repeats it.",
    "found": "It does not run again, because the data was found. A forced run fetches the data again.",
    "fresh": "It runs when the last success is older than the allowed age.",
    "before_window": "It runs when the window opens.",
    "before_business_hours": "It runs when business hours begin.",
    "before_fixed_time": "It runs when the fixed time is within the tolerance.",
    "before_first_hour": "It runs when the first hour of attempts begins.",
    "outside_window": "It runs at a tick within the tolerance of the workflow's fixed time.",
    "not_tipped": "It runs when one of the missing games has tipped.",
    "not_due": "It runs when a missing game has ended and its delay has passed.",
    "condition_not_met": "It runs when the games of the date meet the condition.",
    "too_soon": "It runs when more time has passed since its last run.",
    "before_opening": "It runs when the window before the first tip opens.",
    "max_attempts_reached": "It does not run again for this date: its attempts are used up. A forced run tries again.",
    "history_unreadable": "It runs when BigQuery answers. The next tick decides again.",
    "internal_error": "It runs when the error in the log of the run is fixed.",
}
"""What must change for a RUN, by the name of the check that answered."""


@dataclass(frozen=True, slots=True)
class AskedCheck:
    """One check. ``mark``: answered, passed or not reached. ``values``: what explains the answer, by name."""

    name: str
    question: str
    mark: str
    values: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Why:
    """A decision with its checks. ``to_run``: what must change for a RUN. ``next_run``: the next planned RUN."""

    action: Action
    rule: str
    reason: str
    target_date: date
    alert: str
    checks: tuple[AskedCheck, ...]
    games: int
    tips: str
    to_run: str | None = None
    next_run: datetime | None = None


def why(
    name: str, config: Config, tick: datetime, schedule: Schedule, history: History, hiding: HiddenNames | None = None
) -> Why:
    """Return the checks of the workflow ``name`` at the aware ``tick``, as the engine evaluates them.

    ``hiding`` replaces the names of DAGs that the viewer may not see; None hides nothing.
    """
    hiding = hiding or HiddenNames(config, {*config.workflows, *SYSTEM_DAGS})
    decision, examined = examine(name, config, tick, schedule, history)
    checks = tuple(
        AskedCheck(
            one.name,
            one.question.replace("``", ""),
            "answered" if one.answer else "passed" if one.reached else "not reached",
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
        decision.alert_level.value,
        checks,
        len(games),
        f"tips {clock(known[0])} to {clock(known[-1])} ET" if known else "no tip known",
        None if runs else hiding.text(TO_RUN.get(decision.rule, "It runs when the check that answered passes.")),
        None if runs else _next_run(name, config, decision, schedule, history),
    )


def _text(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def _next_run(name: str, config: Config, decision: Decision, schedule: Schedule, history: History) -> datetime | None:
    """Return the first tick within 36 h at which the engine decides RUN with today's data, or None."""
    if name not in config.enabled:
        return None
    end = after(decision.tick, LOOKS_AHEAD)
    few = config_for(config, _with_required(config, name))
    ahead = plan(few, after(decision.tick, timedelta(seconds=1)), end, schedule, history)
    return next((d.tick for d in ahead if d.workflow == name and d.action is Action.RUN), None)


def _with_required(config: Config, name: str) -> set[str]:
    """Return the workflow and every workflow that it requires, directly or through others."""
    found, open_names = set(), [name]
    while open_names:
        here = open_names.pop()
        if here not in found:
            found.add(here)
            open_names += config.workflows[here].dependencies.requires
    return found
