"""The metrics that collectors receive from a task's process and from our operators."""

import contextlib
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from airflow.sdk.observability import stats
from airflow.sdk.observability.metrics.stats_utils import get_stats_factory

from orchestration.audit.outbox import Outbox
from orchestration.config import Config
from orchestration.operators.cleanup import DrainOutboxOperator
from support.collectors import OtlpEndpoint, StatsdServer
from support.rows import a_decision
from support.simulated import SimulatedDays
from support.worlds import DAY, et

A_TASK = """
from datetime import timedelta
from airflow.sdk.observability import stats
from airflow.sdk.observability.metrics.stats_utils import get_stats_factory
from orchestration.operators.metrics import CALL_DURATION, CALLS, VERDICT
stats.initialize(factory=get_stats_factory(), export_legacy_names=False)
CALLS.count(scraper="espn_roster", outcome="no_data")
CALLS.count(2, scraper="espn_roster", outcome="success")
CALL_DURATION.took(timedelta(seconds=2.5), scraper="espn_roster")
VERDICT.set(2)
print("done")
"""
"""A task's process: Airflow sets up metrics, our code sends them, the process ends."""


def a_task(**settings):
    env = {**os.environ, "PYTHONPATH": "plugins", "PYTHONWARNINGS": "ignore", **settings}
    return subprocess.run([sys.executable, "-c", A_TASK], env=env, capture_output=True, text=True, check=True).stdout


def test_statsd_receives_name_tags_and_value():
    with StatsdServer() as server:
        a_task(**server.settings)
        assert sorted(line for line in server.settled().raw if ".orchestration." in line) == [
            "airflow.orchestration.call_duration,scraper=espn_roster:2500.000000|ms",
            "airflow.orchestration.calls,scraper=espn_roster,outcome=no_data:1|c",
            "airflow.orchestration.calls,scraper=espn_roster,outcome=success:2|c",
            "airflow.orchestration.verdict:2|g",
        ]


def test_a_statsd_without_tags_receives_the_sums():
    with StatsdServer() as server:
        a_task(**{**server.settings, "AIRFLOW__METRICS__STATSD_INFLUXDB_ENABLED": "False"})
        assert server.settled().count("airflow.orchestration.calls") == 3


def test_opentelemetry_receives_metrics_before_the_task_ends():
    with OtlpEndpoint() as endpoint:
        a_task(**endpoint.settings)
        found = endpoint.settled()
    assert found.count("airflow.orchestration.calls", scraper="espn_roster", outcome="success") == 2
    assert found.count("airflow.orchestration.calls", scraper="espn_roster", outcome="no_data") == 1
    assert found.times("airflow.orchestration.call_duration", scraper="espn_roster") == (1, 2500)
    assert found.gauge("airflow.orchestration.verdict") == 2


@pytest.mark.parametrize(
    "settings",
    [
        {"AIRFLOW__METRICS__STATSD_ON": "True", "AIRFLOW__METRICS__STATSD_HOST": "nowhere.invalid"},
        {"AIRFLOW__METRICS__STATSD_ON": "True", "AIRFLOW__METRICS__STATSD_PORT": "1"},
        {"AIRFLOW__METRICS__OTEL_ON": "True", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1",
         "OTEL_EXPORTER_OTLP_TIMEOUT": "1"},
        {},
    ],
    ids=["no such host", "nobody listens", "no collector", "switched off"],
)  # fmt: skip
def test_a_missing_metrics_server_fails_no_task(settings):
    assert "done" in a_task(**settings).splitlines()


@pytest.fixture
def collected(monkeypatch):
    """A StatsD server for this process. ``collected()`` returns the metrics that it received."""
    with StatsdServer() as server, monkeypatch.context() as patch:
        for name, value in server.settings.items():
            patch.setenv(name, value)
        stats.initialize(factory=get_stats_factory(), export_legacy_names=False)
        yield server.settled
    stats.initialize(factory=get_stats_factory(), export_legacy_names=True)


DRAINED = {"outbox_rows": 0, "outbox_oldest_minutes": 0}
"""The metrics that the cleanup's first task sends for an empty outbox."""


def gauges(found):
    return {
        name.removeprefix("airflow.orchestration."): value
        for (name, _), value in found.gauges.items()
        if name.startswith("airflow.orchestration.")
    }


@contextlib.contextmanager
def without_bigquery(google):
    google.stop_bigquery()
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("orchestration.audit.warehouse.APPEND_RETRY_SECONDS", 1)
            yield
    finally:
        google.start_bigquery()


@pytest.fixture
def days(google, outbox, monkeypatch):
    monkeypatch.setattr("orchestration.runs.clock.RunClock.now", lambda self: self.tick)
    return SimulatedDays(google, DAY)


def test_the_watchdog_sends_the_verdict_of_the_health_check(google, warehouse, days, collected):
    days.play(
        {
            et("05:00"): ["schedule_dependency", "schedule_locker"],
            et("06:00"): ["morning_operations"],
            et("07:05"): ["cleanup", "watch"],
        }
    )
    health = days.health(DAY, et("07:05"))
    assert gauges(collected()) == {
        "files_missing": 0,
        "games_collected": 0,
        "games_due": 0,
        "lock_age_minutes": 125,
        **DRAINED,
        "verdict": health.verdict.exit_code,
    }
    days.play({et("22:00"): ["post_game_window_1"], et("+1 01:00"): ["post_game_window_2"]})
    days.play({et("+1 02:05"): ["cleanup", "watch"]})
    health = days.health(DAY, et("+1 02:05"))
    found = gauges(collected())
    assert found["games_due"] == health.due > 0
    assert found["games_collected"] == health.collected > 0
    assert found["lock_age_minutes"] == 21 * 60 + 5


def test_the_lock_age_grows_if_a_day_is_not_locked(google, warehouse, days, collected):
    days.play({et("-1 12:00"): ["morning_operations"], et("06:00"): ["morning_operations"], et("12:35"): ["watch"]})
    assert gauges(collected())["lock_age_minutes"] == 24 * 60 + 7 * 60 + 35


def test_without_bigquery_only_the_verdict_unknown_is_sent(google, warehouse, days, collected):
    days.play({et("06:00"): ["morning_operations"]})
    with without_bigquery(google):
        days.play({et("12:35"): ["cleanup", "watch"]})
    assert gauges(collected()) == {"verdict": 3, **DRAINED}


def test_the_drain_sends_the_number_and_age_of_staged_rows(google, warehouse, outbox, days, collected):
    [name] = outbox.stage([a_decision()])
    long_ago = time.time() - 3 * 3600
    os.utime(Path(outbox.root.path) / "workflow_decisions" / name, (long_ago, long_ago))
    with without_bigquery(google):
        days._task(DrainOutboxOperator(task_id="drain_outbox"), et("12:00"))
    found = gauges(collected())
    assert found["outbox_rows"] == 1
    assert 180 <= found["outbox_oldest_minutes"] <= 240
    days._task(DrainOutboxOperator(task_id="drain_outbox"), et("13:00"))
    assert gauges(collected()) == {"outbox_rows": 0, "outbox_oldest_minutes": 0}


def test_a_shadow_sends_no_metrics_of_games_and_files(google, warehouse, days, collected, monkeypatch):
    days.play({et("06:00"): ["morning_operations"]})
    monkeypatch.setattr(Config, "is_shadow", lambda self, name=None: True)
    days.play({et("07:05"): ["cleanup", "watch"]})
    assert gauges(collected()).keys() == {"verdict", *DRAINED}


def test_an_outbox_that_cannot_be_measured_is_still_drained(outbox, days, collected, monkeypatch):
    def broken(self):
        raise OSError("no listing today")

    outbox.stage([a_decision()])
    monkeypatch.setattr(Outbox, "waiting", broken)
    days._task(DrainOutboxOperator(task_id="drain_outbox"), et("12:00"))
    assert (days.failures, outbox.staged(), gauges(collected())) == ([], [], {})
