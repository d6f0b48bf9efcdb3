"""The locked slate against the schedule now, and the days on which the season usually has games."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from orchestration.nba.games import GameType, Schedule, UnusableRow
from orchestration.nba.slate import LockedGame, LockedSlate, changes, postponed_dates, usual_games
from support.seasons import LAST, OPENING, REST_DAYS, hard_season
from support.worlds import DAY, et, game, locked, schedule

GAMES = [game(n, "19:00") for n in range(1, 9)]
NOON = et("12:00")
FAR = DAY + timedelta(days=40)


def seen(*games, of=GAMES, **more):
    """Return the changes from the locked games ``of`` to ``games``."""
    return changes(locked(schedule(*of), now=replace(schedule(*games), **more)), DAY, NOON)


def test_an_unchanged_slate_says_nothing():
    found = seen(*GAMES)
    assert (found.vanished, found.appeared, found.normal) == ((), (), "")


@pytest.mark.lesson("F1")
def test_a_game_that_is_on_no_date_has_vanished_and_is_named_by_its_teams():
    chicago = replace(GAMES[0], away="CHI", home="SAS", code="20260114/CHISAS")
    found = seen(*GAMES[2:], of=[chicago, *GAMES[1:]])
    assert found.fault == "2 of 8 games of the slate locked at 05:00 ET vanished from the schedule: CHI@SAS, LAL@BOS"
    assert seen(of=GAMES[:3]).fault.startswith("All 3 games of the slate")
    assert found.normal == ""


@pytest.mark.parametrize("days", [2, 40])
def test_a_moved_game_has_not_vanished_wherever_its_new_date_lies(days):
    row = replace(GAMES[0], date=DAY + timedelta(days=days), tip=None)
    found = seen(*GAMES[1:], *([row] if days == 2 else []), elsewhere=(row,) if days == 40 else ())
    assert found.vanished == ()
    assert found.normal == (
        f"Normal changes since the lock of 05:00 ET: 1 game moved to another date (LAL@BOS to {row.date:%a %d %b})"
    )


def test_a_postponed_game_and_a_moved_tip_are_normal():
    found = seen(replace(GAMES[0], status_text="PPD"), replace(GAMES[1], tip=et("20:30")), *GAMES[2:])
    assert (found.vanished, found.appeared) == ((), ())
    assert found.normal.endswith("1 game postponed (LAL@BOS); 1 tip moved (LAL@BOS from 19:00 ET to 20:30 ET)")


def test_a_row_that_lost_its_teams_has_not_vanished():
    assert seen(*GAMES[1:], unusable=(UnusableRow(GAMES[0].game_id, "no teams", DAY),)).vanished == ()


def test_an_undecided_game_of_the_lock_neither_vanishes_nor_appears():
    slate = LockedSlate(DAY, et("05:00"), (LockedGame(GAMES[0].game_id),))
    for games in ((), GAMES[:1]):
        found = changes(replace(schedule(*games), locked=(slate,)), DAY, NOON)
        assert (found.vanished, found.appeared) == ((), ())


def test_a_game_that_the_lock_does_not_know_has_appeared():
    assert seen(*GAMES, of=GAMES[1:]).appeared == (GAMES[0],)
    assert seen(*GAMES, of=[]).appeared == tuple(GAMES)


def test_only_the_lock_of_the_date_counts_once_it_was_made():
    both = locked(schedule(*GAMES))
    assert changes(schedule(*GAMES), DAY, NOON) is None
    assert changes(both, DAY + timedelta(days=1), NOON) is None
    assert changes(both, DAY, et("04:59")) is None


def test_a_game_of_a_type_that_does_not_count_is_left_out():
    friendly = game(1, prefix="001")
    assert seen(of=[friendly]).vanished == ()
    preseason = changes(locked(schedule(friendly), now=schedule()), DAY, NOON, (GameType.PRESEASON,))
    assert [one.game_id for one in preseason.vanished] == [friendly.game_id]


def test_a_date_is_postponed_if_all_its_games_are():
    tomorrow = DAY + timedelta(days=1)
    rows = [replace(game(n, day=tomorrow), status_text="PPD") for n in (11, 12)]
    assert list(postponed_dates(schedule(*GAMES, *rows), DAY)) == [tomorrow]
    assert postponed_dates(schedule(*GAMES, *rows), tomorrow + timedelta(days=1)) == {}
    assert postponed_dates(schedule(*GAMES, rows[0], game(12, day=tomorrow)), DAY) == {}


def window(full, day, without=()):
    """Return the part of a season that the health check of ``day`` reads."""
    first, last = day - timedelta(days=3), day + timedelta(days=8)
    games = tuple(g for g in full.games if first <= g.date <= last and g.date not in without)
    return Schedule(games, et("04:30", day))


@pytest.fixture(scope="module")
def whole():
    rows = [row for fate in hard_season().fates for row in fate.rows(et("04:30", LAST + timedelta(days=60)))]
    return Schedule(tuple(row for row in rows if not isinstance(row, UnusableRow)), et("04:30"))


def test_no_real_rest_day_of_a_season_counts_as_missing(whole):
    days = [OPENING + timedelta(days=n) for n in range(-30, 260)]
    empty = [day for day in days if not any(g.date == day for g in whole.games)]
    assert set(empty) > REST_DAYS
    assert len(empty) > 100
    assert [day for day in empty if usual_games(window(whole, day), day)] == []


def test_a_deleted_day_of_the_season_counts_as_missing(whole):
    """Three days after the opening, until a week before the end, beside the fixed days of rest and the long break."""
    days = [OPENING + timedelta(days=n) for n in range(1, (LAST - OPENING).days - 7)]
    played = [day for day in days if day not in REST_DAYS]
    silent = [day for day in played if not usual_games(window(whole, day, {day}), day)]
    before_rest = {day - timedelta(days=7) for day in REST_DAYS}
    beside_break = {date(2026, 2, 12), date(2026, 2, 19)}
    college = {date(2026, 4, 6)}
    assert set(silent) <= before_rest | beside_break | college
    pairs = [day for day in played if not usual_games(window(whole, day, {day, day + timedelta(days=1)}), day)]
    assert len(pairs) < len(played) / 8


def test_a_day_around_the_final_of_the_cup_may_have_no_game(whole):
    day = date(2025, 12, 16)
    assert usual_games(window(whole, day, {day}), day) > 0
    final = game(1, day=day + timedelta(days=3), prefix="006")
    around = window(whole, day, {day})
    assert usual_games(replace(around, games=(*around.games, final)), day) == 0
    undecided = UnusableRow(final.game_id, "no teams", final.date)
    assert usual_games(replace(around, unusable=(undecided,)), day) == 0
