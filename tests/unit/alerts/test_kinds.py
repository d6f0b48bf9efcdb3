"""Alerts about rows and logs that cannot be read, and the examples of alerts whose text is a decision's reason."""

import re
from types import SimpleNamespace

import pytest

from orchestration.audit.warehouse import WarehouseError
from orchestration.cleanup.reading import correct
from orchestration.health.task_kinds import OF_DECISIONS
from support.worlds import called, changed, decision, et, executed, game, history, schedule

LATE = changed(workflows__morning_operations__schedule__ideal_window={"start_hour": 8, "end_hour": 10})
EARLY = schedule(game(1, "18:00"), game(2, "22:30"))
NO_DATA = history(called("nbac_team_boxscore", "22:00", "no_data", game_id="0022500001"))
FOUND = history(executed("injury_discovery", "13:00"), called("nbac_injury_report", "13:00"))
ATTEMPTS = history(*(executed("referee_discovery", f"{hour:02d}:00", with_records=0) for hour in range(6, 12)))
DECISIONS = {
    "missing_games": lambda: decision("post_game_window_2", "+1 01:00", EARLY, NO_DATA),
    "catch_up": lambda: decision("morning_operations", "11:00", config=LATE),
    "found": lambda: decision("injury_discovery", "14:00", past=FOUND),
    "max_attempts_reached": lambda: decision("referee_discovery", "12:00", past=ATTEMPTS),
}


def numberless(text):
    return re.sub(r"\d+", "n", text)


def keys(config, rows):
    warehouse = SimpleNamespace(query=lambda sql, parameters: rows)
    return [alert.key for alert in correct(warehouse, config, {}, et("12:00")).alerts]


def test_a_row_that_cannot_be_read_is_left_out_and_named():
    assert keys(changed(), [{"execution_id": "x", "outcome": "?"}]) == ["row_unreadable cleanup"]


def test_a_log_that_cannot_be_read_is_named(monkeypatch):
    def refused(*_):
        raise WarehouseError("permission denied")

    monkeypatch.setattr("orchestration.cleanup.reading.corrections", refused)
    assert keys(changed(), []) == ["log_unreadable service_log"]


def test_every_kind_of_a_decision_has_an_example():
    assert set(DECISIONS) == set(OF_DECISIONS)


@pytest.mark.parametrize("rule", DECISIONS)
def test_the_example_of_a_decisions_alert_is_its_reason_but_for_the_numbers(rule):
    found = DECISIONS[rule]()
    assert found.rule == rule
    assert numberless(OF_DECISIONS[rule].example) == numberless(found.reason)
