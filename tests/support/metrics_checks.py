"""Assertions that the metrics which a server received equal the numbers of the audit."""

from __future__ import annotations

from typing import Any

from support.collectors import Collected
from support.days import LONG_AGO, PlayedDay

PREFIX = "airflow.orchestration"


def audited(day: PlayedDay, text: str) -> dict[tuple[Any, ...], Any]:
    """Return the rows of a statement as a dict: the last column by all other columns."""
    return {tuple(row.values())[:-1]: tuple(row.values())[-1] for row in day.rows(text)}


def decisions_are_counted(day: PlayedDay, found: Collected) -> None:
    """Assert the counts of decisions by workflow and action."""
    decisions = audited(
        day,
        f"SELECT workflow_name, action, COUNT(*) FROM nba_orchestration.v_workflow_decisions "
        f"WHERE DATE(decision_time) > {LONG_AGO} GROUP BY workflow_name, action",
    )
    assert len(decisions) >= 5
    for (workflow, action), number in decisions.items():
        assert found.count(f"{PREFIX}.decisions", workflow=workflow, action=action) == number
    assert found.count(f"{PREFIX}.decisions") == sum(decisions.values())


def calls_are_counted_and_timed(day: PlayedDay, found: Collected) -> None:
    """Assert the counts of calls by scraper and first outcome. The service's log may correct a row later."""
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


def cleanups_are_counted(day: PlayedDay, found: Collected) -> None:
    """Assert the missing files of the last cleanup, and the republished files of all cleanups."""
    cleanups = day.rows(
        f"SELECT missing_files_found AS missing, republished_count AS republished "
        f"FROM nba_orchestration.v_cleanup_operations WHERE DATE(cleanup_time) > {LONG_AGO} ORDER BY cleanup_time"
    )
    assert found.gauge(f"{PREFIX}.files_missing") == cleanups[-1]["missing"]
    assert found.count(f"{PREFIX}.files_republished") == sum(c["republished"] for c in cleanups) > 0
    assert found.gauge(f"{PREFIX}.outbox_rows") == found.gauge(f"{PREFIX}.outbox_oldest_minutes") == 0
