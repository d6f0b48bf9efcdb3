"""NBA.com's schedule document: what is read of it, and what is left out and named."""

import json
from datetime import date

import pytest

from orchestration.nba.document import DocumentError, read_document
from support.worlds import DAY, et

GOOD = {
    "gameId": "0022500001",
    "gameCode": "20260114/LALBOS",
    "gameDateTimeUTC": "2026-01-15T00:30:00Z",
    "gameStatus": 1,
    "gameStatusText": "7:30 pm ET",
    "homeTeam": {"teamTricode": "BOS"},
    "awayTeam": {"teamTricode": "LAL"},
}
TEAMLESS = {"homeTeam": {"teamTricode": ""}, "awayTeam": {"teamTricode": ""}}


def read(*changes):
    return read_document(json.dumps({"games": [{**GOOD, **change} for change in changes]}))


def test_a_game_is_read_with_its_tip_in_eastern_time():
    [game] = read({}).games
    assert (game.label, game.date, game.tip) == ("0022500001 LAL@BOS", DAY, et("19:30"))


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"gameId": "0042500101", "gameCode": "20260120/", **TEAMLESS}, "no teams"),
        ({"homeTeam": None}, "no home team"),
        ({"gameId": None}, "no id"),
        ({"gameId": "0992500001"}, "is not an NBA game id"),
        ({"gameCode": None}, "gameCode '' does not begin with its ET date"),
        ({"gameDateTimeUTC": "soon"}, "no tip-off"),
        ({"gameStatus": "soon"}, "invalid literal"),
    ],
)
def test_an_unusable_row_is_left_out_and_named_with_its_problem(change, why):
    document = read({}, change)
    assert [game.game_id for game in document.games] == ["0022500001"]
    [row] = document.unusable
    assert why in row.why


def test_rows_that_are_not_objects_are_named_as_unusable():
    text = json.dumps({"leagueSchedule": {"gameDates": [{"games": None}, 3, {"games": [GOOD, None, 7]}]}})
    assert len(read_document(text).unusable) == 2


def test_a_document_without_a_usable_game_is_refused():
    with pytest.raises(DocumentError, match=r"it has no usable game in 1 row. The first row: 0022500001.*no teams"):
        read(TEAMLESS)


def test_a_tip_in_the_year_one_is_unknown():
    [game] = read({"gameDateTimeUTC": "0001-01-01T00:00:00Z"}).games
    assert game.tip is None


@pytest.mark.lesson("K12")
@pytest.mark.parametrize(
    "sign",
    [
        {"postponedStatus": "P"},
        {"postponedStatus": "Postponed"},
        {"gameStatus": 4},
        {"gameStatus": 0},
        {"gameStatusText": "PPD"},
        {"gameStatusText": "Rescheduled to Mar 18"},
    ],
)
def test_a_postponed_game_is_recognised(sign):
    new = {"gameCode": "20260318/LALBOS", "gameDateTimeUTC": "2026-03-18T23:30:00Z"}
    schedule = read(sign, new).seen_at(et("04:30"))
    assert schedule.on(DAY) == ()
    assert [game.date for game in schedule.on(date(2026, 3, 18))] == [date(2026, 3, 18)]


@pytest.mark.parametrize("sign", [{"postponedStatus": "A"}, {"postponedStatus": "N"}, {"postponedStatus": None}, {}])
def test_a_game_that_is_not_postponed_stays_on_its_date(sign):
    assert len(read(sign).seen_at(et("04:30")).on(DAY)) == 1
    moved_here = {**sign, "gameStatusText": "Rescheduled from Jan 3"}
    assert len(read(moved_here).seen_at(et("04:30")).on(DAY)) == 1


def test_a_game_id_in_two_rows_counts_only_on_the_later_date():
    new = {"gameCode": "20260318/LALBOS", "gameDateTimeUTC": "2026-03-18T23:30:00Z"}
    for order in (({}, new), (new, {})):
        schedule = read(*order).seen_at(et("04:30"))
        assert (schedule.on(DAY), len(schedule.on(date(2026, 3, 18)))) == ((), 1)


def test_a_document_reaches_from_its_first_to_its_last_date():
    later = {"gameId": "0042500101", "gameCode": "20260120/", **TEAMLESS}
    assert read({}, later).reach == (DAY, date(2026, 1, 20))
