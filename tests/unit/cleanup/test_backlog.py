"""Which files are republished, and which never."""

from datetime import UTC, datetime, timedelta

import pytest

from orchestration.cleanup.backlog import Republished, backlog, canonical_path
from orchestration.config.settings import CleanupProcessor
from orchestration.services.messages import recovery_message
from support.rows import lost_file

NOW = datetime(2026, 1, 15, 1, 20, tzinfo=UTC)
SETTINGS = CleanupProcessor(max_republish=2, storm_threshold=3)


@pytest.mark.lesson("C2")
@pytest.mark.parametrize(
    "form",
    ["gs://b/x/1.json", "b/x/1.json", "/b/x/1.json", "gs://b//x/1.json", "https://storage.googleapis.com/b/x/1.json"],
)
def test_all_forms_of_a_path_are_one(form):
    assert canonical_path(form) == "gs://b/x/1.json"
    assert backlog([lost_file()], [form], {}, NOW, SETTINGS).missing == ()


def test_what_is_missing_is_republished():
    look = backlog([lost_file(1), lost_file(2)], ["gs://b/x/1.json"], {}, NOW, SETTINGS)
    assert (look.checked, look.missing, look.publish, look.alerts) == (2, (lost_file(2),), (lost_file(2),), ())


@pytest.mark.lesson("C2")
def test_many_missing_at_once_are_a_storm_and_none_is_republished():
    look = backlog([lost_file(n) for n in range(4)], [], {}, NOW, SETTINGS)
    assert look.publish == ()
    assert look.alerts[0].text.startswith("storm: 4 of 4 files")


@pytest.mark.lesson("C2")
def test_a_file_is_republished_with_growing_pauses_and_then_reported_as_stuck():
    def at(times, minutes):
        before = {lost_file().gcs_path: Republished(times, NOW - timedelta(minutes=minutes))}
        return backlog([lost_file()], [], before, NOW, SETTINGS)

    assert at(1, 20).publish == ()
    assert at(1, 30).publish == (lost_file(),)
    assert at(2, 600).publish == ()
    assert "stuck" in at(2, 600).alerts[0].text


@pytest.mark.lesson("C5")
def test_the_message_has_what_its_readers_look_at():
    body, attributes = recovery_message(lost_file(), NOW)
    assert body == {
        "name": "bdl_box_scores",
        "scraper_name": "bdl_box_scores",
        "execution_id": "e1",
        "gcs_path": "gs://b/x/1.json",
        "status": "success",
        "record_count": 10,
        "workflow": "w",
        "timestamp": NOW.isoformat(),
        "recovery": True,
    }
    assert {"scraper_name", "status", "execution_id", "workflow"} <= set(attributes)
