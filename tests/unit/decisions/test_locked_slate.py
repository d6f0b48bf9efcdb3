"""A locked day with games is never one without games: the workflows about games name the vanished slate."""

from dataclasses import replace
from datetime import timedelta

import pytest

from orchestration.decisions.model import NOT_KNOWING
from orchestration.decisions.types.cron_with_condition import CronWithConditionSchedule
from orchestration.words import Action
from support.worlds import DAY, MORNING_DONE, brought, changed, decision, et, game, history, locked, ours, schedule

THREE = [game(1, "13:00"), game(2, "19:00"), game(3, "22:00")]
OTHER = game(9, day=DAY + timedelta(days=1))
ABOUT_GAMES = [name for name, w in ours().enabled.items() if w.needs_games]
PAST = history(MORNING_DONE)


def now(*games):
    return locked(schedule(*THREE), now=schedule(*games, OTHER, refreshed=et("11:00")))


@pytest.mark.lesson("F1")
@pytest.mark.parametrize("name", ABOUT_GAMES)
@pytest.mark.parametrize("tick", ["13:00", "16:00", "22:00"])
def test_a_workflow_about_games_aborts_when_the_whole_locked_slate_vanished(name, tick):
    made = decision(name, tick, now(), PAST)
    assert (made.action, made.rule) == (Action.ABORT, "slate_vanished")
    assert made.reason.startswith("All 3 games of the slate locked at 05:00 ET vanished from the schedule: LAL@BOS")


def test_this_abort_is_over_once_the_workflow_decides_again():
    assert "slate_vanished" in NOT_KNOWING


def test_after_midnight_the_lock_of_the_slate_counts():
    made = decision("post_game_window_2", "+1 01:00", now(), PAST)
    assert (made.action, made.rule, made.target_date) == (Action.ABORT, "slate_vanished", DAY)


def test_games_that_are_left_are_collected_and_the_vanished_are_named():
    two = "; 1 of 3 games of the slate locked at 05:00 ET vanished from the schedule: LAL@BOS"
    made = decision("betting_lines", "16:00", now(*THREE[:2]), PAST)
    assert (made.action, made.games) == (Action.RUN, tuple(THREE[:2]))
    assert made.reason.endswith(two)
    collected = history(MORNING_DONE, *brought("22:00", THREE[0], workflow="post_game_window_1"))
    made = decision("post_game_window_1", "22:00", now(THREE[0]), collected)
    assert (made.action, made.rule) == (Action.SKIP, "done")
    assert "2 of 3 games" in made.reason


def test_a_day_whose_games_all_moved_or_are_postponed_has_no_games_and_says_why():
    moved = [replace(one, date=DAY + timedelta(days=2), tip=None) for one in THREE[:2]]
    made = decision("betting_lines", "13:00", now(*moved, replace(THREE[2], status_text="PPD")), PAST)
    assert (made.action, made.rule) == (Action.SKIP, "no_games")
    assert "2 games moved to another date" in made.reason
    assert "1 game postponed" in made.reason


def test_a_condition_that_no_game_is_played_is_not_met_by_a_vanished_slate():
    config = changed(
        workflows__betting_lines__decision_type="cron_with_condition",
        workflows__betting_lines__schedule={"at": ["13:00"], "condition": "none"},
    )
    assert isinstance(config.workflows["betting_lines"].schedule, CronWithConditionSchedule)
    assert decision("betting_lines", "13:00", now(), PAST, config).rule == "slate_vanished"
    assert decision("betting_lines", "13:00", schedule(OTHER), PAST, config).action is Action.RUN


def test_a_workflow_that_needs_no_games_runs_on():
    assert decision("schedule_dependency", "12:00", now(), PAST).action is Action.RUN
