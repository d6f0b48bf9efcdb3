"""What is fetched anew, and what is not."""

from datetime import timedelta

import pytest

from orchestration.decisions.collected import successes_of
from orchestration.planning.makeups import makeups
from support.records import replace
from support.worlds import DAY, brought, changed, et, game, ours

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
    [makeup] = missing([call for call in ALL if (call.game_id, call.scraper_name) != lost])
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
    calls = [c for c in ALL if (c.scraper_name, c.target_date) != ("nbac_player_boxscore", DAY)]
    [makeup] = missing(calls)
    assert (makeup.target_date, makeup.scrapers) == (DAY, ("nbac_player_boxscore",))


def test_a_success_while_the_game_was_played_brought_nothing():
    early = [replace(c, slot_time=et("22:00")) if c.game_id == GAMES[0].game_id else c for c in ALL]
    [makeup] = missing(early)
    assert (makeup.games, makeup.target_date) == ((GAMES[0].game_id,), DAY)


@pytest.mark.parametrize(
    ("now", "left_to_the_night"),
    [("+1 00:30", True), ("+1 03:59", True), ("+1 05:29", True), ("+1 05:30", False), ("+1 06:30", False)],
)
def test_what_a_window_still_asks_for_or_is_just_fetching_is_left_to_it(now, left_to_the_night):
    """The last window is 04:00, half an hour of tolerance and an hour until its run must be over."""
    started = missing([], [game(1, "19:00")], et(now))
    assert (started == []) is left_to_the_night


def test_what_no_window_to_come_asks_for_is_fetched_at_once():
    config = changed(
        workflows__post_game_window_3__execution_plan={"type": "single", "scraper": "nbac_gamebook_pdf"},
    )
    [makeup] = makeups(config, [game(1, "19:00")], successes_of([]), et("+1 03:00"), 5)
    assert makeup.scrapers == ("nbac_player_boxscore", "nbac_team_boxscore")
    [makeup] = makeups(config, [game(1, "19:00")], successes_of([]), et("+1 06:30"), 5)
    assert makeup.target_date == DAY


def test_the_night_before_is_over_while_this_one_has_its_windows_to_come():
    found = missing([], [game(1, "15:00"), game(3, day=YESTERDAY)], et("22:10"))
    assert [makeup.target_date for makeup in found] == [YESTERDAY]


def test_what_is_halted_is_left_alone():
    halt = {"reason": "the source asked us to stop", "until": "2026-01-16"}
    for config in (
        changed(settings__halt=halt),
        changed(**{f"workflows__post_game_window_{n}__halt": halt for n in (1, 2, 3)}),
    ):
        assert makeups(config, GAMES, successes_of([]), NOW, 5) == []
        assert makeups(config, GAMES, successes_of([]), et("+3 12:00"), 5) != []
    one = changed(workflows__post_game_window_3__halt=halt)
    assert {m.workflow for m in makeups(one, GAMES, successes_of([]), NOW, 5)} <= {
        "post_game_window_1",
        "post_game_window_2",
    }
