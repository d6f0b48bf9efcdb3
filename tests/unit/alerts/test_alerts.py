"""An alert once per workflow, kind and ET day; what heals says so."""

from datetime import timedelta

import pytest

from orchestration.alerts.model import Alert, alert_of, news, together
from orchestration.health.findings import bad, worse
from orchestration.words import AlertLevel
from support.worlds import DAY

STUCK, OTHER = Alert("stuck", "box", "one file"), Alert("abort", "lines", "no schedule")
TOMORROW = DAY + timedelta(days=1)


class Memory:
    """What Airflow keeps between two looks of one source."""

    def __init__(self):
        self.told, self.open = {}, {}

    def look(self, *found, day=DAY):
        said = news(self.told, self.open, together(found), day)
        self.open = said.open
        self.told |= {alert.key: day.isoformat() for alert in said.raised}
        return said


@pytest.mark.lesson("C8")
def test_what_lasts_all_day_is_told_once():
    memory = Memory()
    assert [alert for _ in range(24) for alert in memory.look(STUCK).raised] == [STUCK]


def test_and_again_the_next_day():
    memory = Memory()
    memory.look(STUCK)
    assert memory.look(STUCK, day=TOMORROW).raised == (STUCK,)


def test_another_kind_or_workflow_is_another_alert():
    memory = Memory()
    memory.look(STUCK)
    assert memory.look(STUCK, OTHER).raised == (OTHER,)


def test_several_of_one_kind_and_workflow_are_told_together_as_loudly_as_the_loudest():
    quiet = Alert("stuck", "box", "another", level=AlertLevel.WARNING)
    for found in ((STUCK, quiet), (quiet, STUCK)):
        [one] = together(found).values()
        assert set(one.text.split("; ")) == {"one file", "another"}
        assert one.level is AlertLevel.CRITICAL
    assert list(together([STUCK, STUCK]).values()) == [STUCK]


def test_what_is_over_is_told_once_and_does_not_come_back_on_the_same_day():
    memory = Memory()
    memory.look(STUCK)
    over = memory.look()
    assert (over.raised, over.healed) == ((), ("one file",))
    assert memory.look().healed == ()
    assert memory.look(STUCK).raised == ()
    assert memory.look(day=TOMORROW).healed == ("one file",)


def test_what_nobody_could_be_told_comes_again():
    assert news({}, {STUCK.key: STUCK.text}, together([STUCK]), DAY).raised == (STUCK,)


def test_a_finding_is_as_loud_as_its_verdict_and_a_failed_execution_as_its_workflow_says():
    assert alert_of(bad("missing_ticks", "x", "t", "c")).level is AlertLevel.CRITICAL
    assert alert_of(worse("not_locked", "x", "t", "c")).level is AlertLevel.WARNING
    assert alert_of(bad("execution_failed", "x", "t", "c"), AlertLevel.WARNING).level is AlertLevel.WARNING
