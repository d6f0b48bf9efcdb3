"""The asset events of a slate, each sent once: a night in the sandbox world with its files in the tables."""

import pytest

from orchestration.assets import LINES_COLLECTED, OF_SLATES, SLATE_COMPLETE, SLATE_SCHEDULED
from orchestration.audit.warehouse import Warehouse
from support.airflow_state import AssetEvents
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
# The service's log may name a file only after the run has read it. The cleanup reads the log again.
REFRESHED = {"+1 04:30": ["schedule_dependency"], "+1 04:50": ["cleanup"]}
EMPTIED = "nba_raw.bigdataball_play_by_play"


def played(days, timeline):
    days.play({et(moment): dags for moment, dags in timeline.items()})


def events_after(days, *moments):
    """Run the task at these moments. Return the events of each asset about the day so far."""
    played(days, {moment: ["tell_slates"] for moment in moments})
    of_the_day = {"target_date": DAY.isoformat()}.items()
    return {
        asset.name: [one for one in days.asset_events.of(asset) if of_the_day <= one.items()] for asset in OF_SLATES
    }


@pytest.fixture(scope="module")
def night(google, tmp_path_factory):
    """The night until the end of its last window. The schedule does not show the last games as final yet."""
    google.empty()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ORCHESTRATION_OUTBOX", f"file://{tmp_path_factory.mktemp('outbox')}")
        patch.setattr("orchestration.runs.clock.RunClock.now", lambda clock: clock.tick)
        days = SimulatedDays(google, DAY)
        played(days, NIGHT)
        yield days


@pytest.fixture
def unsent(night):
    """The same night without the events that were already sent."""
    before, night.asset_events = night.asset_events, AssetEvents()
    yield night
    night.asset_events = before


def test_the_lock_sends_the_slates_event_and_lines_follow_when_collected(night):
    [locked], [lines] = (night.asset_events.of(asset) for asset in (SLATE_SCHEDULED, LINES_COLLECTED))
    assert (locked["target_date"], locked["locked_at"]) == (DAY.isoformat(), "2026-01-14T10:00:00+00:00")
    assert locked["games"] == lines["games"] > 0
    assert locked["expected_runs"] > 5
    assert lines["collected"] == {"betting_lines": "2026-01-14T22:00:00+00:00"}
    assert night.asset_events.of(SLATE_COMPLETE) == []


def test_a_second_lock_of_the_day_sends_no_event(night):
    before = list(night.asset_events.events)
    played(night, {"05:00": ["schedule_locker"]})
    assert night.asset_events.events == before


def test_the_slate_is_incomplete_until_the_schedule_shows_all_games_final(unsent):
    assert events_after(unsent, "+1 04:20")["slate_complete"] == []


def test_an_event_that_the_lock_could_not_send_is_sent_later(unsent):
    assert events_after(unsent, "05:20")["slate_scheduled"] == []
    [event] = events_after(unsent, "06:20", "07:20")["slate_scheduled"]
    assert event["locked_at"] == "2026-01-14T10:00:00+00:00"


@pytest.fixture(scope="module")
def over(night):
    """The same night after a refresh of the schedule."""
    played(night, REFRESHED)
    return night


def test_a_final_collected_and_processed_slate_sends_one_event(over, unsent):
    [event] = events_after(unsent, "+1 05:20")["slate_complete"]
    assert (event["target_date"], event["complete"], event["missing"]) == (DAY.isoformat(), True, [])
    assert events_after(unsent, "+1 06:20", "+1 07:20", "+2 05:20")["slate_complete"] == [event]


def test_a_replay_of_an_old_day_sends_no_event(over, unsent):
    before = events_after(unsent, "+1 05:20")
    assert before == events_after(unsent, "+1 05:20", "12:20", "+1 01:20")


def test_a_killed_task_sends_no_event_and_the_next_one_sends_it(over, unsent, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(AssetEvents, "succeeded", lambda *_: None)
        assert events_after(unsent, "+1 05:20")["slate_complete"] == []
    assert len(events_after(unsent, "+1 06:20")["slate_complete"]) == 1


def test_late_events_are_sent_for_the_days_that_reconcile_checks(over, unsent):
    assert len(events_after(unsent, "+2 20:20")["slate_complete"]) == 1
    unsent.asset_events = AssetEvents()
    assert events_after(unsent, "+3 06:20")["slate_complete"] == []


def test_events_missed_during_an_outage_of_bigquery_are_sent_the_next_hour(over, unsent, google):
    google.stop_bigquery()
    try:
        assert events_after(unsent, "+1 05:20") == {asset.name: [] for asset in OF_SLATES}
    finally:
        google.start_bigquery()
    assert len(events_after(unsent, "+1 06:20")["slate_complete"]) == 1


def test_a_shadow_sends_no_events(over, unsent, monkeypatch):
    shadow = changed(settings__mode="shadow", settings__audit_dataset="ours_beside")
    monkeypatch.setattr("orchestration.operators.lock.SlateEventsOperator.config", shadow)
    assert events_after(unsent, "+1 05:20") == {asset.name: [] for asset in OF_SLATES}


def test_a_file_that_reached_no_table_delays_the_slate_until_morning_and_is_named(over, unsent):
    """This test runs last, because it deletes a file."""
    [row] = Warehouse().query(f"SELECT ANY_VALUE(source_file_path) AS path FROM {EMPTIED} WHERE game_date = '{DAY}'")
    Warehouse().query(f"DELETE FROM {EMPTIED} WHERE source_file_path = '{row['path']}' AND game_date = '{DAY}'")
    assert events_after(unsent, "+1 05:20", "+1 06:20")["slate_complete"] == []
    [event] = events_after(unsent, "+1 07:20")["slate_complete"]
    assert event["complete"] is False
    assert [(lack["final"], lack["not_collected"], lack["not_in_table"]) for lack in event["missing"]] == [
        (True, [], ["bigdataball_pbp"])
    ]
