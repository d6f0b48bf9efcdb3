"""The ledger of a task's calls, from try to try. What stores its reports is imitated here."""

import asyncio
import json
import threading
from types import SimpleNamespace

import pytest

from orchestration.operators.calls import CallLedger, ScraperCall
from orchestration.records.ids import TaskKey, row_id
from orchestration.services.answers import CallResult, failed
from orchestration.words import Outcome
from support.worlds import DAY, et

NOON = et("12:00")
CALLS = [ScraperCall("props", f"props event-{n}", DAY, index=n) for n in range(3)]
GOOD = CallResult(Outcome.SUCCESS, record_count=3)
DOWN = failed("http_503", "HTTP 503: down", retryable=True)
GONE = failed("http_404", "HTTP 404: gone", retryable=False)


class Notes:
    """The last reports written, as JSON stores them."""

    left = reported = ()

    def __call__(self, left, reported):
        self.left, self.reported = json.loads(json.dumps([left, reported]))


@pytest.fixture
def notes():
    return Notes()


def begun(notes, number=1, first_try=1, calls=CALLS):
    ledger = CallLedger(TaskKey("w", "r", "props", 0, number), calls, notes.reported, first_try, notes)
    said = [(call.index, tried) for call, tried in ledger.silent()]
    ledger.begin(NOON)
    return ledger, said


def end(ledger, results):
    for index, result in results.items():
        row = SimpleNamespace(execution_id=f"{index}-{ledger.key.try_number}", to_json=dict)
        ledger.report(CALLS[index], result, NOON, row)


def test_every_call_is_reported_as_killed_before_the_first_call_is_made(notes):
    ledger, _ = begun(notes)
    assert [(one["call"]["label"], one["outcome"], one["execution_id"]) for one in notes.left] == [
        (call.label, "failed", None) for call in CALLS
    ]
    assert {one["error_type"] for one in notes.left} == {"killed"}
    assert list(ledger.pending) == [0, 1, 2]


def test_a_retry_repeats_only_the_failed_calls_that_may_succeed(notes):
    ledger, _ = begun(notes)
    end(ledger, {0: GOOD, 1: DOWN, 2: GONE})
    ledger.close(again={1})
    second, silent = begun(notes, 2)
    assert (list(second.pending), silent) == ([1], [])
    end(second, {1: GOOD})
    second.close(again=())
    assert [(one["outcome"], one["try_number"]) for one in notes.left] == [
        ("success", 1),
        ("success", 2),
        ("failed", 1),
    ]


def test_after_a_kill_a_reported_call_is_not_repeated_and_an_unreported_try_is_known(notes):
    ledger, _ = begun(notes)
    end(ledger, {0: GOOD})
    asyncio.run(ledger.save())
    second, silent = begun(notes, 2)
    assert (list(second.pending), silent) == ([1, 2], [(1, 1), (2, 1)])


def test_a_try_in_which_a_call_was_not_due_needs_no_row_of_it(notes):
    ledger, _ = begun(notes)
    end(ledger, {0: GOOD, 1: DOWN, 2: GOOD})
    ledger.close(again={1})
    begun(notes, 2)
    cleared, silent = begun(notes, 3, first_try=3)
    assert list(cleared.pending) == [0, 1, 2]
    assert silent == [(1, 2)]


def test_a_cleared_task_repeats_all_calls(notes):
    ledger, _ = begun(notes)
    end(ledger, dict.fromkeys(range(3), GOOD))
    ledger.close(again=())
    assert list(begun(notes, 2)[0].pending) == []
    assert list(begun(notes, 2, first_try=2)[0].pending) == [0, 1, 2]


def test_the_report_of_another_call_with_the_same_index_is_ignored(notes):
    ledger, _ = begun(notes)
    end(ledger, dict.fromkeys(range(3), GOOD))
    ledger.close(again=())
    others = [*CALLS[:2], ScraperCall("props", "props event-9", DAY, index=2)]
    assert list(begun(notes, 2, calls=others)[0].pending) == [2]


def test_the_tries_of_another_call_with_the_same_index_need_no_row(notes):
    ledger, _ = begun(notes)
    end(ledger, dict.fromkeys(range(3), GOOD))
    ledger.close(again=())
    others = [*CALLS[:2], ScraperCall("props", "props event-9", DAY, index=2)]
    assert begun(notes, 2, calls=others)[1] == []
    assert begun(notes, 3, calls=others)[1] == [(2, 2)]


def test_calls_that_end_during_a_write_share_the_next_write():
    written, entered, go_on = [], threading.Event(), threading.Event()

    def slowly(left, reported):
        written.append(len(reported))
        entered.set()
        go_on.wait(60)

    async def work():
        ledger = CallLedger(TaskKey("w", "r", "props"), CALLS, (), 1, slowly)
        ledger._begun = NOON
        end(ledger, {0: GOOD})
        first = asyncio.create_task(ledger.save())
        await asyncio.to_thread(entered.wait, 60)
        end(ledger, {1: GOOD, 2: GOOD})
        others = [asyncio.create_task(ledger.save()) for _ in range(2)]
        await asyncio.sleep(0)
        assert not any(one.done() for one in (first, *others))
        go_on.set()
        await asyncio.gather(first, *others)

    asyncio.run(work())
    assert written == [1, 3]


def test_each_call_of_a_task_has_its_own_row_id_and_a_call_alone_keeps_the_old_id():
    key = TaskKey("betting_lines", "r", "props", 4, 2)
    assert row_id("call", key) == "322a5921-85ee-5a6e-87f4-78430127ddbd"
    assert len({row_id("call", key), *(row_id("call", key, index) for index in range(3))}) == 4
