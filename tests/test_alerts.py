"""An alert once per workflow, kind and ET day; what heals says so."""

from datetime import timedelta

import pytest

from orchestration.health.alerts import Alert, news
from worlds import DAY

STUCK, OTHER = Alert("stuck", "box", "one file"), Alert("abort", "lines", "no schedule")
TOMORROW = DAY + timedelta(days=1)


@pytest.mark.lesson("C8")
def test_what_lasts_all_day_is_told_once():
    known, raised = {}, []
    for _ in range(24):
        said = news(known, [STUCK], DAY)
        known = said.known
        raised += said.raised
    assert raised == [STUCK]


def test_and_again_the_next_day():
    known = news({}, [STUCK], DAY).known
    assert news(known, [STUCK], TOMORROW).raised == (STUCK,)


def test_another_kind_or_workflow_is_another_alert():
    known = news({}, [STUCK], DAY).known
    assert news(known, [STUCK, OTHER], DAY).raised == (OTHER,)


def test_several_of_one_kind_and_workflow_are_told_together():
    [together] = news({}, [STUCK, Alert("stuck", "box", "another")], DAY).raised
    assert together.text == "one file; another"


def test_what_is_over_is_told_once_and_does_not_come_back_on_the_same_day():
    known = news({}, [STUCK], DAY).known
    over = news(known, [], DAY)
    assert (over.raised, over.healed) == ((), ("one file",))
    assert news(over.known, [], DAY).healed == ()
    back = news(over.known, [STUCK], DAY)
    assert back.raised == ()
    assert news(back.known, [], TOMORROW).healed == ("one file",)


def test_nothing_is_remembered_for_longer_than_it_is_needed():
    known = news({}, [STUCK], DAY).known
    assert news(news(known, [], TOMORROW).known, [], TOMORROW).known == {}
