"""The rows of the old system, in every form that a release of the service wrote."""

import json
from datetime import timedelta

import pytest

from orchestration.planning.other_system.rows import past_calls, past_executions, read_calls, read_executions, tick_of
from orchestration.words import ExecutionStatus, Outcome
from support.records import micros
from support.worlds import DAY, changed, et, ours

CODES = {f"{DAY:%Y%m%d}/LALBOS": "0022500001"}


def row(scraper="nbac_player_list", at="06:07", status="success", call_id="c", **more):
    values = {"game_date": None, "opts": None, "data_summary": None, "workflow": None, **more}
    known = {"execution_id": call_id, "scraper_name": scraper, "triggered_at": micros(et(at)), "status": status}
    return json.dumps({**known, **values})


def execution(workflow="morning_operations", at="06:05", calls=("c",), status="completed", failed=0):
    return json.dumps({
        "execution_id": f"{workflow} {at}", "decision_id": "d", "workflow_name": workflow,
        "execution_time": micros(et(at)), "status": status, "scrapers_failed": failed,
        "scraper_execution_ids": list(calls),
    })  # fmt: skip


def call(**more):
    [found] = read_calls(ours(), [row(**more)], CODES)
    return found


@pytest.mark.lesson("K1")
@pytest.mark.parametrize("as_text", [True, False])
@pytest.mark.parametrize(
    ("scraper", "summary", "outcome"),
    [
        ("nbac_player_list", {"records_found": 540}, "success"),
        ("basketball_ref_season_roster", {"playerCount": 17, "teamAbbr": "BOS"}, "success"),
        ("bdl_standings_scraper", {"teamCount": 30}, "success"),  # our file does not know it, the built-in table does
        ("nbac_injury_report", {"records": 0}, "no_data"),
        ("nbac_referee_assignments", {"nba_games": 0, "total_games": 11}, "no_data"),
        ("nbac_player_list", {}, "no_data"),
        ("nbac_player_list", {"records_found": "540"}, "no_data"),
        ("nbac_player_list", {"records_found": True}, "no_data"),
        ("somebodys_scraper", {"rows": 7}, "no_data"),
    ],
)
def test_no_data_with_records_in_the_summary_is_a_success(scraper, summary, outcome, as_text):
    found = call(scraper=scraper, status="no_data", data_summary=json.dumps(summary) if as_text else summary)
    assert found.status is Outcome(outcome)


@pytest.mark.parametrize("status", ["failed", "running", "error", ""])
def test_an_unknown_status_is_failed(status):
    assert call(status=status, data_summary={"records_found": 540}).status is Outcome.FAILED


@pytest.mark.parametrize("summary", ["not JSON", "[1]", "null", 7, None])
def test_an_invalid_summary_counts_nothing(summary):
    assert call(status="no_data", data_summary=summary).status is Outcome.NO_DATA


@pytest.mark.lesson("T12")
@pytest.mark.parametrize(
    ("opts", "about"),
    [
        ({"game_date": "2026-01-14"}, DAY),
        ({"gamedate": "20260114"}, DAY),
        ({"gamedate": 20260114}, DAY),
        ({"date": "2026-01-14T00:00:00"}, DAY),
        ({"game_code": "20260114/LALBOS"}, DAY),
        ({"gamedate": "TODAY"}, None),
        ({"gamedate": "20261399"}, None),
        ({"gamedate": "202601145"}, None),
        ({"season": "2025"}, None),
        ("{\"date\": \"2026-01-14\"}", DAY),
    ],
)  # fmt: skip
def test_a_call_is_about_the_date_that_its_parameters_name(opts, about):
    found = call(at="+1 00:30", opts=opts)
    assert found.game_date == about
    assert found.target_date == (about or DAY + timedelta(days=1))


def test_the_game_date_of_the_row_wins():
    assert call(game_date=f"{DAY}", opts={"date": "2026-01-20"}).game_date == DAY


@pytest.mark.parametrize(
    ("opts", "game_id"),
    [
        ({"game_id": "0022500001"}, "0022500001"),
        ({"game_id": 22500001}, "0022500001"),
        ({"game_code": f"{DAY:%Y%m%d}/LALBOS"}, "0022500001"),
        ({"game_code": f"{DAY:%Y%m%d}/UNKUNK"}, None),
        ({"game_id": "x"}, None),
        ({}, None),
    ],
)
def test_a_game_is_found_by_id_or_code(opts, game_id):
    assert call(opts=opts).game_id == game_id


def test_an_execution_without_call_ids_has_the_calls_of_its_workflow_until_the_next_execution():
    calls = read_calls(
        ours(),
        [row(call_id=f"c{n}", at=at, workflow=w) for n, (at, w) in enumerate(
            [("06:06", "w"), ("06:30", "w"), ("07:06", "w"), ("06:06", "x"), ("05:00", "w")]
        )],
        {},
    )  # fmt: skip
    first, second = read_executions([execution("w", "07:05", ()), execution("w", "06:05", ())], calls)
    assert [c.execution_id for c in first.calls] == ["c0", "c1"]
    assert [c.execution_id for c in second.calls] == ["c2"]


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({}, "completed"),
        ({"status": "partial"}, "failed"),
        ({"failed": 1}, "failed"),
        ({"calls": ("unknown",)}, "failed"),
    ],
)
def test_an_execution_that_is_not_certainly_completed_counts_as_an_attempt(changes, status):
    [found] = past_executions(ours(), read_executions([execution(**changes)], [call()]))
    assert (found.status, found.tick, found.target_date) == (ExecutionStatus(status), et("06:00"), DAY)
    assert found.with_records == (1 if status == "completed" else 0)


@pytest.mark.lesson("E1")
def test_their_post_game_executions_do_not_count_but_each_call_does():
    calls = [call(scraper="nbac_team_boxscore", opts={"game_id": "0022500001", "game_date": f"{DAY}"})]
    assert list(past_executions(ours(), read_executions([execution("post_game_window_2", "01:05")], calls))) == []
    [one] = past_calls(calls, ["nbac_team_boxscore"])
    assert (one.game_id, one.target_date) == ("0022500001", DAY)
    assert list(past_calls(calls, ["nbac_play_by_play"])) == []


@pytest.mark.lesson("T6")
@pytest.mark.parametrize(
    ("moment", "tick"),
    [
        *(("13:00", "13:00"), ("13:05", "13:00"), ("13:29", "13:00"), ("13:31", "13:31")),
        *(("01:05", "01:00"), ("02:05", "02:05")),
    ],
)
def test_work_within_30_minutes_after_a_tick_belongs_to_it(moment, tick):
    assert tick_of(ours(), "post_game_window_2", et(moment)) == et(tick)


def test_an_unknown_workflow_has_the_regular_ticks():
    assert tick_of(changed(), "their_own", et("13:05")) == et("13:00")
    assert tick_of(changed(), None, et("01:05")) == et("01:05")
