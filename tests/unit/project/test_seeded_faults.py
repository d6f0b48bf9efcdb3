"""The page of the seeded faults is current, and every kind of alert on it exists."""

from sandbox.faults import FAULTS
from support.generators import generator

faults, alerts = generator("faults"), generator("alerts")


def test_the_page_is_current():
    assert faults.PAGE.read_text() == faults.page(), "run make docs"


def test_every_fault_is_on_it_and_none_takes_longer_than_75_minutes():
    assert list(faults.SAID) == list(FAULTS)
    assert max(told.minutes for told in faults.SAID.values()) <= 75


def test_every_alert_on_it_is_one_that_people_can_be_told():
    told = {said.kind for said in alerts.sites() if said.by != alerts.ONLY_SHOWN}
    named = {told.kind for told in faults.SAID.values() if told.words}
    assert named <= told
