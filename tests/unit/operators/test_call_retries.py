"""Which failed calls are retried, and when. No wait is longer than the rest of the run."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from airflow.sdk.definitions.retry_policy import RetryAction

from orchestration.operators.retries import CallFailed, CallRetryPolicy, CallsFailed, together
from orchestration.services.answers import failed

POLICY = CallRetryPolicy(5, 300, 30)


def after(result, *, minutes_gone=None, try_number=1, policy=POLICY):
    context = None
    if minutes_gone is not None:
        started = datetime.now(UTC) - timedelta(minutes=minutes_gone)
        context = {"dag_run": SimpleNamespace(start_date=started, run_after=started - timedelta(days=1))}
    return policy.evaluate(CallFailed("x", result), try_number, 3, context)


def limited(seconds):
    return failed("rate_limited", "HTTP 429: later", retryable=True, retry_after=seconds)


DOWN = failed("http_500", "HTTP 500: boom", retryable=True)


def test_a_retry_waits_as_long_as_the_service_asks():
    decision = after(limited(7), minutes_gone=1)
    assert (decision.action, decision.retry_delay) == (RetryAction.RETRY, timedelta(seconds=7))
    assert after(limited(600), minutes_gone=1).retry_delay == timedelta(seconds=600)


def test_a_retry_after_of_zero_seconds_counts_as_none():
    assert after(limited(0.0), minutes_gone=1).retry_delay >= timedelta(seconds=5)


@pytest.mark.parametrize("seconds", [30 * 60, 1764081871000.0, float("inf")])
def test_a_retry_after_beyond_the_runs_deadline_fails_the_call_at_once_and_says_so(seconds):
    decision = after(limited(seconds), minutes_gone=10)
    assert decision.action is RetryAction.FAIL
    assert "the service asks for" in decision.reason
    assert "what is left of the run is" in decision.reason


@pytest.mark.parametrize("policy", [POLICY, CallRetryPolicy(5, 300)])
def test_without_a_run_the_longest_delay_is_the_limit(policy):
    assert after(limited(300), policy=policy).retry_delay == timedelta(seconds=300)
    decision = after(limited(301), policy=policy)
    assert (decision.action, decision.reason) == (
        RetryAction.FAIL,
        "rate_limited: the service asks for 301 s, and the longest delay is 300 s",
    )


def test_our_own_delay_grows_up_to_the_longest_delay():
    delays = [after(DOWN, minutes_gone=1, try_number=n).retry_delay.total_seconds() for n in (1, 2, 3, 20, 100_000)]
    assert 5 <= delays[0] <= 6.25
    assert 10 <= delays[1] <= 12.5
    assert delays[3] == delays[4] == 300


def test_our_own_delay_ends_at_the_deadline():
    assert after(DOWN, minutes_gone=29.99, try_number=9).retry_delay <= timedelta(seconds=1)
    decision = after(DOWN, minutes_gone=31)
    assert (decision.action, decision.reason) == (RetryAction.FAIL, "http_500: the run's deadline has passed")


@pytest.mark.lesson("A5")
def test_a_call_whose_service_has_retried_its_source_is_not_retried():
    decision = after(failed("http_500", "boom", retryable=True, service_retries=8), minutes_gone=1)
    assert (decision.action, decision.reason) == (
        RetryAction.FAIL,
        "the service has already retried its source 8 times",
    )
    assert after(failed("http_500", "boom", retryable=True, service_retries=0)).action is RetryAction.RETRY


def test_a_lasting_failure_is_final_and_another_exception_is_left_to_airflow():
    assert after(failed("blocked", "no", retryable=False)).action is RetryAction.FAIL
    assert POLICY.evaluate(OSError("disk full"), 1, 3, None).action is RetryAction.DEFAULT


def test_the_policy_survives_the_serialisation_of_its_dag():
    assert vars(CallRetryPolicy.deserialize(POLICY.serialize())) == vars(POLICY)


def test_a_task_of_several_calls_waits_for_the_latest_of_their_retries():
    decisions = [after(limited(7), minutes_gone=1), after(limited(60), minutes_gone=1), after(limited(9999))]
    decision = together(decisions)
    assert (decision.action, decision.retry_delay) == (RetryAction.RETRY, timedelta(seconds=60))
    assert POLICY.evaluate(CallsFailed("2 of 3 calls failed", decision), 1, 3) is decision


def test_a_task_without_a_call_to_retry_fails_at_once():
    gone = after(failed("http_404", "HTTP 404: no", retryable=False))
    decision = together([gone, gone])
    assert (decision.action, decision.reason) == (
        RetryAction.FAIL,
        "http_404 is not retried: it does not go away by itself",
    )
    assert together([]).action is RetryAction.FAIL
