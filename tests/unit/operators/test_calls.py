"""What is known of the calls of one task, from try to try. Whoever writes it down is imitated here."""

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
    """What the last write left, as JSON keeps it."""

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


def test_every_call_has_left_word_before_the_first_is_made(notes):
    ledger, _ = begun(notes)
    assert [(one["call"]["label"], one["outcome"], one["execution_id"]) for one in notes.left] == [
        (call.label, "failed", None) for call in CALLS
    ]
    assert {one["error_type"] for one in notes.left} == {"killed"}
    assert list(ledger.pending) == [0, 1, 2]


def test_a_retry_repeats_only_the_failed_calls_that_can_succeed(notes):
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


def test_after_a_kill_what_was_written_is_not_made_again_and_what_was_not_is_known_to_be_silent(notes):
    ledger, _ = begun(notes)
    end(ledger, {0: GOOD})
    asyncio.run(ledger.save())
    second, silent = begun(notes, 2)
    assert (list(second.pending), silent) == ([1, 2], [(1, 1), (2, 1)])


def test_tries_of_the_task_in_which_a_call_was_not_to_be_made_are_no_silent_ones_of_it(notes):
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


def test_what_is_known_of_another_call_in_the_same_place_counts_for_nothing(notes):
    ledger, _ = begun(notes)
    end(ledger, dict.fromkeys(range(3), GOOD))
    ledger.close(again=())
    others = [*CALLS[:2], ScraperCall("props", "props event-9", DAY, index=2)]
    assert list(begun(notes, 2, calls=others)[0].pending) == [2]


def test_the_tries_of_another_call_in_the_same_place_are_no_silent_ones(notes):
    ledger, _ = begun(notes)
    end(ledger, dict.fromkeys(range(3), GOOD))
    ledger.close(again=())
    others = [*CALLS[:2], ScraperCall("props", "props event-9", DAY, index=2)]
    assert begun(notes, 2, calls=others)[1] == []
    assert begun(notes, 3, calls=others)[1] == [(2, 2)]


def test_what_comes_while_it_is_being_written_is_written_once_and_together():
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


def test_calls_of_one_task_have_ids_of_their_own_and_one_alone_the_id_that_it_always_had():
    key = TaskKey("betting_lines", "r", "props", 4, 2)
    assert row_id("call", key) == "322a5921-85ee-5a6e-87f4-78430127ddbd"
    assert len({row_id("call", key), *(row_id("call", key, index) for index in range(3))}) == 4
