"""What is told of a slate, and that it is told once: a night in the sandbox world, its files in the real tables."""

import pytest

from orchestration.assets import LINES_COLLECTED, OF_SLATES, SLATE_COMPLETE, SLATE_SCHEDULED
from orchestration.audit.warehouse import Warehouse
from support.asset_events import AssetEvents
from support.simulated import SimulatedDays
from support.worlds import DAY, changed, et

NIGHT = {
    "04:30": ["schedule_dependency"],
    "05:00": ["schedule_locker"],
    "06:00": ["morning_operations"],
    "17:00": ["betting_lines"],
    "18:20": ["tell_slates"],
    "22:00": ["post_game_window_1"],
    "+1 01:00": ["post_game_window_2"],
    "+1 01:20": ["tell_slates"],
    "+1 04:00": ["post_game_window_3"],
}
# The service's own log may name a file a moment after the run has asked: the cleanup asks again.
REFRESHED = {"+1 04:30": ["schedule_dependency"], "+1 04:50": ["cleanup"]}
EMPTIED = "nba_raw.bigdataball_play_by_play"


def played(days, timeline):
    days.play({et(moment): dags for moment, dags in timeline.items()})


def tell(days, *moments):
    """Let the task look at these moments; return what each asset's events say of the day by then."""
    played(days, {moment: ["tell_slates"] for moment in moments})
    of_the_day = {"target_date": DAY.isoformat()}.items()
    return {
        asset.name: [one for one in days.asset_events.of(asset) if of_the_day <= one.items()] for asset in OF_SLATES
    }


@pytest.fixture(scope="module")
def night(google, tmp_path_factory):
    """The night until its last window is over; the schedule does not know yet that the last games are."""
    google.empty()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ORCHESTRATION_OUTBOX", f"file://{tmp_path_factory.mktemp('outbox')}")
        patch.setattr("orchestration.runs.clock.RunClock.now", lambda clock: clock.tick)
        days = SimulatedDays(google, DAY)
        played(days, NIGHT)
        yield days


@pytest.fixture
def told(night):
    """The same night, of which whoever asks is told anew."""
    before, night.asset_events = night.asset_events, AssetEvents()
    yield night
    night.asset_events = before


def test_the_lock_tells_of_the_slate_and_the_lines_are_told_when_they_are_in(night):
    [locked], [lines] = (night.asset_events.of(asset) for asset in (SLATE_SCHEDULED, LINES_COLLECTED))
    assert (locked["target_date"], locked["locked_at"]) == (DAY.isoformat(), "2026-01-14T10:00:00+00:00")
    assert locked["games"] == lines["games"] > 0
    assert locked["expected_runs"] > 5
    assert lines["collected"] == {"betting_lines": "2026-01-14T22:00:00+00:00"}
    assert night.asset_events.of(SLATE_COMPLETE) == []


def test_a_second_lock_of_the_day_tells_nothing_more(night):
    before = list(night.asset_events.events)
    played(night, {"05:00": ["schedule_locker"]})
    assert night.asset_events.events == before


def test_while_the_schedule_does_not_say_that_all_games_are_over_the_slate_is_not_complete(told):
    assert tell(told, "+1 04:20")["slate_complete"] == []


def test_what_a_lock_could_not_tell_is_made_up_for_once_it_is_over(told):
    assert tell(told, "05:20")["slate_scheduled"] == []
    [said] = tell(told, "06:20", "07:20")["slate_scheduled"]
    assert said["locked_at"] == "2026-01-14T10:00:00+00:00"


@pytest.fixture(scope="module")
def over(night):
    """The same night, once the schedule was refreshed."""
    played(night, REFRESHED)
    return night


def test_a_slate_whose_games_are_final_collected_and_in_their_tables_is_told_once(over, told):
    [said] = tell(told, "+1 05:20")["slate_complete"]
    assert (said["target_date"], said["complete"], said["missing"]) == (DAY.isoformat(), True, [])
    assert tell(told, "+1 06:20", "+1 07:20", "+2 05:20")["slate_complete"] == [said]


def test_a_replay_of_an_old_day_does_not_tell_it_again(over, told):
    before = tell(told, "+1 05:20")
    assert before == tell(told, "+1 05:20", "12:20", "+1 01:20")


def test_a_task_that_dies_before_it_has_succeeded_has_told_nothing_and_the_next_one_does(over, told, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(AssetEvents, "succeeded", lambda *_: None)
        assert tell(told, "+1 05:20")["slate_complete"] == []
    assert len(tell(told, "+1 06:20")["slate_complete"]) == 1


def test_whoever_was_not_there_in_the_morning_is_told_later_up_to_the_days_that_reconcile_looks_at(over, told):
    assert len(tell(told, "+2 20:20")["slate_complete"]) == 1
    told.asset_events = AssetEvents()
    assert tell(told, "+3 06:20")["slate_complete"] == []


def test_without_bigquery_nothing_is_told_and_the_next_hour_does(over, told, google):
    google.stop_bigquery()
    try:
        assert tell(told, "+1 05:20") == {asset.name: [] for asset in OF_SLATES}
    finally:
        google.start_bigquery()
    assert len(tell(told, "+1 06:20")["slate_complete"]) == 1


def test_a_shadow_tells_nothing(over, told, monkeypatch):
    shadow = changed(settings__mode="shadow", settings__audit_dataset="ours_beside")
    monkeypatch.setattr("orchestration.operators.asset_events.SlateEventsOperator.config", shadow)
    assert tell(told, "+1 05:20") == {asset.name: [] for asset in OF_SLATES}


def test_a_file_that_is_in_no_table_holds_the_slate_up_until_the_morning_and_is_named_then(over, told):
    """Last, for its file is gone."""
    [row] = Warehouse().query(f"SELECT ANY_VALUE(source_file_path) AS path FROM {EMPTIED} WHERE game_date = '{DAY}'")
    Warehouse().query(f"DELETE FROM {EMPTIED} WHERE source_file_path = '{row['path']}' AND game_date = '{DAY}'")
    assert tell(told, "+1 05:20", "+1 06:20")["slate_complete"] == []
    [said] = tell(told, "+1 07:20")["slate_complete"]
    assert said["complete"] is False
    assert [(lack["final"], lack["not_collected"], lack["not_in_table"]) for lack in said["missing"]] == [
        (True, [], ["bigdataball_pbp"])
    ]
