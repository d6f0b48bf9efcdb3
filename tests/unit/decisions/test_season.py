"""A whole season through the engine."""

from collections import defaultdict
from datetime import time, timedelta
from functools import lru_cache

import pytest

from orchestration.decisions.model import History
from orchestration.nba.document import read_document
from orchestration.nba.eastern import at
from orchestration.nba.games import Schedule
from orchestration.planning.day import plan
from orchestration.words import Action
from support.seasons import GAMES, LAST, NOON_DAYS, OPENING, REST_DAYS, document
from support.worlds import ours


@lru_cache
def games():
    return read_document(document()).games


@lru_cache
def decisions():
    start, end = ours().day_bounds(OPENING)[0], ours().day_bounds(LAST)[1]
    return tuple(plan(ours(), start, end, Schedule(games(), start), History()))


def runs():
    return [d for d in decisions() if d.action is Action.RUN]


def test_every_played_game_of_the_season_has_its_own_id():
    played = [game for game in games() if not game.postponed]
    assert len(played) == GAMES == len({game.game_id for game in played})


@pytest.mark.lesson("K6")
@pytest.mark.lesson("T1")
def test_every_games_box_score_is_collected_by_half_past_four():
    late = []
    collected = defaultdict(list)
    for decision in runs():
        if "nbac_team_boxscore" in decision.scrapers:
            for game in decision.games:
                if decision.tick >= game.due:
                    collected[game.game_id].append(decision.tick)
    for game in games():
        if game.postponed:
            continue
        deadline = at(game.date + timedelta(days=1), time(4, 30))
        if not any(tick <= deadline for tick in collected[game.game_id]):
            late.append(game.label)
    assert late == []


@pytest.mark.lesson("K13")
def test_no_game_workflow_runs_on_a_rest_day_and_no_decision_aborts():
    assert not [d for d in decisions() if d.action is Action.ABORT]
    about_games = [d for d in runs() if d.workflow not in ("morning_operations", "schedule_dependency")]
    assert {d.target_date for d in about_games}.isdisjoint(REST_DAYS)


@pytest.mark.lesson("K12")
def test_a_postponed_game_is_a_target_only_on_its_new_date():
    postponed = {game.game_id: game.date for game in games() if game.postponed}
    assert len(postponed) == 3
    for decision in runs():
        for game in decision.games:
            assert (game.game_id, decision.target_date) not in postponed.items()


@pytest.mark.lesson("T10")
def test_betting_lines_of_noon_games_are_first_fetched_at_eight():
    for day in NOON_DAYS:
        ticks = [d.tick for d in runs() if d.workflow == "betting_lines" and d.target_date == day]
        assert min(ticks).hour == 8


def test_morning_operations_runs_once_every_day():
    mornings = [d.target_date for d in runs() if d.workflow == "morning_operations"]
    assert len(mornings) == len(set(mornings)) == (LAST - OPENING).days + 1


def test_every_decision_has_a_reason_and_a_next_check_at_a_later_tick():
    ticks = {name: {(t.hour, t.minute) for t in ours().ticks_of(name).times} for name in ours().workflows}
    for decision in decisions():
        assert decision.reason
        assert decision.next_check_time > decision.tick
        upcoming = decision.next_check_time
        assert (upcoming.hour, upcoming.minute) in ticks[decision.workflow]
