"""A day of decisions, tick by tick, under the assumption that what runs succeeds: the plan and the lock.

The same engine decides at run time; there is no second copy of the rules (DESIGN section 5).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta

from orchestration.config.model import Config
from orchestration.decisions.engine import decide
from orchestration.decisions.model import Decision, History, PastCall, PastDecision, PastExecution
from orchestration.nba.eastern import at, et_date
from orchestration.nba.games import Schedule
from orchestration.planning.assumptions import Assumption, assumed_outcome
from orchestration.planning.calls import planned_calls
from orchestration.runs.execution import CallEnd, status_of
from orchestration.words import Action, Outcome


def day_bounds(config: Config, day: date) -> tuple[datetime, datetime]:
    """Return the start and end of the orchestration day ``day``: from its lock to the next one, ET."""
    lock = config.settings.daily_schedule_lock.generation_time
    return at(day, lock), at(day + timedelta(days=1), lock)


def current_day(config: Config, now: datetime) -> date:
    """Return the orchestration day at the aware ``now``: until the morning's lock it is still yesterday's."""
    today = et_date(now)
    return today if now >= day_bounds(config, today)[0] else today - timedelta(days=1)


def plan(
    config: Config,
    start: datetime,
    end: datetime,
    schedule: Schedule,
    history: History,
    assumptions: Sequence[Assumption] = (),
) -> Iterator[Decision]:
    """Yield every enabled workflow's decision at every tick with ``start`` <= tick < ``end``, in order.

    Assumes that every RUN succeeds, that a game's data is there once it is due, and that a schedule which is known
    at the start stays known; ``assumptions`` say where a call ends otherwise.
    """
    known = schedule.unknown_because(start, config.settings.schedule_max_age_hours) is None
    look_back = timedelta(hours=max(config.look_back_hours(name) for name in config.enabled))
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
        noted = (PastDecision(d.workflow, d.tick, d.target_date, d.action, d.rule) for d in decisions)
        history = _recent(history, tick - look_back).noting(noted)


def _recent(history: History, oldest: datetime) -> History:
    """Forget, once a day, what no rule looks back to: a decision does not see it at run time either."""
    if not history.decisions or history.decisions[0].tick > oldest - timedelta(days=1):
        return history
    return History(
        tuple(e for e in history.executions if e.tick > oldest),
        tuple(c for c in history.calls if c.tick > oldest),
        tuple(d for d in history.decisions if d.tick > oldest),
    )


def _assumed(
    config: Config, decision: Decision, assumptions: Sequence[Assumption]
) -> tuple[list[PastExecution], list[PastCall]]:
    calls: list[PastCall] = []
    ends: list[CallEnd] = []
    for number, call in enumerate(planned_calls(config, decision)):
        game = call.item.game
        usual = Outcome.SUCCESS if game is None or decision.tick >= game.due else Outcome.NO_DATA
        outcome = assumed_outcome(assumptions, decision, call.scraper) or usual
        game_id = game.game_id if game else None
        calls.append(PastCall(call.scraper, decision.tick, decision.target_date, outcome, game_id))
        ends.append(CallEnd(call.scraper, number, outcome, call.label))
    status = status_of(ends, config.critical_scrapers(decision.workflow))
    successes = sum(call.outcome is Outcome.SUCCESS for call in calls)
    return [PastExecution(decision.workflow, decision.tick, decision.target_date, status, successes)], calls
