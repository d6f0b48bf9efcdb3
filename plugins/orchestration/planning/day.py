"""A day of decisions, tick by tick, under the assumption that what runs succeeds: the plan and the lock.

The same engine decides at run time; there is no second copy of the rules (DESIGN section 5).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta

from orchestration.config.model import Config
from orchestration.decisions.engine import decide
from orchestration.decisions.model import Decision, History, PastCall, PastExecution
from orchestration.nba.eastern import at
from orchestration.nba.games import Schedule
from orchestration.planning.calls import planned_calls
from orchestration.words import Action, ExecutionStatus, Outcome


def day_bounds(config: Config, day: date) -> tuple[datetime, datetime]:
    """Return the start and end of the orchestration day ``day``: from its lock to the next one, ET."""
    lock = config.settings.daily_schedule_lock.generation_time
    return at(day, lock), at(day + timedelta(days=1), lock)


def plan(config: Config, start: datetime, end: datetime, schedule: Schedule, history: History) -> Iterator[Decision]:
    """Yield every enabled workflow's decision at every tick with ``start`` <= tick < ``end``, in order.

    Assumes that every RUN succeeds, that a game's data is there once it is due, and that a schedule which is known
    at the start stays known.
    """
    known = schedule.unknown_because(start, config.settings.schedule_max_age_hours) is None
    moments: dict[datetime, list[str]] = {}
    for name in config.enabled:
        for tick in config.ticks_of(name).between(start, end):
            moments.setdefault(tick, []).append(name)
    for tick in sorted(moments):
        seen = replace(schedule, refreshed_at=tick) if known else schedule
        decisions = [decide(name, config, tick, seen, history) for name in moments[tick]]
        yield from decisions
        for decision in decisions:
            if decision.action is Action.RUN:
                history = history.plus(*_assumed(config, decision))


def _assumed(config: Config, decision: Decision) -> tuple[list[PastExecution], list[PastCall]]:
    calls = []
    for call in planned_calls(config, decision):
        game = call.item.game
        there = game is None or decision.tick >= game.due
        outcome = Outcome.SUCCESS if there else Outcome.NO_DATA
        game_id = game.game_id if game else None
        calls.append(PastCall(call.scraper, decision.tick, decision.target_date, outcome, game_id))
    successes = sum(call.outcome is Outcome.SUCCESS for call in calls)
    execution = PastExecution(
        decision.workflow, decision.tick, decision.target_date, ExecutionStatus.COMPLETED, successes
    )
    return [execution], calls
