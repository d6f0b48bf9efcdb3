"""``requires`` is about the slate: the same target date, or the orchestration day that it belongs to."""

from datetime import timedelta

import pytest

from orchestration.config import ConfigError, loads
from orchestration.decisions.model import History
from orchestration.planning.day import plan
from orchestration.words import Action
from support.worlds import DAY, ROOT, changed, decided, decision, executed, game, history, ours, schedule

FIRST, SECOND, THIRD = "post_game_window_1", "post_game_window_2", "post_game_window_3"
NIGHT = schedule(game(1, "19:00"), game(2, "22:30"))
SECOND_AFTER_FIRST = changed(workflows__post_game_window_2__dependencies={"requires": [FIRST]})
THIRD_AFTER_MORNING = changed(workflows__post_game_window_3__dependencies={"requires": ["morning_operations"]})


def test_a_window_after_midnight_runs_after_the_required_window_before_midnight():
    past = history(executed(FIRST, "22:00"))
    assert decision(SECOND, "+1 01:00", NIGHT, past, SECOND_AFTER_FIRST).action is Action.RUN


def test_a_required_window_of_another_slate_does_not_count():
    past = history(executed(FIRST, "-1 22:00", DAY - timedelta(days=1)))
    assert decision(SECOND, "+1 01:00", NIGHT, past, SECOND_AFTER_FIRST).action is Action.ABORT


@pytest.mark.parametrize("rule", ["done", "no_games"])
def test_a_required_window_with_nothing_left_to_do_is_done(rule):
    past = history(decided(FIRST, "22:00", "SKIP", rule))
    assert decision(SECOND, "+1 01:00", NIGHT, past, SECOND_AFTER_FIRST).action is Action.RUN


def test_a_daily_workflow_counts_for_the_day_of_the_slate():
    this = history(executed("morning_operations", "06:00"))
    assert decision(THIRD, "+1 04:00", NIGHT, this, THIRD_AFTER_MORNING).action is Action.RUN
    before = history(executed("morning_operations", "-1 06:00", DAY - timedelta(days=1)))
    assert decision(THIRD, "+1 04:00", NIGHT, before, THIRD_AFTER_MORNING).action is Action.ABORT


def test_a_required_report_that_was_found_counts_as_done():
    config = changed(workflows__betting_lines__dependencies={"requires": ["injury_discovery"]})
    assert decision("betting_lines", "13:00", NIGHT, History(), config).rule == "waiting_for_required"
    found = history(decided("injury_discovery", "12:00", "SKIP", "found"))
    assert decision("betting_lines", "13:00", NIGHT, found, config).action is Action.RUN


def test_waiting_until_the_window_closes_aborts_once_and_names_the_required_workflow():
    assert decision("betting_lines", "20:00", NIGHT).rule == "waiting_for_required"
    missed = decision("betting_lines", "21:00", NIGHT)
    assert (missed.action, missed.rule) == (Action.ABORT, "missed_window")
    assert missed.reason == (
        "Missed window: business hours ended at 20:00 ET and nothing was collected for 2026-01-14; "
        "it waited for morning_operations"
    )
    again = history(decided("betting_lines", "21:00", "ABORT", "missed_window"))
    assert decision("betting_lines", "22:00", NIGHT, again).rule == "miss_already_reported"


def test_waiting_at_the_only_tick_of_a_window_aborts():
    missed = decision(SECOND, "+1 01:00", NIGHT, config=SECOND_AFTER_FIRST)
    assert (missed.action, missed.rule) == (Action.ABORT, "missed_window")
    assert missed.reason == f"Missed window: it waited for {FIRST}, not done for 2026-01-14"


def test_the_reason_marks_a_required_workflow_that_is_halted():
    config = changed(
        workflows__post_game_window_2__dependencies={"requires": [FIRST]},
        workflows__post_game_window_1__halt={"reason": "source moved"},
    )
    missed = decision(SECOND, "+1 01:00", NIGHT, config=config)
    assert missed.action is Action.ABORT
    assert "post_game_window_1 (halted)" in missed.reason


@pytest.mark.parametrize("name", ["morning_operations", "injury_discovery", "schedule_dependency"])
def test_daily_workflows_wait_for_required_workflows_too(name):
    config = changed(**{f"workflows__{name}__dependencies": {"requires": ["referee_discovery"]}})
    assert decision(name, "08:00", NIGHT, config=config).rule == "waiting_for_required"
    found = history(decided("referee_discovery", "07:00", "SKIP", "found"))
    assert decision(name, "08:00", NIGHT, found, config).action is Action.RUN


def test_a_required_workflow_that_is_switched_off_is_refused():
    text = (ROOT / "config" / "workflows.yaml").read_text()
    off = text.replace("  morning_operations:\n", "  morning_operations:\n    enabled: false\n")
    line = next(n for n, row in enumerate(off.splitlines(), 1) if "requires: [morning_operations]" in row)
    with pytest.raises(ConfigError, match=rf"w.yaml:{line}:\d+: .*`morning_operations` is switched off"):
        loads(off, "w.yaml")
    both = off.replace("  betting_lines:\n", "  betting_lines:\n    enabled: false\n")
    assert "betting_lines" not in loads(both, "w.yaml").config.enabled


def test_a_plan_runs_a_chain_of_required_windows_in_order():
    config = changed(
        workflows__post_game_window_2__dependencies={"requires": [FIRST]},
        workflows__post_game_window_3__dependencies={"requires": [SECOND, "morning_operations"]},
    )
    start, end = config.day_bounds(DAY)
    runs = [d.workflow for d in plan(config, start, end, NIGHT, History()) if d.action is Action.RUN]
    assert [name for name in runs if name.startswith("post_game")] == [FIRST, SECOND, THIRD]
    assert ours().workflows[SECOND].dependencies.requires == ()
