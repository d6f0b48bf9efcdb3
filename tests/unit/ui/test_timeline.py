"""The timeline: the state of every tick, on days of 23 to 25 hours."""

from datetime import date, timedelta

import pytest

from orchestration.decisions.model import History
from orchestration.health.facts import DayFacts
from orchestration.planning.day import plan
from orchestration.runs.execution import VETOED
from orchestration.ui.day import hours_of, rows_of
from orchestration.ui.model import TickState
from orchestration.words import Action, ExecutionStatus, Outcome
from support.nights import MORNING, night, slate, with_decisions, with_execution, without
from support.records import first_decision, replace
from support.worlds import DAY, changed, et, ours

CONFIG = ours()
SPRING, AUTUMN = date(2026, 3, 8), date(2025, 11, 2)


def ticks(facts, now=MORNING, config=CONFIG, planned=()):
    rows = rows_of(config, facts, planned, hours_of(config, facts, now), now)
    return {(row.workflow, tick.at): tick for row in rows for tick in row.ticks}


def state(facts, workflow, moment, now=MORNING, **more):
    return ticks(facts, now, **more)[workflow, et(moment)].state


def test_a_completed_run_shows_its_calls_and_its_run_id():
    tick = ticks(night())["betting_lines", et("16:00")]
    assert (tick.state, tick.calls.total, tick.run_id) == (
        TickState.COMPLETED, 3, f"scheduled__{et('16:00').isoformat()}",
    )  # fmt: skip
    assert str(tick.calls) == "3 calls: 3 success"
    assert tick.next_check == et("17:00")


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"status": ExecutionStatus.PARTIAL}, TickState.PARTIAL),
        ({"status": ExecutionStatus.FAILED}, TickState.FAILED),
        ({"status": ExecutionStatus.FAILED, "error_message": f"{VETOED} ann at 22:03 ET: no"}, TickState.VETOED),
    ],
)
def test_a_failed_partial_or_vetoed_run_has_its_own_state(changes, expected):
    assert state(with_execution(night(), "post_game_window_1", **changes), "post_game_window_1", "22:00") is expected


def test_a_run_without_execution_is_running_until_its_grace_ends_and_then_unexecuted():
    facts = night()
    open_run = replace(facts, executions=tuple(e for e in facts.executions if e.workflow_name != "post_game_window_1"))
    states = [state(open_run, "post_game_window_1", "22:00", et(now)) for now in ("22:45", "22:46")]
    assert states == [TickState.RUNNING, TickState.UNEXECUTED]


def test_skip_and_abort():
    facts = with_decisions(night(), "betting_lines", et("10:00"), action=Action.ABORT, reason="Schedule unknown")
    assert state(facts, "betting_lines", "10:00") is TickState.ABORT
    assert state(facts, "betting_lines", "06:00") is TickState.SKIP


def test_a_tick_without_decision_is_late_and_after_its_grace_missing():
    facts = without(night(), "morning_operations", et("06:00"))
    states = [state(facts, "morning_operations", "06:00", et(now)) for now in ("06:44", "06:46")]
    assert states == [TickState.LATE, TickState.MISSING]
    assert ticks(facts)["morning_operations", et("06:00")].reason.startswith("Expected: ")


def test_an_expected_run_that_a_later_tick_made_up_for_is_late_and_not_missing():
    assert state(without(night(), "betting_lines", et("14:00")), "betting_lines", "14:00") is TickState.LATE


def test_a_coming_tick_shows_the_planned_decision():
    now = et("15:30")
    facts = night(until=now)
    _, end = CONFIG.day_bounds(DAY)
    planned = list(plan(CONFIG, now, end, slate(), History()))
    found = ticks(facts, now, planned=planned)
    ahead = {(tick.workflow, tick.at): tick.state is TickState.EXPECTED for tick in found.values() if tick.at > now}
    assert ahead == {(d.workflow, d.tick): d.action is Action.RUN for d in planned}
    assert any(ahead.values())
    assert found["post_game_window_1", et("22:00")].reason.endswith("to collect")


def test_without_a_plan_the_locked_runs_are_expected():
    now = et("15:30")
    facts = night(until=now)
    assert state(facts, "post_game_window_1", "22:00", now) is TickState.EXPECTED
    assert state(facts, "post_game_window_1", "21:00", now) is TickState.LATER


def test_a_call_counts_once_with_its_last_try():
    facts = night()
    one = next(c for c in facts.calls if c.workflow == "morning_operations")
    again = replace(
        facts,
        calls=(
            *(c for c in facts.calls if c is not one),
            replace(one, status=Outcome.FAILED),
            replace(one, try_number=2),
        ),
    )
    assert (
        ticks(again)["morning_operations", et("06:00")].calls == ticks(facts)["morning_operations", et("06:00")].calls
    )


def test_a_manual_run_between_two_ticks_is_shown():
    facts = night()
    asked = replace(
        facts.decisions[0], decision_id="x", slot_time=et("14:37"), decision_time=et("14:37"), reason="Forced by ann"
    )
    found = ticks(replace(facts, decisions=(*facts.decisions, asked)))
    assert found[asked.workflow_name, et("14:37")].reason == "Forced by ann"


@pytest.mark.parametrize(
    ("day", "count", "labels"),
    [
        (DAY, 24, ["05", "06", "07"]),
        (SPRING - timedelta(days=1), 23, ["00", "01", "03", "04"]),
        (AUTUMN - timedelta(days=1), 25, ["00", "01 EDT", "01 EST", "02", "03", "04"]),
    ],
)
def test_a_day_has_23_to_25_hours(day, count, labels):
    facts = night(games=slate(3, day), day=day)
    hours = hours_of(CONFIG, facts, et("12:00", day))
    shown = [hour.label for hour in hours]
    assert len(hours) == count
    assert shown[: len(labels)] == labels or shown[-len(labels) :] == labels
    assert len({hour.start for hour in hours}) == count
    assert [hour.label for hour in hours if hour.now] == ["12"]


@pytest.mark.parametrize("day", [SPRING - timedelta(days=1), SPRING, AUTUMN - timedelta(days=1), AUTUMN])
def test_each_tick_is_in_one_hour_on_a_day_of_clock_change(day):
    facts = night(games=slate(3, day), day=day)
    now = et("+1 06:25", day)
    hours = hours_of(CONFIG, facts, now)
    for row in rows_of(CONFIG, facts, (), hours, now):
        assert [t.at for t in row.ticks] == CONFIG.ticks_of(row.workflow).between(*CONFIG.day_bounds(day))
        for hour, cell in zip(hours, row.hours, strict=True):
            for tick in cell:
                assert timedelta() <= tick.at - hour.start < timedelta(hours=1)
        assert sum(map(len, row.hours)) == len(row.ticks)
        assert len({tick.offset for tick in row.ticks}) == len(row.ticks)
        assert {tick.state for tick in row.ticks} <= {TickState.COMPLETED, TickState.SKIP}


def test_a_lock_off_the_hour_keeps_every_tick():
    config = changed(settings__daily_schedule_lock__generation_time="05:30")
    facts = DayFacts(DAY, slate())
    hours = hours_of(config, facts, MORNING)
    assert (hours[0].label, hours[-1].label) == ("05", "05")
    for row in rows_of(config, facts, (), hours, MORNING):
        assert sum(map(len, row.hours)) == len(row.ticks)


def test_the_halt_of_one_workflow_stands_in_its_row():
    config = changed(workflows__betting_lines__halt={"reason": "no licence"})
    facts = DayFacts(DAY, slate())
    rows = rows_of(config, facts, (), hours_of(config, facts, MORNING), MORNING)
    assert {row.workflow: row.halted for row in rows if row.halted} == {"betting_lines": "no licence"}


def test_a_run_of_a_shadow_is_recorded_and_neither_running_nor_unexecuted():
    facts = with_decisions(night(), "post_game_window_1", et("22:00"), context={"mode": "shadow"})
    facts = replace(facts, executions=tuple(e for e in facts.executions if e.workflow_name != "post_game_window_1"))
    assert state(facts, "post_game_window_1", "22:00") is TickState.RECORDED


def test_ticks_before_the_first_day_of_the_system_are_not_missing():
    facts, since = night(), et("15:00")
    facts = replace(
        facts,
        first=tuple(first_decision(name, since) for name in CONFIG.enabled),
        decisions=tuple(d for d in facts.decisions if d.tick >= since),
        executions=tuple(e for e in facts.executions if e.tick >= since),
        calls=tuple(c for c in facts.calls if c.tick >= since),
        cleanups=tuple(c for c in facts.cleanups if c.cleanup_time >= since),
    )
    assert min(tick.at for tick in ticks(facts).values()) == et("15:00")


def test_every_state_has_its_meaning_in_the_legend():
    assert all(state.meaning for state in TickState)
