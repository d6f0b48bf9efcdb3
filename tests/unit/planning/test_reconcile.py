"""What is fetched anew, and what is not."""

from datetime import timedelta

import pytest

from orchestration.planning.reconcile import makeups
from support.worlds import DAY, et, game, ours

NOW = et("+1 12:00")
YESTERDAY = DAY - timedelta(days=1)
GAMES = [game(1), game(2), game(3, day=YESTERDAY)]
ALL = {
    scraper: {one.game_id for one in GAMES}
    for name in ("post_game_window_1", "post_game_window_2", "post_game_window_3")
    for scraper in ours().per_game_scrapers(name)
}


def without(scraper, *missing):
    return {**ALL, scraper: ALL[scraper] - {one.game_id for one in missing}}


def test_nothing_missing_is_nothing_to_do():
    assert makeups(ours(), GAMES, ALL, NOW, 5) == []


@pytest.mark.lesson("K6")
def test_a_missing_game_becomes_one_run_for_its_date_with_just_that_game_and_scraper():
    [makeup] = makeups(ours(), GAMES, without("nbac_team_boxscore", GAMES[1]), NOW, 5)
    assert (makeup.target_date, makeup.games, makeup.scrapers) == (DAY, (GAMES[1].game_id,), ("nbac_team_boxscore",))
    assert makeup.scrapers[0] in ours().workflows[makeup.workflow].execution_plan.scrapers
    assert makeup.conf["force"] is True
    assert makeup.conf["target_date"] == DAY.isoformat()


def test_there_is_one_run_per_date_the_latest_first_and_no_more_than_allowed():
    found = makeups(ours(), GAMES, {}, NOW, 5)
    assert [makeup.target_date for makeup in found] == [DAY, YESTERDAY]
    assert [makeup.target_date for makeup in makeups(ours(), GAMES, {}, NOW, 1)] == [DAY]


def test_a_game_that_is_not_due_or_was_postponed_is_not_missing():
    assert makeups(ours(), [game(1, "19:00")], {}, et("20:00"), 5) == []
    assert makeups(ours(), [game(1, text="Postponed")], {}, NOW, 5) == []
