"""The page of the seeded faults is current and names every fault, with existing kinds of alerts."""

from orchestration.health.findings import AlertedBy
from orchestration.health.kinds import KINDS
from sandbox.faults import FAULTS
from support.generators import generator

faults = generator("faults")


def test_the_page_is_current():
    assert faults.PAGE.read_text() == faults.page(), "run make docs"


def test_every_fault_is_on_the_page_and_is_named_within_75_minutes():
    assert list(faults.FIRST_ALERTS) == list(FAULTS)
    assert max(told.minutes for told in faults.FIRST_ALERTS.values()) <= 75


def test_every_alert_on_the_page_is_a_kind_that_is_sent():
    told = {kind.id for kind in KINDS if kind.alerted_by is not AlertedBy.HEALTH_ONLY}
    named = {told.kind for told in faults.FIRST_ALERTS.values() if told.words}
    assert named <= told
