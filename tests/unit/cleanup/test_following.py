"""A file that left the look-back is followed until it is closed by name."""

from datetime import timedelta

import pytest

from orchestration.alerts.model import alert
from orchestration.cleanup.following import follow, followed_of, given_up_by_age
from orchestration.health import task_kinds
from orchestration.records.tables import CleanupRecord
from orchestration.words import FileState
from support.records import a_call, a_cleanup, replace
from support.worlds import DAY, et

NOW = et("23:20")


def props(wall, event="e1", **more):
    """A call for the props of an event."""
    path = f"gs://b/props/{event}/{wall.replace(':', '')}.json"
    values = {"gcs_path": path, "opts": {"event_id": event, "game_date": f"{DAY}"}, **more}
    return a_call("oddsa_player_props", "betting_lines", et(wall), DAY, **values)


def states(*calls, arrived=(), later=(), given_up=(), now=NOW):
    found = follow(map(followed_of, calls), {c.gcs_path for c in arrived}, later, given_up, now)
    return [file.state for file in found]


@pytest.mark.lesson("F2")
def test_a_file_stays_open_however_long_ago_it_left_the_look_back():
    assert states(props("14:30")) == [FileState.OPEN]
    assert states(props("14:30"), now=et("+6 14:30")) == [FileState.OPEN]


@pytest.mark.lesson("F2")
def test_a_file_is_closed_when_it_arrives():
    assert states(props("14:30"), props("15:30"), arrived=[props("14:30")]) == [FileState.ARRIVED, FileState.OPEN]


@pytest.mark.lesson("F2")
def test_a_repeated_call_settles_a_file_only_if_its_own_file_arrived():
    again = props("22:00")
    assert states(props("14:30"), later=[again]) == [FileState.OPEN]
    assert states(props("14:30"), later=[again], arrived=[again]) == [FileState.SETTLED]
    [file] = follow([followed_of(props("14:30"))], {again.gcs_path}, [again], (), NOW)
    assert file.why == "the file of the same call at Wed 14 Jan 22:00 ET arrived"


def test_another_event_or_an_earlier_call_settles_nothing():
    for other in (props("22:00", "e2"), props("12:00")):
        assert states(props("14:30"), later=[other], arrived=[other]) == [FileState.OPEN]


def test_calls_without_parameters_are_the_same_for_one_date_and_game():
    def box(wall, game, day=DAY):
        path = f"gs://b/box/{game}-{wall}.json"
        return a_call("nbac_team_boxscore", "post_game_window_1", et(wall), day, game_id=game, gcs_path=path)

    lost, again, other = box("14:30", "1"), box("22:00", "1"), box("22:00", "2")
    assert states(lost, later=[again], arrived=[again]) == [FileState.SETTLED]
    assert states(lost, later=[other], arrived=[other]) == [FileState.OPEN]
    next_day = box("22:00", "1", DAY + timedelta(days=1))
    assert states(lost, later=[next_day], arrived=[next_day]) == [FileState.OPEN]


def test_a_person_gives_a_file_up_by_its_path_or_all_files_of_a_scraper():
    one, other = props("14:30"), props("15:30")
    assert states(one, other, given_up=[other.gcs_path]) == [FileState.OPEN, FileState.GIVEN_UP]
    assert states(one, other, given_up=["oddsa_player_props"]) == [FileState.GIVEN_UP] * 2
    assert given_up_by_age(follow([followed_of(one)], (), (), [one.gcs_path], NOW), [one.gcs_path]) == []


def test_a_file_is_given_up_by_name_after_a_week():
    files = follow([followed_of(props("14:30"))], (), (), (), et("+7 14:31"))
    assert [file.state for file in files] == [FileState.GIVEN_UP]
    assert given_up_by_age(files, ()) == list(files)
    assert files[0].why == "not in its table after 7 days"
    told = alert(task_kinds.GIVEN_UP, "cleanup", files="1 file", days=7, which="a")
    assert (told.kind, told.lasts) == ("files_given_up", False)


def test_the_record_of_a_cleanup_keeps_its_files():
    files = follow([followed_of(props("14:30"))], (), (), (), NOW)
    row = replace(a_cleanup(NOW), followed_files=files, files_since=NOW, errors=(), seen=(), missing_files=())
    kept = {name: getattr(row, name) for name in ("cleanup_time", "files_since", "followed_files")}
    read = CleanupRecord.read({**kept, "followed_files": [file.model_dump(mode="json") for file in files]})
    assert read.followed_files == files
