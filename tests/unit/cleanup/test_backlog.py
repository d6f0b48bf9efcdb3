"""Which files are republished, and which never."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from orchestration.cleanup.backlog import Republished, backlog
from orchestration.services.files import recovery_message
from orchestration.vocabulary.settings import CleanupProcessor
from support.rows import PATH_FORMS as FORMS
from support.rows import lost_file

NOW = datetime(2026, 1, 15, 1, 20, tzinfo=UTC)
SETTINGS = CleanupProcessor(max_republish=2, storm_threshold=3)


@pytest.mark.lesson("A3")
@pytest.mark.lesson("C2")
@pytest.mark.parametrize("form", FORMS)
def test_an_arrived_file_is_not_missing_in_any_form_of_its_path(form):
    assert backlog([lost_file()], [form], {}, NOW, SETTINGS).missing == ()


@pytest.mark.lesson("A3")
def test_a_path_that_fits_two_files_proves_the_arrival_of_neither():
    """`b/x/1.json` is x/1.json in bucket b, or b/x/1.json in bucket a."""
    one, other = lost_file(), replace(lost_file(), gcs_path="gs://a/b/x/1.json")
    assert backlog([one, other], ["b/x/1.json"], {}, NOW, SETTINGS).missing == (one, other)
    assert backlog([one, other], ["b/x/1.json", "gs://b/x/1.json"], {}, NOW, SETTINGS).missing == (other,)


@pytest.mark.parametrize("form", FORMS)
def test_the_limit_of_republishings_counts_every_form_of_a_path(form):
    before = {form: Republished(1, NOW - timedelta(hours=9)), "gs://b/x/1.json ": Republished(1, NOW)}
    assert (
        "although its message was sent 2 times more" in backlog([lost_file()], [], before, NOW, SETTINGS).alerts[0].text
    )


def test_a_missing_file_is_republished():
    look = backlog([lost_file(1), lost_file(2)], ["gs://b/x/1.json"], {}, NOW, SETTINGS)
    assert (look.checked, look.missing, look.publish, look.alerts) == (2, (lost_file(2),), (lost_file(2),), ())


@pytest.mark.lesson("C2")
def test_many_missing_at_once_are_a_storm_and_none_is_republished():
    look = backlog([lost_file(n) for n in range(4)], [], {}, NOW, SETTINGS)
    assert look.publish == ()
    assert look.alerts[0].text.startswith("4 of 4 files")


@pytest.mark.lesson("C2")
def test_a_file_is_republished_with_growing_pauses_and_then_reported_as_stuck():
    def at(times, minutes):
        before = {lost_file().gcs_path: Republished(times, NOW - timedelta(minutes=minutes))}
        return backlog([lost_file()], [], before, NOW, SETTINGS)

    assert at(1, 20).publish == ()
    assert at(1, 30).publish == (lost_file(),)
    assert at(2, 600).publish == ()
    assert at(2, 600).alerts[0].kind == "stuck"


@pytest.mark.lesson("C5")
def test_the_message_has_the_fields_that_its_readers_use():
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
