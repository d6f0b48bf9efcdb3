"""The metrics that a real Airflow sends to an OpenTelemetry endpoint equal the numbers of the audit.

``test_day.py`` compares those sent to a StatsD server.
"""

import json
from datetime import UTC

import pytest

from support import metrics_checks
from support.collectors import OtlpEndpoint
from support.days import played_day
from support.worlds import DAY, et

pytestmark = pytest.mark.drill

GAMES = 2
TIMELINE = {
    "05:00": ["schedule_dependency"],
    "05:10": ["schedule_locker"],
    "06:00": ["injury_discovery", "post_game_window_1"],
    "22:00": ["post_game_window_1"],
    "+1 01:00": ["post_game_window_2"],
    "+1 02:20": ["cleanup"],
}


@pytest.fixture(scope="module")
def sent(tmp_path_factory):
    """A played day and its collected metrics."""
    world = {"seed": 12, "day": DAY, "games": GAMES, "faults": 0.1, "lost": 0.3}
    with OtlpEndpoint() as collector:
        home = tmp_path_factory.mktemp("stack")
        with played_day(home, TIMELINE, settings=collector.settings, **world) as played:
            yield played, collector.settled()


def test_decisions_are_counted_by_workflow_and_action(sent):
    metrics_checks.decisions_are_counted(*sent)


def test_calls_are_counted_by_scraper_and_outcome_and_timed(sent):
    metrics_checks.calls_are_counted_and_timed(*sent)


def test_the_cleanup_and_the_watchdog_send_their_gauges(sent):
    day, found = sent
    metrics_checks.cleanups_are_counted(day, found)
    assert found.gauge(f"{metrics_checks.PREFIX}.files_missing") > 0
    assert (
        found.gauge(f"{metrics_checks.PREFIX}.games_due")
        == found.gauge(f"{metrics_checks.PREFIX}.games_collected")
        == GAMES
    )
    assert found.gauge(f"{metrics_checks.PREFIX}.lock_age_minutes") >= 21 * 60 + 10
    assert found.gauge(f"{metrics_checks.PREFIX}.verdict") == 2
    run = f"replay__{et('+1 02:20').astimezone(UTC).isoformat()}"
    assert "did not lock" not in json.dumps(day.api.get(f"dags/cleanup/dagRuns/{run}/taskInstances/watch/logs/1"))
