"""Rows, ids and statements: models, DDL and reference agree."""

import json
import re
from datetime import datetime

import pytest
import sqlglot
from pydantic import ValidationError
from sqlglot import exp

from orchestration.audit.setup import columns_of
from orchestration.audit.statements import SQL_FOLDER, ddl, filled
from orchestration.records.base import NotRead
from orchestration.records.ids import TaskKey, row_id
from orchestration.records.tables import (
    RECORDS,
    CallRecord,
    CleanupRecord,
    DecisionRecord,
    ExecutionRecord,
    MissingFile,
)
from orchestration.services.redaction import MESSAGE_LIMIT
from orchestration.vocabulary.settings import Settings
from orchestration.words import Action
from support.old_system import KEPT
from support.rows import KEY, NOW, a_decision
from support.worlds import DAY


@pytest.mark.parametrize("table", RECORDS)
def test_every_model_has_exactly_the_columns_of_its_table(table):
    columns = {column.name: column for column in columns_of(ddl("tables")[table])}
    model = RECORDS[table]
    assert set(model.model_fields) == set(columns)
    for name, column in columns.items():
        if column.required:
            assert model.model_fields[name].is_required(), f"{table}.{name} is required in the table only"


@pytest.mark.parametrize("table", RECORDS)
def test_the_columns_that_dashboards_read_keep_name_type_and_requirement(table):
    columns = {column.name: column for column in columns_of(ddl("tables")[table])}
    for kept in KEPT[table].split(", "):
        name, kind, *required = kept.split(" ")
        plain = re.sub("STRUCT<[^<>]*>", "STRUCT", columns[name].type)
        assert (plain, columns[name].required) == (kind, bool(required)), f"{table}.{name}"


@pytest.mark.parametrize(("table", "statement"), ddl("tables").items())
def test_our_reading_of_the_ddl_equals_that_of_a_real_parser(table, statement):
    parsed = sqlglot.parse_one(filled(statement, Settings()), dialect="bigquery")
    assert [c.name for c in parsed.find_all(exp.ColumnDef) if not c.find_ancestor(exp.DataType)] == [
        column.name for column in columns_of(statement)
    ]
    assert "partition_expiration_days=90" in statement


@pytest.mark.lesson("E3")
def test_the_same_try_has_the_same_id_and_another_try_another_id():
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
    row = CleanupRecord(
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


def test_a_row_becomes_a_record_by_name_from_json_and_from_a_query_alike():
    micros = int(NOW.timestamp() * 1_000_000) + 123_456
    payload = {"workflow_name": "w", "slot_time": micros, "target_date": "2026-01-14", "action": "RUN", "rule": None}
    of_json = DecisionRecord.read(json.dumps(payload))
    of_query = DecisionRecord.read({**payload, "slot_time": NOW.replace(microsecond=123_456), "of_others": 1})
    assert of_json == of_query
    assert of_json.tick.isoformat() == "2026-01-14T18:00:00.123456-05:00"
    assert (of_json.action, of_json.target_date) == (Action.RUN, DAY)


@pytest.mark.lesson("K8")
def test_a_column_that_a_query_does_not_select_is_never_taken_for_empty():
    call = CallRecord.read({"scraper_name": "s", "game_id": None, "execution_id": None})
    assert call.game_id is None
    for column in ("label", "status", "execution_id"):
        with pytest.raises(NotRead, match=column):
            getattr(call, column)


def test_an_invalid_value_is_refused_when_a_row_is_read():
    with pytest.raises(ValidationError, match="status"):
        CallRecord.read({"status": "perhaps"})


@pytest.mark.lesson("C3")
@pytest.mark.parametrize("record", RECORDS.values())
def test_a_record_without_a_required_column_is_refused_before_bigquery(record):
    with pytest.raises(ValidationError, match="created_at"):
        record()
    with pytest.raises(NotRead):
        record.known(dag_id="d").to_json()
    with pytest.raises(TypeError, match="has no column rows"):
        record.known(rows=1)


@pytest.mark.parametrize(
    ("part", "record"), [("call", CallRecord), ("decision", DecisionRecord), ("execution", ExecutionRecord)]
)
def test_the_columns_that_statements_select_are_fields_of_the_record(part, record):
    text = (SQL_FOLDER / "parts" / f"{part}.sql").read_text()
    selected = re.findall(r"^  .* AS (\w+),?$", text, re.MULTILINE)
    assert selected
    assert set(selected) <= set(record.model_fields)
    assert len(selected) == text.count("\n  ")
