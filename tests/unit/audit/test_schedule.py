"""The schedule from the rows of a query, whatever Phase 2 has written into them."""

import json
from datetime import UTC, date, datetime

import pytest

from orchestration.audit.inputs import schedule_from
from support.records import micros
from support.worlds import DAY, et

TIP = micros(et("19:30"))
GOOD = {
    "game_id": "22500001", "code": "20260114/LALBOS", "date": "2026-01-14", "tip": TIP, "home": "BOS", "away": "LAL",
    "status": 1, "status_text": "Scheduled",
}  # fmt: skip
REFRESHED = [json.dumps({"refreshed_at": micros(et("04:30"))})]


def schedule(*changes):
    return schedule_from({"game": [json.dumps({**GOOD, **change}) for change in changes], "refreshed": REFRESHED})


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"game_id": "0042500101", "code": "20260120/", "home": "", "away": "", "date": "2026-01-20"}, "no teams"),
        ({"tip": None}, "no tip-off"),
        ({"code": None}, "no code"),
        ({"game_id": None}, "no id"),
        ({"home": None}, "no home team"),
        ({"away": " "}, "no away team"),
        ({"game_id": "0992500001"}, "not an NBA game id"),
        ({"game_id": "abc"}, "not an NBA game id"),
        ({"date": None}, "cannot be read"),
        ({"tip": 1e30}, "cannot be read"),
    ],
)
def test_a_row_that_cannot_be_used_is_kept_apart_with_the_reason(change, why):
    found = schedule({}, change)
    assert [game.game_id for game in found.on(DAY)] == ["0022500001"]
    [row] = found.unusable
    assert why in str(row)


@pytest.mark.lesson("K12")
@pytest.mark.parametrize("status", [0, 4, 5, -1])
def test_a_status_that_is_none_of_one_two_three_is_not_played_whatever_its_text(status):
    assert schedule({"status": status, "status_text": "Unknown"}).on(DAY) == ()


@pytest.mark.parametrize("status", [1, 2, 3, None])
def test_a_game_with_another_status_is_played(status):
    assert len(schedule({"status": status, "status_text": None}).on(DAY)) == 1


@pytest.mark.lesson("K12")
def test_of_two_rows_the_newest_decides_wherever_its_date_lies():
    moved = date(2026, 3, 18)
    old = {"processed_at": micros(et("-1 18:00"))}
    new = {
        "date": "2026-03-18", "tip": micros(datetime(2026, 3, 18, 23, 30, tzinfo=UTC)),
        "processed_at": micros(et("18:00")),
    }  # fmt: skip
    for rows in ((old, new), (new, old)):
        found = schedule(*rows)
        assert (found.on(DAY), [game.date for game in found.on(moved)]) == ((), [moved])
    back = {**old, "processed_at": micros(et("19:00"))}
    assert [game.date for game in schedule(back, new).on(DAY)] == [DAY]
    assert schedule({**back, "status": 4}, new).on(moved) == ()


def test_an_if_necessary_game_that_no_refresh_writes_any_more_is_not_played():
    tbd = {"game_id": "0042500107", "tip": micros(et("00:00"))}
    assert schedule({**tbd, "processed_at": micros(et("-2 18:00"))}).on(DAY) == ()
    assert len(schedule({**tbd, "processed_at": micros(et("-1 18:00"))}).on(DAY)) == 1
    assert len(schedule(tbd).on(DAY)) == 1
    for kept in ({"game_id": "0022500107"}, {"tip": TIP}):
        assert len(schedule({**tbd, "processed_at": micros(et("-2 18:00")), **kept}).on(DAY)) == 1
