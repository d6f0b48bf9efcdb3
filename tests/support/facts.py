"""The facts of a day for the health check."""

from __future__ import annotations

from datetime import datetime

from orchestration.decisions.model import History
from orchestration.health.facts import DayFacts
from orchestration.nba.games import Schedule
from orchestration.planning.calls import planned_calls
from orchestration.planning.day import plan
from orchestration.words import Action, Outcome
from support.records import a_call, a_cleanup, a_decision, an_execution, expected_run
from support.worlds import DAY, as_seen, et, game, ours, schedule

CONFIG = ours()
NIGHT = schedule(game(1, "19:00"), game(2, "19:30"))
AFTER = et("+1 05:40")


def a_day(games: Schedule = NIGHT, until: datetime = AFTER) -> DayFacts:
    """The facts of a day on which everything went as planned, as far as ``until``."""
    start, end = CONFIG.day_bounds(DAY)
    decisions = list(plan(CONFIG, start, end, games, History()))
    made = [d for d in decisions if d.tick <= until]
    runs = [d for d in made if d.action is Action.RUN]

    def outcome(call, d):
        return Outcome.SUCCESS if call.item.game is None or d.tick >= call.item.game.due else Outcome.NO_DATA

    calls = [
        a_call(
            c.scraper, d.workflow, d.tick, d.target_date, outcome(c, d), c.item.game and c.item.game.game_id,
            map_index=index,
        )
        for d in runs
        for index, c in enumerate(planned_calls(CONFIG, d))
    ]  # fmt: skip
    return DayFacts(
        DAY,
        as_seen(games, until),
        tuple(expected_run(d.workflow, d.tick, d.reason) for d in decisions if d.action is Action.RUN),
        tuple(a_decision(d.workflow, d.tick, d.action, d.rule, d.reason, target_date=d.target_date) for d in made),
        tuple(an_execution(d.workflow, d.tick, d.target_date, decision_id=f"{d.workflow} {d.tick}") for d in runs),
        tuple(calls),
        tuple(a_cleanup(t) for t in CONFIG.cleanup_ticks.between(start, until)),
    )
