"""Several calls in one task: real HTTP, a real outbox, BigQuery's emulator, and a stand-in for Airflow's context."""

import json
import threading
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from airflow.sdk.definitions.retry_policy import RetryAction
from airflow.sdk.exceptions import (
    AirflowFailException,
    AirflowSkipException,
    AirflowTaskTimeout,
)

from orchestration.alerts.memory import ALERTS
from orchestration.assets import table_asset
from orchestration.audit.callbacks import append_staged
from orchestration.operators import base
from orchestration.operators.calls import OUTCOME_KEY
from orchestration.operators.finish import FinishOperator, TableEventsOperator
from orchestration.operators.retries import CallFailed, CallRetryPolicy, CallsFailed
from orchestration.operators.scrape import ScrapeOperator
from orchestration.operators.scrape_batch import DivideOperator, ScrapeBatchOperator
from orchestration.services.scraper_service import Line
from support.airflow_state import AssetEvents, StateStore
from support.scripted import ScriptedService, found
from support.worlds import DAY, changed, et

LINES, TABLE = "oddsa_game_lines", "nba_raw.odds_api_game_lines"
EVENTS = [f"event-{n}" for n in range(5)]
RETRIES = 2


class Run:
    """A run of ``betting_lines`` with one task that calls the lines of all events, in one or more tries."""

    def __init__(self, monkeypatch, service, outbox, warehouse):
        self.patch, self.service, self.outbox, self.warehouse = monkeypatch, service, outbox, warehouse
        self.set_config(changed())
        self.left, self.kept, self.pushes, self.asset_events = None, StateStore(), 0, AssetEvents()
        self.scrapers = [LINES]

    def set_config(self, config):
        self.config = config
        self.patch.setattr(base, "load_or_last_good", lambda: SimpleNamespace(config=config))

    def context(self, task_id, number, max_tries, xcom_pull, map_index=0, **more):
        def push(key, value):
            self.left = json.loads(json.dumps(value))
            self.pushes += 1

        dag_run = SimpleNamespace(
            run_id="r", run_type="manual", conf={"as_of": et("15:00").isoformat()}, start_date=datetime.now(UTC),
            run_after=et("15:00"), logical_date=None, triggering_user_name="me",
        )  # fmt: skip
        ti = SimpleNamespace(
            dag_id="betting_lines", run_id="r", task_id=task_id, map_index=map_index, try_number=number,
            max_tries=max_tries, xcom_pull=xcom_pull, xcom_push=push, **more,
        )  # fmt: skip
        stores = {"task_state_store": self.kept, "asset_state_store": {ALERTS: StateStore()}}
        return {"ti": ti, "dag_run": dag_run, **stores}

    @property
    def decision(self):
        return {
            "workflow": "betting_lines", "scrapers": self.scrapers, "collected": {}, "target_date": DAY.isoformat(),
            "decision_id": "d",
        }  # fmt: skip

    def call(self, number=1, events=EVENTS, at_once=2, max_tries=RETRIES, timeout=30):
        """Run one try of the task, and its callback, which appends the staged rows."""
        self.left = None
        operator = ScrapeBatchOperator(
            task_id=f"{LINES}_{number}", workflow="betting_lines", scraper=LINES, fan_out="event", item=events,
            timeout_seconds=timeout, at_once=at_once, retries=RETRIES, retry_policy=CallRetryPolicy(1, 60),
        )  # fmt: skip
        context = self.context(LINES, number, max_tries, lambda **_: self.decision)
        context["task"] = operator
        self.operator, self.said = operator, context
        try:
            operator.execute(context)
        finally:
            append_staged(context)

    def fails(self, number=1, **more):
        with pytest.raises(CallsFailed) as failed:
            self.call(number, **more)
        return failed.value

    def finish(self, state="failed"):
        crumbs = [{"task_id": LINES, "map_index": 0, "state": state}]
        operator = FinishOperator(task_id="finish", workflow="betting_lines")
        left, self.kept = [self.left], StateStore()
        context = self.context(
            "finish", 1, 0, lambda task_ids, key, **_: (left if task_ids == [LINES] else []) if key == OUTCOME_KEY
            else self.decision if task_ids == "decide" else None, -1,
            get_task_breadcrumbs=lambda **_: iter(crumbs),
        )  # fmt: skip
        try:
            operator.execute(context)
        except AirflowFailException:
            pass
        finally:
            self.outbox.drain()
        return operator

    def send_events(self, number=1):
        """Run the task that sends events for the run's calls. Return all events of their table so far."""
        operator = TableEventsOperator(task_id="tell_tables", workflow="betting_lines", tables=[TABLE])
        left = [self.left]
        context = self.context(
            "tell_tables", number, 0, lambda task_ids, **_: left if task_ids == [LINES] else [], -1
        ) | self.asset_events.context()  # fmt: skip
        operator.execute(context)
        self.asset_events.succeeded(operator, context)
        return self.asset_events.of(table_asset(TABLE, "local"))

    def rows(self):
        assert self.outbox.staged() == []
        return self.warehouse.query(
            "SELECT * FROM {audit}.v_scraper_runs WHERE DATE(triggered_at) > DATE '2026-01-01' "
            "ORDER BY call_index, try_number"
        )

    def tries(self):
        return [(row["call_index"], row["try_number"], row["error_type"] or row["status"]) for row in self.rows()]

    def asked(self):
        return sorted(request["event_id"] for request in self.service.asked)


@pytest.fixture
def run(monkeypatch, outbox, warehouse):
    with ScriptedService().serving() as service:
        connection = {"conn_type": "http", "host": "127.0.0.1", "port": service.port}
        monkeypatch.setenv("AIRFLOW_CONN_SCRAPER_SERVICE", json.dumps(connection))
        yield Run(monkeypatch, service, outbox, warehouse)


def only(wrong, answer):
    """Return answers: the given one for one event, one record for every other event."""
    return lambda request, number: answer(number) if request["event_id"] == wrong else found()


def test_each_call_has_its_own_row_label_and_index(run):
    run.service.script(**{LINES: lambda request, _: found(int(request["event_id"][-1]), run_id=request["event_id"])})
    run.call()
    rows = run.rows()
    assert [(row["label"], row["status"], row["record_count"], row["call_index"]) for row in rows] == [
        (f"{LINES} event-{n}", "success" if n else "no_data", n, n) for n in range(5)
    ]
    assert len({row["row_id"] for row in rows}) == 5
    assert {(row["task_id"], row["map_index"], row["try_number"]) for row in rows} == {(LINES, 0, 1)}
    assert [row["opts"]["event_id"] for row in rows] == EVENTS
    assert run.said["call_label"] == "event-0 … event-4 (5)"
    assert run.operator.outcomes == {row["label"]: row["status"] for row in rows}
    assert run.finish("success").calls == "5"


def numbered(request, service):
    """Return as many records as the event's number. The run id holds the number of calls for this event."""
    number, again = int(request["event_id"][-1]), service.asked.count(request)
    status, body = found(number, **({"gcs_path": "gs://b/1.json"} if number == 1 else {}))
    return status, {**body, "run_id": f"{number} {again}"}


def test_each_call_with_records_is_an_event_of_the_tables_asset(run):
    run.service.script(**{LINES: lambda request, _: numbered(request, run.service)})
    run.call()
    said = run.send_events()
    assert [(one["label"], one["record_count"], one["gcs_path"], one["run_id"]) for one in said] == [
        (f"{LINES} event-1", 1, "gs://b/1.json", "1 1"),
        *((f"{LINES} event-{n}", n, None, f"{n} 1") for n in (2, 3, 4)),
    ]
    same = {(one["target_date"], one["game_id"], one["dag_run_id"], one["workflow"]) for one in said}
    assert same == {(DAY.isoformat(), None, "r", "betting_lines")}
    assert len(run.asset_events.events) == 4


def test_a_failed_call_does_not_remove_the_events_of_other_calls(run):
    run.service.script(**{LINES: only("event-2", lambda _: (403, {"error": "go away"}))})
    run.fails()
    assert [one["label"][-1] for one in run.send_events()] == ["0", "1", "3", "4"]


def test_cleared_tasks_send_only_new_events(run):
    run.service.script(**{LINES: lambda request, _: numbered(request, run.service)})
    run.call()
    first = list(run.send_events())
    assert run.send_events(number=2) == first
    run.call(number=2, max_tries=2 + RETRIES)
    assert [one["run_id"] for one in run.send_events(number=3)[4:]] == ["1 2", "2 2", "3 2", "4 2"]


def test_the_event_names_the_file_from_the_services_log(run):
    run.service.script(**{LINES: lambda request, _: numbered(request, run.service)})
    run.call(events=["event-2"])
    columns, at = (
        "execution_id, scraper_name, status, triggered_at, created_at, source, gcs_path",
        "2026-01-14 20:00:00+00",
    )
    values = f"'2 1', 'x', 'success', '{at}', '{at}', 'CONTROLLER', 'gs://b/two.json'"
    run.warehouse.query(f"INSERT {{service_log}} ({columns}) VALUES ({values})")
    assert [one["gcs_path"] for one in run.send_events()] == ["gs://b/two.json"]


def test_a_task_makes_no_more_calls_at_a_time_than_it_has_slots(run):
    together, most, gate = [0], [0], threading.Condition()

    def answer(_, number):
        with gate:
            together[0] += 1
            most[0] = max(most[0], together[0])
            gate.notify_all()
            if number < 5:
                assert gate.wait_for(lambda: most[0] >= 2, timeout=60)
            # Wait long enough for a third call, which must not come.
            gate.wait_for(lambda: most[0] > 2, timeout=0.2)
            together[0] -= 1
        return found()

    run.service.script(**{LINES: answer})
    run.call(at_once=2)
    assert (most[0], len(run.service.asked)) == (2, 5)
    assert {headers["Connection"] for headers in run.service.headers} == {"close"}


def test_a_retry_repeats_only_the_failed_calls_that_can_succeed(run):
    def answer(request, _):
        match request["event_id"], len([one for one in run.service.asked if one == request]):
            case "event-1", 1:
                return 503, {"error": "down"}
            case "event-3", _:
                return 404, {"error": "no such event"}
            case _:
                return found()

    run.service.script(**{LINES: answer})
    failed = run.fails(1)
    assert str(failed) == f"2 of 5 calls failed: {LINES} event-1: http_503; {LINES} event-3: http_404"
    assert failed.decision.action is RetryAction.RETRY
    assert list(run.operator.outcomes.items())[:2] == [
        (f"{LINES} event-1", "failed: http_503"), (f"{LINES} event-3", "failed: http_404"),
    ]  # fmt: skip
    again = run.fails(2)
    assert again.decision.action is RetryAction.FAIL
    assert run.asked() == sorted([*EVENTS, "event-1"])
    assert run.tries() == [
        (0, 1, "success"), (1, 1, "http_503"), (1, 2, "success"), (2, 1, "success"), (3, 1, "http_404"),
        (4, 1, "success"),
    ]  # fmt: skip
    finish = run.finish()
    assert (finish.calls, finish.failures) == ("5", f"{LINES} event-3: http_404")
    [execution] = run.warehouse.query(
        "SELECT * FROM {audit}.v_workflow_executions WHERE DATE(execution_time) > DATE '2026-01-01'"
    )
    assert (execution["scrapers_triggered"], execution["scrapers_failed"]) == (5, 1)
    assert len(set(execution["scraper_execution_ids"])) == 5
    for report in ("scraper_success_rates", "source_reliability"):
        [row] = run.warehouse.query(f"SELECT * FROM {{audit}}.{report}(@day, @day)", {"day": DAY})
        assert (row["calls"], row["success"], row["failed"], row["failed_tries"]) == (5, 4, 1, 2)


def test_the_task_honours_retry_after(run):
    run.service.script(**{LINES: only("event-2", lambda _: (429, {"error": "later"}, {"Retry-After": "37"}))})
    assert run.fails(1).decision.retry_delay == timedelta(seconds=37)


def test_a_late_call_makes_no_other_call_late(run):
    run.service.script(**{LINES: only("event-2", lambda _: (run.service.stopping.wait(60), found())[1])})
    run.fails(1, timeout=1, at_once=5)
    assert [(row["call_index"], row["error_type"]) for row in run.rows() if row["status"] == "failed"] == [
        (2, "timeout")
    ]


def test_only_calls_beyond_the_tasks_own_timeout_are_late(run, monkeypatch):
    call = Line.call

    async def stopped(self, request):
        if "event-3" in request.parameters.values():
            raise AirflowTaskTimeout
        return await call(self, request)

    monkeypatch.setattr(Line, "call", stopped)
    assert run.fails(1).decision.action is RetryAction.RETRY
    assert [what for *_, what in run.tries()] == ["success", "success", "success", "timeout", "success"]


def test_a_cleared_task_repeats_all_calls(run):
    run.call(1)
    run.call(2, max_tries=1 + RETRIES)
    assert run.asked() == sorted(EVENTS * 2)
    assert run.tries() == [(index, number, "success") for index in range(5) for number in (1, 2)]


def test_a_retry_after_a_complete_try_makes_no_call(run):
    run.call(1)
    run.call(2)
    assert run.asked() == EVENTS
    assert [one["try_number"] for one in run.left["calls"]] == [1] * 5
    assert run.finish("failed").failures == "none"


def test_a_switch_to_shadow_stops_the_remaining_calls(run):
    def answer(request, _):
        if request["event_id"] == "event-1":
            run.set_config(changed(workflows__betting_lines__mode="shadow"))
        return found()

    run.service.script(**{LINES: answer})
    failed = run.fails(1, at_once=1)
    assert run.asked() == ["event-0", "event-1"]
    assert failed.decision.action is RetryAction.FAIL
    assert [what for *_, what in run.tries()] == ["success", "success", "shadow", "shadow", "shadow"]


def test_a_call_that_cannot_be_staged_does_not_block_other_calls(run, monkeypatch):
    stage = ScrapeBatchOperator.stage

    def full(self, rows, **more):
        rows = list(rows)
        if rows and rows[0].label.endswith("event-2"):
            raise OSError("No space left on device")
        stage(self, rows, **more)

    monkeypatch.setattr(ScrapeBatchOperator, "stage", full)
    with pytest.raises(OSError, match="No space"):
        run.call(1)
    monkeypatch.setattr(ScrapeBatchOperator, "stage", stage)
    run.call(2)
    assert run.asked() == sorted([*EVENTS, "event-2"])
    assert [one for one in run.tries() if one[0] == 2] == [(2, 1, "killed"), (2, 2, "success")]


def test_a_missing_connection_makes_no_call_and_all_calls_are_retried(run, monkeypatch):
    with monkeypatch.context() as patch:
        patch.delenv("AIRFLOW_CONN_SCRAPER_SERVICE")
        with pytest.raises(CallsFailed, match="not_set_up"):
            run.call(1)
    assert run.finish().failures == f"5 calls of {LINES}: not_set_up"
    assert run.tries() == [(index, 1, "not_set_up") for index in range(5)]
    run.call(2)
    assert [one for one in run.tries() if one[1] == 2] == [(index, 2, "success") for index in range(5)]


def test_a_task_without_rows_counts_as_one_call_until_a_later_try_replaces_it(run):
    run.left = None
    assert run.finish().failures == f"{LINES} [0]: killed"
    run.call(1)
    assert run.tries() == [(0, 0, "killed"), *((index, 1, "success") for index in range(5))]


def test_a_task_without_calls_is_skipped_with_a_reason(run):
    with pytest.raises(AirflowSkipException, match="is called for each event, and there is none"):
        run.call(1, events=[None])
    run.scrapers = ["oddsa_events"]
    with pytest.raises(AirflowSkipException, match="is not among the scrapers"):
        run.call(1)


def test_too_many_events_for_airflow_fail_with_the_next_step(run):
    run.scrapers = ["oddsa_events"]
    run.service.script(oddsa_events=lambda *_: found(4, event_ids=EVENTS[:4]))
    for most in (4, 3):
        operator = ScrapeOperator(
            task_id=f"most_{most}", workflow="betting_lines", scraper="oddsa_events", timeout_seconds=30,
            returns_events=True, most_events=most,
        )  # fmt: skip
        context = run.context("oddsa_events", 1, 0, lambda **_: run.decision, -1)
        if most == 4:
            assert operator.execute(context) == EVENTS[:4]
        else:
            with pytest.raises(CallFailed, match=r"too_many_events.*set calls_per_task for the scrapers of the events"):
                operator.execute(context)


def divided_list(count, size):
    operator = DivideOperator(task_id=f"by_{count}_{size}", of="oddsa_events", size=size)
    return operator.execute({"ti": SimpleNamespace(xcom_pull=lambda **_: [str(n) for n in range(count)])})


def test_a_list_is_split_into_at_most_as_many_tasks_as_airflow_maps():
    assert [len(one) for one in divided_list(10_000, 100)] == [100] * 100
    assert len(divided_list(1024, 1)) == 1024
    with pytest.raises(AirflowFailException, match=r"10000 calls, 9 a task, are more tasks than Airflow maps over"):
        divided_list(10_000, 9)
