"""The plan of a day: every decision, tick by tick, if the calls succeed. And the workflows that no day makes run. Pure.

``plan`` shows the plan and the locker locks it. The same engine decides at run time: there is no second copy of the
rules (DESIGN section 5).
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time, timedelta

from orchestration.config import Config, Problem
from orchestration.decisions.engine import decide
from orchestration.decisions.model import Decision, History
from orchestration.nba.eastern import at
from orchestration.nba.games import PREFIXES, Game, Schedule
from orchestration.nba.league import TEAMS
from orchestration.planning.calls import Assumption, assumed_calls
from orchestration.records.tables import CallRecord, ExecutionRecord
from orchestration.runs.execution import CallEnd, status_of
from orchestration.vocabulary.scrapers import fan_out_of, parameters_of
from orchestration.vocabulary.source import Source
from orchestration.words import Action, Outcome

_RULES = {"decision_type", "schedule", "execution_plan", "dependencies", "game_types"}
"""The keys that say when a workflow runs, and for what. A halt is left out, because ``health`` reports halts."""
_DIGITS = 12
_DAYS = [date(2026, 1, 13) + timedelta(days=number) for number in range(3)]
_SLATES: tuple[tuple[time, ...], ...] = (
    (time(12), time(15, 30), time(19)),
    (time(19), time(19, 30), time(22, 30)),
    (time(22, 30),),
    (time(19),) * 15,
    (),
)
_NOTHING_COMES = (Assumption(outcome=Outcome.NO_DATA),)
"""No call returns data, so windows that fetch missing data run too."""


def plan(
    config: Config,
    start: datetime,
    end: datetime,
    schedule: Schedule,
    history: History,
    assumptions: Sequence[Assumption] = (),
) -> Iterator[Decision]:
    """Yield every enabled workflow's decision at every tick with ``start`` <= tick < ``end``, in order.

    The plan assumes that every RUN succeeds, that a game's data is available once the game is due, and that a schedule
    known at ``start`` stays known. ``assumptions`` name the calls that end differently.
    """
    known = schedule.unknown_because(start, config.settings.schedule_max_age_hours) is None
    look_back = timedelta(hours=max((config.look_back_hours(name) for name in config.enabled), default=0))
    moments: dict[datetime, list[str]] = {}
    for name in config.enabled:
        for tick in config.ticks_of(name).between(start, end):
            moments.setdefault(tick, []).append(name)
    for tick in sorted(moments):
        seen = schedule.seen_at(tick) if known else schedule
        decisions = [decide(name, config, tick, seen, history) for name in moments[tick]]
        yield from decisions
        for decision in decisions:
            if decision.action is Action.RUN:
                history = history.plus(*_assumed(config, decision, assumptions))
        noted = (decision.as_past for decision in decisions)
        history = _recent(history, tick - look_back).plus(decisions=noted)


def _recent(history: History, oldest: datetime) -> History:
    """Drop the rows that are older than every look-back, once a day. No decision at run time sees these rows."""
    if not history.decisions or history.decisions[0].tick > oldest - timedelta(days=1):
        return history
    return History(
        tuple(e for e in history.executions if e.tick > oldest),
        tuple(c for c in history.calls if c.tick > oldest),
        tuple(d for d in history.decisions if d.tick > oldest),
    )


def _assumed(
    config: Config, decision: Decision, assumptions: Sequence[Assumption]
) -> tuple[list[ExecutionRecord], list[CallRecord]]:
    calls: list[CallRecord] = []
    ends: list[CallEnd] = []
    for number, (call, outcome) in enumerate(assumed_calls(config, decision, assumptions)):
        ends.append(CallEnd(call.scraper, number, outcome, call.label))
        if outcome is not None:
            calls.append(call.record(decision, outcome))
    execution = ExecutionRecord.known(
        workflow_name=decision.workflow,
        slot_time=decision.tick,
        target_date=decision.target_date,
        status=status_of(ends, config.critical_scrapers(decision.workflow)),
        scrapers_succeeded=sum(call.status is Outcome.SUCCESS for call in calls),
        scrapers_no_data=0,
    )
    return [execution], calls


def rules_digest(config: Config, name: str) -> str:
    """Return the digest of the rules and ticks of the workflow ``name``. Another digest means that they have changed.

    Defaults are left out, so that a release with a new key changes no digest.
    """
    rules = config.workflows[name].model_dump(mode="json", include=_RULES, exclude_defaults=True)
    text = json.dumps([rules, config.ticks_of(name).crons()], sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:_DIGITS]


def never_running(config: Config, source: Source) -> list[Problem]:
    """Return a problem with place and cause for each enabled workflow that never runs.

    The invented days have noon games, an evening slate, one late game, a full slate, or no game. Each slate has games
    of every type. The engine decides each day with all data on time, and with no data. Halted workflows are left out.
    """
    if config.settings.halt is not None:
        return []
    silent = {name: Counter[tuple[int, str]]() for name, w in config.enabled.items() if w.halt is None}
    for assumptions in ((), _NOTHING_COMES):
        for tips in _SLATES:
            if not silent:
                return []
            for decision in _days(config, tips, assumptions):
                if decision.action is Action.RUN:
                    silent.pop(decision.workflow, None)
                elif decision.workflow in silent:
                    silent[decision.workflow][_explains(decision), decision.reason] += 1
    places = {name: source.place(("workflows", name, "schedule")) for name in silent}
    return [Problem(*places[name], f"workflows.{name}", _text(name, why)) for name, why in silent.items()]


def _days(config: Config, tips: Sequence[time], assumptions: Sequence[Assumption]) -> list[Decision]:
    """Return the decisions of two game days that follow a game day."""
    games = tuple(
        _game(day, prefix, number, tip) for day in _DAYS for prefix in PREFIXES for number, tip in enumerate(tips)
    )
    start, end = config.day_bounds(_DAYS[1])[0], config.day_bounds(_DAYS[2])[1]
    return list(plan(config, start, end, Schedule(games, start), History(), assumptions))


def _explains(decision: Decision) -> int:
    """Return how well a decision explains that nothing runs: 2 for a miss, 0 for a wrong time or no games, else 1."""
    if decision.action is Action.ABORT:
        return 2
    return 0 if decision.rule in ("outside_window", "no_games") else 1


def _text(name: str, why: Counter[tuple[int, str]]) -> str:
    (_, cause), _ = max(why.items(), key=lambda item: (item[0][0], item[1]))
    return f"its window can never run on a game day. One cause: {cause}. See plan.sh --workflow {name}"


def _game(day: date, prefix: str, number: int, tip: time) -> Game:
    home, away = TEAMS[2 * number].tricode, TEAMS[2 * number + 1].tricode
    game_id = f"{prefix}25{day.day:02d}{number + 1:03d}"
    return Game(game_id, f"{day:%Y%m%d}/{away}{home}", day, at(day, tip), home, away)


def calls_digest(config: Config, name: str) -> str:
    """Return each scraper of the plan of the workflow ``name`` with the digest of its calls: ``scraper=digest``.

    Another digest means other parameters, another fan-out, or a scraper that is now critical or no longer.
    """
    found = []
    for scraper in config.workflows[name].execution_plan.scrapers:
        model = config.scrapers[scraper]
        about = [fan_out_of(scraper, model), parameters_of(scraper, model), model.critical]
        digest = hashlib.sha256(json.dumps(about, sort_keys=True, default=str).encode()).hexdigest()
        found.append(f"{scraper}={digest[:_DIGITS]}")
    return " ".join(found)
