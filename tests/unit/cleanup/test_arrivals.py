"""Which files have arrived, and why an earlier file is never sent over a newer one."""

from dataclasses import replace

import pytest

from orchestration.cleanup.arrivals import Trace, arrived_in
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
