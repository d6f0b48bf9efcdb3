"""The calendar of a season: what counts, what does not, and where one season ends."""

from datetime import date, timedelta

import pytest

from orchestration.decisions.engine import decide
from orchestration.decisions.model import History
from orchestration.nba.games import Schedule
from orchestration.words import Action
from support.worlds import MORNING_DONE, changed, decision, et, executed, game, history, ours, schedule

GAME_WORKFLOWS = ("betting_lines", "post_game_window_1", "injury_discovery", "referee_discovery")


@pytest.mark.parametrize(
    ("prefix", "counts"), [("001", False), ("002", True), ("003", False), ("004", True), ("005", True), ("006", True)]
)
def test_only_regular_season_play_in_playoffs_and_cup_final_games_count(prefix, counts):
    found = decision("injury_discovery", "12:00", schedule(game(prefix=prefix)))
    assert (found.action, found.rule) == ((Action.RUN, "run") if counts else (Action.SKIP, "no_games"))


def test_a_workflow_can_choose_its_game_types():
    config = changed(workflows__injury_discovery__game_types=["preseason", "all_star"])
    assert decision("injury_discovery", "12:00", schedule(game(prefix="001")), config=config).rule == "run"
    assert decision("injury_discovery", "12:00", schedule(game(prefix="002")), config=config).rule == "no_games"


@pytest.mark.lesson("K13")
@pytest.mark.parametrize("name", GAME_WORKFLOWS)
def test_a_day_in_the_off_season_has_no_games_and_is_not_unknown(name):
    last_june = Schedule((game(day=date(2026, 6, 17)),), et("04:30", date(2026, 8, 1)))
    found = decide(name, ours(), et("12:00", date(2026, 8, 1)), last_june, History())
    assert (found.action, found.rule) == (Action.SKIP, "no_games")


def test_a_schedule_that_is_not_refreshed_becomes_unknown():
    stale = schedule(game(), refreshed=et("-2 20:00"))
    assert decision("injury_discovery", "12:00", stale).action is Action.ABORT


def test_the_season_changes_on_the_first_of_october():
    from orchestration.vocabulary.scrapers import BUILT_IN
    from orchestration.vocabulary.templates import Item, render

    templates = BUILT_IN["nbac_schedule_api"][1]
    for day, year in ((date(2026, 9, 30), "2025"), (date(2026, 10, 1), "2026")):
        assert render(templates, target_date=day, now=et("06:00", day), item=Item()) == {"season": year}


@pytest.mark.parametrize("day", [date(2026, 3, 8), date(2026, 11, 1)])
def test_a_frequency_is_measured_in_real_hours_across_a_clock_change(day):
    games = schedule(game(1, "19:00", day))
    past = history(
        executed("morning_operations", et("06:00", day), day), executed("betting_lines", et("13:00", day), day)
    )
    assert decide("betting_lines", ours(), et("14:00", day), games, past).rule == "too_soon"
    assert decide("betting_lines", ours(), et("15:00", day), games, past).rule == "run"


def test_the_opening_before_the_first_tip_is_measured_in_real_hours():
    day = date(2026, 3, 8)
    noon = schedule(game(1, "12:00", day))
    config = changed(workflows__betting_lines__schedule={"window_before_game_hours": 4})
    morning = history(executed("morning_operations", et("06:00", day), day))
    assert decide("betting_lines", config, et("07:00", day), noon, morning).rule == "before_opening"
    assert decide("betting_lines", config, et("08:00", day), noon, morning).rule == "run"


def test_a_requirement_is_met_by_a_workflow_that_had_nothing_to_do():
    config = changed(workflows__betting_lines__dependencies={"requires": ["injury_discovery"]})
    from support.worlds import decided

    idle = history(decided("injury_discovery", "06:00", "SKIP", "no_games"))
    assert decision("betting_lines", "13:00", past=history(), config=config).rule == "waiting_for_required"
    assert decision("betting_lines", "13:00", past=idle, config=config).rule == "run"
    assert decision("betting_lines", "13:00", past=history(MORNING_DONE), config=config).rule == "waiting_for_required"


@pytest.mark.parametrize("change", [date(2026, 3, 8), date(2026, 11, 1)])
def test_a_done_workflow_is_checked_again_at_tomorrows_opening_wall_time(change):
    day = change - timedelta(days=1)
    done = history(executed("morning_operations", et("06:00", day), day))
    found = decide("morning_operations", ours(), et("12:00", day), schedule(game(1, day=day)), done)
    assert found.next_check_time == et("06:00", change)


@pytest.mark.lesson("K12")
def test_a_postponed_game_counts_only_on_its_new_date():
    later = date(2026, 2, 4)
    moved = schedule(game(1, text="PPD"), game(1, "20:00", later), refreshed=et("04:30", later))
    assert decide("injury_discovery", ours(), et("12:00", later), moved, History()).rule == "run"
    today = schedule(game(1, text="PPD"), game(2, day=date(2026, 1, 14) + timedelta(days=1)))
    assert decision("injury_discovery", "12:00", today).rule == "no_games"
