"""Make-up runs: which games get one, and which do not."""

from datetime import timedelta

import pytest

from orchestration.cleanup.following import followed_of
from orchestration.decisions.collected import successes_of
from orchestration.planning.makeups import makeups, makeups_of_files
from support.records import a_call, replace
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


def test_a_complete_date_needs_no_run():
    assert missing(ALL) == []


@pytest.mark.lesson("K6")
def test_a_missing_game_becomes_one_run_for_its_date_with_only_that_game_and_scraper():
    lost = (GAMES[1].game_id, "nbac_team_boxscore")
    [makeup] = missing([call for call in ALL if (call.game_id, call.scraper_name) != lost])
    assert (makeup.target_date, makeup.games, makeup.scrapers) == (DAY, (GAMES[1].game_id,), ("nbac_team_boxscore",))
    assert makeup.scrapers[0] in ours().workflows[makeup.workflow].execution_plan.scrapers
    assert makeup.conf["force"] is True
    assert makeup.conf["target_date"] == DAY.isoformat()


def test_there_is_one_run_per_date_latest_first_up_to_the_limit():
    assert [makeup.target_date for makeup in missing([])] == [DAY, YESTERDAY]
    assert [makeup.target_date for makeup in missing([], limit=1)] == [DAY]


def test_a_game_that_is_not_due_or_was_postponed_is_not_missing():
    assert missing([], [game(1, "19:00")], et("20:00")) == []
    assert missing([], [game(1, text="Postponed")]) == []


def test_a_failed_whole_date_call_is_repeated_without_the_collected_games():
    calls = [c for c in ALL if (c.scraper_name, c.target_date) != ("nbac_player_boxscore", DAY)]
    [makeup] = missing(calls)
    assert (makeup.target_date, makeup.scrapers) == (DAY, ("nbac_player_boxscore",))


def test_a_success_before_the_game_was_due_does_not_count():
    early = [replace(c, slot_time=et("22:00")) if c.game_id == GAMES[0].game_id else c for c in ALL]
    [makeup] = missing(early)
    assert (makeup.games, makeup.target_date) == ((GAMES[0].game_id,), DAY)


@pytest.mark.parametrize(
    ("now", "left_to_the_night"),
    [("+1 00:30", True), ("+1 03:59", True), ("+1 05:29", True), ("+1 05:30", False), ("+1 06:30", False)],
)
def test_a_coming_or_running_window_keeps_its_games(now, left_to_the_night):
    """The last window is at 04:00, with 30 min of tolerance and a deadline of 60 min."""
    started = missing([], [game(1, "19:00")], et(now))
    assert (started == []) is left_to_the_night


def test_a_game_that_no_coming_window_fetches_gets_a_run_at_once():
    config = changed(
        workflows__post_game_window_3__execution_plan={"type": "single", "scraper": "nbac_gamebook_pdf"},
    )
    [makeup] = makeups(config, [game(1, "19:00")], successes_of([]), et("+1 03:00"), 5)
    assert makeup.scrapers == ("nbac_player_boxscore", "nbac_team_boxscore")
    [makeup] = makeups(config, [game(1, "19:00")], successes_of([]), et("+1 06:30"), 5)
    assert makeup.target_date == DAY


def test_last_night_gets_a_run_while_tonight_has_coming_windows():
    found = missing([], [game(1, "15:00"), game(3, day=YESTERDAY)], et("22:10"))
    assert [makeup.target_date for makeup in found] == [YESTERDAY]


def test_a_halted_window_gets_no_run():
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


def open_file(scraper, wall, workflow="morning_operations"):
    return followed_of(a_call(scraper, workflow, et(wall), DAY, gcs_path=f"gs://b/{scraper}.json"))


@pytest.mark.lesson("F2")
def test_a_file_of_today_that_never_arrived_is_fetched_again_by_its_workflow():
    files = [open_file("br_season_roster", "06:00"), open_file("nbac_player_list", "06:00")]
    [makeup] = makeups_of_files(ours(), files, et("12:30"))
    assert (makeup.workflow, makeup.target_date, makeup.games) == ("morning_operations", DAY, ())
    assert makeup.conf == {
        "force": True, "target_date": DAY.isoformat(), "scrapers": ["br_season_roster", "nbac_player_list"],
        "reason": "reconcile: files of br_season_roster, nbac_player_list never arrived",
    }  # fmt: skip


def test_no_run_is_started_for_a_file_that_its_source_no_longer_has():
    roster = open_file("br_season_roster", "06:00")
    assert makeups_of_files(ours(), [roster], et("+1 06:30")) == []
    assert makeups_of_files(ours(), [open_file("nbac_team_boxscore", "06:00")], et("12:30")) == []
    assert makeups_of_files(ours(), [open_file("a_scraper_that_was_removed", "06:00")], et("12:30")) == []
    halted = changed(workflows__morning_operations__halt={"reason": "no credit"})
    assert makeups_of_files(halted, [roster], et("12:30")) == []
