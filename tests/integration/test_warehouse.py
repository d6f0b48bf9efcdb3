"""The warehouse with the real hook and the BigQuery emulator."""

import json
import logging
import os
import re
import subprocess
import sys
from datetime import date, timedelta
from types import SimpleNamespace

import pytest

from orchestration.alerts import deadlines
from orchestration.audit.callbacks import append_staged
from orchestration.audit.facts import day_facts
from orchestration.audit.inputs import decision_inputs
from orchestration.audit.outbox import BATCH, Outbox
from orchestration.audit.setup import OtherColumns, init
from orchestration.audit.statements import SQL_FOLDER, Partition, statement, with_identifiers
from orchestration.audit.warehouse import Warehouse, WarehouseError
from orchestration.cli import main
from orchestration.nba.games import GameType
from orchestration.nba.slate import changes
from orchestration.records.ids import TaskKey, row_id
from orchestration.records.tables import ExpectedRun, SlateGame
from orchestration.words import ExecutionStatus
from support.rows import NOW, a_decision, add_schedule, execution, expected
from support.worlds import DAY, ROOT, changed, et, ours

SPAN = {"first_date": DAY - timedelta(days=1), "last_date": DAY + timedelta(days=1)}


def decisions_seen(warehouse):
    rows = warehouse.query(statement("row_counts"), SPAN)
    return {row["name"]: row["rows_seen"] for row in rows}["workflow_decisions"]


def test_init_names_the_created_tables_and_can_run_again(google):
    warehouse = Warehouse()
    warehouse.query("DROP VIEW nba_orchestration.v_cleanup_operations")
    warehouse.query("DROP TABLE nba_orchestration.cleanup_operations")
    assert "table nba_orchestration.cleanup_operations: created" in init(warehouse)
    assert "table nba_orchestration.cleanup_operations: there already" in init(warehouse)


def test_init_refuses_a_table_with_other_columns_and_changes_nothing(google):
    warehouse = Warehouse()
    warehouse.query("DROP TABLE nba_orchestration.cleanup_operations")
    warehouse.query(
        "CREATE TABLE nba_orchestration.cleanup_operations (cleanup_id STRING NOT NULL, cleanup_time STRING)"
    )
    try:
        with pytest.raises(OtherColumns) as caught:
            init(warehouse)
        assert "column cleanup_time is STRING, not TIMESTAMP" in str(caught.value)
        assert "column files_checked INT64 is missing" in str(caught.value)
    finally:
        warehouse.query("DROP TABLE nba_orchestration.cleanup_operations")
        init(warehouse)


@pytest.mark.lesson("E5")
@pytest.mark.parametrize("path", sorted((SQL_FOLDER / "queries").glob("*.sql")), ids=lambda p: p.stem)
def test_every_statement_runs(path, warehouse):
    names = {
        "table": "nba_raw.nbac_team_boxscore",
        "time_column": "processed_at",
        "newest_column": "NULL",
        "game_column": "game_id",
        "dataset": "nba_orchestration",
    }
    values = {
        "schedule_from": DAY, "schedule_to": DAY, "history_from_date": DAY, "tick_date": DAY,
        "history_from": NOW, "tick": NOW, "workflows": ["w"], "scrapers": ["s"], "oldest": NOW, "youngest": NOW,
        "oldest_date": DAY, "paths": ["gs://b/f"], "day": DAY, "start": NOW, "until": NOW, "seen_until": NOW,
        "start_date": DAY, "seen_at": NOW, "workflow": "w", "run_id": "r", "untold": "x", "next_day": DAY,
        "dag_id": "d", "task_id": "t", "map_index": 0, "call_index": -1, "others_workflows": ["w"], "before": NOW,
        "lock": NOW, "answers_from_date": DAY, "learned_from": DAY,
        "record_from": DAY, "record_to": DAY, "seen_date": DAY, "run_ids": ["r"], "games": ["0022500001"],
        "until_date": DAY, **SPAN,
    }  # fmt: skip
    text = with_identifiers(path.stem, Partition("date", "game_date"), **names)
    warehouse.query(text, {name: value for name, value in values.items() if f"@{name}" in text})


@pytest.mark.lesson("E3")
def test_a_row_appended_twice_is_read_once(outbox, warehouse):
    row = a_decision()
    for _ in range(2):
        assert outbox.append(row.TABLE, outbox.stage([row])).appended == 1
    assert outbox.staged() == []
    assert decisions_seen(warehouse) == 1


def test_rows_staged_before_a_crash_are_drained_once(outbox, warehouse):
    outbox.stage([a_decision(), a_decision(decision_id="another")])
    assert outbox.drain().appended == 2
    assert outbox.drain().appended == 0
    assert decisions_seen(warehouse) == 2


def test_a_file_that_is_not_a_row_is_set_aside_and_blocks_no_other(outbox, warehouse):
    outbox.stage([a_decision()])
    (outbox.root / "workflow_decisions" / "broken.json").write_text('{"half')
    drained = outbox.drain()
    assert (drained.appended, len(drained.refused)) == (1, 1)
    assert (outbox.root / "refused" / "workflow_decisions" / "broken.json").exists()
    assert decisions_seen(warehouse) == 1


@pytest.mark.parametrize("name", ["x.123.json.half", ".x.123.json"], ids=["ours", "of 1.0"])
def test_a_half_written_file_is_never_read_as_a_row(outbox, name):
    names = outbox.stage([a_decision()])
    (outbox.root / "workflow_decisions" / name).write_text("{")
    assert [path.name for path in outbox.staged()] == names


def test_json_quotes_and_emoji_are_stored_unchanged(outbox, warehouse):
    outbox.stage([a_decision(reason='"Nein" – 🏀 \n\\', context={"a": {"b": [1, "ü"]}})])
    outbox.drain()
    [row] = warehouse.query("SELECT reason, context FROM nba_orchestration.v_workflow_decisions")
    assert (row["reason"], row["context"]) == ('"Nein" – 🏀 \n\\', {"a": {"b": [1, "ü"]}})


class TestBigQueryDown:
    @pytest.fixture
    def down(self, google, outbox):
        google.stop_bigquery()
        yield outbox
        google.start_bigquery()

    @pytest.mark.lesson("K8")
    def test_a_missing_answer_is_an_error_and_never_an_empty_history(self, down, monkeypatch):
        with pytest.raises(WarehouseError, match="BigQuery did not answer"):
            decision_inputs(Warehouse(), ours(), ["betting_lines"], et("13:00"))

    def test_the_callback_logs_a_failure_and_leaves_the_row_staged(self, down, caplog, monkeypatch):
        monkeypatch.setattr("orchestration.audit.warehouse.APPEND_RETRY_SECONDS", 1)
        task = SimpleNamespace(staged={"workflow_decisions": down.stage([a_decision()])})
        with caplog.at_level(logging.ERROR):
            append_staged({"task": task})
        assert "stay in the outbox" in caplog.text
        assert re.search(r"took no rows for workflow_decisions: 127\.0\.0\.1:\d+ cannot be reached", caplog.text)
        assert len(Outbox().staged()) == 1


@pytest.mark.lesson("K3")
@pytest.mark.lesson("K12")
def test_a_game_from_two_sources_is_one_game_and_a_postponed_one_has_its_new_date(warehouse):
    old, new = NOW - timedelta(hours=9), NOW - timedelta(hours=3)
    moved = DAY + timedelta(days=2)
    add_schedule(
        warehouse,
        ("0022500001", DAY, "cdn_static", new, "Postponed"),
        ("0022500001", DAY, "api_stats", old, "7:00 pm ET"),
        ("22500002", DAY, "cdn_static", old, "7:00 pm ET"),
        ("0022500003", DAY, "api_stats", old, "7:00 pm ET"),
        ("0022500003", moved, "api_stats", new, "7:00 pm ET"),
    )
    schedule, _ = decision_inputs(warehouse, ours(), ["betting_lines"], et("13:00"))
    assert [g.game_id for g in schedule.on(DAY)] == ["0022500001", "0022500002"]
    assert [g.game_id for g in schedule.on(moved)] == ["0022500003"]
    assert schedule.on(DAY)[0].type is GameType.REGULAR
    assert schedule.refreshed_at == new


@pytest.mark.lesson("K12")
@pytest.mark.parametrize("newer", ["api_stats", "cdn_static"])
def test_the_newest_row_of_a_game_decides_its_date_anywhere_in_the_season(newer, warehouse):
    january, march = date(2026, 1, 25), date(2026, 3, 18)
    add_schedule(
        warehouse,
        ("0022500644", january, "api_stats", et("12:00", date(2026, 1, 24)), "Scheduled"),
        ("22500644", march, newer, et("18:00", january), "Scheduled"),
        ("0022500645", january, "api_stats", et("12:00", date(2026, 1, 24)), "Scheduled"),
        ("0022500645", january, "cdn_static", et("18:00", january), "Postponed"),
        # One game was moved here from the autumn, and one was moved to the day before.
        ("0022500100", date(2025, 11, 30), "api_stats", et("12:00", date(2025, 11, 1)), "Scheduled"),
        ("0022500100", january, "api_stats", et("12:00", date(2026, 1, 2)), "Scheduled"),
        ("0022500200", january, "api_stats", et("12:00", date(2026, 1, 2)), "Scheduled"),
        ("0022500200", date(2026, 1, 24), "api_stats", et("12:00", date(2026, 1, 3)), "Scheduled"),
    )
    schedule, _ = decision_inputs(warehouse, ours(), ["betting_lines"], et("22:00", january))
    assert sorted(game.game_id for game in schedule.on(january)) == ["0022500100", "0022500645"]
    assert {game.game_id for game in schedule.games} == {"0022500100", "0022500200", "0022500645"}
    in_march, _ = decision_inputs(warehouse, ours(), ["betting_lines"], et("22:00", march))
    assert [game.game_id for game in in_march.on(march)] == ["0022500644"]
    facts = day_facts(warehouse, ours(), january, et("22:00", january))
    assert sorted(game.game_id for game in facts.schedule.on(january)) == ["0022500100", "0022500645"]


@pytest.mark.lesson("F1")
def test_the_slate_of_the_lock_comes_with_the_schedule_wherever_its_games_are_now(warehouse, outbox):
    far, seen = DAY + timedelta(days=60), et("12:00")
    games = [SlateGame(game_id=f"002250000{n}", code="20260114/LALBOS", tip=et("18:30")) for n in (1, 2, 3)]
    outbox.stage(
        [expected(name, "18:00", slate=games, games_today=3) for name in ("betting_lines", "injury_discovery")]
    )
    outbox.drain()
    add_schedule(
        warehouse,
        ("0022500001", DAY, "api_stats", seen, "Scheduled"),
        ("22500002", far, "api_stats", seen, "Scheduled"),
        ("0022500004", far, "api_stats", seen, "Scheduled"),
    )
    schedule, _ = decision_inputs(warehouse, ours(), ["betting_lines"], et("13:00"))
    assert schedule.locked == day_facts(warehouse, ours(), DAY, et("13:00")).schedule.locked
    [slate] = schedule.locked
    assert (slate.day, slate.locked_at, slate.games[0].tip) == (DAY, et("05:00"), et("18:30"))
    assert [row.date for row in schedule.elsewhere] == [far]
    found = changes(schedule, DAY, et("13:00"))
    assert [one.game_id for one in found.vanished] == ["0022500003"]
    assert [(one.game_id, day) for one, day in found.moved] == [("0022500002", far)]


@pytest.mark.parametrize(("counted", "locks"), [(None, 0), (3, 0), (0, 1)])
def test_an_empty_slate_counts_only_if_the_lock_counted_no_game(counted, locks, warehouse, outbox):
    outbox.stage([expected("betting_lines", "18:00", games_today=counted)])
    outbox.drain()
    schedule, _ = decision_inputs(warehouse, ours(), ["betting_lines"], et("13:00"))
    assert len(schedule.locked) == locks


@pytest.mark.lesson("K13")
def test_an_empty_schedule_table_is_an_unknown_schedule(warehouse):
    schedule, history = decision_inputs(warehouse, ours(), ["betting_lines"], et("13:00"))
    assert schedule.unknown_because(et("13:00"), 36) is not None
    assert history.executions == ()


def test_a_decision_reads_everything_in_one_round_trip(outbox, warehouse, monkeypatch):
    asked = []
    query = Warehouse.query
    monkeypatch.setattr(Warehouse, "query", lambda self, *rest: asked.append(rest) or query(self, *rest))
    decision_inputs(warehouse, ours(), ["post_game_window_3"], et("13:00"))
    assert len(asked) == 1


@pytest.mark.lesson("T4")
def test_history_is_keyed_by_target_date_and_ends_before_the_tick(outbox, warehouse):
    rows = [
        a_decision(decision_id=str(hour), slot_time=et(f"{hour:02d}:00"), decision_time=et(f"{hour:02d}:00"))
        for hour in (11, 12, 13)
    ]
    outbox.stage(rows)
    outbox.drain()
    _, history = decision_inputs(warehouse, ours(), ["betting_lines"], et("13:00"))
    assert sorted((d.tick, d.target_date) for d in history.decisions) == [(et("11:00"), DAY), (et("12:00"), DAY)]


def test_the_facts_of_a_day_are_between_two_locks(outbox, warehouse):
    outbox.stage(
        a_decision(decision_id=f"{tick}", slot_time=et(tick), decision_time=et(tick))
        for tick in ("04:30", "06:00", "+1 04:00", "+1 06:00")
    )
    outbox.drain()
    facts = day_facts(warehouse, ours(), DAY, et("+1 09:00"))
    assert sorted(d.tick for d in facts.decisions) == [et("06:00"), et("+1 04:00")]


@pytest.mark.parametrize("kind", ["STRING", "INT64"])
def test_the_games_of_the_box_scores_are_read_from_their_tables(outbox, warehouse, kind):
    """The id may be a number. The other tables of the box scores cannot be read and are left out."""
    add_schedule(warehouse, *((f"002250000{n}", DAY, "api_stats", et("+1 05:00"), "Final") for n in (1, 2)))
    warehouse.query(f"CREATE OR REPLACE TABLE nba_raw.a_box (game_id {kind}, game_date DATE, source_file_path STRING)")
    value = "'0022500002'" if kind == "STRING" else "22500002"
    warehouse.query(f"INSERT INTO nba_raw.a_box VALUES ({value}, DATE '{DAY}', 'unknown')")
    gone = {f"scrapers__{name}__processed_in": "nba_raw.gone" for name in ("bigdataball_pbp", "nbac_gamebook_pdf")}
    others = {f"scrapers__{name}__game_column": None for name in ("nbac_player_boxscore", "nbac_play_by_play")}
    config = changed(scrapers__nbac_team_boxscore__processed_in="nba_raw.a_box", **gone, **others)
    facts = day_facts(warehouse, config, DAY, et("+1 09:00"))
    assert facts.in_tables == {"nba_raw.a_box": {"0022500002"}}
    assert day_facts(warehouse, config, DAY, et("12:00")).in_tables == {}


class TestLocks:
    def lock(self, outbox, run, hour, workflows, *, forced=False, number=1):
        key = TaskKey("schedule_locker", run, "lock", try_number=number)
        outbox.stage(
            ExpectedRun(
                expected_id=row_id("expected", key, name, per_try=False), date=DAY,
                locked_at=et(f"{hour:02d}:00"), workflow_name=name,
                expected_run_time=et("13:00"), forced=forced, target_date=DAY, created_at=et(f"{hour:02d}:00"),
                **key.columns(),
            )
            for name in workflows
        )  # fmt: skip
        outbox.drain()

    def seen(self, warehouse):
        rows = warehouse.query("SELECT workflow_name FROM nba_orchestration.v_expected_schedule")
        return sorted(row["workflow_name"] for row in rows)

    def test_readers_see_the_first_lock_of_a_day_or_a_later_forced_one(self, outbox, warehouse):
        self.lock(outbox, "first", 5, ["a", "b"])
        self.lock(outbox, "second", 9, ["a"])
        assert self.seen(warehouse) == ["a", "b"]
        self.lock(outbox, "forced", 10, ["c"], forced=True)
        self.lock(outbox, "forced again", 11, ["d"], forced=True)
        assert self.seen(warehouse) == ["d"]

    def test_only_the_last_rows_of_a_cleared_lock_are_expected(self, outbox, warehouse):
        self.lock(outbox, "first", 5, ["a", "b", "gone"])
        self.lock(outbox, "first", 9, ["a", "b"], number=2)
        assert self.seen(warehouse) == ["a", "b"]
        self.lock(outbox, "second", 7, ["c"])
        assert self.seen(warehouse) == ["a", "b"]

    def test_a_repeated_lock_is_read_once(self, outbox, warehouse):
        for _ in range(2):
            self.lock(outbox, "first", 5, ["a", "b"])
        assert self.seen(warehouse) == ["a", "b"]


@pytest.mark.lesson("E11")
@pytest.mark.lesson("C7")
def test_a_backlog_needs_few_streaming_appends_and_no_statement_changes_a_row(outbox, warehouse, monkeypatch):
    appends = []
    append = Warehouse.append

    def counted(self, table, rows):
        appends.append(len(rows))
        append(self, table, rows)

    monkeypatch.setattr(Warehouse, "append", counted)
    outbox.stage(a_decision(decision_id=str(number)) for number in range(BATCH + 100))
    assert outbox.drain().appended == BATCH + 100
    assert appends == [BATCH, 100]
    assert decisions_seen(warehouse) == BATCH + 100
    for path in SQL_FOLDER.rglob("*.sql"):
        assert not re.search(r"\b(MERGE|UPDATE|DELETE|INSERT)\b", path.read_text()), path


def test_init_names_each_missing_alert_channel_once_and_continues(google, capsys):
    assert main(["init", "--no-pools"]) == 0
    said = capsys.readouterr().err
    for reason in (
        "email takes no alerts: settings.notifications.email_to is empty",
        "there is no connection slack_default",
    ):
        assert said.count(reason) == 1


def test_the_scripts_need_only_a_google_connection(google, tmp_path):
    needed = ("BIGQUERY_EMULATOR_HOST", "AIRFLOW_CONN_GOOGLE_CLOUD_DEFAULT")
    env = {
        "PATH": "/usr/bin:/bin",
        "HOME": str(tmp_path),
        "ORCHESTRATION_PYTHON": sys.executable,
        **{name: os.environ[name] for name in needed},
    }
    script = str(ROOT / "bin" / "orchestration" / "quick_health_check.sh")
    done = subprocess.run(
        [script, "--date", DAY.isoformat(), "--json"],
        env=env,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert json.loads(done.stdout)["verdict"] in ("HEALTHY", "DEGRADED", "UNHEALTHY", "NO GAMES"), done.stderr


def test_an_unsent_deadline_alert_is_sent_by_the_next_run_of_the_day(outbox, warehouse):
    def late(tick, error):
        missed = {"deadline_missed": True, "error_message": error}
        return execution("betting_lines", tick, ExecutionStatus.FAILED).model_copy(update=missed)

    def told(tick):
        clock = SimpleNamespace(tick=et(tick))
        return deadlines._sent_before(ours(), "betting_lines", tick, clock)

    outbox.stage([late("08:00", f"Deadline missed: not over{deadlines.NOBODY}")])
    outbox.drain()
    assert not told("12:00")
    outbox.stage([late("12:00", "Deadline missed: not over")])
    outbox.drain()
    assert told("19:00")
    assert not told("12:00")
    assert not told("+1 12:00")
