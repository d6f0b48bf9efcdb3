"""A real Airflow sends our numbers to a StatsD server, or to an OpenTelemetry endpoint: they are what the audit has."""

import json
from datetime import UTC

import pytest

from support.collectors import OtlpEndpoint, StatsdServer
from support.days import LONG_AGO, played_day
from support.worlds import DAY, et

GAMES = 2
PREFIX = "airflow.orchestration"
TIMELINE = {
    "05:00": ["schedule_dependency"],
    "05:10": ["schedule_locker"],
    "06:00": ["injury_discovery", "post_game_window_1"],
    "22:00": ["post_game_window_1"],
    "+1 01:00": ["post_game_window_2"],
    "+1 02:20": ["cleanup"],
}


@pytest.fixture(scope="module", params=[StatsdServer, pytest.param(OtlpEndpoint, marks=pytest.mark.drill)])
def sent(request, tmp_path_factory):
    """A played day, and what was collected of it."""
    world = {"seed": 12, "day": DAY, "games": GAMES, "faults": 0.1, "lost": 0.3}
    with request.param() as collector:
        home = tmp_path_factory.mktemp("stack")
        with played_day(home, TIMELINE, settings=collector.settings, **world) as played:
            yield played, collector.settled()


def audited(day, text):
    return {tuple(row.values())[:-1]: tuple(row.values())[-1] for row in day.rows(text)}


def test_decisions_by_workflow_and_action(sent):
    day, found = sent
    decisions = audited(
        day,
        f"SELECT workflow_name, action, COUNT(*) FROM nba_orchestration.v_workflow_decisions "
        f"WHERE DATE(decision_time) > {LONG_AGO} GROUP BY workflow_name, action",
    )
    assert len(decisions) >= 5
    for (workflow, action), number in decisions.items():
        assert found.count(f"{PREFIX}.decisions", workflow=workflow, action=action) == number
    assert found.count(f"{PREFIX}.decisions") == sum(decisions.values())


def test_calls_by_scraper_and_outcome_and_how_long_they_took(sent):
    day, found = sent
    # As they were first reported: later the service's log says more of some.
    calls = audited(
        day,
        f"SELECT scraper_name, status, COUNT(*) FROM nba_orchestration.scraper_execution_log "
        f"WHERE DATE(triggered_at) > {LONG_AGO} AND dag_id IS NOT NULL AND service_retries IS NULL "
        "AND error_type IS DISTINCT FROM 'killed' GROUP BY scraper_name, status",
    )
    for (scraper, outcome), number in calls.items():
        assert found.count(f"{PREFIX}.calls", scraper=scraper, outcome=outcome) == number
    times, total = found.times(f"{PREFIX}.call_duration")
    assert times == found.count(f"{PREFIX}.calls") > 5
    assert total > 0


def test_the_cleanup_and_the_watchdog_say_how_it_is(sent):
    day, found = sent
    [cleanup] = day.rows(
        f"SELECT missing_files_found AS missing, republished_count AS republished "
        f"FROM nba_orchestration.v_cleanup_operations WHERE DATE(cleanup_time) > {LONG_AGO}"
    )
    assert found.gauge(f"{PREFIX}.files_missing") == cleanup["missing"] > 0
    assert found.count(f"{PREFIX}.files_republished") == cleanup["republished"] > 0
    assert found.gauge(f"{PREFIX}.games_due") == found.gauge(f"{PREFIX}.games_collected") == GAMES
    assert found.gauge(f"{PREFIX}.lock_age_minutes") >= 21 * 60 + 10
    assert found.gauge(f"{PREFIX}.outbox_rows") == found.gauge(f"{PREFIX}.outbox_oldest_minutes") == 0
    assert found.gauge(f"{PREFIX}.verdict") == 2
    run = f"replay__{et('+1 02:20').astimezone(UTC).isoformat()}"
    assert "did not lock" not in json.dumps(day.api.get(f"dags/cleanup/dagRuns/{run}/taskInstances/watch/logs/1"))
