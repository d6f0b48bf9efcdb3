"""The sandbox world in the real dialect: its own log in BigQuery, and Phase 2's tables."""

import json

import pytest
import requests
from google.cloud import pubsub_v1

from orchestration.services.scraper_service import CallRequest, ScraperService
from sandbox.dialect import DIALECTS
from sandbox.phase2 import client
from support.standins import PATIENCE_SECONDS, PROJECT, GoogleStandIns
from support.worlds import et

LOG = "nba_source.scraper_execution_log"
SOME_DAYS = "game_date BETWEEN '2026-01-01' AND '2026-02-01'"


@pytest.fixture(scope="module")
def real():
    with GoogleStandIns(dialect="real", late=1, log_table=LOG) as running:
        yield running


@pytest.fixture
def rows(real):
    bq = client(PROJECT)
    return lambda sql: [dict(row) for row in bq.query(sql).result(timeout=PATIENCE_SECONDS)]


def scrape(google, at, name, **parameters):
    google.set_clock(et(at))
    body = {"scraper": name, "workflow": "w", "source": "CONTROLLER", **parameters}
    return requests.post(f"http://127.0.0.1:{google.scrapers}/scrape", json=body, timeout=PATIENCE_SECONDS).json()


def publish(body):
    publisher = pubsub_v1.PublisherClient()
    topic = publisher.topic_path(PROJECT, DIALECTS["real"].topic)
    publisher.publish(topic, json.dumps(body).encode()).result(timeout=PATIENCE_SECONDS)


def test_a_late_row_reaches_the_log_after_the_clock_moves_on(real, rows):
    answer = scrape(real, "06:00", "br_season_roster", teamAbbr="BOS", year="2026")
    sql = f"SELECT *, JSON_VALUE(opts, '$.teamAbbr') AS team FROM {LOG} WHERE run_id = '{answer['run_id']}'"
    assert rows(sql) == []
    real.set_clock(et("06:50"))
    [row] = rows(sql)
    assert (row["scraper_name"], row["status"], row["team"]) == ("basketball_ref_season_roster", "success", "BOS")
    assert row["gcs_path"].startswith("gs://nba-scraped-data/basketball-ref/")
    real.settle()
    [processed] = rows("SELECT source_file_path FROM nba_raw.br_rosters_current")
    assert f"gs://nba-scraped-data/{processed['source_file_path']}" == row["gcs_path"]


def test_the_schedule_is_overwritten_but_the_old_row_of_a_moved_game_stays(real, rows):
    scrape(real, "06:00", "nbac_schedule_api", season="2025")
    real.settle()
    first = rows(f"SELECT game_id, source_file_path FROM nba_raw.nbac_schedule WHERE {SOME_DAYS}")
    game = first[0]["game_id"]
    rows(
        "INSERT INTO nba_raw.nbac_schedule (game_id, game_date, source_file_path, processed_at) "
        f"VALUES ('{game}', DATE '2026-01-30', 'old', TIMESTAMP '2026-01-14 10:00:00')"
    )
    scrape(real, "12:00", "nbac_schedule_api", season="2025")
    real.settle()
    second = rows(f"SELECT game_id, game_date, source_file_path FROM nba_raw.nbac_schedule WHERE {SOME_DAYS}")
    assert len(second) == len(first) + 1
    assert {row["game_id"] for row in second if row["source_file_path"] == "old"} == {game}
    paths = {row["source_file_path"] for row in second} - {"old"}
    assert len(paths) == 1
    assert not paths & {row["source_file_path"] for row in first}
    # The same file again adds no row, but overwrites newer ones. So an old file must never be sent again.
    again = {"name": "nbac_schedule_api", "status": "success", "recovery": True}
    publish({**again, "gcs_path": f"gs://nba-scraped-data/{first[0]['source_file_path']}"})
    real.settle()
    third = rows(f"SELECT source_file_path FROM nba_raw.nbac_schedule WHERE {SOME_DAYS}")
    assert len(third) == len(second)
    assert {row["source_file_path"] for row in third} == {"old", first[0]["source_file_path"]}


def test_a_message_without_its_file_stops_no_other_message(real, rows):
    before = real.settle()
    missing = {"name": "nbac_player_list", "status": "success", "gcs_path": "gs://nba-scraped-data/no/such.json"}
    publish(missing)
    scrape(real, "07:00", "nbac_player_list")
    after = real.settle()
    assert (after["unreadable"], after["processed"]) == (before["unreadable"] + 1, before["processed"] + 1)


def test_a_table_without_paths_says_unknown_and_events_have_no_table(real, rows):
    before = real.settle()["processed"]
    scrape(real, "16:00", "nbac_injury_report", gamedate="2026-01-14", hour="4", period="PM")
    scrape(real, "16:00", "oddsa_events", sport="basketball_nba", game_date="2026-01-14")
    assert real.settle()["processed"] == before + 1
    found = rows(f"SELECT source_file_path FROM nba_raw.nbac_injury_report WHERE {SOME_DAYS}")
    assert [row["source_file_path"] for row in found] == ["unknown"]


def test_our_client_calls_the_sandbox_in_the_real_dialect(real):
    real.set_clock(et("07:30"))
    result = ScraperService().call(
        CallRequest("oddsa_events", {"sport": "basketball_nba", "game_date": "2026-01-14"}, "w", 10)
    )
    assert (result.outcome, result.record_count, len(result.event_ids)) == ("success", 12, 12)
    assert (len(result.run_id), result.gcs_path) == (8, None)


def test_phase_2_survives_an_outage_of_the_warehouse_without_losing_messages(real, rows):
    real.stop_bigquery()
    answer = scrape(real, "13:00", "br_season_roster", teamAbbr="LAL", year="2026")
    real.wait(lambda: b"Phase 2 failed on a message" in (real.folder / "sandbox.log").read_bytes(), "Phase 2 to try")
    real.start_bigquery()
    real.settle()
    real.set_clock(et("13:50"))
    [row] = rows(f"SELECT gcs_path FROM {LOG} WHERE run_id = '{answer['run_id']}'")
    arrived = rows("SELECT source_file_path FROM nba_raw.br_rosters_current")
    assert [r for r in arrived if row["gcs_path"].endswith(r["source_file_path"])]
