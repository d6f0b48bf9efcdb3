"""Which files have arrived, and why an earlier file is never sent over a newer one."""

from dataclasses import replace
from datetime import timedelta

import pytest

from orchestration.cleanup.arrivals import SLACK, Trace, arrived_in
from orchestration.services.files import LostFile
from orchestration.words import KeptPaths
from support.worlds import DAY, et

FOLDER = "nba-com/schedule/2026-01-14"


def refresh(hour, scraper="nbac_schedule_api", keeps=KeptPaths.NEWEST, **more):
    at = et(f"{hour:02d}:00")
    path = f"gs://nba-scraped-data/{FOLDER}/{hour:02d}.json"
    return Trace(LostFile(scraper, path, f"e{hour}", "w", 10, at), DAY, keeps, **more)


def rows(*hours, written=None):
    return [
        {"source_file_path": f"{FOLDER}/{hour:02d}.json", "processed_at": et(f"{written or hour:02d}:01")}
        for hour in hours
    ]


def hours(traces, noted):
    return sorted(int(path[-7:-5]) for path in arrived_in(traces, noted))


@pytest.mark.lesson("A4")
def test_an_earlier_file_counts_as_arrived_when_the_newer_one_has():
    assert hours([refresh(6), refresh(12), refresh(18)], rows(18)) == [6, 12, 18]


@pytest.mark.lesson("A4")
def test_only_the_newest_can_be_missing_since_an_earlier_one_would_put_old_data_over_new():
    assert hours([refresh(6), refresh(12), refresh(18)], rows(12)) == [6, 12]
    assert hours([refresh(6), refresh(12), refresh(18)], []) == [6, 12]


@pytest.mark.lesson("A4")
def test_a_newer_file_counts_even_if_it_is_too_young_to_be_checked():
    assert hours([refresh(12), refresh(18, of_age=False)], []) == [12]


@pytest.mark.lesson("A4")
def test_a_later_file_of_another_writer_replaces_ours():
    assert hours([refresh(12)], rows(13)) == [12]
    assert hours([refresh(12)], rows(11)) == []


def test_an_earlier_file_of_ours_that_was_read_late_is_not_newer():
    assert hours([refresh(6), refresh(12)], rows(6, written=13)) == [6]


def test_two_files_of_one_moment_are_ordered_by_their_names():
    one = refresh(6)
    other = replace(one, file=replace(one.file, gcs_path=one.file.gcs_path.replace("06.json", "07.json")))
    assert hours([other, one], rows(7)) == [6, 7]
    assert hours([other, one], rows(6)) == [6]


def test_a_newer_file_of_one_scraper_does_not_affect_another_scraper():
    assert hours([refresh(6, "another"), refresh(12)], rows(12)) == [12]


@pytest.mark.lesson("A3")
def test_a_table_that_keeps_all_paths_decides_about_each_file():
    kept = [refresh(hour, keeps=KeptPaths.ALL) for hour in (6, 12, 18)]
    assert hours(kept, rows(6, 18)) == [6, 18]
    assert hours(kept, [{"source_file_path": "unknown"}]) == []


ROSTER = "basketball-ref/season-rosters/2025-26/TOR.json"


def roster(wall, **more):
    """A call of a scraper whose path is the same every day."""
    return Trace(LostFile("br_season_roster", f"gs://nba-scraped-data/{ROSTER}", wall, "w", 17, et(wall)), DAY, **more)


def roster_arrived(*traces, processed, slack=timedelta()):
    noted = [{"source_file_path": ROSTER, "processed_at": et(wall) if wall else None} for wall in processed]
    return bool(arrived_in(traces, noted, slack))


@pytest.mark.lesson("F5")
def test_yesterdays_row_of_a_constant_path_is_not_the_arrival_of_todays_file():
    assert not roster_arrived(roster("06:00"), processed=["-1 06:03"])
    assert roster_arrived(roster("06:00"), processed=["-1 06:03", "06:03"])
    assert not roster_arrived(roster("06:00", keeps_paths=KeptPaths.NEWEST), processed=["-1 06:03"])


@pytest.mark.lesson("F5")
def test_of_two_calls_with_one_path_the_later_has_to_arrive():
    assert not roster_arrived(roster("06:00"), roster("12:00"), processed=["06:03"])
    assert roster_arrived(roster("06:00"), roster("12:00"), processed=["12:03"])
    newest = (roster("06:00", keeps_paths=KeptPaths.NEWEST), roster("12:00", keeps_paths=KeptPaths.NEWEST))
    assert not roster_arrived(*newest, processed=["06:03"])


def test_a_row_without_a_time_proves_the_arrival_by_its_path():
    assert roster_arrived(roster("06:00"), processed=[None])


def test_clocks_may_differ_by_the_slack_of_the_tables_time():
    assert roster_arrived(roster("06:00"), processed=["05:50"], slack=SLACK["TIMESTAMP"])
    assert not roster_arrived(roster("06:00"), processed=["05:40"], slack=SLACK["TIMESTAMP"])
    # A DATETIME on the ET clock, read as UTC.
    assert roster_arrived(roster("06:00"), processed=["01:03"], slack=SLACK["DATETIME"])
    assert not roster_arrived(roster("06:00"), processed=["-1 06:03"], slack=SLACK["DATETIME"])
