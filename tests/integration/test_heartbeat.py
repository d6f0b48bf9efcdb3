"""The watchdog's heartbeat over a real HTTP server: what is called, when, and what a refusal means."""

import threading
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace

import pytest
from airflow.sdk.exceptions import AirflowFailException

from orchestration.alerts.heartbeat import beat, no_address, not_taken
from orchestration.alerts.memory import ALERTS
from orchestration.audit.warehouse import WarehouseError
from orchestration.health import kinds
from orchestration.health.findings import finding
from orchestration.operators import watch
from orchestration.operators.watch import WatchOperator
from orchestration.runs.clock import RunClock
from support.airflow_state import StateStore
from support.worlds import DAY, changed, et

SECRET = "5bf66975-d4c7-4bf5-bcc8-b8d8a82ea278"
CONFIG = changed(settings__alerts={"heartbeat": "heartbeat", "channels": []})
pytestmark = pytest.mark.lesson("F8")


@pytest.fixture
def monitor(monkeypatch):
    """A monitor such as Healthchecks, with the statuses of its next answers; the last one stays."""
    monitor = SimpleNamespace(calls=[], answers=[200])
    monkeypatch.setattr("orchestration.alerts.heartbeat.PAUSE_SECONDS", 0)

    class Pings(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            monitor.calls.append(self.path)
            self.send_response(monitor.answers.pop(0) if len(monitor.answers) > 1 else monitor.answers[0])
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Write no access log."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Pings)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("AIRFLOW_CONN_HEARTBEAT", f'{{"conn_type": "http", "schema": "http", "host": "127.0.0.1", '
                       f'"port": {server.server_port}, "password": "{SECRET}"}}')  # fmt: skip
    yield monitor
    server.shutdown()
    server.server_close()


def a_run(**conf):
    return SimpleNamespace(
        run_id="c", run_type="manual", conf=conf, start_date=et("14:05"), run_after=et("14:05"),
        logical_date=et("14:00"), triggering_user_name=None,
    )  # fmt: skip


NOW = RunClock.of_run(a_run())


@pytest.fixture
def look(monkeypatch):
    """One look of the watchdog's task; the audit and its findings are given."""
    store = StateStore()

    def look(findings=(), *, raises=None, config=CONFIG, **conf):
        def facts(*_):
            if raises is not None:
                raise raises
            return SimpleNamespace(day=None, first=(), cleanups=(1, 2))

        operator = WatchOperator(task_id="watch")
        operator.__dict__["config"] = config
        health = SimpleNamespace(findings=findings, verdict=SimpleNamespace(exit_code=0), due=0, collected=0)
        monkeypatch.setattr(watch, "Warehouse", lambda *_: None)
        monkeypatch.setattr(watch, "day_facts", facts)
        monkeypatch.setattr(watch, "assess", lambda *_: health)
        monkeypatch.setattr(watch, "_measure", lambda *_: None)
        monkeypatch.setattr(watch, "_just_on", lambda *_: False)
        monkeypatch.setattr(watch.data, "repairs_until", lambda *_: None)
        context = {
            "ti": SimpleNamespace(dag_id="cleanup", run_id="c"), "dag_run": a_run(**conf), "params": {},
            "asset_state_store": {ALERTS: store},
        }  # fmt: skip
        operator.execute(context)

    look.store = store
    return look


PAUSED = finding(kinds.DAG_PAUSED, "betting_lines", since="14:00", day=DAY)


def test_the_monitor_is_called_after_each_good_look(monitor, look):
    look()
    look()
    assert monitor.calls == [f"/{SECRET}"] * 2


def test_a_look_that_failed_a_replay_and_no_setting_call_nothing(monitor, look):
    with pytest.raises(AirflowFailException):
        look(raises=WarehouseError("BigQuery did not answer"))
    with pytest.raises(ZeroDivisionError):
        look(raises=ZeroDivisionError())
    look(as_of=et("02:00").isoformat())
    look(config=changed(settings__alerts={"channels": []}))
    assert monitor.calls == []


def test_a_look_with_new_findings_is_a_good_look(monitor, look):
    with pytest.raises(AirflowFailException):
        look([PAUSED])
    assert len(monitor.calls) == 1


def test_no_call_while_no_channel_takes_the_alerts(monitor, look):
    nobody = changed(settings__alerts={"heartbeat": "heartbeat"}, settings__notifications={"email_to": "a@example.com"})
    with pytest.raises(AirflowFailException):
        look([PAUSED], config=nobody)
    look([PAUSED], config=nobody)
    assert monitor.calls == []
    look.store["unsent"] = (et("14:05") - timedelta(hours=1)).isoformat()
    look(config=nobody)
    assert len(monitor.calls) == 1


def test_a_short_fault_of_the_monitor_is_retried(monitor):
    monitor.answers = [503, 200]
    store = StateStore()
    beat(store, CONFIG, NOW)
    assert (len(monitor.calls), list(not_taken(store, CONFIG))) == (2, [])


def test_a_monitor_that_refuses_fails_nothing_and_is_a_fault_until_it_takes_a_call(monitor, caplog):
    monitor.answers, store = [404], StateStore()
    beat(store, CONFIG, NOW)
    [(name, why)] = not_taken(store, CONFIG)
    assert (name, "404" in why, why.startswith("since ")) == ("heartbeat", True, True)
    assert "The heartbeat was not taken" in caplog.text
    assert SECRET not in caplog.text + why
    first = dict(store)
    beat(store, CONFIG, NOW)
    assert store == first
    monitor.answers = [200]
    beat(store, CONFIG, NOW)
    assert list(not_taken(store, CONFIG)) == []


def test_a_monitor_out_of_reach_and_a_missing_connection_say_so_without_the_address(monitor, monkeypatch, caplog):
    monkeypatch.setenv("AIRFLOW_CONN_HEARTBEAT", f'{{"host": "http://127.0.0.1:9", "password": "{SECRET}"}}')
    assert no_address(CONFIG) is None
    store = StateStore()
    beat(store, CONFIG, NOW)
    [(_, why)] = not_taken(store, CONFIG)
    assert "ConnectionError" in why
    assert SECRET not in caplog.text + why
    monkeypatch.delenv("AIRFLOW_CONN_HEARTBEAT")
    assert no_address(CONFIG) == "there is no connection heartbeat"
    beat(store, CONFIG, NOW)
    assert "heartbeat" in next(not_taken(store, CONFIG))[1]
