"""Any bytes, status and headers become one outcome and one row that BigQuery takes."""

import json
import math

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from orchestration.operators.calls import ScraperCall, call_row
from orchestration.records.ids import TaskKey
from orchestration.records.tables import RECORDS
from orchestration.runs.clock import RunClock
from orchestration.services.answers import CallResult, interpret
from orchestration.services.redaction import MAX_INT64
from orchestration.vocabulary.answers import AnswerDescription
from orchestration.words import Outcome
from support.effort import examples
from support.worlds import DAY, et

DECISION = {"workflow": "w", "target_date": DAY.isoformat(), "decision_id": "d"}
CLOCK = RunClock(et("12:00"), et("12:00") - et("12:00"), True, "schedule", et("12:00"))
DESCRIPTIONS = [
    AnswerDescription(),
    AnswerDescription(records=("playerCount", "rowCount")),
    AnswerDescription(records=("none",)),
    AnswerDescription.model_validate({"no_data": [{"status": 500, "text": "a"}, {"error_type": "a"}]}),
]
texts = st.text(st.characters(), max_size=30) | st.text(st.characters(categories=["Cs", "Cc", "Cf"]), max_size=5)
scalars = (
    st.none() | st.booleans() | st.integers() | st.floats() | texts | st.sampled_from([2**63 - 1, 2**63, -1, 10**30])
)
values = st.recursive(scalars, lambda inner: st.lists(inner) | st.dictionaries(texts, inner), max_leaves=12)
summaries = st.dictionaries(
    st.sampled_from(["rowCount", "playerCount", "gcs_path", "event_ids"]) | texts, values, max_size=6
)
near = st.fixed_dictionaries(
    {"status": st.just("success"), "data_summary": summaries},
    optional={"run_id": values, "message": values, "scraper": values},
)
anything = st.dictionaries(
    st.sampled_from(["status", "message", "error", "error_type", "run_id", "data_summary", "retry_count",
                     "available_scrapers"]) | texts,
    values | summaries,
    max_size=8,
)  # fmt: skip
bodies = st.binary(max_size=200) | (near | anything | values).map(lambda data: json.dumps(data).encode())
headers = st.dictionaries(st.sampled_from(["Retry-After", "Date", "Location", "Content-Type"]), texts, max_size=4)


def holds_for_bigquery(value, depth=0):
    """The limits of JSON in BigQuery: 500 levels, numbers of INT64 and FLOAT64, texts in Unicode."""
    assert depth < 100
    match value:
        case str():
            value.encode()
            assert "\0" not in value
        case bool() | None:
            pass
        case int():
            assert abs(value) <= MAX_INT64
        case float():
            assert math.isfinite(value)
        case dict():
            for key, inner in value.items():
                holds_for_bigquery(key)
                holds_for_bigquery(inner, depth + 1)
        case list():
            for inner in value:
                holds_for_bigquery(inner, depth + 1)


@pytest.mark.fuzz
@settings(max_examples=examples(150))
@given(
    st.sampled_from([200, 200, 200, 400, 403, 429, 500]) | st.integers(100, 999),
    headers,
    bodies,
    st.sampled_from(DESCRIPTIONS),
    st.booleans(),
)
@example(200, {}, b"[" * 100_000, DESCRIPTIONS[0], False)
@example(500, {}, b'{"data_summary": ' + b'{"a":' * 900 + b"1" + b"}" * 901, DESCRIPTIONS[0], False)
@example(200, {}, b'{"status":"success","run_id":"\\ud800","data_summary":{"rowCount":1}}', DESCRIPTIONS[0], False)
@example(429, {"Retry-After": "1764081871000"}, b"", DESCRIPTIONS[0], False)
def test_any_answer_is_one_outcome_and_one_row_that_bigquery_takes(status, fields, body, description, events):
    result = interpret(status, fields, body, description, event_source=events)
    assert result.outcome in Outcome
    assert (result.error_message is None) == (result.error_type is None)
    assert result.outcome is not Outcome.FAILED or result.error_message
    assert result.outcome is not Outcome.SUCCESS or result.record_count != 0
    assert not (events and result.outcome is Outcome.SUCCESS and not result.event_ids)
    # Through the triggerer, which speaks strict JSON.
    travelled = json.loads(json.dumps(result.to_dict(), allow_nan=False).encode())
    assert CallResult.from_dict(travelled) == result
    holds_for_bigquery(travelled)
    key = TaskKey("w", "r", "x")
    row = call_row(ScraperCall("x", "x", DAY), result, key, DECISION, CLOCK, "test", et("12:00"), et("12:01"))
    sent = json.loads(json.dumps(row.to_json(), allow_nan=False, ensure_ascii=False).encode())
    holds_for_bigquery(sent)
    if sent["data_summary"] is not None:
        holds_for_bigquery(json.loads(sent["data_summary"], parse_constant=pytest.fail))
    assert len(json.dumps(sent)) < 100_000
    RECORDS["scraper_execution_log"].model_validate({**sent, "data_summary": None, "opts": None})
