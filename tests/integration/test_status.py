"""check_system_status.sh: every part with its own verdict on one screen, UNKNOWN where it cannot be checked."""

import json
import os
from datetime import UTC, datetime

import pytest

from orchestration.cli import main
from support.rows import add_schedule, call, decision, execution, expected
from support.worlds import DAY, et

SEEN_AT = et("14:50")


@pytest.fixture
def day(outbox, warehouse):
    add_schedule(warehouse, ("0022500001", DAY, "api_stats", et("05:00"), "7:00 pm ET"))
    outbox.stage(
        [
            expected("betting_lines", "13:00"), decision("betting_lines", "13:00"),
            execution("betting_lines", "13:00", "failed"),
            call("oddsa_events", "13:00", "failed", 1, error_type="blocked", error_message="HTTP 403: go away"),
            decision("injury_discovery", "14:00"),
        ]
    )  # fmt: skip
    outbox.drain()
    return outbox


def shown(capsys, *more):
    capsys.readouterr()
    code = main(["status", "--date", DAY.isoformat(), "--as-of", SEEN_AT.isoformat(), *more])
    return code, capsys.readouterr().out


def test_each_part_has_a_verdict_and_a_next_command(day, capsys):
    code, text = shown(capsys)
    assert code == 2
    lines = text.splitlines()
    assert lines[0] == "UNHEALTHY: Wed 14 Jan 2026, seen at Wed 14 Jan 14:50 ET"
    parts = [line[10:26].strip() for line in lines[1:] if not line.startswith(" ")]
    assert parts == [
        *("locker", "decisions", "executions", "calls", "failing scrapers", "box scores", "handoff", "cleanup"),
        *("outbox", "scraper service", "Airflow"),
    ]
    assert "DEGRADED  locker           1 run expected" in text
    assert "The lock of 05:00 ET" in text
    assert "oddsa_events: 1 failed tries, 1 lost: HTTP 403: go away" in text
    assert "DEGRADED  cleanup          0 runs, 0 messages sent again" in text
    assert "HEALTHY   scraper service  answers" in text
    assert "next: bin/orchestration/view_today_timeline.sh" in text or "next: airflow dags list" in text
    assert max(len(line) for line in lines if "next: " not in line) < 80


def test_rows_that_no_cleanup_sends_are_shown_with_their_time(day, capsys):
    day.stage([decision("betting_lines", "13:00")])
    assert "HEALTHY   outbox           1 row staged" in shown(capsys)[1]
    [file] = day.staged()
    long_ago = datetime.now(UTC).timestamp() - 3 * 3600
    os.utime(file.path, (long_ago, long_ago))
    text = shown(capsys)[1]
    assert "DEGRADED  outbox           1 row staged" in text
    assert "next: airflow dags unpause cleanup" in text


def test_refused_rows_in_the_outbox_are_shown(day, capsys):
    aside = day.root / "refused" / "workflow_decisions"
    aside.mkdir(parents=True)
    (aside / "x.json").write_text("{}")
    (aside / "x.json.error").write_text("no such field")
    assert "DEGRADED  outbox           0 rows staged, 1 refused" in shown(capsys)[1]


def test_a_part_that_cannot_be_checked_is_unknown_and_stops_no_other(day, capsys, monkeypatch):
    monkeypatch.setenv("BIGQUERY_EMULATOR_HOST", "http://127.0.0.1:9")
    monkeypatch.setenv("AIRFLOW__API__BASE_URL", "http://127.0.0.1:9")
    monkeypatch.delenv("AIRFLOW_CONN_SCRAPER_SERVICE")
    code, text = shown(capsys, "--json")
    parts = {part["name"]: part["verdict"] for part in json.loads(text)["parts"]}
    assert (code, parts) == (
        3,
        {"BigQuery": "UNKNOWN", "outbox": "HEALTHY", "scraper service": "UNKNOWN", "Airflow": "UNKNOWN"},
    )


def test_a_service_that_is_down_is_unhealthy(day, capsys, monkeypatch):
    monkeypatch.setenv("AIRFLOW_CONN_SCRAPER_SERVICE", '{"conn_type": "http", "host": "127.0.0.1", "port": 9}')
    code, text = shown(capsys)
    assert code == 2
    assert "UNHEALTHY scraper service  is down" in text
