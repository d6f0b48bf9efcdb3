"""What is fetched anew, and what is not."""

from dataclasses import replace
from datetime import timedelta

import pytest

from orchestration.decisions.collected import successes_of
from orchestration.planning.reconcile import makeups
from support.worlds import DAY, brought, et, game, ours

NOW = et("+1 12:00")
YESTERDAY = DAY - timedelta(days=1)
GAMES = [game(1), game(2), game(3, day=YESTERDAY)]
ALL = [
    call
    for name in ("post_game_window_1", "post_game_window_2", "post_game_window_3")
    for call in brought("+1 06:00", *GAMES, workflow=name)
]


def missing(calls, games=GAMES, now=NOW, limit=5):
    return makeups(ours(), games, successes_of(calls), now, limit)


def test_nothing_missing_is_nothing_to_do():
    assert missing(ALL) == []


@pytest.mark.lesson("K6")
def test_a_missing_game_becomes_one_run_for_its_date_with_just_that_game_and_scraper():
    lost = (GAMES[1].game_id, "nbac_team_boxscore")
    [makeup] = missing([call for call in ALL if (call.game_id, call.scraper) != lost])
    assert (makeup.target_date, makeup.games, makeup.scrapers) == (DAY, (GAMES[1].game_id,), ("nbac_team_boxscore",))
    assert makeup.scrapers[0] in ours().workflows[makeup.workflow].execution_plan.scrapers
    assert makeup.conf["force"] is True
    assert makeup.conf["target_date"] == DAY.isoformat()


def test_there_is_one_run_per_date_the_latest_first_and_no_more_than_allowed():
    assert [makeup.target_date for makeup in missing([])] == [DAY, YESTERDAY]
    assert [makeup.target_date for makeup in missing([], limit=1)] == [DAY]


def test_a_game_that_is_not_due_or_was_postponed_is_not_missing():
    assert missing([], [game(1, "19:00")], et("20:00")) == []
    assert missing([], [game(1, text="Postponed")]) == []


def test_a_whole_date_that_failed_is_fetched_anew_without_the_games_that_are_here():
    calls = [c for c in ALL if (c.scraper, c.target_date) != ("nbac_player_boxscore", DAY)]
    [makeup] = missing(calls)
    assert (makeup.target_date, makeup.scrapers) == (DAY, ("nbac_player_boxscore",))


def test_a_success_while_the_game_was_played_brought_nothing():
    early = [replace(c, tick=et("22:00")) if c.game_id == GAMES[0].game_id else c for c in ALL]
    [makeup] = missing(early)
    assert (makeup.games, makeup.target_date) == ((GAMES[0].game_id,), DAY)
