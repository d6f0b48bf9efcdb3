"""Metrics: their errors fail no task, and collectors accept their names."""

import logging
from datetime import timedelta

import pytest
from airflow.sdk.observability import stats
from airflow.sdk.observability.metrics.stats_utils import get_stats_factory

from orchestration.operators.metrics import ALL, CALL_DURATION, CALLS, DECISIONS, VERDICT
from support.collectors import StatsdServer


@pytest.fixture(autouse=True)
def as_before():
    yield
    stats.initialize(factory=get_stats_factory(), export_legacy_names=True)


def test_an_error_of_a_metric_is_only_logged(caplog):
    def broken():
        raise RuntimeError("no stats today")

    stats.initialize(factory=broken, export_legacy_names=False)
    with caplog.at_level(logging.WARNING):
        VERDICT.set(0)
        DECISIONS.count(workflow="betting_lines", action="RUN")
        CALL_DURATION.took(timedelta(seconds=1), scraper="espn_roster")
    assert [record.message for record in caplog.records] == [
        f"The metric orchestration.{name} was not sent" for name in ("verdict", "decisions", "call_duration")
    ]
    assert "no stats today" in caplog.text


def test_a_value_without_its_tags_is_not_sent(caplog):
    with StatsdServer() as server, pytest.MonkeyPatch.context() as patch:
        for name, value in server.settings.items():
            patch.setenv(name, value)
        stats.initialize(factory=get_stats_factory(), export_legacy_names=False)
        CALLS.count(scraper="espn_roster")
        assert server.settled().names == set()
    assert "orchestration.calls" in caplog.text


def test_metric_names_are_unique_and_have_our_prefix():
    assert len({metric.name for metric in ALL}) == len(ALL)
    assert all(metric.name.startswith("orchestration.") for metric in ALL)
