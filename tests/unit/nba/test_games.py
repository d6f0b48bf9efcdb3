"""Games, the schedule, teams and seasons."""

from datetime import date

import pytest

from orchestration.nba.games import Game, GameType, Schedule, canonical_game_id
from orchestration.nba.league import TEAMS, season_of, team
from support.worlds import DAY, et, game, schedule


@pytest.mark.lesson("K3")
@pytest.mark.parametrize("form", ["0022500123", "22500123", 22500123, " 0022500123 "])
def test_a_game_id_has_one_form(form):
    assert canonical_game_id(form) == "0022500123"


@pytest.mark.parametrize("nonsense", ["", "abc", "9922500123", "00225001234", None, "٠٠٢٢٥٠٠١٢٣"])
def test_a_text_that_is_not_a_game_id_is_refused(nonsense):
    with pytest.raises(ValueError, match="not an NBA game id"):
        canonical_game_id(nonsense)


@pytest.mark.lesson("K14")
def test_a_cup_final_is_known_by_its_prefix_and_counts():
    final = game(prefix="006")
    assert final.type is GameType.CUP_FINAL
    assert schedule(final).on(DAY) == (final,)


def test_preseason_and_all_star_games_do_not_count_unless_asked_for():
    preseason, all_star = game(1, prefix="001"), game(2, prefix="003")
    both = schedule(preseason, all_star)
    assert both.on(DAY) == ()
    assert both.on(DAY, [GameType.PRESEASON]) == (preseason,)


@pytest.mark.lesson("K12")
@pytest.mark.parametrize("text", ["PPD", "Postponed", "Cancelled", "Rescheduled to 3/18", "RESCHEDULED"])
def test_a_postponed_game_leaves_the_slate(text):
    assert schedule(game(1), game(2, text=text)).on(DAY) == (game(1),)


@pytest.mark.lesson("K13")
def test_an_empty_day_is_not_unknown():
    known = schedule(game(day=date(2026, 1, 13)))
    assert known.unknown_because(et("12:00"), 36) is None
    assert "no rows" in Schedule().unknown_because(et("12:00"), 36)
    assert "last refreshed 40.0 h ago" in schedule(game(), refreshed=et("-1 20:00")).unknown_because(et("+1 12:00"), 36)


@pytest.mark.lesson("E2")
def test_a_game_without_a_team_is_refused():
    with pytest.raises(ValueError, match="has no team"):
        Game("0022500001", "20260114/LALBOS", DAY, et("19:00"), "", "LAL")
    with pytest.raises(KeyError):
        team("UNK")


@pytest.mark.lesson("E9")
def test_the_table_of_teams_has_the_codes_of_each_source():
    assert len(TEAMS) == 30
    assert {t.basketball_reference for t in TEAMS if t.basketball_reference != t.tricode} == {"PHO", "BRK", "CHO"}
    assert {t.espn for t in TEAMS if t.espn != t.tricode} == {"GS", "NO", "NY", "SA", "UTAH"}
    assert (season_of(date(2026, 6, 20)).label, season_of(date(2025, 10, 21)).label) == ("2025-26", "2025-26")
    assert (season_of(DAY).start_year, season_of(DAY).end_year) == (2025, 2026)


def test_a_game_is_equal_after_a_round_trip_through_json():
    assert Game.from_dict(game().to_dict()) == game()
