"""The cleanup's operator against the real endpoints: it republishes lost files and never floods the topic."""

import contextlib
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace

import pytest
import requests
from airflow.sdk.exceptions import AirflowFailException
from google.api_core.exceptions import PermissionDenied, ServiceUnavailable
from google.cloud import pubsub_v1

from orchestration.alerts.memory import ALERTS
from orchestration.audit.facts import day_facts
from orchestration.audit.sending import Drained
from orchestration.audit.warehouse import RowsRejected, Warehouse, WarehouseError
from orchestration.health.verdict import assess
from orchestration.operators.cleanup import CleanupOperator, DrainOutboxOperator
from orchestration.records.ids import TaskKey, row_id
from orchestration.records.tables import CallRecord
from orchestration.services.google_cloud import republish
from orchestration.services.scraper_service import CallRequest, ScraperService
from orchestration.vocabulary.scrapers import answer_of
from orchestration.vocabulary.settings import Settings
from orchestration.words import Outcome
from support.airflow_state import StateStore
from support.rows import a_decision, lost_file
from support.standins import PATIENCE_SECONDS, PROJECT
from support.worlds import DAY, et, ours

MORNING = et("06:00")


class Cleanups:
    """Runs the cleanup's task hour by hour, with the state that Airflow keeps between runs."""

    def __init__(self, outbox) -> None:
        self.outbox, self.memory, self.red = outbox, StateStore(), []

    def run(self, at, **conf) -> None:
        self.run_task(CleanupOperator(task_id="republish"), at, **conf)
        self.outbox.drain()

    def run_task(self, operator, at, **conf) -> None:
        run_id = f"replay__{at.isoformat()}"
        context = {
            "ti": SimpleNamespace(
                dag_id="cleanup", run_id=run_id, task_id="republish", map_index=-1, try_number=1,
                xcom_push={}.__setitem__,
            ),
            "dag_run": SimpleNamespace(
                run_id=run_id, run_type="scheduled", conf={"as_of": at.isoformat(), **conf}, start_date=et("00:00"),
                run_after=at, logical_date=at, triggering_user_name=None,
            ),
            "params": {},
            "asset_state_store": {ALERTS: self.memory},
        }  # fmt: skip
        try:
            operator.execute(context)
        except AirflowFailException as alert:
            self.red.append(str(alert))

    def rows(self, warehouse):
        return warehouse.query(
            "SELECT * FROM nba_orchestration.v_cleanup_operations WHERE DATE(cleanup_time) > DATE '2026-01-01' "
            "ORDER BY cleanup_time"
        )


@pytest.fixture
def cleanups(google, outbox, monkeypatch):
    # The run's time comes from the test, not from the wall clock.
    monkeypatch.setattr("orchestration.runs.clock.RunClock.now", lambda self: self.tick)
    return Cleanups(outbox)


@pytest.fixture
def subscriber(google):
    """A real subscriber that counts the messages of each file."""
    client, publisher = pubsub_v1.SubscriberClient(), pubsub_v1.PublisherClient()
    name = client.subscription_path(PROJECT, "a-counting-subscriber")
    client.create_subscription(request={"name": name, "topic": publisher.topic_path(PROJECT, Settings().topic)})

    def received() -> Counter:
        counted: Counter = Counter()
        while messages := client.pull(request={"subscription": name, "max_messages": 500}).received_messages:
            counted.update(m.message.attributes["execution_id"] for m in messages if m.message.attributes["recovery"])
            client.acknowledge(request={"subscription": name, "ack_ids": [m.ack_id for m in messages]})
        return counted

    received()
    return received


def call(scraper, parameters, tag):
    return ScraperService().call(CallRequest(scraper, parameters, tag, 10, answer_of(scraper)))


def fetch(outbox, google, count, at=MORNING, tag="w"):
    """Make ``count`` real calls and log them. Return their results, with the paths that the answers do not name."""
    google.set_clock(at)
    results = []
    for number in range(count):
        result = call("br_season_roster", {"teamAbbr": f"{tag}{number}"}, tag)
        assert (result.outcome, result.gcs_path) == (Outcome.SUCCESS, None)
        key = TaskKey(tag, f"run {at}", "br_season_roster", number)
        columns = key.columns()
        outbox.stage([
            CallRecord(
                row_id=row_id("call", key), execution_id=result.run_id, run_id=result.run_id,
                scraper_name="br_season_roster", workflow=tag, game_date=DAY, status=result.outcome, triggered_at=at,
                completed_at=at, source="CONTROLLER", gcs_path=result.gcs_path, slot_time=at, target_date=DAY,
                record_count=result.record_count, created_at=at, opts={"teamAbbr": f"{tag}{number}"},
                dag_run_id=columns.pop("run_id"), **columns,
            )
        ])  # fmt: skip
        results.append(result)
    outbox.drain()
    google.settle()
    files = google.files()
    return [replace(result, gcs_path=files[result.run_id]) for result in results]


def named(result):
    """Return the name that Phase 2 writes for a file."""
    return result.gcs_path.removeprefix("gs://nba-scraped-data/")


def lose(warehouse, results):
    """Delete the rows of these files, as if their messages had been lost."""
    paths = ", ".join(f"'{named(result)}'" for result in results)
    warehouse.query(f"DELETE FROM nba_raw.br_rosters_current WHERE source_file_path IN ({paths})")


def processed(warehouse, results):
    rows = warehouse.query("SELECT DISTINCT source_file_path AS path FROM nba_raw.br_rosters_current")
    return len({row["path"] for row in rows} & {named(result) for result in results})


@pytest.mark.lesson("C1")
@pytest.mark.lesson("C2")
@pytest.mark.parametrize("calls", [100, pytest.param(500, marks=pytest.mark.drill)])
def test_all_lost_messages_are_republished_and_no_other(google, warehouse, outbox, cleanups, subscriber, calls):
    results = fetch(outbox, google, calls, tag="ten")
    lost = results[::10]
    lose(warehouse, lost)
    subscriber()
    for hour in range(1, 5):
        cleanups.run(MORNING + timedelta(hours=hour, minutes=20))
        google.settle()
    assert processed(warehouse, results) == calls
    assert subscriber() == Counter({result.run_id: 1 for result in lost})
    first, *later = cleanups.rows(warehouse)
    counted = (first["files_checked"], first["missing_files_found"], first["republished_count"])
    assert counted == (calls, calls // 10, calls // 10)
    assert "logged phase2_silent phase2" in cleanups.memory
    assert all(row["missing_files_found"] == row["republished_count"] == 0 for row in later)


@pytest.mark.lesson("C2")
@pytest.mark.lesson("C8")
def test_a_storm_of_lost_messages_is_one_alert_and_few_messages(google, warehouse, outbox, cleanups, subscriber):
    results = fetch(outbox, google, 150, tag="all")
    lose(warehouse, results)
    subscriber()
    for hour in range(1, 5):
        cleanups.run(MORNING + timedelta(hours=hour, minutes=20))
    assert subscriber() == Counter()
    assert len(cleanups.red) == 1
    assert "150 of 150 files are missing at once" in cleanups.red[0]
    assert all("missing at once" in row["errors"][0] for row in cleanups.rows(warehouse))


@pytest.mark.lesson("C2")
def test_a_file_that_never_arrives_is_republished_with_growing_pauses_then_stuck(
    google, warehouse, outbox, cleanups, subscriber
):
    [result] = fetch(outbox, google, 1, tag="stuck")
    subscriber()
    for half_hour in range(1, 8):
        lose(warehouse, [result])
        cleanups.run(MORNING + timedelta(minutes=30 * half_hour + 5))
        google.settle()
    assert subscriber() == Counter({result.run_id: ours().settings.cleanup_processor.max_republish})
    assert "although its message was sent 3 times more" in cleanups.red[-1]


def states(row):
    return sorted(file["state"] for file in row["followed_files"])


@pytest.mark.lesson("F2")
def test_a_file_that_left_the_look_back_is_followed_until_it_is_closed_by_name(
    google, warehouse, outbox, cleanups, subscriber
):
    results = fetch(outbox, google, 4, tag="left")
    for hour in range(1, 9):
        lose(warehouse, results)
        cleanups.run(MORNING + timedelta(hours=hour, minutes=20))
        google.settle()
    lose(warehouse, results)
    [*earlier, last] = cleanups.rows(warehouse)
    assert [(row["missing_files_found"], states(row)) for row in earlier[4:]] == [
        (4, []), (0, ["open"] * 4), (0, ["open"] * 4),
    ]  # fmt: skip
    assert (last["files_checked"], states(last)) == (0, ["open"] * 4)
    facts = day_facts(warehouse, ours(), DAY, MORNING + timedelta(hours=9))
    assert [file.gcs_path for file in facts.open_files(et("23:00"))] == sorted(r.gcs_path for r in results)
    assert "4 files of br_season_roster never arrived" in assess(ours(), facts, MORNING + timedelta(hours=9)).headline
    next_day = day_facts(warehouse, ours(), DAY + timedelta(days=1), et("+1 05:10"))
    assert len(next_day.open_files(et("+1 05:10"))) == 4
    # One arrives late, one is fetched again, one is given up, and one stays open.
    arrived, again, given_up, still = results
    warehouse.query(
        f"INSERT INTO nba_raw.br_rosters_current (source_file_path, processed_at) "
        f"VALUES ('{named(arrived)}', TIMESTAMP '2026-01-14 20:00:00')"
    )
    at = MORNING + timedelta(hours=9)
    google.set_clock(at)
    fetch(outbox, google, 2, at=at, tag="left")
    repeated = warehouse.query(
        "SELECT gcs_path FROM {audit}.v_scraper_runs WHERE DATE(triggered_at) > '2026-01-01' AND triggered_at = @at",
        {"at": at},
    )
    assert len(repeated) == 2
    cleanups.run(at + timedelta(hours=1), give_up=[given_up.gcs_path])
    row = cleanups.rows(warehouse)[-1]
    assert {file["gcs_path"]: file["state"] for file in row["followed_files"]} == {
        arrived.gcs_path: "arrived", again.gcs_path: "settled", given_up.gcs_path: "given_up", still.gcs_path: "open",
    }  # fmt: skip
    cleanups.run(at + timedelta(hours=2), give_up=["no such file"])
    assert states(cleanups.rows(warehouse)[-1]) == ["open"]
    assert "No open file has this path or scraper: no such file" in cleanups.red[-1]


@pytest.mark.lesson("F2")
def test_files_that_left_the_look_back_while_no_cleanup_ran_are_followed(google, warehouse, outbox, cleanups):
    cleanups.run(MORNING - timedelta(minutes=40))
    results = fetch(outbox, google, 2, tag="gap")
    lose(warehouse, results[:1])
    cleanups.run(MORNING + timedelta(hours=15))
    row = cleanups.rows(warehouse)[-1]
    assert [file["gcs_path"] for file in row["followed_files"]] == [results[0].gcs_path]
    assert states(row) == ["open"]


def test_a_vanished_file_is_reported_and_not_republished(google, warehouse, outbox, cleanups, subscriber):
    gone, there = fetch(outbox, google, 2, tag="gone")
    lose(warehouse, [gone, there])
    (google.folder / "gcs" / gone.gcs_path.removeprefix("gs://")).unlink()
    subscriber()
    cleanups.run(MORNING + timedelta(hours=1))
    assert subscriber() == Counter({there.run_id: 1})
    assert f"no longer exists. reconcile fetches its data again: {gone.gcs_path}" in cleanups.red[0]
    assert any(key.startswith("logged vanished") for key in cleanups.memory)


def test_nothing_is_republished_during_an_outage_of_cloud_storage(
    google, warehouse, outbox, cleanups, subscriber, monkeypatch
):
    monkeypatch.setattr("orchestration.services.google_cloud.LOOKUP_SECONDS", 1)
    lose(warehouse, fetch(outbox, google, 2, tag="silent"))
    subscriber()
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", "http://127.0.0.1:9")
    cleanups.run(MORNING + timedelta(hours=1))
    assert subscriber() == Counter()
    assert "Cloud Storage does not say which files exist" in cleanups.red[0]
    assert "files_unknown cleanup" in cleanups.memory["open cleanup"]


def test_rejected_rows_are_alerted_once_by_the_next_drain(outbox, cleanups):
    [name] = outbox.stage([a_decision()])
    file = next(path for path in outbox.staged() if path.name == name)
    outbox.refuse("workflow_decisions", file, "no such field: rules", Drained())
    cleanups.run_task(DrainOutboxOperator(task_id="drain"), MORNING)
    [said] = cleanups.red
    assert "rows_refused outbox" in cleanups.memory["open outbox"]
    assert "BigQuery refused 1 row." in said
    assert "no such field: rules" in said
    cleanups.run_task(DrainOutboxOperator(task_id="drain"), MORNING + timedelta(hours=1))
    assert cleanups.red == [said]


def test_rows_stay_staged_until_streaming_knows_a_column_that_the_table_has(outbox, cleanups, warehouse, monkeypatch):
    append, refused = Warehouse.append, "[{'reason': 'invalid', 'message': 'no such field: rule.'}]"

    def too_early(self, table, rows):
        raise RowsRejected(table, dict.fromkeys(range(len(rows)), refused))

    outbox.stage([a_decision()])
    monkeypatch.setattr(Warehouse, "append", too_early)
    cleanups.run_task(DrainOutboxOperator(task_id="drain"), MORNING)
    assert "no such field: rule" in cleanups.red[0]
    assert (len(outbox.staged()), outbox.refused()) == (1, [])
    refused = "[{'reason': 'invalid', 'message': 'no such field: not_ours.'}]"
    with contextlib.suppress(WarehouseError):
        outbox.drain()
    assert (len(outbox.staged()), len(outbox.refused())) == (0, 1), "a column that the table lacks is a bad row"
    outbox.stage([a_decision(decision_id="another")])
    monkeypatch.setattr(Warehouse, "append", append)
    outbox.drain()
    assert outbox.staged() == []


def test_an_unreadable_staged_file_is_alerted_and_blocks_no_other_file(outbox, cleanups, warehouse):
    outbox.stage([a_decision()])
    (outbox.root / "workflow_decisions" / "0-unreadable.json").mkdir()
    cleanups.run_task(DrainOutboxOperator(task_id="drain"), MORNING)
    assert "0-unreadable.json cannot be read" in cleanups.red[0]
    [row] = warehouse.query(
        "SELECT COUNT(*) AS n FROM {audit}.v_workflow_decisions WHERE DATE(decision_time) > '2025-01-01'"
    )
    assert row["n"] == 1


@contextlib.contextmanager
def record_refused(monkeypatch, error):
    """Let BigQuery refuse the row of a cleanup with ``error(table, rows)``."""
    append = Warehouse.append

    def refuse(self, table, rows):
        if table == "cleanup_operations":
            raise error(table, rows)
        append(self, table, rows)

    with monkeypatch.context() as broken:
        broken.setattr(Warehouse, "append", refuse)
        yield


@pytest.mark.lesson("C2")
def test_no_message_is_sent_without_a_record(google, warehouse, outbox, cleanups, subscriber, monkeypatch):
    lose(warehouse, fetch(outbox, google, 2, tag="unrecorded"))
    subscriber()
    with record_refused(monkeypatch, lambda *_: WarehouseError("down")), pytest.raises(WarehouseError):
        cleanups.run(MORNING + timedelta(hours=1))
    assert subscriber() == Counter()
    assert "BigQuery could not record it first" in cleanups.red[0]


@pytest.mark.lesson("C2")
def test_no_message_is_sent_if_bigquery_rejects_the_record(
    google, warehouse, outbox, cleanups, subscriber, monkeypatch
):
    """BigQuery rejects a row if the table lacks a column of this release."""
    lose(warehouse, fetch(outbox, google, 2, tag="refused"))
    subscriber()

    def rejected(table, rows):
        return RowsRejected(table, dict.fromkeys(range(len(rows)), "no such field: seen."))

    with record_refused(monkeypatch, rejected), pytest.raises(WarehouseError):
        cleanups.run(MORNING + timedelta(hours=1))
    assert subscriber() == Counter()
    assert "BigQuery could not record it first: " in cleanups.red[0]
    assert "no such field: seen" in cleanups.red[0]


def test_an_alert_is_sent_even_if_its_row_cannot_be_appended(
    google, warehouse, outbox, cleanups, subscriber, monkeypatch
):
    from orchestration.audit.outbox import Outbox

    lose(warehouse, fetch(outbox, google, 2, tag="full"))
    subscriber()
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", "http://127.0.0.1:9")
    monkeypatch.setattr("orchestration.services.google_cloud.LOOKUP_SECONDS", 1)
    append = Outbox.append

    def full(self, table, names):
        if table == "cleanup_operations":
            raise OSError("no space left on device")
        return append(self, table, names)

    with monkeypatch.context() as broken:
        broken.setattr(Outbox, "append", full)
        with contextlib.suppress(OSError):
            cleanups.run(MORNING + timedelta(hours=1))
    assert "Cloud Storage does not say which files exist" in cleanups.red[0]


@pytest.mark.lesson("C2")
def test_a_cleanup_killed_after_sending_does_not_resend_during_the_pause(
    google, warehouse, outbox, cleanups, subscriber, monkeypatch
):
    [result] = fetch(outbox, google, 1, tag="killed")
    lose(warehouse, [result])
    subscriber()

    def killed(topic, files, moment):
        republish(topic, files, moment)
        raise KeyboardInterrupt

    with monkeypatch.context() as dying:
        dying.setattr("orchestration.operators.cleanup.republish", killed)
        with pytest.raises(KeyboardInterrupt):
            cleanups.run(MORNING + timedelta(hours=1))
    for minutes in (61, 80, 91):
        google.settle()
        lose(warehouse, [result])
        cleanups.run(MORNING + timedelta(minutes=minutes))
    assert subscriber() == Counter({result.run_id: 2})


@pytest.mark.lesson("C2")
def test_an_unreadable_table_does_not_stop_the_repair_of_others(
    google, warehouse, outbox, cleanups, subscriber, monkeypatch
):
    """The query for all tables fails, so each table is queried alone."""
    good = fetch(outbox, google, 1, tag="group")
    google.set_clock(MORNING)
    bad = call("nbac_player_list", {}, "group")
    key = TaskKey("group", "run", "nbac_player_list", 0)
    columns = key.columns()
    outbox.stage([
        CallRecord(
            row_id=row_id("call", key), execution_id=bad.run_id, run_id=bad.run_id, scraper_name="nbac_player_list",
            workflow="group", game_date=DAY, status="success", triggered_at=MORNING, completed_at=MORNING,
            source="CONTROLLER", gcs_path=bad.gcs_path, slot_time=MORNING, target_date=DAY, created_at=MORNING,
            dag_run_id=columns.pop("run_id"), **columns,
        )
    ])  # fmt: skip
    outbox.drain()
    google.settle()
    google.files()
    lose(warehouse, good)
    subscriber()
    query = Warehouse.query

    def unreadable(self, sql, parameters=None):
        if "FROM nba_raw.nbac_player_list_current" in sql:
            raise WarehouseError("permission denied")
        return query(self, sql, parameters)

    monkeypatch.setattr(Warehouse, "query", unreadable)
    cleanups.run(MORNING + timedelta(hours=1))
    assert subscriber() == Counter({good[0].run_id: 1})
    assert (
        "The cleanup cannot look for lost files of nba_raw.nbac_player_list_current: permission denied"
        in cleanups.red[0]
    )


@pytest.mark.lesson("C8")
def test_a_stuck_outbox_is_alerted_once_a_day_and_once_when_it_recovers(
    google, warehouse, outbox, cleanups, monkeypatch, capfd
):
    def down(self, table, rows):
        raise WarehouseError("down")

    outbox.stage([a_decision()])
    with monkeypatch.context() as outage:
        outage.setattr(Warehouse, "append", down)
        for hour in range(1, 5):
            cleanups.run_task(DrainOutboxOperator(task_id="drain"), MORNING + timedelta(hours=hour))
    assert len(cleanups.red) == 1
    assert "BigQuery does not take all rows of the outbox: down (0 rows" in cleanups.red[0]
    cleanups.run_task(DrainOutboxOperator(task_id="drain"), MORNING + timedelta(hours=5))
    assert len(cleanups.red) == 1
    assert outbox.staged() == []
    assert "Over: BigQuery does not take all rows of the outbox: down (0 rows" in capfd.readouterr().out


class Broken:
    """A Pub/Sub client that accepts some messages and then fails. The sandbox's endpoint accepts all messages."""

    def __init__(self, error, after):
        self.error, self.left = error, after

    def publish(self, *_, **__):
        self.left -= 1
        if self.left < 0:
            raise self.error
        return SimpleNamespace(result=lambda timeout: "id")


@pytest.mark.parametrize("error", [ServiceUnavailable("down"), PermissionDenied("not you")])
def test_a_partial_publish_reports_the_messages_that_were_sent(google, monkeypatch, error):
    from airflow.providers.google.cloud.hooks.pubsub import PubSubHook

    monkeypatch.setattr(PubSubHook, "get_conn", lambda self: Broken(error, after=2))
    sent = republish(Settings().topic, [lost_file(n) for n in range(5)], MORNING)
    assert [why is None for why in sent.values()] == [True, True, False, False, False]
    assert list(sent.values())[3] == list(sent.values())[2]


def test_publishing_to_an_unreachable_pubsub_gives_up_in_time(google, monkeypatch):
    monkeypatch.setattr("orchestration.services.google_cloud.PUBLISH_SECONDS", 1)
    monkeypatch.setenv("PUBSUB_EMULATOR_HOST", "127.0.0.1:9")
    sent = republish(Settings().topic, [lost_file(1), lost_file(2)], MORNING)
    assert None not in sent.values()
    assert sent[lost_file(2).gcs_path] == sent[lost_file(1).gcs_path]


def test_the_storage_api_of_the_sandbox_knows_its_files(google):
    url = f"http://127.0.0.1:{google.scrapers}/storage/v1/b/no-bucket/o/no%2Fobject"
    assert requests.get(url, timeout=PATIENCE_SECONDS).status_code == 404
