"""Both systems in the same tables: reports show our rows only, and their rows count as history if they are certain."""

import json
import re
from datetime import timedelta

import pytest
import yaml

from orchestration.audit.inputs import decision_inputs
from orchestration.audit.outbox import Outbox
from orchestration.audit.setup import OtherColumns, columns_of, init
from orchestration.audit.statements import ddl, statement
from orchestration.audit.warehouse import Warehouse, WarehouseError
from orchestration.cleanup.reading import republished_before
from orchestration.cli import main
from orchestration.decisions.engine import decide
from orchestration.records.ids import TaskKey
from orchestration.records.tables import CleanupRecord
from orchestration.vocabulary.settings import Settings
from orchestration.words import Outcome
from support.cleanup import files_to_check
from support.old_system import (
    KEPT,
    Emulated,
    create_old_tables,
    logged,
    their_cleanup,
    their_decision,
    their_execution,
    their_expected,
    write,
)
from support.rows import add_schedule, call, decision, execution, expected
from support.worlds import DAY, ROOT, changed, et

BEFORE = DAY - timedelta(days=1)
OURS, SHARED = "ours_alone", "shared_dataset"
VIEWS = sorted(ddl("views"))


def settings(dataset):
    return Settings(audit_dataset=dataset, schedule_table="phase_2.season")


def their_rows(warehouse):
    """Two days of the old system: the day before our system began, and a day beside it."""
    write(
        warehouse, "scraper_execution_log",
        logged("m1", "nbac_player_list", et("06:07")),
        logged("m2", "basketball_ref_season_roster", et("06:08"), teamAbbr="BOS", year="2026"),
        logged("r1", "nbac_referee_assignments", et("11:06"), date=f"{BEFORE}"),
        logged("n1", "nbac_player_list", et("06:07", BEFORE), "no_data"),
        logged("o1", "oddsa_events", et("13:06"), game_date=f"{DAY}", sport="basketball_nba"),
        logged("o2", "oddsa_current_event_odds", et("13:06"), game_date=f"{DAY}", event_id="e1"),
        logged("o3", "oddsa_current_game_lines", et("13:06"), "no_data", game_date=f"{DAY}", event_id="e1"),
        logged("p1", "nbac_play_by_play", et("+1 00:30"), game_id="0022500001", gamedate=f"{DAY:%Y%m%d}"),
        logged("p2", "bdb_pbp_scraper", et("+1 00:30"), game_id="22500001", gamedate=f"{DAY:%Y%m%d}"),
        logged("p3", "nbac_gamebook_pdf", et("+1 00:30"), game_code=f"{DAY:%Y%m%d}/LALBOS"),
        logged("p4", "nbac_player_boxscore", et("+1 00:30"), gamedate="TODAY"),
        logged("p5", "nbac_injury_report", et("+1 00:30"), row_date=f"{DAY}", date="yesterday"),
        logged("p6", "nbac_team_boxscore", et("+1 00:30"), "failed", game_id="0022500001", game_date=f"{DAY}"),
    )  # fmt: skip
    write(
        warehouse, "workflow_executions",
        their_execution("morning_operations", et("06:05"), ["m1", "m2", "not logged"]),
        their_execution("morning_operations", et("06:05", BEFORE), ["n1"]),
        their_execution("betting_lines", et("13:05"), ["o1", "o2", "o3"]),
        their_execution("post_game_window_2", et("+1 01:05"), ["p1", "p2"]),
        their_execution("injury_discovery", et("12:05"), ["m1"], "completed", failed=1),
        their_execution("injury_discovery", et("11:05"), ["m1"], "partial"),
        their_execution("referee_discovery", et("11:05"), ["m1", "r1"]),
    )  # fmt: skip
    write(
        warehouse, "workflow_decisions",
        *(their_decision("betting_lines", et(f"{hour:02d}:00", day)) for day in (BEFORE, DAY) for hour in (9, 13)),
        their_decision("morning_operations", et("10:00"), "ABORT"),
    )  # fmt: skip
    # Its lock is one minute before ours. Without the filter of the view it would be the first lock of the day.
    write(
        warehouse, "daily_expected_schedule",
        *(their_expected("betting_lines", et(f"{h}:00"), et("04:59")) for h in (13, 15, 17)),
    )  # fmt: skip
    write(warehouse, "cleanup_operations", *(their_cleanup(et(f"{hour}:15")) for hour in (10, 14)))


def our_rows(warehouse, folder):
    """A day of our system, with the service's own rows about our calls."""
    outbox = Outbox(f"file://{folder}/{warehouse.audit}", warehouse)
    path = {"gcs_path": "gs://b/ours.json", "record_count": 24}
    calls = [
        call("nbac_team_boxscore", "+1 01:00", "failed", 1, "0022500001", error_type="timeout", error_message="late"),
        call("nbac_team_boxscore", "+1 01:00", "success", 2, "0022500001", **path),
        call("nbac_player_boxscore", "22:00", "success", 1, **path),
    ]  # fmt: skip
    outbox.stage(
        [
            expected("betting_lines", "14:00"), decision("betting_lines", "14:00"), execution("betting_lines", "14:00"),
            expected("injury_discovery", "12:00"), decision("injury_discovery", "12:00"),
            decision("morning_operations", "06:00", "SKIP"), *calls,
            decision("post_game_window_1", "22:00"), execution("post_game_window_1", "22:00"),
            CleanupRecord(cleanup_id="c", cleanup_time=et("14:20"), files_checked=9, missing_files_found=0,
                       republished_count=0, created_at=et("14:20"), **TaskKey("cleanup", "r", "t").columns()),
        ]
    )  # fmt: skip
    outbox.drain()
    return calls


@pytest.fixture(scope="module")
def both(google, tmp_path_factory):
    """Two warehouses with the same schedule: one with our rows only, one with both systems' rows."""
    folder = tmp_path_factory.mktemp("outbox")
    alone, shared = Warehouse(settings(OURS)), Emulated(settings(SHARED))
    alone.query("CREATE SCHEMA phase_2")
    alone.query("CREATE TABLE phase_2.season AS SELECT * FROM nba_raw.nbac_schedule WHERE game_date IS NULL")
    add_schedule(
        alone,
        ("0022500001", DAY, "api_stats", et("05:00"), "Scheduled"),
        ("0022500002", BEFORE, "api_stats", et("05:00"), "Scheduled"),
    )
    init(alone)
    create_old_tables(shared)
    their_rows(shared)
    init(shared, adopt=True)
    for warehouse in (alone, shared):
        calls = our_rows(warehouse, folder)
    # The service also writes rows about our calls.
    write(shared, "scraper_execution_log", *(logged(c.execution_id, c.scraper_name, c.triggered_at) for c in calls[1:]))
    yield alone, shared
    for warehouse in (alone, shared):
        warehouse.client.delete_dataset(warehouse.audit, delete_contents=True)
    alone.client.delete_dataset("phase_2", delete_contents=True)


def answers(both, sql, parameters=None):
    """Return the answer of each warehouse, in a form that can be compared."""
    return [sorted(json.dumps(row, default=str, sort_keys=True) for row in w.query(sql, parameters)) for w in both]


@pytest.mark.lesson("A6")
@pytest.mark.parametrize("view", VIEWS)
def test_every_view_shows_our_rows_only(both, view):
    alone, shared = answers(both, f"SELECT * FROM {{audit}}.{view}")
    assert alone
    assert alone == shared


@pytest.mark.parametrize("report", sorted(ddl("reports")))
def test_every_report_ignores_the_other_system(both, report):
    values = {
        "first_date": BEFORE, "last_date": DAY + timedelta(days=1), "seen_at": et("+1 09:00"),
        "box_score": "nbac_team_boxscore", "game_minutes": 150,
    }  # fmt: skip
    head = re.search(rf"\.{report}\((.*?)\) AS", ddl("reports")[report], re.DOTALL)
    taken = [parameter.split()[0] for parameter in head[1].split(",")]
    arguments = ", ".join(f"@{name}" for name in taken)
    alone, shared = answers(
        both,
        f"SELECT * FROM {{audit}}.{report}({arguments})",
        {name: values[name] for name in taken},
    )
    assert alone
    assert alone == shared


def test_the_cleanup_checks_only_our_files(both):
    config = changed(settings__cleanup_processor__lookback_hours=24)
    for warehouse in both:
        rows = warehouse.query(statement("recent_calls"), {"oldest": et("00:00"), "oldest_date": DAY})
        assert {row["dag_id"] for row in rows} == {"post_game_window_1"}
        files = files_to_check(warehouse, config, et("+1 03:00")).files
        assert [file.gcs_path for file in files] == ["gs://b/ours.json"] * 2
        assert republished_before(warehouse, config, et("22:00")) == {}


def test_health_and_the_other_commands_ignore_the_other_system(both, tmp_path, monkeypatch, capsys):
    said = []
    for warehouse in both:
        data = yaml.safe_load((ROOT / "config" / "workflows.yaml").read_text())
        data["settings"] |= {"audit_dataset": warehouse.audit, "schedule_table": "phase_2.season"}
        file = tmp_path / f"{warehouse.audit}.yaml"
        file.write_text(yaml.safe_dump(data))
        monkeypatch.setenv("ORCHESTRATION_CONFIG", str(file))
        moment = ["--date", DAY.isoformat(), "--as-of", et("+1 09:00").isoformat(), "--json"]
        codes = [main([command, *moment]) for command in ("health", "timeline", "missing", "failures")]
        said.append((codes, capsys.readouterr().out.replace(warehouse.audit, "AUDIT")))
    assert said[0] == said[1]
    assert said[0][0] == [2, 0, 1, 0]
    assert "morning_operations" in said[0][1]


@pytest.fixture(scope="module")
def history(both):
    _, shared = both
    _, found = decision_inputs(shared, changed(), list(changed().enabled), et("+1 04:00"))
    return found


def executed(history, workflow):
    return [(e.tick, e.target_date, e.with_records) for e in history.of(workflow) if e.done]


def test_a_certain_execution_of_the_other_system_is_history(history):
    """Each execution counts at its own tick, because frequencies are measured from tick to tick."""
    assert executed(history, "morning_operations") == [(et("06:00"), DAY, 2)]
    theirs, ours = executed(history, "betting_lines")
    assert theirs == (et("13:00"), DAY, 2)
    assert ours == (et("14:00"), DAY, 1)


@pytest.mark.lesson("E1")
def test_an_uncertain_execution_of_the_other_system_is_not_done(history):
    """A failed call, a status other than completed, calls about two dates, and a call for the first game only."""
    for workflow in ("injury_discovery", "referee_discovery", "post_game_window_2"):
        assert executed(history, workflow) == []
    # They count as attempts, because the source was called.
    assert [e.tick for e in history.of("injury_discovery", DAY)] == [et("11:00"), et("12:00")]
    assert history.decisions
    assert {decision.tick for decision in history.decisions} == {et("06:00"), et("12:00"), et("14:00"), et("22:00")}


def test_games_that_the_other_system_fetched_are_collected(history):
    brought = {(c.scraper_name, c.game_id) for c in history.calls if c.tick == et("+1 00:30") and c.game_id}
    assert brought == {
        ("nbac_play_by_play", "0022500001"),
        ("bigdataball_pbp", "0022500001"),
        ("nbac_gamebook_pdf", "0022500001"),
    }
    dates = {c.scraper_name: c.target_date for c in history.calls if c.tick == et("+1 00:30")}
    assert dates["nbac_player_boxscore"] == DAY + timedelta(
        days=1
    )  # without a readable date the date of the call counts
    assert dates["nbac_injury_report"] == DAY
    assert dates["nbac_gamebook_pdf"] == DAY


def test_only_calls_with_data_count_and_our_calls_count_once(history):
    scrapers = [(c.scraper_name, c.status) for c in history.calls]
    assert scrapers.count(("nbac_player_boxscore", Outcome.SUCCESS)) == 2  # our call and theirs, which are two calls
    assert scrapers.count(("nbac_team_boxscore", Outcome.SUCCESS)) == 1
    assert ("oddsa_game_lines", Outcome.NO_DATA) not in scrapers
    assert ("oddsa_player_props", Outcome.SUCCESS) in scrapers


def test_the_first_day_after_the_switch_repeats_no_call(both):
    _, shared = both
    asked = decision_inputs(shared, changed(), ["morning_operations"], et("07:00"))
    assert decide("morning_operations", changed(), et("07:00"), *asked).rule == "done"
    day_before = decision_inputs(shared, changed(), ["morning_operations"], et("07:00", BEFORE))
    assert decide("morning_operations", changed(), et("07:00", BEFORE), *day_before).rule != "done"
    asked = decision_inputs(shared, changed(), ["betting_lines"], et("14:00"))
    assert "Collected 1.0 h ago, at 13:00 ET" in decide("betting_lines", changed(), et("14:00"), *asked).reason


def test_a_dataset_without_our_tables_names_the_next_step(google):
    nowhere = Warehouse(settings("nowhere"))
    with pytest.raises(WarehouseError, match="python -m orchestration init"):
        decision_inputs(nowhere, changed(), ["betting_lines"], et("13:00"))


class TestAdopting:
    @pytest.fixture
    def old(self, google):
        warehouse = Emulated(settings("old_tables"))
        create_old_tables(warehouse)
        write(warehouse, "scraper_execution_log", logged("m1", "nbac_player_list", et("06:07")))
        yield warehouse
        warehouse.client.delete_dataset("old_tables", delete_contents=True)

    def columns(self, warehouse):
        return {table: [(f.name, f.mode) for f in warehouse.schema(f"old_tables.{table}")] for table in KEPT}

    @pytest.mark.lesson("A6")
    def test_init_changes_nothing_and_names_both_ways_out(self, old):
        before = self.columns(old)
        with pytest.raises(OtherColumns) as caught:
            init(old)
        said = str(caught.value)
        assert "settings.audit_dataset" in said
        assert "init --adopt" in said
        assert "old_tables.scraper_execution_log: column row_id STRING is missing" in said
        assert self.columns(old) == before

    def test_adopt_adds_only_our_columns_as_nullable_and_can_run_again(self, old):
        before = self.columns(old)
        said = init(old, adopt=True)
        assert "table old_tables.scraper_execution_log: column row_id STRING added, nullable" in said
        for table, columns in self.columns(old).items():
            assert columns[: len(before[table])] == before[table]
            added = dict(columns[len(before[table]) :])
            assert set(added.values()) <= {"NULLABLE", "REPEATED"}
            assert set(added) == {c.name for c in columns_of(ddl("tables")[table])} - {n for n, _ in before[table]}
        again = init(old, adopt=True)
        assert not [line for line in again if "added" in line]
        assert init(old) == again  # also without --adopt: a nullable column in place of a required one is no difference
        assert len(old.query("SELECT * FROM {audit}.scraper_execution_log")) == 1

    def test_a_column_of_another_type_or_a_required_one_is_never_changed(self, old):
        old.query("DROP TABLE {audit}.workflow_decisions")
        columns = (
            KEPT["workflow_decisions"]
            .replace(" R", " NOT NULL")
            .replace("decision_time TIMESTAMP", "decision_time INT64")
        )
        old.query(f"CREATE TABLE {{audit}}.workflow_decisions ({columns}, cost INT64 NOT NULL)")
        before = self.columns(old)
        with pytest.raises(OtherColumns) as caught:
            init(old, adopt=True)
        said = str(caught.value)
        assert "workflow_decisions: column decision_time is INT64, not TIMESTAMP" in said
        assert "workflow_decisions: column cost is required, and unknown here" in said
        assert "settings.audit_dataset" in said
        assert "--adopt" not in said
        assert self.columns(old) == before
