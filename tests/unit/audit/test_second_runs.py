"""Runs in the service's log that are not ours, beside our calls."""

import json
from datetime import timedelta

from orchestration.audit.service_log import LoggedRun, ahead_of_service, made_twice
from support.records import a_call, replace
from support.worlds import DAY, et

TICK = et("13:05")


def logged(run_id, at=TICK, scraper="oddsa_events", workflow="betting_lines", **opts):
    text = json.dumps(json.dumps({**opts, "workflow": workflow, "source": "CONTROLLER", "group": "prod"}))
    return LoggedRun(execution_id=run_id, scraper_name=scraper, triggered_at=at, opts=text)


def ours(run_id, at=TICK, **changes):
    call = a_call("oddsa_events", "betting_lines", et("13:00"), DAY, triggered_at=at, triggered_by="schedule")
    return replace(call, run_id=run_id, row_id=f"row of {run_id}", **changes)


def test_a_run_with_our_parameters_at_our_time_by_another_caller_is_a_second_one():
    log = [
        logged("a", game="1"),
        logged("b", game="2"),
        logged("x", TICK + timedelta(minutes=4), game="1", workflow=None),
    ]
    twice, made = made_twice(log, [ours("a"), ours("b")])
    assert ([run.execution_id for run in twice], made) == (["a"], 2)


def test_other_parameters_another_time_and_our_own_tries_are_no_second_run():
    log = [logged("a", game="1"), logged("x", game="3"), logged("y", TICK - timedelta(hours=1), game="1")]
    assert made_twice(log, [ours("a")]) == ([], 1)
    again = [*log, logged("lost", game="1")]
    assert made_twice(again, [ours("a")])[0] != []
    unanswered = replace(ours("none"), run_id="row of none")
    assert made_twice(again, [ours("a"), unanswered]) == ([], 1)


def test_a_worker_is_ahead_if_it_notes_a_call_after_the_services_run_began():
    log = [logged("a"), logged("b")]
    calls = [ours("a", TICK + timedelta(minutes=10)), ours("b", TICK - timedelta(seconds=2))]
    assert ahead_of_service(log, calls) == timedelta(minutes=10)
    assert ahead_of_service(log, [replace(calls[0], triggered_by="replay"), calls[1]]) == timedelta(seconds=-2)
    assert ahead_of_service([], calls) == timedelta()
