"""From a call to a processed file, with and without its message: real HTTP, Pub/Sub and BigQuery."""

from datetime import timedelta

import pytest
from google.cloud import pubsub_v1

from orchestration.cleanup.backlog import backlog
from orchestration.cleanup.reading import republished_before
from orchestration.records.ids import TaskKey, row_id
from orchestration.records.tables import CallRecord, CleanupRecord, MissingFile
from orchestration.services.google_cloud import republish
from orchestration.services.scraper_service import CallRequest, ScraperService
from orchestration.vocabulary.scrapers import answer_of
from orchestration.vocabulary.settings import Settings
from orchestration.words import Outcome
from support.cleanup import files_to_check
from support.rows import lost_file
from support.standins import PROJECT
from support.worlds import DAY, et, ours

MORNING = et("06:00")
SETTINGS = ours().settings.cleanup_processor


def call(google, scraper, parameters, at=MORNING):
    google.set_clock(at)
    return ScraperService().call(CallRequest(scraper, parameters, "test", 10, answer_of(scraper)))


def log_row(result, scraper, at=MORNING, number=1):
    key = TaskKey("test", "run", scraper, number)
    columns = key.columns()
    return CallRecord(
        row_id=row_id("call", key), execution_id=result.run_id, run_id=result.run_id, scraper_name=scraper,
        workflow="test", game_date=DAY, status=result.outcome, triggered_at=at, completed_at=at, source="CONTROLLER",
        gcs_path=result.gcs_path, slot_time=at, target_date=DAY, record_count=result.record_count, created_at=at,
        dag_run_id=columns.pop("run_id"), **columns,
    )  # fmt: skip


def test_the_morning_call_for_the_schedule_reaches_the_warehouse(google, warehouse):
    result = call(google, "nbac_schedule_api", {"season": "2025"})
    assert result.outcome is Outcome.SUCCESS
    assert google.files()[result.run_id].startswith("gs://nba-scraped-data/nba-com/schedule/2026-01-14/")
    google.settle()
    sql = "SELECT COUNT(*) AS games FROM nba_raw.nbac_schedule WHERE game_date = DATE '2026-01-14'"
    assert warehouse.query(sql)[0]["games"] == 12


def test_a_call_before_publication_is_no_data_and_leaves_no_file(google):
    result = call(google, "nbac_injury_report", {"gamedate": "2026-01-14", "hour": "6", "period": "AM"})
    assert (result.outcome, result.gcs_path) == (Outcome.NO_DATA, None)
    assert call(google, "nbac_injury_report", {"gamedate": "2026-01-14"}, et("15:00")).outcome is Outcome.SUCCESS


def test_an_unknown_scraper_and_an_unreachable_service_are_failures(google, monkeypatch):
    assert call(google, "nbac_shedule", {}).error_type == "unknown_scraper"
    monkeypatch.setenv("AIRFLOW_CONN_SCRAPER_SERVICE", '{"conn_type": "http", "host": "127.0.0.1", "port": 9}')
    result = ScraperService().call(CallRequest("nbac_schedule_api", {}, "test", 2))
    assert (result.outcome, result.error_type, result.retryable) == (Outcome.FAILED, "connection", True)


@pytest.mark.lesson("C1")
@pytest.mark.lesson("C5")
def test_a_lost_message_is_found_republished_and_processed(google, warehouse, outbox):
    result = call(google, "nbac_player_list", {})
    google.settle()
    warehouse.query("TRUNCATE TABLE nba_raw.nbac_player_list_current")  # as if the message were lost
    outbox.stage([log_row(result, "nbac_player_list")])
    outbox.drain()
    path = google.files()[result.run_id]
    too_young = files_to_check(warehouse, ours(), MORNING + timedelta(minutes=20))
    assert too_young.files == ()

    subscriber, publisher = pubsub_v1.SubscriberClient(), pubsub_v1.PublisherClient()
    ours_too = subscriber.subscription_path(PROJECT, "a-real-subscriber")
    subscriber.create_subscription(request={"name": ours_too, "topic": publisher.topic_path(PROJECT, Settings().topic)})
    now = MORNING + timedelta(minutes=80)
    found = files_to_check(warehouse, ours(), now)
    lost = backlog(found.files, found.processed, republished_before(warehouse, ours(), now), now, SETTINGS)
    assert [file.gcs_path for file in lost.publish] == [path]
    assert republish(Settings().topic, lost.publish, now) == {path: None}

    [received] = subscriber.pull(request={"subscription": ours_too, "max_messages": 10}).received_messages
    assert b'"recovery": true' in received.message.data
    assert received.message.attributes["scraper_name"] == "nbac_player_list"
    subscriber.acknowledge(request={"subscription": ours_too, "ack_ids": [received.ack_id]})
    google.settle()
    healed = files_to_check(warehouse, ours(), now + timedelta(hours=1))
    assert backlog(healed.files, healed.processed, {}, now, SETTINGS).missing == ()


@pytest.mark.lesson("C2")
def test_the_number_of_republishes_survives_a_restart(warehouse, outbox):
    key = TaskKey("cleanup", "run", "republish")
    lost = MissingFile(scraper_name="s", gcs_path="gs://b/f", triggered_at=MORNING, age_minutes=40, republished=True)
    for number in range(2):
        outbox.stage([
            CleanupRecord(
                cleanup_id=f"c{number}", cleanup_time=MORNING + timedelta(hours=number), files_checked=1,
                missing_files_found=1, republished_count=1, missing_files=[lost], created_at=MORNING, **key.columns(),
            )
        ])  # fmt: skip
    outbox.drain()
    before = republished_before(warehouse, ours(), MORNING + timedelta(hours=2))
    assert before["gs://b/f"].times == 2
    assert before["gs://b/f"].last == MORNING + timedelta(hours=1)


@pytest.mark.lesson("C2")
def test_files_of_an_unreadable_table_are_left_out_of_the_check(google, warehouse, outbox):
    outbox.stage([log_row(call(google, "nbac_player_list", {}), "nbac_player_list")])
    outbox.drain()
    google.files()
    warehouse.query("ALTER TABLE nba_raw.nbac_player_list_current RENAME TO nbac_player_list_away")
    try:
        found = files_to_check(warehouse, ours(), MORNING + timedelta(minutes=80))
    finally:
        warehouse.query("ALTER TABLE nba_raw.nbac_player_list_away RENAME TO nbac_player_list_current")
    assert found.files == ()
    said = "The cleanup cannot look for lost files of nba_raw.nbac_player_list_current: "
    assert found.alerts[0].text.startswith(said)


def test_publishing_to_a_deleted_topic_names_the_unsent_files(google, warehouse):
    [(path, why)] = republish("no-such-topic", [lost_file()], MORNING).items()
    assert path == lost_file().gcs_path
    assert "no-such-topic" in why
