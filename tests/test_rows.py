"""Rows, ids and statements: models, DDL and reference agree."""

import json
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlglot
from pydantic import ValidationError
from sqlglot import exp

from orchestration.audit.ids import TaskKey, row_id
from orchestration.audit.rows import MESSAGE_LIMIT, ROW_MODELS, CleanupRow, DecisionRow, MissingFile
from orchestration.audit.setup import columns_of
from orchestration.audit.statements import SQL_FOLDER, ddl, with_identifiers
from worlds import DAY

NOW = datetime(2026, 1, 14, 23, tzinfo=UTC)
KEY = TaskKey("betting_lines", "run", "decide")


def a_decision(**changes):
    values = {
        "decision_id": row_id("decision", KEY),
        "decision_time": NOW,
        "workflow_name": "betting_lines",
        "action": "RUN",
        "reason": "12 games",
        "slot_time": NOW,
        "rule": "run",
        "target_date": DAY,
        "created_at": NOW,
        **KEY.columns(),
    }
    return DecisionRow(**{**values, **changes})


@pytest.mark.parametrize("table", ROW_MODELS)
def test_every_model_has_exactly_the_columns_of_its_table(table):
    columns = {column.name: column for column in columns_of(ddl("tables")[table])}
    model = ROW_MODELS[table]
    assert set(model.model_fields) == set(columns)
    for name, column in columns.items():
        if column.required:
            assert model.model_fields[name].is_required(), f"{table}.{name} is required in the table only"


# Columns that people's dashboards read: name, type and whether required. They may not change (the old system's tables).
KEPT = {
    "daily_expected_schedule": "date DATE R, locked_at TIMESTAMP R, workflow_name STRING R, "
    "expected_run_time TIMESTAMP R, reason STRING, scrapers ARRAY<STRING>, games_today INT64, "
    "priority STRING, schedule_version STRING, "
    "generated_by STRING, environment STRING, created_at TIMESTAMP",
    "workflow_decisions": "decision_id STRING R, decision_time TIMESTAMP R, workflow_name STRING R, action STRING R, "
    "reason STRING R, context JSON, scrapers_triggered ARRAY<STRING>, target_games ARRAY<STRING>, "
    "next_check_time TIMESTAMP, priority STRING, alert_level STRING, controller_version STRING, environment STRING, "
    "triggered_by STRING, created_at TIMESTAMP",
    "workflow_executions": "execution_id STRING R, execution_time TIMESTAMP R, workflow_name STRING R, "
    "decision_id STRING, scrapers_requested ARRAY<STRING>, scrapers_triggered INT64 R, scrapers_succeeded INT64 R, "
    "scrapers_failed INT64 R, scraper_execution_ids ARRAY<STRING>, status STRING R, duration_seconds FLOAT64, "
    "error_message STRING, created_at TIMESTAMP",
    "scraper_execution_log": "execution_id STRING R, scraper_name STRING R, workflow STRING, game_date DATE, "
    "status STRING R, triggered_at TIMESTAMP R, completed_at TIMESTAMP, duration_seconds FLOAT64, source STRING R, "
    "environment STRING, triggered_by STRING, gcs_path STRING, data_summary JSON, error_type STRING, "
    "error_message STRING, retry_count INT64, recovery BOOL, run_id STRING, opts JSON, created_at TIMESTAMP",
    "cleanup_operations": "cleanup_id STRING R, cleanup_time TIMESTAMP R, files_checked INT64 R, "
    "missing_files_found INT64 R, republished_count INT64 R, missing_files ARRAY<STRUCT>, errors ARRAY<STRING>, "
    "duration_seconds FLOAT64, pubsub_enabled BOOL, environment STRING, created_at TIMESTAMP",
}


@pytest.mark.parametrize("table", ROW_MODELS)
def test_the_columns_that_dashboards_read_keep_name_type_and_requirement(table):
    columns = {column.name: column for column in columns_of(ddl("tables")[table])}
    for kept in KEPT[table].split(", "):
        name, kind, *required = kept.split(" ")
        assert (columns[name].type, columns[name].required) == (kind, bool(required)), f"{table}.{name}"


@pytest.mark.parametrize(("table", "statement"), ddl("tables").items())
def test_our_reading_of_the_ddl_is_that_of_a_real_parser(table, statement):
    parsed = sqlglot.parse_one(statement, dialect="bigquery")
    assert [c.name for c in parsed.find_all(exp.ColumnDef) if not c.find_ancestor(exp.DataType)] == [
        column.name for column in columns_of(statement)
    ]
    assert "partition_expiration_days=90" in statement


@pytest.mark.lesson("E3")
def test_the_same_try_makes_the_same_id_and_another_try_another():
    assert row_id("call", KEY) == row_id("call", TaskKey("betting_lines", "run", "decide"))
    second = TaskKey("betting_lines", "run", "decide", try_number=2)
    assert row_id("call", KEY) != row_id("call", second)
    assert row_id("decision", KEY, per_try=False) == row_id("decision", second, per_try=False)


@pytest.mark.lesson("C9")
def test_a_json_column_is_text_and_keeps_quotes_and_emoji():
    context = {"games": 12, "note": 'he said "no" 🏀'}
    assert json.loads(a_decision(context=context).to_json()["context"]) == context


@pytest.mark.lesson("C3")
def test_a_cleanup_row_with_something_to_report_is_json():
    missing = MissingFile(scraper_name="s", gcs_path="gs://b/f", triggered_at=NOW, age_minutes=40, republished=True)
    row = CleanupRow(
        cleanup_id="c", cleanup_time=NOW, files_checked=1, missing_files_found=1, republished_count=1,
        missing_files=[missing], created_at=NOW, **KEY.columns(),
    )  # fmt: skip
    assert json.loads(json.dumps(row.to_json()))["missing_files"][0]["triggered_at"] == NOW.isoformat()


def test_secrets_never_enter_a_row_and_messages_are_cut():
    row = a_decision(context={"api_key": "k", "headers": {"Authorization": "Bearer x"}}, reason="x" * 5000).to_json()
    assert "Bearer" not in row["context"]
    assert json.loads(row["context"])["api_key"] == "***"
    assert len(row["reason"]) == MESSAGE_LIMIT


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("GET /odds?apiKey=abc123&day=1 failed", "GET /odds?apiKey=***&day=1 failed"),
        ("sent Authorization: Bearer eyJhbGciOi.xyz-_", "sent Authorization: Bearer ***"),
        ("header was Bearer eyJhbGciOi.xyz", "header was Bearer ***"),
        ("password='hunter2', retrying", "password='***', retrying"),
        ('{"api_key": "abc"}', '{"api_key": "***"}'),
        ("3 tokens left, basic plan", "3 tokens left, basic plan"),
    ],
)
def test_a_secret_in_a_message_is_struck_out(text, kept):
    assert a_decision(reason=text).to_json()["reason"] == kept


def test_a_naive_time_or_an_unknown_word_never_becomes_a_row():
    with pytest.raises(ValidationError):
        a_decision(decision_time=datetime(2026, 1, 14))
    with pytest.raises(ValidationError):
        a_decision(action="MAYBE")


PARTITIONED = {
    "nbac_schedule": "game_date",
    "v_expected_schedule": "date",
    "v_workflow_decisions": "decision_time",
    "v_workflow_executions": "execution_time",
    "v_scraper_runs": "triggered_at",
    "v_cleanup_operations": "cleanup_time",
}
QUERIES = sorted((SQL_FOLDER / "queries").glob("*.sql"))


def parsed(path):
    text = re.sub(r"\{(\w+)\}", lambda m: {"table": "nba_raw.any_table"}.get(m[1], m[1]), path.read_text())
    return sqlglot.parse_one(text, dialect="bigquery")


@pytest.mark.lesson("C6")
@pytest.mark.parametrize("path", QUERIES, ids=lambda p: p.stem)
def test_every_query_filters_the_partition_of_every_partitioned_table(path):
    for table in parsed(path).find_all(exp.Table):
        column = PARTITIONED.get(table.name)
        if column is not None:
            where = table.find_ancestor(exp.Select).args.get("where")
            assert where is not None, f"{path.stem}: {table.name} is read whole"
            assert column in {found.name for found in where.find_all(exp.Column)}, f"{path.stem}: {table.name}"


@pytest.mark.parametrize("path", [*QUERIES, *sorted((SQL_FOLDER / "views").glob("*.sql"))], ids=lambda p: p.stem)
def test_no_statement_reads_a_clock(path):
    assert not re.search(r"CURRENT_(DATE|TIMESTAMP|TIME)|SESSION_USER", path.read_text(), re.IGNORECASE)


@pytest.mark.parametrize("path", sorted((SQL_FOLDER / "views").glob("*.sql")), ids=lambda p: p.stem)
def test_every_view_has_a_description_and_keeps_the_partition_within_reach(path):
    text = path.read_text()
    assert 'OPTIONS(description="' in text
    view = sqlglot.parse_one(text, dialect="bigquery")
    window = next(view.find_all(exp.Window))
    assert PARTITIONED[path.stem] in {column.name for column in window.args["partition_by"][0].find_all(exp.Column)}


def test_both_readers_of_the_schedule_prefer_the_same_source():
    games = [(SQL_FOLDER / "queries" / f"{name}.sql").read_text() for name in ("decision_inputs", "day_facts")]
    chosen = [re.search(r"WITH games AS \(.*?\n\)\n", text, re.DOTALL)[0] for text in games]
    assert chosen[0] == chosen[1]


@pytest.mark.parametrize("name", ["a.b; DROP TABLE c", "a.b.c", "a b", "`a`", "", "a.b--"])
def test_only_a_plain_name_can_become_part_of_a_statement(name):
    with pytest.raises(ValueError, match="is not a table or column name"):
        with_identifiers("processed_files_whole", table=name)


def test_no_python_file_holds_a_statement_of_its_own():
    package = Path(__file__).resolve().parents[1] / "plugins" / "orchestration"
    for path in package.rglob("*.py"):
        assert not re.search(r"\bSELECT\b.*\bFROM\b", path.read_text()), path
