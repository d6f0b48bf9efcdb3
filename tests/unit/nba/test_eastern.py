"""Eastern time: dates, slates and windows, across both daylight-saving changes."""

from datetime import UTC, date, datetime, time, timedelta

import pytest

from orchestration.nba.eastern import after, at, et_date, hours_between, nearest, resolve_target_date, slate_date
from orchestration.words import TargetDate
from support.worlds import et

SPRING, AUTUMN = date(2026, 3, 8), date(2026, 11, 1)


@pytest.mark.lesson("T3")
def test_an_evening_game_belongs_to_today_although_utc_has_a_new_day():
    assert et_date(datetime(2026, 1, 15, 0, 30, tzinfo=UTC)) == date(2026, 1, 14)


@pytest.mark.lesson("T7")
def test_a_naive_time_is_refused():
    with pytest.raises(ValueError, match="no time zone"):
        et_date(datetime(2026, 1, 15, 0, 30))


@pytest.mark.lesson("T7")
@pytest.mark.parametrize(("day", "offset"), [(date(2026, 1, 14), -5), (date(2026, 7, 14), -4)])
def test_a_wall_time_has_the_offset_of_its_date(day, offset):
    assert at(day, time(19)).utcoffset() == timedelta(hours=offset)


@pytest.mark.lesson("T8")
@pytest.mark.parametrize(
    ("moment", "slate"), [("22:00", 14), ("+1 01:00", 14), ("+1 05:59", 14), ("+1 06:00", 15), ("06:00", 14)]
)
def test_the_slate_changes_at_six_in_the_morning(moment, slate):
    assert slate_date(et(moment)) == date(2026, 1, slate)


@pytest.mark.lesson("T12")
def test_today_yesterday_and_slate_resolve_to_eastern_dates():
    moment = et("+1 01:00")
    resolved = {target: resolve_target_date(target, moment).day for target in TargetDate}
    assert resolved == {TargetDate.TODAY: 15, TargetDate.YESTERDAY: 14, TargetDate.SLATE: 14}


@pytest.mark.lesson("T11")
def test_the_nearest_midnight_can_be_on_the_next_day():
    assert nearest(et("23:50"), time(0, 0)) == et("+1 00:00")
    assert nearest(et("00:20"), time(0, 0)) == et("00:00")


@pytest.mark.parametrize(("day", "hours"), [(SPRING, 23), (AUTUMN, 25), (date(2026, 1, 14), 24)])
def test_a_day_with_a_clock_change_has_23_or_25_hours(day, hours):
    assert hours_between(at(day, time(0)), at(day + timedelta(days=1), time(0))) == hours


def test_one_hour_after_0130_is_0330_when_the_clocks_go_forward():
    assert after(at(SPRING, time(1, 30)), timedelta(hours=1)).time() == time(3, 30)


def test_a_skipped_wall_time_means_the_moment_after_the_jump():
    assert at(SPRING, time(2, 30)).astimezone(UTC) == datetime(2026, 3, 8, 7, 30, tzinfo=UTC)


def test_a_repeated_wall_time_means_the_second_occurrence():
    assert at(AUTUMN, time(1, 0)).astimezone(UTC) == datetime(2026, 11, 1, 6, 0, tzinfo=UTC)
