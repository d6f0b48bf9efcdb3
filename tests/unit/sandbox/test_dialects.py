"""The dialects of the sandbox's scraper service: the two recorded states of the real one, and the simple contract."""

import json
import threading
from datetime import datetime

import pytest

from orchestration.vocabulary.scrapers import answer_of
from sandbox.demo import chosen_dialect
from sandbox.dialect import DIALECTS
from sandbox.dialect.real import ABSENT, ABSENT_BEFORE
from sandbox.processes import StackError
from sandbox.scrapers import SCRAPERS
from sandbox.service import THREADS
from sandbox.world import Rates, Troubles, World
from support.real_service import count_key
from support.sandbox_service import DAY, ET, NEXT_MORNING
from support.worlds import ours

AFTERNOON = datetime(2026, 1, 14, 15, tzinfo=ET)
OLD_COLUMNS = {
    *("execution_id", "scraper_name", "workflow", "game_date", "status", "triggered_at", "completed_at"),
    *("duration_seconds", "source", "environment", "triggered_by", "gcs_path", "data_summary", "error_type"),
    *("error_message", "retry_count", "recovery", "run_id", "opts", "created_at"),
}


def test_each_scraper_has_its_own_count_key_and_no_answer_names_its_file(start_service):
    service = start_service()
    for name in service.service.dialect.scrapers:
        status, body = service.call(name)
        assert (status, body["status"], body["scraper"]) == (200, "success", name)
        assert len(body["run_id"]) == 8
        assert int(body["run_id"], 16) >= 0
        summary = body["data_summary"]
        assert isinstance(summary[count_key(name, "HEAD")], int), name
        assert summary[count_key(name, "HEAD")] > 0, name
        assert "gcs_path" not in json.dumps(body)
        assert ("event_ids" in summary) == (name == "oddsa_events")
        if name != "bp_events":
            assert ("rowCount" in summary) == (count_key(name, "HEAD") == "rowCount"), name


def test_the_total_of_referee_assignments_includes_another_league(start_service):
    _, body = start_service().call("nbac_referee_assignments")
    assert body["data_summary"] == {"date": "2026-01-14", "nba_games": 12, "g_league_games": 3, "total_games": 15}


def test_the_keys_beside_the_count_are_as_recorded(start_service):
    service = start_service()
    _, roster = service.call("br_season_roster", teamAbbr="BOS", year="2026")
    assert roster["data_summary"] == {"playerCount": 17, "season": "2025-26", "teamAbbr": "BOS"}
    _, plays = service.call("nbac_play_by_play")
    game = service.world.slate(DAY)[0].game_id
    beside = {"game_date": "2026-01-14", "game_id": game, "season": "2025-26"}
    assert plays["data_summary"] == {"events": 480, **beside}


@pytest.mark.parametrize(
    ("name", "error_type", "retries"),
    [
        ("nbac_team_boxscore", "DownloadDataException", 0),
        ("nbac_player_boxscore", "DownloadDataException", 0),
        ("nbac_play_by_play", "InvalidHttpStatusCodeException", 0),
        ("nbac_gamebook_pdf", "InvalidHttpStatusCodeException", 0),
        ("bigdataball_pbp", "GameNotFoundError", 8),
    ],
)
def test_a_missing_game_file_is_500_with_its_cause_only_in_the_log(start_service, name, error_type, retries):
    service = start_service()
    service.world.clock.set(AFTERNOON)
    status, body = service.call(name)
    assert (status, sorted(body)) == (500, ["message", "run_id", "scraper", "status"])
    assert (body["status"], body["message"]) == ("error", f"{name} failed")
    [row] = service.rows
    assert (row["status"], row["error_type"], row["retry_count"]) == ("failed", error_type, retries)
    assert row["execution_id"] == row["run_id"] == body["run_id"]


@pytest.mark.lesson("F15")
@pytest.mark.parametrize("absent", [ABSENT, ABSENT_BEFORE])
def test_every_way_in_which_a_file_is_missing_is_a_sign_of_no_data(absent):
    for name, (error_type, text, _) in absent.items():
        assert answer_of(name).means_no_data(None, error_type, text), name


@pytest.mark.parametrize(
    ("name", "key"),
    [("nbac_injury_report", "total_records"), ("nbac_referee_assignments", "nba_games"), ("oddsa_events", "rowCount")],
)
def test_an_unpublished_report_is_a_count_of_zero(start_service, name, key):
    service = start_service()
    service.world.clock.set(datetime(2026, 1, 14, 7, tzinfo=ET))
    service.world.troubles = Troubles(empty=["oddsa_events"])
    status, body = service.call(name)
    assert (status, body["data_summary"][key]) == (200, 0)
    assert (service.rows[0]["status"], service.rows[0].get("gcs_path")) == ("no_data", None)


def test_a_blocking_source_is_500_with_its_cause_only_in_the_log(start_service):
    service = start_service()
    service.world.troubles = Troubles(blocked=["nbac_team_boxscore", "nbac_injury_report"])
    status, body = service.call("nbac_team_boxscore")
    assert (status, body["message"], body.get("error_type")) == (500, "nbac_team_boxscore failed", None)
    [row] = service.rows
    assert (row["error_type"], row["retry_count"]) == ("DownloadDecodeMaxRetryException", 8)
    assert "403" in row["error_message"]
    # The source of the injury report answers 403 before the report is out.
    assert service.call("nbac_injury_report")[1]["data_summary"]["total_records"] == 0


def test_a_missing_option_is_500_and_an_unknown_name_400(start_service):
    service = start_service()
    assert service.call("br_season_roster", year="2026")[0] == 500
    assert service.rows[0]["error_message"] == "teamAbbr is missing"
    status, body = service.call("nbac_shedule_api")
    assert (status, body["available_scrapers"]) == (400, list(service.service.dialect.scrapers))
    assert len(service.rows) == 1


def test_small_faults_are_errors_of_the_service_that_a_retry_can_fix(start_service):
    service = start_service(rates=Rates(1, 0, 0))
    service.service.hang = 0
    answers = [service.call("nbac_play_by_play") for _ in range(20)]
    assert {status for status, _ in answers} == {0, 500}  # never 429
    bodies = [body for status, body in answers if status]
    assert {(body["error_type"], "run_id" in body) for body in bodies} == {("RuntimeError", False)}
    assert service.rows == []


def test_the_log_has_the_old_columns_and_the_scrapers_own_names(start_service):
    service = start_service()
    _, body = service.call("br_season_roster", teamAbbr="BOS", year="2026")
    service.call("nbac_player_boxscore", gamedate="20260114")
    roster, boxscore = service.rows
    assert set(roster) <= OLD_COLUMNS
    assert (roster["scraper_name"], roster["status"]) == ("basketball_ref_season_roster", "success")
    assert roster["execution_id"] == roster["run_id"] == body["run_id"]
    assert roster["gcs_path"].startswith("gs://nba-scraped-data/basketball-ref/season-rosters/")
    assert json.loads(roster["opts"])["teamAbbr"] == "BOS"
    assert json.loads(roster["data_summary"])["scraper_stats"] == body["data_summary"]
    assert (roster["game_date"], boxscore["game_date"]) == (None, "2026-01-14")


def test_a_late_row_is_written_when_the_clock_moves_on(start_service):
    service = start_service(rates=Rates(0, 0, 1))
    service.call("nbac_player_list", season="2025")
    assert service.rows == []
    service.service.move(NEXT_MORNING)
    assert len(service.rows) == 1
    service.call("nbac_player_list", season="2025")
    service.service.settle()
    assert len(service.rows) == 2


def test_rows_that_the_table_refuses_are_kept(start_service):
    service = start_service()
    service.broken = True
    assert service.call("nbac_player_list", season="2025")[0] == 200
    assert service.service.state()["log_rows_waiting"] == 1
    service.broken = False
    service.call("nbac_player_list", season="2026")
    assert [json.loads(row["opts"])["season"] for row in service.rows] == ["2025", "2026"]


def test_the_message_has_further_keys_and_names_the_file(start_service):
    service = start_service()
    service.call("br_season_roster", teamAbbr="BOS", year="2026")
    [body] = service.message()
    assert body["name"] == body["scraper_name"] == body["processor_name"] == "basketball_ref_season_roster"
    assert body["metadata"]["gcs_path"] == body["gcs_path"] == service.rows[0]["gcs_path"]
    assert (body["output_table"], body["phase"]) == ("br_rosters_current", "phase_1_scrapers")
    assert body["correlation_id"] == body["execution_id"] == service.rows[0]["run_id"]


def test_phase_2_keeps_object_names_except_in_one_table():
    real, path = DIALECTS["real"], "gs://nba-scraped-data/nba-com/schedule/x.json"
    row = {"game_date": "2026-01-14", "game_date_est": "2026-01-15T00:30:00+00:00"}
    assert real.processed("nbac_schedule_api", row, path) == {**row, "source_file_path": "nba-com/schedule/x.json"}
    assert real.processed("nbac_injury_report", row, path)["source_file_path"] == "unknown"
    assert DIALECTS["plain"].processed("nbac_schedule_api", row, path)["source_file_path"] == path


def test_a_games_status_is_one_of_four_words():
    world = World()
    world.clock.set(AFTERNOON.replace(hour=21))
    found = SCRAPERS["nbac_schedule_api"].find(world, {"season": "2025"}).rows
    assert {row["game_status_text"] for row in found} == {"Scheduled", "In Progress", "Final"}


def test_more_calls_than_threads_wait(start_service, monkeypatch):
    service = start_service()
    inside, most, gate = [], [], threading.Event()
    monkeypatch.setattr(
        service.service, "_scrape", lambda name, _: (inside.append(name), gate.wait(10)) and (200, {}, {})
    )
    callers = [
        threading.Thread(target=service.call, args=["nbac_player_list"], daemon=True) for _ in range(THREADS + 3)
    ]
    for caller in callers:
        caller.start()
    while len(inside) < THREADS:
        threading.Event().wait(0.01)
    assert not service.service.threads.acquire(blocking=False)
    most.append(len(inside))
    gate.set()
    for caller in callers:
        caller.join(10)
    assert most == [THREADS]
    assert len(inside) == THREADS + 3


def test_november_has_other_scrapers_and_shorter_answers(start_service):
    service = start_service("november")
    known = service.service.dialect
    assert service.call("nbac_team_boxscore")[0] == 400
    assert {*SCRAPERS} - {*known.scrapers} == {"nbac_team_boxscore"}
    assert known.topic == "nba-scraper-complete"
    status, standings = service.call("bdl_standings", season="2025")
    assert (status, standings["data_summary"]["teamCount"]) == (200, 30)
    assert "rowCount" not in service.call("bp_events")[1]["data_summary"]
    assert {(row["status"], row["gcs_path"]) for row in service.rows} == {("no_data", None)}
    assert service.rows[0]["scraper_name"] == "bdl_standings_scraper"
    service.world.clock.set(datetime(2026, 1, 14, 7, tzinfo=ET))
    empty = service.call("nbac_injury_report")[1]["data_summary"]
    assert (empty["records"], "total_records" in empty) == (0, False)
    assert "processor_name" not in service.message()[0]


def test_november_wrote_midnight_utc_as_the_tip():
    row = {"game_date": "2026-01-14", "game_date_est": "2026-01-15T00:30:00+00:00"}
    found = DIALECTS["november"].processed("nbac_schedule_api", row, "gs://nba-scraped-data/x")
    assert found["game_date_est"] == "2026-01-14T00:00:00+00:00"


def test_the_plain_dialect_keeps_the_simple_contract(start_service):
    service = start_service("plain")
    assert set(service.service.dialect.scrapers) == set(SCRAPERS)
    for name in SCRAPERS:
        status, body = service.call(name)
        assert (status, body["data_summary"]["rowCount"] > 0) == (200, True), name
        assert body["data_summary"]["gcs_path"].startswith("gs://nba-scraped-data/")
    service.world.troubles = Troubles(blocked=["nbac_team_boxscore"])
    assert service.call("nbac_team_boxscore")[0] == 403
    service.world.troubles = Troubles()
    service.world.clock.set(AFTERNOON)
    status, body = service.call("nbac_play_by_play")
    assert (status, body["data_summary"]) == (200, {"rowCount": 0})
    assert service.service.log is None


@pytest.mark.parametrize("dialect", DIALECTS)
def test_one_seed_gives_one_run_id(start_service, dialect):
    first, second = start_service(dialect), start_service(dialect)
    assert first.call("nbac_player_list")[1]["run_id"] == second.call("nbac_player_list")[1]["run_id"]


def test_the_list_of_scrapers_has_their_modules():
    listing = DIALECTS["real"].listing()
    assert {"name": "nbac_team_boxscore", "module": "scrapers.nbacom.nbac_team_boxscore"} in listing["scrapers"]
    assert listing["count"] == len(listing["scrapers"]) == 16
    assert {each["name"] for each in DIALECTS["november"].listing()["scrapers"]} >= {"bdl_standings", "bdl_box_scores"}


def test_our_configuration_names_existing_scrapers_and_tables():
    for name, scraper in ours().scrapers.items():
        assert name in DIALECTS["real"].scrapers
        table = SCRAPERS[name].table
        assert scraper.processed_in == (f"nba_raw.{table}" if table else None), name


def test_our_pools_have_no_more_slots_than_the_service_has_threads():
    assert sum(ours().settings.pools.values()) <= THREADS


def test_the_demo_uses_the_real_dialect_by_default():
    assert (chosen_dialect({}), chosen_dialect({"DEMO_DIALECT": "plain"})) == ("real", "plain")
    with pytest.raises(StackError, match=r"DEMO_DIALECT=klingon is unknown\. Choose one of real, november, plain"):
        chosen_dialect({"DEMO_DIALECT": "klingon"})
