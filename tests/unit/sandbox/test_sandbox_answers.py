"""The sandbox's scraper service answers as the real one did when it was recorded: status, keys, types, counts."""

import pytest

from sandbox.scrapers import SCRAPERS as SANDBOX_SCRAPERS
from sandbox.world import Troubles
from support.real_service import SCRAPERS, answered, body, count_key, differences, refused

STATES = {"november": "NOV", "real": "HEAD"}
"""The dialects of the sandbox that imitate the real service, and the recorded state of each."""
EVERY = [(dialect, state, name) for dialect, state in STATES.items() for name in SCRAPERS]
WITHOUT_OPTIONS = {"nbac_schedule_api", "nbac_player_list", "bdl_active_players", "bdl_standings"}

pytestmark = pytest.mark.lesson("A10")


def test_the_recording_and_the_sandbox_have_the_same_scrapers():
    assert set(SCRAPERS) == set(SANDBOX_SCRAPERS)


@pytest.mark.parametrize(("dialect", "state", "name"), EVERY)
def test_a_scraper_that_found_data_answers_as_recorded(start_service, dialect, state, name):
    got = start_service(dialect).call(name)
    assert differences(answered(name, state, 8), got) == []
    if key := count_key(name, state):
        assert got[1]["data_summary"][key] > 0


@pytest.mark.parametrize(("dialect", "state", "name"), EVERY)
def test_a_scraper_whose_source_has_no_data_yet_answers_as_recorded(start_service, dialect, state, name):
    service = start_service(dialect)
    service.world.troubles = Troubles(empty=[name])
    got = service.call(name)
    assert differences(answered(name, state, 0), got) == []
    if got[0] == 200:
        assert got[1]["data_summary"][count_key(name, state, 0)] == 0


@pytest.mark.parametrize(("dialect", "state", "name"), EVERY)
def test_a_scraper_whose_source_refuses_answers_as_recorded(start_service, dialect, state, name):
    service = start_service(dialect)
    service.world.troubles = Troubles(blocked=[name])
    assert differences(refused(name, state), service.call(name)) == []


@pytest.mark.parametrize("name", sorted({*SCRAPERS} - WITHOUT_OPTIONS))
def test_a_call_without_its_required_option_answers_as_recorded(start_service, name):
    dialect, state = ("november", "NOV") if count_key(name, "HEAD") is None else ("real", "HEAD")
    assert count_key(name, state)
    assert differences((500, body("failure", name)), start_service(dialect).call(name, another="option")) == []


@pytest.mark.parametrize("dialect", STATES)
def test_a_misspelled_scraper_answers_as_recorded(start_service, dialect):
    got = start_service(dialect).call("nbac_shedule_api")
    assert differences((400, body("unknown", "nbac_shedule_api")), got) == []


@pytest.mark.parametrize(("dialect", "state"), STATES.items())
def test_the_service_lists_the_recorded_scrapers_with_their_modules(start_service, dialect, state):
    listed = start_service(dialect).service.listing()["scrapers"]
    assert {one["name"] for one in listed} == {name for name in SCRAPERS if count_key(name, state)}
    assert all(one["module"].endswith(one["name"]) for one in listed)


@pytest.mark.parametrize("name", SCRAPERS)
def test_the_comparison_rejects_the_answers_of_another_dialect(start_service, name):
    status, said = start_service("plain").call(name)
    assert differences(answered(name, "HEAD", 8), (status, said))
    without_file = {key: value for key, value in said["data_summary"].items() if key != "gcs_path"}
    assert differences(answered(name, "HEAD", 8), (status, {**said, "data_summary": without_file}))


@pytest.mark.parametrize(
    "changed",
    [
        {"run_id": "0b5f7c1e-9c38-4f3a-8d6d-1f0d2b7f3c11"},
        {"status": "ok"},
        {"gcs_path": "gs://b/f.json"},
        {"data_summary": {"rowCount": 480}},
        {"data_summary": {"events": "480", "game_date": "2026-01-14", "game_id": "0022500555", "season": "2025-26"}},
    ],
)
def test_the_comparison_rejects_one_changed_value(start_service, changed):
    recorded = answered("nbac_play_by_play", "HEAD", 8)
    status, said = start_service("real").call("nbac_play_by_play")
    assert differences(recorded, (status, said)) == []
    assert differences(recorded, (status, {**said, **changed}))
