"""An alert is sent once per workflow, kind and ET day, and its end gets an all-clear."""

from dataclasses import replace
from datetime import timedelta

import pytest

from orchestration.alerts.message import subject_of
from orchestration.alerts.model import Alert, alert, alert_of, all_clear, news, together
from orchestration.health import kinds, task_kinds
from orchestration.health.findings import finding
from orchestration.vocabulary.workflows import Alerts
from orchestration.words import AlertLevel, Verdict
from support.worlds import DAY

STUCK, OTHER = Alert("stuck", "box", "one file"), Alert("abort", "lines", "no schedule")
TOMORROW = DAY + timedelta(days=1)


class Memory:
    """The memory that Airflow keeps between two looks of a task."""

    def __init__(self):
        self.told, self.open = {}, {}

    def look(self, *found, day=DAY, looked_at=()):
        said = news(self.told, self.open, together(found), day, looked_at)
        self.open = said.open
        self.told |= {alert.key: day.isoformat() for alert in said.raised}
        return said


@pytest.mark.lesson("C8")
def test_an_alert_that_lasts_all_day_is_sent_once():
    memory = Memory()
    assert [alert for _ in range(24) for alert in memory.look(STUCK).raised] == [STUCK]


def test_an_alert_that_lasts_is_sent_again_the_next_day():
    memory = Memory()
    memory.look(STUCK)
    assert memory.look(STUCK, day=TOMORROW).raised == (STUCK,)


def test_another_kind_or_workflow_is_another_alert():
    memory = Memory()
    memory.look(STUCK)
    assert memory.look(STUCK, OTHER).raised == (OTHER,)


def test_an_abort_of_another_rule_is_another_alert():
    memory = Memory()
    unread = replace(OTHER, detail="history_unreadable")
    memory.look(unread)
    missed = replace(OTHER, detail="window_missed")
    assert memory.look(unread, missed).raised == (missed,)
    assert {Alert.from_open(kept).detail for kept in memory.open.values()} == {"history_unreadable", "window_missed"}


def test_alerts_of_one_kind_and_workflow_are_one_message_at_the_loudest_level():
    quiet = Alert("stuck", "box", "another", level=AlertLevel.WARNING)
    for found in ((STUCK, quiet), (quiet, STUCK)):
        [one] = together(found).values()
        assert set(one.text.split("; ")) == {"one file", "another"}
        assert one.level is AlertLevel.CRITICAL
    assert list(together([STUCK, STUCK]).values()) == [STUCK]


def test_an_all_clear_is_sent_once_and_its_alert_not_again_that_day():
    memory = Memory()
    memory.look(STUCK)
    over = memory.look()
    assert (over.raised, over.healed) == ((), (STUCK,))
    assert memory.look().healed == ()
    assert memory.look(STUCK).raised == ()
    assert memory.look(day=TOMORROW).healed == (STUCK,)


TODAYS = replace(STUCK, day=DAY)


def test_an_alert_of_a_past_day_gets_no_all_clear():
    memory = Memory()
    memory.look(TODAYS, looked_at=[DAY])
    assert memory.look(day=TOMORROW, looked_at=[TOMORROW]).healed == ()
    assert memory.look(day=TOMORROW, looked_at=[TOMORROW, DAY]).healed == ()


def test_alerts_stay_open_while_the_task_cannot_look():
    memory, unreadable = Memory(), Alert("unreadable", "watchdog", "BigQuery is away")
    memory.look(TODAYS, OTHER, looked_at=[DAY])
    assert memory.look(unreadable, looked_at=None).healed == ()
    assert set(memory.look(TODAYS, looked_at=[DAY]).healed) == {unreadable, OTHER}
    memory.look(unreadable, looked_at=None)
    assert set(memory.look(looked_at=[DAY]).healed) == {unreadable, TODAYS}


def test_an_event_that_happened_once_gets_no_all_clear():
    memory = Memory()
    memory.look(replace(STUCK, lasts=False))
    assert memory.look().healed == ()


def test_the_all_clear_of_several_alerts_is_one_message_at_the_loudest_level():
    quiet = replace(OTHER, level=AlertLevel.WARNING)
    message = all_clear([quiet, STUCK], "watchdog")
    assert (message.text, message.level) == ("Over: no schedule; one file", AlertLevel.CRITICAL)
    assert (subject_of(message), subject_of(all_clear([quiet], "watchdog"))) == (
        "Over: no schedule; one file",
        "Over: no schedule",
    )


def test_an_alert_that_no_channel_took_is_sent_again():
    assert news({}, {STUCK.key: STUCK.to_open()}, together([STUCK]), DAY).raised == (STUCK,)


def test_an_alert_has_the_level_of_its_verdict_or_of_its_workflows_key():
    quiet = Alerts(failure=AlertLevel.WARNING)
    failed = finding(kinds.EXECUTION_FAILED, "x", at="13:00", why="timeout", day=DAY)
    ticks = finding(kinds.TICKS_MISSING, "x", ticks="2 ticks", first="13:00")
    assert (alert_of(ticks).level, alert_of(ticks, quiet).level) == (AlertLevel.CRITICAL, AlertLevel.CRITICAL)
    assert alert_of(finding(kinds.NOT_LOCKED, "x", day=DAY)).level is AlertLevel.WARNING
    assert (alert_of(failed).level, alert_of(failed, quiet).level) == (AlertLevel.CRITICAL, AlertLevel.WARNING)


def test_a_kind_with_two_levels_is_a_warning_if_nothing_is_lost():
    said = {"calls": "x", "day": DAY}
    lost, not_lost = (finding(kinds.ANSWERS_CUT, "x", critical=one, **said) for one in (True, False))
    assert (lost.verdict, not_lost.verdict) == (Verdict.UNHEALTHY, Verdict.DEGRADED)
    always = finding(kinds.DAG_PAUSED, "x", critical=False, since="14:20")
    assert always.verdict is Verdict.UNHEALTHY


def test_a_missing_value_of_a_text_is_an_error():
    with pytest.raises(KeyError, match="first"):
        finding(kinds.TICKS_MISSING, "x", ticks="2 ticks")
    odd = alert(task_kinds.VANISHED, "box", file="gs://b/{day}")
    assert odd.text == "A lost file of box no longer exists. reconcile fetches its data again: gs://b/{day}"


def test_open_alerts_of_an_earlier_release_are_read():
    kept = {
        "kind": "abort", "workflow": "lines", "text": "t", "command": "c", "level": "WARNING", "day": "2026-01-14",
    }  # fmt: skip
    read = Alert.from_open(kept)
    assert read == Alert("abort", "lines", "t", "c", AlertLevel.WARNING, day=DAY)
    assert read.to_open() == {**kept, "detail": ""}
    assert Alert.from_open({**kept, "day": None, "detail": "missed"}).key == "abort lines missed"
