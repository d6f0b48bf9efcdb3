"""Ticks: the engine's and those of Airflow's timetable are the same, across both daylight-saving changes."""

from datetime import UTC, date, time, timedelta

import pendulum
import pytest
from airflow.timetables.base import TimeRestriction
from airflow.timetables.trigger import MultipleCronTriggerTimetable

from orchestration.nba.eastern import ET, at
from orchestration.vocabulary.ticks import Ticks
from support.worlds import et, old, ours

CHANGES = [date(2026, 3, 8), date(2026, 11, 1), date(2026, 1, 14)]


def airflow_ticks(ticks, start, end):
    timetable = MultipleCronTriggerTimetable(*ticks.crons(), timezone=ET.key)
    restriction = TimeRestriction(earliest=pendulum.instance(start), latest=None, catchup=True)
    found, last = [], None
    while not found or found[-1] < end:
        info = timetable.next_dagrun_info(last_automated_data_interval=last, restriction=restriction)
        found.append(info.run_after)
        last = info.data_interval
    return found[:-1]


@pytest.mark.parametrize("day", CHANGES)
@pytest.mark.parametrize("name", ["betting_lines", "post_game_window_2", "post_game_window_3", "schedule_dependency"])
def test_airflow_and_the_engine_tick_at_the_same_moments(name, day):
    start, end = at(day - timedelta(days=1), time(0)), at(day + timedelta(days=2), time(0))
    ticks = ours().ticks_of(name)
    assert [t.astimezone(UTC) for t in ticks.between(start, end)] == airflow_ticks(ticks, start, end)


@pytest.mark.lesson("T2")
@pytest.mark.parametrize("day", CHANGES)
def test_the_locker_locks_at_five_eastern_all_year(day):
    start, end = at(day, time(0)), at(day + timedelta(days=1), time(0))
    assert [moment.in_timezone(ET.key).time() for moment in airflow_ticks(ours().lock_ticks, start, end)] == [time(5)]


@pytest.mark.lesson("T1")
@pytest.mark.parametrize("config", [ours(), old()])
@pytest.mark.parametrize("name", ["post_game_window_1", "post_game_window_2", "post_game_window_3"])
def test_every_fixed_time_is_a_tick(config, name):
    assert config.workflows[name].schedule.fixed_time in config.ticks_of(name).times


def test_the_next_tick_is_always_later_than_now():
    ticks = Ticks.of(time(6), time(23))
    assert ticks.next_after(et("06:00")) == et("23:00")
    assert ticks.next_after(et("23:00")) == et("+1 06:00")
    assert ticks.at_or_after(et("06:00")) == et("06:00")


def test_the_schedule_is_refreshed_half_an_hour_before_the_lock():
    assert time(4, 30) in ours().ticks_of("schedule_dependency").times


def test_the_cleanup_runs_at_20_past_each_hour_with_a_tick_and_the_hour_after():
    assert ours().cleanup_ticks.crons() == ("20 0-2,4-23 * * *",)


def test_the_cleanup_interval_of_the_old_file_has_an_effect():
    assert {wall.minute for wall in old().cleanup_ticks.times} == {5, 20, 35, 50}


def test_consecutive_hours_become_one_cron_range():
    assert Ticks.of(time(1), time(6), time(7), time(8), time(4, 30)).crons() == ("0 1,6-8 * * *", "30 4 * * *")
