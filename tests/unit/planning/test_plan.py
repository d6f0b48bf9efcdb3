"""The plan of a day, decided by the engine tick by tick."""

from datetime import date, timedelta

import pytest

from orchestration.decisions.model import History
from orchestration.nba.games import Schedule
from orchestration.planning.calls import planned_calls
from orchestration.planning.day import plan
from orchestration.words import Action
from support.worlds import DAY, et, game, ours, schedule

NIGHT = schedule(game(1, "19:00"), game(2, "19:30"), game(3, "22:30"))


def runs(day=DAY, games=NIGHT):
    start, end = ours().day_bounds(day)
    return [(d.tick, d.workflow) for d in plan(ours(), start, end, games, History()) if d.action is Action.RUN]


def test_a_game_day_goes_from_the_morning_to_the_last_window_of_the_night():
    assert [(t.strftime("%H:%M"), w) for t, w in runs() if not w.endswith("discovery")] == [
        ("06:00", "schedule_dependency"),
        ("06:00", "morning_operations"),
        ("12:00", "schedule_dependency"),
        ("13:00", "betting_lines"),
        ("15:00", "betting_lines"),
        ("17:00", "betting_lines"),
        ("18:00", "schedule_dependency"),
        ("19:00", "betting_lines"),
        ("22:00", "post_game_window_1"),
        ("01:00", "post_game_window_2"),
        ("04:00", "post_game_window_3"),
        ("04:30", "schedule_dependency"),
    ]


@pytest.mark.lesson("K13")
def test_on_a_rest_day_only_the_foundation_runs_and_nothing_aborts():
    tomorrow = schedule(game(day=DAY + timedelta(days=1)), refreshed=et("04:30"))
    start, end = ours().day_bounds(DAY)
    decisions = list(plan(ours(), start, end, tomorrow, History()))
    assert {d.action for d in decisions} == {Action.RUN, Action.SKIP}
    assert {w for _, w in runs(games=tomorrow)} == {"schedule_dependency", "morning_operations"}


def test_an_unknown_schedule_aborts_all_day():
    start, end = ours().day_bounds(DAY)
    aborting = {d.workflow for d in plan(ours(), start, end, Schedule(), History()) if d.action is Action.ABORT}
    assert aborting >= {"betting_lines", "post_game_window_1", "injury_discovery"}


@pytest.mark.parametrize("day", [date(2026, 3, 8), date(2026, 11, 1), date(2026, 3, 7), date(2026, 10, 31)])
def test_every_game_is_collected_once_across_clock_changes(day):
    games = schedule(game(1, "18:00", day), game(2, "22:30", day))
    start, end = ours().day_bounds(day)
    found = [d for d in plan(ours(), start, end, games, History()) if d.workflow.startswith("post_game")]
    night = [(d.workflow, [g.game_id for g in d.games]) for d in found if d.action is Action.RUN]
    # At 22:00 the late game has not tipped, at 01:00 the early one is collected, at 04:00 the play-by-play lacks both.
    both, early, late = ["0022500001", "0022500002"], ["0022500001"], ["0022500002"]
    assert night == [("post_game_window_1", early), ("post_game_window_2", late), ("post_game_window_3", both)]
    assert {d.target_date for d in found if d.action is Action.RUN} == {day}


@pytest.mark.lesson("E1")
def test_a_run_calls_each_scraper_for_each_of_its_items():
    start, end = ours().day_bounds(DAY)
    by_workflow = {d.workflow: d for d in plan(ours(), start, end, NIGHT, History()) if d.action is Action.RUN}
    count = {name: len(list(planned_calls(ours(), found))) for name, found in by_workflow.items()}
    assert count["morning_operations"] == 2 + 30
    # Two of the three games are collected at 01:00; the last box score is fetched at 04:00.
    assert count["post_game_window_3"] == 1 + 3 * 3 + 1
    events = [call.per_event_of for call in planned_calls(ours(), by_workflow["betting_lines"])]
    assert events == [None, "oddsa_events", "oddsa_events"]
