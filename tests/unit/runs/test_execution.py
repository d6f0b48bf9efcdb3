"""What a RUN amounted to."""

import pytest

from orchestration.runs.execution import call_ends, failures_in_short, status_of
from orchestration.words import ExecutionStatus, Outcome

CRITICAL = frozenset({"events"})


def left(outcome, map_index=-1):
    call = {"label": f"call {map_index}"}
    return {"execution_id": "e", "outcome": outcome, "error_type": None, "triggered_at": None, "call": call}


def judge(states, of):
    found = call_ends(["events", "props"], states, {place: [one] for place, one in of.items()})
    return status_of(found, CRITICAL), found


def test_an_execution_without_a_failed_call_is_completed_and_no_data_is_not_a_failure():
    status, found = judge(
        {("events", -1): "success", ("props", 0): "success"},
        {("events", -1): left("success"), ("props", 0): left("no_data", 0)},
    )
    assert status is ExecutionStatus.COMPLETED
    assert [end.outcome for end in found] == [Outcome.SUCCESS, Outcome.NO_DATA]


@pytest.mark.lesson("K7")
def test_one_failed_call_of_many_makes_the_execution_partial():
    of = {("events", -1): left("success"), ("props", 0): left("success", 0), ("props", 1): left("failed", 1)}
    status, found = judge({("events", -1): "success", ("props", 0): "success", ("props", 1): "failed"}, of)
    assert status is ExecutionStatus.PARTIAL
    assert failures_in_short(found) == "call 1: failed"


@pytest.mark.lesson("K4")
def test_a_failed_critical_call_fails_the_execution():
    status, _ = judge(
        {("events", -1): "failed", ("props", 0): "success"},
        {("events", -1): left("failed"), ("props", 0): left("success", 0)},
    )
    assert status is ExecutionStatus.FAILED


def test_a_call_that_was_not_made_counts_as_a_failure_but_not_as_a_call():
    status, found = judge(
        {("events", -1): "failed", ("props", -1): "upstream_failed"}, {("events", -1): left("failed")}
    )
    assert status is ExecutionStatus.FAILED
    assert "props: not made, what it needs failed" in failures_in_short(found)


def test_a_killed_call_failed_and_left_no_row():
    _, found = judge({("events", -1): "success", ("props", 0): "failed"}, {("events", -1): left("success")})
    assert [(end.outcome, end.reported) for end in found] == [(Outcome.SUCCESS, True), (Outcome.FAILED, False)]


def test_a_call_killed_after_its_start_is_known_by_its_report():
    begun = {**left("failed", 0), "execution_id": None, "error_type": "killed"}
    _, found = judge(
        {("events", -1): "success", ("props", 0): "failed"}, {("events", -1): left("success"), ("props", 0): begun}
    )
    assert (found[1].reported, found[1].label, found[1].left) == (False, "call 0", begun)


def test_a_successful_call_counts_as_success_even_if_airflow_failed_its_task():
    status, found = judge({("events", -1): "failed"}, {("events", -1): left("success")})
    assert (status, found[0].outcome) == (ExecutionStatus.COMPLETED, Outcome.SUCCESS)


def test_skipped_calls_do_not_count():
    status, found = judge({("events", -1): "success", ("props", -1): "skipped"}, {("events", -1): left("success")})
    assert (status, len(found)) == (ExecutionStatus.COMPLETED, 1)


def test_scrapers_whose_names_extend_one_another_do_not_disturb_each_other():
    states = {("a", 0): "success", ("a", 1): "success", ("a_1", -1): "failed", ("a_1_0", 0): "success"}
    of = {
        ("a", 0): [left("success", 0)], ("a", 1): [left("no_data", 1)],
        ("a_1", -1): [left("failed")], ("a_1_0", 0): [left("success", 0)],
    }  # fmt: skip
    found = call_ends(["a", "a_1", "a_1_0"], states, of)
    assert [(end.scraper, end.map_index, end.outcome.value) for end in found] == [
        ("a", 0, "success"), ("a", 1, "no_data"), ("a_1", -1, "failed"), ("a_1_0", 0, "success"),
    ]  # fmt: skip


def test_each_call_of_a_batch_counts():
    killed = {**left("failed"), "execution_id": None, "error_type": "killed"}
    of = {("props", 0): [left("success"), left("no_data"), killed], ("props", 1): [left("success")]}
    found = call_ends(["props"], {("props", 0): "failed", ("props", 1): "success"}, of)
    assert [(end.map_index, end.outcome.value, end.reported) for end in found] == [
        (0, "success", True), (0, "no_data", True), (0, "failed", False), (1, "success", True),
    ]  # fmt: skip
