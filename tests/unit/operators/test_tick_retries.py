"""A short outage costs minutes, not a window: an undecidable tick is retried, and only the last try is an ABORT."""

from datetime import timedelta
from types import SimpleNamespace

import pytest
from airflow.sdk.definitions.retry_policy import RetryAction
from airflow.serialization.serialized_objects import DagSerialization

from orchestration.audit.outbox import Outbox
from orchestration.audit.warehouse import WarehouseError
from orchestration.decisions.model import History
from orchestration.decisions.types.freshness import AWAITED
from orchestration.generator.dags import build_dags
from orchestration.nba.games import Schedule
from orchestration.operators import base
from orchestration.operators.decide import DECISION_KEY, DecideOperator, HoldOperator
from orchestration.operators.lock import LockOperator
from orchestration.operators.retries import NotKnownYet, TickRetryPolicy
from orchestration.words import Action
from support.airflow_state import AssetEvents, StateStore
from support.worlds import changed, decision, et, game, locked, ours, schedule

TICK = et("13:00")
DOWN = WarehouseError("BigQuery did not answer")
KNOWN, UNKNOWN = (schedule(game()), History()), (Schedule(), History())
VANISHED = locked(schedule(game()), now=schedule()), History()


class Task:
    """A task of a scheduled run. Each try gets its own answer from the warehouse."""

    def __init__(self, monkeypatch, tmp_path, operator, workflow):
        self.monkeypatch, self.operator, self.workflow = monkeypatch, operator, workflow
        self.store, self.xcoms, self.run_type, self.params = StateStore(), {}, "scheduled", {}
        self.max_tries, self.took = ours().settings.decide_retries.max_retries, None
        monkeypatch.setattr(base, "load_or_last_good", lambda: SimpleNamespace(config=ours()))
        monkeypatch.setenv("ORCHESTRATION_OUTBOX", f"file://{tmp_path}")
        monkeypatch.setattr(DecideOperator, "do_branch", lambda _, context, branch: setattr(self, "took", branch))

    def run(self, number, answer):
        def inputs(*_, **__):
            if isinstance(answer, Exception):
                raise answer
            return answer

        for module in ("decide", "lock"):
            self.monkeypatch.setattr(f"orchestration.operators.{module}.decision_inputs", inputs)
        ti = SimpleNamespace(
            dag_id=self.workflow or "schedule_locker", run_id="r", task_id="t", map_index=-1, try_number=number,
            max_tries=self.max_tries, xcom_push=self.xcoms.__setitem__,
        )  # fmt: skip
        dag_run = SimpleNamespace(
            run_id="r", run_type=self.run_type, conf={}, start_date=TICK, run_after=TICK, logical_date=TICK,
            triggering_user_name="me",
        )  # fmt: skip
        operator = self.operator(task_id="t", **({"workflow": self.workflow} if self.workflow else {}))
        operator.execute(
            {"ti": ti, "dag_run": dag_run, "params": self.params, "task_state_store": self.store,
             "asset_state_store": {}, **AssetEvents().context()}
        )  # fmt: skip

    def delay(self, number, answer):
        with pytest.raises(NotKnownYet) as caught:
            self.run(number, answer)
        return caught.value.delay


@pytest.fixture
def task(monkeypatch, tmp_path):
    return lambda workflow="betting_lines": Task(monkeypatch, tmp_path, DecideOperator, workflow)


@pytest.fixture
def lock(monkeypatch, tmp_path):
    return Task(monkeypatch, tmp_path, LockOperator, None)


def recorded(task):
    return [(row["action"], row["rule"]) for row in rows()]


def rows():
    import json

    return [json.loads(path.read_text()) for path in Outbox().root.rglob("*.json")]


@pytest.mark.parametrize(
    ("answer", "rule"),
    [(DOWN, "history_unreadable"), (UNKNOWN, "schedule_unknown"), (VANISHED, "slate_vanished")],
)
def test_three_tries_take_three_minutes_and_only_the_last_one_aborts_and_is_recorded(task, answer, rule):
    one = task()
    assert [one.delay(number, answer) for number in (1, 2)] == [60, 120]
    assert rows() == []
    one.run(3, answer)
    assert one.took == "abort"
    assert recorded(one) == [("ABORT", rule)]


@pytest.mark.parametrize("passing", [DOWN, UNKNOWN])
def test_a_fault_that_passes_between_two_tries_costs_a_minute(task, passing):
    one = task()
    one.delay(1, passing)
    one.run(2, KNOWN)
    assert one.took == "skip"
    assert [action for action, _ in recorded(one)] == ["SKIP"]


def test_a_lock_keeps_the_slate_in_every_row_and_takes_the_place_of_an_earlier_one(lock):
    game_rows = [{"game_id": "0022500001", "code": "20260114/LALBOS", "tip": "2026-01-15T00:00:00+00:00"}]
    earlier = locked(schedule(game(2)), now=KNOWN[0])
    lock.run(1, (earlier, History()))
    assert len(rows()) > 10
    assert all(row["slate"] == game_rows for row in rows())


def test_a_lock_that_expects_no_run_on_a_game_day_sends_an_alert(lock, monkeypatch):
    sent = []
    monkeypatch.setattr("orchestration.operators.lock.plan", lambda *_: [decision("post_game_window_1", "13:00")])
    monkeypatch.setattr(
        "orchestration.operators.lock.send_once", lambda context, config, alerts, log: sent.extend(alerts)
    )
    lock.run(1, KNOWN)
    assert [(one.kind, one.text) for one in sent] == [
        ("plan_empty", "The plan of 2026-01-14 expects no run, although the schedule has 1 game. "
         "Check whether the workflows are enabled")
    ]  # fmt: skip


def test_a_cleared_task_has_all_its_tries_again(task):
    """Airflow sets max_tries to the tries made plus the task's retries."""
    one = task()
    one.max_tries = 3 + 2
    assert [one.delay(number, DOWN) for number in (4, 5)] == [60, 120]
    one.run(6, DOWN)
    assert one.took == "abort"


def test_an_internal_error_is_an_abort_at_once(task):
    one = task()
    one.run(1, ValueError("rows that make no sense"))
    assert recorded(one) == [("ABORT", "internal_error")]


@pytest.mark.parametrize("workflow", ["schedule_dependency", "morning_operations"])
def test_a_workflow_without_need_of_the_schedule_does_not_wait_for_it(task, workflow):
    one = task(workflow)
    one.run(1, UNKNOWN)
    assert one.took == "hold"


def test_a_run_by_hand_waits_seconds(task):
    one = task()
    one.run_type = "manual"
    assert [one.delay(number, DOWN) for number in (1, 2)] == [6, 12]
    one.run(3, DOWN)
    assert one.took == "abort"


def test_the_lock_waits_too(lock):
    assert [lock.delay(1, DOWN), lock.delay(2, UNKNOWN)] == [60, 120]
    lock.run(3, KNOWN)
    assert rows()


def test_the_delays_stay_within_the_hold():
    assert ours().decide_delays == (60, 120)
    assert changed(settings__execution_delay_minutes=0).decide_delays == (60, 120)
    assert changed(settings__execution_delay_minutes=1).decide_delays == (16, 32)
    assert changed(settings__decide_retries={"max_retries": 0}).decide_delays == ()
    longest = {"max_retries": 5, "first_delay_seconds": 600}
    assert sum(changed(settings__decide_retries=longest).decide_delays) == pytest.approx(240)


def test_the_policy_gives_airflow_the_delay_and_the_reason():
    said = TickRetryPolicy().evaluate(NotKnownYet("Schedule unknown", 60), 1, 2)
    assert (said.action, said.retry_delay) == (RetryAction.RETRY, timedelta(seconds=60))
    assert said.reason == "Schedule unknown; next try in 60 s"
    assert TickRetryPolicy().evaluate(OSError("disk full"), 1, 2).action is RetryAction.DEFAULT


def test_the_tasks_that_wait_have_the_tries_of_the_settings():
    dags = build_dags(changed(settings__decide_retries={"max_retries": 4}))
    for dag_id, task_id in (("betting_lines", "decide"), ("schedule_locker", "lock"), ("reconcile", "find")):
        found = dags[dag_id].get_task(task_id)
        assert (found.retries, type(found.retry_policy)) == (4, TickRetryPolicy)
        DagSerialization.to_dict(dags[dag_id])


class TestTheRefreshThatOtherWorkflowsWaitFor:
    def context(self, decided):
        now = et("13:00")
        dag_run = SimpleNamespace(
            run_id="r", run_type="scheduled", conf={}, start_date=now, run_after=now + timedelta(days=9999),
            logical_date=now + timedelta(days=9999), triggering_user_name=None,
        )  # fmt: skip
        ti = SimpleNamespace(xcom_pull=lambda task_ids, key: decided.to_dict() if key == DECISION_KEY else None)
        return {"ti": ti, "dag_run": dag_run}

    def test_the_refresh_of_an_unknown_schedule_does_not_hold(self, monkeypatch):
        monkeypatch.setattr(base, "load_or_last_good", lambda: SimpleNamespace(config=ours()))
        decided = decision("schedule_dependency", "13:00", Schedule())
        assert (decided.action, decided.context[AWAITED]) == (Action.RUN, True)
        assert HoldOperator(task_id="hold", workflow="schedule_dependency").execute(self.context(decided)) == [None]

    def test_no_other_decision_skips_the_hold(self):
        assert AWAITED not in decision("schedule_dependency", "13:00", schedule(game())).context
        assert AWAITED not in decision("morning_operations", "07:00", Schedule()).context
