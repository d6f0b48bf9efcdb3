"""``check-scraper``: its output and exit code for one real call, with every kind of answer."""

import json
import os
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta

import pytest

from orchestration.cli import main
from orchestration.nba.eastern import et_date
from orchestration.words import ExitCode
from support.faulty_service import FAULTS, FaultyService
from support.real_service import answered
from support.rows import add_schedule
from support.scripted import ScriptedService, found
from support.worlds import OLD_FILE, ROOT, ours

KEYS = {"outcome", "records", "file", "event_ids", "problem"}
WITH_GAMES = ("nbac_referee_assignments",)
"""The answers of these scrapers list their games."""


@pytest.fixture
def service(monkeypatch):
    with ScriptedService().serving() as running:
        connect(monkeypatch, running.port)
        yield running


def connect(monkeypatch, port):
    data = {"conn_type": "http", "host": "127.0.0.1", "port": port, "extra": {"timeout": 1}}
    monkeypatch.setenv("AIRFLOW_CONN_SCRAPER_SERVICE", json.dumps(data))


def checked(capsys, *arguments):
    code = main(["check-scraper", *arguments, "--json"])
    said = json.loads(capsys.readouterr().out)
    assert set(said) == KEYS | ({"games"} if arguments[0] in WITH_GAMES else set())
    assert (code == 0) is (said["problem"] is None)
    return said


def test_an_answer_that_matches_its_description_is_shown_with_exit_0(service, capsys):
    service.script(nbac_player_list=lambda *_: answered("nbac_player_list", "HEAD", 520))
    said = checked(capsys, "nbac_player_list")
    assert said == {"outcome": "success", "records": 520, "file": None, "event_ids": [], "problem": None}
    assert main(["check-scraper", "nbac_player_list"]) == 0
    assert "records   520" in capsys.readouterr().out


def test_the_call_has_the_parameters_of_today(service, capsys):
    checked(capsys, "nbac_referee_assignments")
    assert service.asked[0]["date"] == et_date(datetime.now(UTC)).isoformat()
    assert service.asked[0]["workflow"] == "check-scraper"
    checked(capsys, "nbac_referee_assignments", "--date", "2026-01-14")
    assert service.asked[1]["date"] == "2026-01-14"


def test_an_answer_without_data_matches_its_description_too(service, capsys):
    service.script(nbac_referee_assignments=lambda *_: answered("nbac_referee_assignments", "NOV", 0))
    assert checked(capsys, "nbac_referee_assignments")["outcome"] == "no_data"


def test_a_per_team_scraper_is_called_for_the_first_team(service, capsys):
    checked(capsys, "br_season_roster")
    assert [one["teamAbbr"] for one in service.asked] == ["ATL"]


def test_a_per_event_scraper_calls_its_event_source_first(service, capsys):
    service.script(oddsa_events=lambda *_: found(2, event_ids=["a", "b"]))
    checked(capsys, "oddsa_player_props")
    assert [(one["scraper"], one.get("event_id")) for one in service.asked] == [
        ("oddsa_events", None),
        ("oddsa_player_props", "a"),
    ]
    checked(capsys, "oddsa_player_props", "--event", "mine")
    assert service.asked[-1]["event_id"] == "mine"


def test_a_day_without_events_names_the_next_step(service, capsys):
    service.script(oddsa_events=lambda *_: found(0))
    said = checked(capsys, "oddsa_player_props")
    assert said["outcome"] is None
    assert said["problem"] == "oddsa_events names no event (no_data: 0 records); give one with --event"


def test_a_per_game_scraper_takes_the_first_game_near_the_day(service, capsys, warehouse):
    today = et_date(datetime.now(UTC))
    near = today - timedelta(days=1)
    add_schedule(
        warehouse,
        ("0022500123", near, "s", datetime(2026, 1, 1), "Final"),
        ("0022500124", today + timedelta(days=2), "s", datetime(2026, 1, 1), "Scheduled"),
        ("0022500555", date(2026, 1, 14), "s", datetime(2026, 1, 1), "Final"),
    )
    checked(capsys, "nbac_play_by_play")
    assert (service.asked[-1]["game_id"], service.asked[-1]["gamedate"]) == ("0022500123", f"{near:%Y%m%d}")
    checked(capsys, "nbac_play_by_play", "--game", "0022500124")
    assert service.asked[-1]["game_id"] == "0022500124"
    checked(capsys, "nbac_play_by_play", "--date", "2026-01-14")
    assert service.asked[-1]["game_id"] == "0022500555"
    said = checked(capsys, "nbac_play_by_play", "--game", "0022599999")
    assert said["problem"].startswith("the schedule has no game 0022599999 around ")


@pytest.mark.parametrize("fault", [*FAULTS, "hangs"])
def test_every_faulty_answer_is_described_as_a_problem(capsys, monkeypatch, fault):
    with FaultyService().serving() as faulty:
        connect(monkeypatch, faulty.port)
        faulty.fault = fault
        said = checked(capsys, "nbac_player_list")
    assert (said["outcome"] == "success") is (fault == "fine")


def test_an_unreachable_service_is_described_as_a_problem(capsys, monkeypatch):
    connect(monkeypatch, 9)
    assert "the service could not be reached" in checked(capsys, "nbac_player_list")["problem"]
    monkeypatch.setenv("AIRFLOW_CONN_SCRAPER_SERVICE", "")
    monkeypatch.delenv("AIRFLOW_CONN_SCRAPER_SERVICE")
    assert "scraper_service" in checked(capsys, "nbac_player_list")["problem"]


def test_a_secret_in_an_answer_is_not_shown(service, capsys):
    message = "GET https://api.example.com/v4?apiKey=abc123 failed"
    service.script(nbac_player_list=lambda *_: (500, {"status": "error", "message": message}))
    assert "abc123" not in checked(capsys, "nbac_player_list")["problem"]


def test_an_unknown_name_is_a_usage_error_with_the_nearest_one(capsys):
    assert main(["check-scraper", "nbac_playr_list"]) == ExitCode.USAGE
    out = capsys.readouterr()
    assert out.out == ""
    assert "check-scraper: no scraper is named nbac_playr_list (did you mean `nbac_player_list`?)\n" in out.err
    assert main(["check-scraper", "nbac_playr_list", "--json"]) == ExitCode.USAGE
    assert json.loads(capsys.readouterr().out)["verdict"] == "UNKNOWN"


def test_as_a_process_the_command_prints_only_the_json_object(service):
    command = [sys.executable, "-m", "orchestration", "check-scraper", "nbac_player_list", "--json"]
    env = {**os.environ, "PYTHONPATH": str(ROOT / "plugins"), "ORCHESTRATION_CONFIG": str(OLD_FILE)}
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    assert set(json.loads(done.stdout)) == KEYS
    assert (done.returncode, "Traceback" in done.stderr) == (0, False)


@pytest.mark.lesson("F15")
def test_all_scrapers_are_called_once_and_a_failure_that_matches_no_sign_is_named(service, capsys, warehouse):
    now, today = datetime.now(UTC), et_date(datetime.now(UTC))
    add_schedule(warehouse, ("0022500123", today, "s", datetime(2026, 1, 1), "Final"))
    causes = {
        "nbac_team_boxscore": (
            "DownloadDataException",
            "homeTeam missing or null 'statistics' (game may not have started)",
        ),
        "bigdataball_pbp": ("GameNotFoundError", "No game found matching query: name contains '0022500123'"),
        "nbac_play_by_play": ("InvalidHttpStatusCodeException", "Invalid HTTP status code (no retry): 403"),
        "nbac_gamebook_pdf": None,
    }
    rows, answers = [], {"oddsa_events": lambda *_: found(1, event_ids=["a"])}
    for number, (name, cause) in enumerate(causes.items()):
        run_id = f"f15{number:05x}"
        answer = 500, {"status": "error", "message": f"{name} failed", "scraper": name, "run_id": run_id}
        answers[name] = lambda *_, answer=answer: answer
        if cause is not None:
            moment = now.isoformat()
            rows.append(
                {"execution_id": run_id, "run_id": run_id, "scraper_name": name, "status": "failed",
                 "triggered_at": moment, "created_at": moment, "source": "CONTROLLER",
                 "error_type": cause[0], "error_message": cause[1]}
            )  # fmt: skip
    table = f"{warehouse.client.project}.nba_orchestration.scraper_execution_log"
    assert warehouse.client.insert_rows_json(table, rows) == []
    service.script(**answers)
    code = main(["check-scraper", "--all", "--json"])
    said = json.loads(capsys.readouterr().out)["scrapers"]
    assert {one["scraper"] for one in service.asked} == set(said) == set(ours().scrapers)
    outcomes = {name: said[name]["outcome"] for name in causes}
    assert list(outcomes.values()) == ["no_data", "no_data", "failed", "failed"]
    problems = {name: one["problem"] for name, one in said.items() if one["problem"]}
    assert problems == {
        "nbac_play_by_play": "InvalidHttpStatusCodeException: Invalid HTTP status code (no retry): 403; "
        "it matches no sign of no_data (answer.no_data)",
        "nbac_gamebook_pdf": "http_500: HTTP 500: nbac_gamebook_pdf failed; the service has already retried its "
        "source; the service's log has no row of this run yet",
    }
    assert code == ExitCode.FOUND


def test_a_name_and_all_is_a_usage_error_and_so_is_neither(capsys):
    assert main(["check-scraper"]) == main(["check-scraper", "nbac_player_list", "--all"]) == ExitCode.USAGE
