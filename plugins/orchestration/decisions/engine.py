"""decide: ask the checks of a workflow's decision type in order; the first answer wins (DESIGN section 5)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from orchestration.decisions.case import Case, Check, abort, run, skip
from orchestration.decisions.model import Answer, Decision, History
from orchestration.decisions.request import Request
from orchestration.decisions.whole import PastAnswers, usual_counts
from orchestration.nba.eastern import et
from orchestration.nba.games import Game, Schedule, named
from orchestration.nba.slate import SLATE_VANISHED
from orchestration.vocabulary.model import Config
from orchestration.words import Action


def halted(case: Case) -> Answer | None:
    """SKIP while the system or this workflow is halted (lesson C10)."""
    halt = case.config.halt_at(case.tick, case.name)
    return None if halt is None else skip("halted", str(halt))


def decide(name: str, config: Config, tick: datetime, schedule: Schedule, history: History) -> Decision:
    """Return the decision for the workflow ``name`` at the aware ``tick``.

    Pure: the same input gives the same decision. Raises nothing for any valid configuration.
    """
    case = Case(name, config, et(tick), schedule, history)
    return _decision(case, _first_answer(case)[1])


def _checks(case: Case) -> tuple[Check, ...]:
    return (halted, *case.workflow.checks)


def _first_answer(case: Case) -> tuple[int, Answer]:
    """Return the first answer to the case and the position of its check. Later checks are not asked."""
    for number, check in enumerate(_checks(case)):
        if (answer := check(case)) is not None:
            return number, answer
    raise AssertionError(f"the last check of {case.workflow.decision_type} must always answer")


@cache
def _question(check: Check) -> str:
    return (check.__doc__ or "").strip().splitlines()[0]


@dataclass(frozen=True)
class Examined:
    """One check and its result. ``answer`` None: the check passed. ``reached`` False: an earlier check answered."""

    name: str
    question: str
    answer: Answer | None
    reached: bool


def examine(
    name: str, config: Config, tick: datetime, schedule: Schedule, history: History
) -> tuple[Decision, list[Examined]]:
    """Return the decision, as :func:`decide` does, and every check of the type in order with its answer."""
    case = Case(name, config, et(tick), schedule, history)
    last, answer = _first_answer(case)
    examined = [
        Examined(check.__name__, _question(check), answer if number == last else None, number <= last)
        for number, check in enumerate(_checks(case))
    ]
    return _decision(case, answer), examined


def forced(
    name: str,
    config: Config,
    tick: datetime,
    schedule: Schedule,
    who: str,
    request: Request,
    answers: tuple[PastAnswers, ...] = (),
) -> Decision:
    """Return the RUN that a person forced, without asking the checks. It targets every game of the target date."""
    case = Case(name, config, et(tick), schedule, History(answers=answers), request.target_date)
    why = f": {request.reason}" if request.reason else ""
    return _decision(case, run(f"Forced by {who}{why}", case.games, rule="forced", games=len(case.games)))


def aborted(name: str, config: Config, tick: datetime, rule: str, reason: str) -> Decision:
    """Return the ABORT for a failure before the checks: unreadable history or an internal error (lesson K8)."""
    case = Case(name, config, et(tick), Schedule(), History())
    return _decision(case, abort(case, rule, reason))


def _decision(case: Case, answer: Answer) -> Decision:
    upcoming = case.ticks.next_after(case.tick)
    if answer.next_at is not None and answer.next_at > upcoming:
        upcoming = case.ticks.at_or_after(answer.next_at)
    runs = answer.action is Action.RUN
    slate = expected_games(case) if runs else ()
    return Decision(
        workflow=case.name,
        tick=case.tick,
        action=answer.action,
        rule=answer.rule,
        reason=answer.reason + _vanished(case, answer),
        alert_level=answer.alert,
        priority=case.workflow.priority,
        next_check_time=upcoming,
        target_date=case.target_date,
        games=answer.games,
        scrapers=case.workflow.execution_plan.scrapers if runs else (),
        context={**answer.context, **_left_out(case)},
        collected=_collected(case, answer) if runs else {},
        slate=slate,
        usual=usual_counts(case.config, case.workflow.execution_plan.scrapers, case.history.answers, len(slate))
        if runs and case.history.answers
        else {},
    )


def _vanished(case: Case, answer: Answer) -> str:
    """Return the vanished games of the locked slate, for a workflow that needs games and answers without them."""
    since = case.since_lock if case.workflow.needs_games and answer.rule not in (SLATE_VANISHED, "halted") else None
    return f"; {since.fault}" if since and since.vanished else ""


def expected_games(case: Case) -> tuple[Game, ...]:
    """Return the games that an answer about the whole target date should hold at the tick."""
    return tuple(game for game in case.games if not case.workflow.after_games or game.due <= case.tick)


def _left_out(case: Case) -> dict[str, Any]:
    """Return the number and names of unusable schedule rows, for a workflow that needs games."""
    rows = case.schedule.unusable
    return {"unusable_rows": len(rows), "unusable": named(rows)} if rows and case.workflow.needs_games else {}


def _collected(case: Case, answer: Answer) -> dict[str, tuple[str, ...]]:
    """Return the games that each scraper has returned already: a box score of 22:00 is not fetched again at 04:00."""
    if not case.workflow.after_games:
        return {}
    lacking = {game.game_id: case.lacking(game) for game in answer.games}
    found = {s: tuple(g for g, lacks in lacking.items() if s not in lacks) for s in case.per_game_scrapers}
    return {scraper: games for scraper, games in found.items() if games}
