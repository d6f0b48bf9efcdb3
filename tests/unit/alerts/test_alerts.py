"""An alert is sent once per workflow, kind and ET day, and its end gets an all-clear."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from orchestration.alerts.message import subject_of
from orchestration.alerts.model import Alert, Memory, alert, alert_of, all_clear, news, placed, together
from orchestration.health import kinds, task_kinds
from orchestration.health.findings import finding
from orchestration.vocabulary.workflows import Alerts
from orchestration.words import AlertLevel, Verdict
from support.worlds import DAY

STUCK, OTHER = Alert("stuck", "box", "one file"), Alert("abort", "lines", "no schedule")
TOMORROW = DAY + timedelta(days=1)


class Kept:
    """The memory that Airflow keeps between two looks of a task."""

    def __init__(self):
        self.told, self.open = {}, {}

    def look(self, *found, day=DAY, looked_at=()):
        """Look, and return the texts of the messages and the alerts that are over."""
        said = news(self.told, self.open, placed(together(found), list(self.told)), day, looked_at)
        self.open = said.open
        kept = {key: Memory.of(json.loads(json.dumps(one.to_json())), None) for key, one in said.memory.items()}
        self.told |= {key: replace(one, sent_on=day) for key, one in kept.items()}
        return [one.text for one in said.raised.values()], [one.text for one in said.healed]


@pytest.mark.lesson("C8")
def test_an_alert_that_lasts_all_day_is_sent_once():
    memory = Kept()
    assert [text for _ in range(24) for text in memory.look(STUCK)[0]] == ["one file"]


def test_an_alert_that_lasts_is_sent_again_the_next_day():
    memory = Kept()
    memory.look(STUCK)
    assert memory.look(STUCK, day=TOMORROW) == (["one file"], [])


def test_another_kind_or_workflow_is_another_alert():
    memory = Kept()
    memory.look(STUCK)
    assert memory.look(STUCK, OTHER) == (["no schedule"], [])


def test_an_abort_of_another_rule_is_another_alert():
    memory = Kept()
    unread = replace(OTHER, detail="history_unreadable")
    memory.look(unread)
    missed = replace(OTHER, detail="window_missed", text="missed")
    assert memory.look(unread, missed) == (["missed"], [])
    assert {Alert.from_open(kept).detail for kept in memory.open.values()} == {"history_unreadable", "window_missed"}


def test_alerts_of_one_kind_and_workflow_are_one_message_at_the_loudest_level():
    quiet = Alert("stuck", "box", "another", level=AlertLevel.WARNING)
    for found in ((STUCK, quiet), (quiet, STUCK)):
        [one] = together(found).values()
        assert set(one.text.split("; ")) == {"one file", "another"}
        assert one.level is AlertLevel.CRITICAL
    assert list(together([STUCK, STUCK]).values()) == [STUCK]


def test_an_all_clear_is_sent_once_and_its_alert_not_again_that_day():
    memory = Kept()
    memory.look(STUCK)
    assert memory.look() == ([], ["one file"])
    assert memory.look() == ([], [])
    assert memory.look(STUCK) == ([], [])
    assert memory.look(day=TOMORROW) == ([], ["one file"])


TODAYS = replace(STUCK, day=DAY)


def test_an_alert_of_a_past_day_gets_no_all_clear():
    memory = Kept()
    memory.look(TODAYS, looked_at=[DAY])
    assert memory.look(day=TOMORROW, looked_at=[TOMORROW]) == ([], [])
    assert memory.look(day=TOMORROW, looked_at=[TOMORROW, DAY]) == ([], [])


def test_alerts_stay_open_while_the_task_cannot_look():
    memory, unreadable = Kept(), Alert("unreadable", "watchdog", "BigQuery is away")
    memory.look(TODAYS, OTHER, looked_at=[DAY])
    assert memory.look(unreadable, looked_at=None)[1] == []
    assert set(memory.look(TODAYS, looked_at=[DAY])[1]) == {"BigQuery is away", "no schedule"}
    memory.look(unreadable, looked_at=None)
    assert set(memory.look(looked_at=[DAY])[1]) == {"BigQuery is away", "one file"}


def test_an_event_that_happened_once_gets_no_all_clear():
    memory = Kept()
    memory.look(replace(STUCK, lasts=False))
    assert memory.look() == ([], [])


FAILED = Alert(
    "execution_failed", "lines", "lines failed", level=AlertLevel.WARNING, cause="service_down scraper_service",
    hits=("lines 15:00",), losses=("lines 15:00",),
)  # fmt: skip
DOWN = Alert("service_down", "scraper_service", "the service is down", level=AlertLevel.WARNING)


@pytest.mark.lesson("F9")
def test_what_follows_from_a_cause_joins_its_incident_in_silence():
    memory = Kept()
    assert memory.look(FAILED) == (["lines failed"], [])
    assert memory.look(FAILED, DOWN, replace(FAILED, workflow="props")) == ([], [])
    assert memory.look(Alert("missing_games", "box", "9 games lack data", level=AlertLevel.WARNING))[0] == []
    assert memory.look(Alert("config_broken", "workflows.yaml", "broken"))[0] == ["broken"]


@pytest.mark.lesson("F9")
def test_an_incident_is_sent_again_when_its_level_rises_or_once_a_day_when_it_takes_another_window():
    memory, later = Kept(), {"hits": ("lines 17:00",), "losses": ("lines 17:00",)}
    memory.look(FAILED)
    beside = replace(FAILED, workflow="props", hits=("props 15:00",), losses=("props 15:00",))
    assert memory.look(FAILED, beside)[0] == []
    assert memory.look(replace(FAILED, **later))[0] == ["lines failed"]
    assert memory.look(replace(FAILED, hits=("lines 19:00",), losses=("lines 19:00",)))[0] == []
    assert memory.look(replace(DOWN, level=AlertLevel.CRITICAL))[0] == ["the service is down"]
    assert memory.look(DOWN)[0] == []


def test_an_effect_in_the_same_look_as_its_cause_is_no_message_of_its_own():
    memory = Kept()
    unsent = Alert("not_published", "cleanup", "no topic", cause="cannot_publish cleanup")
    missing = Alert("many_missing", "cleanup", "24 files", level=AlertLevel.WARNING, cause="phase2_silent phase2")
    assert memory.look(missing, unsent) == (["no topic"], [])


def test_two_lost_runs_of_one_hour_are_one_window():
    memory = Kept()
    memory.look(replace(STUCK, losses=("box 10:04",)))
    assert memory.look(replace(STUCK, losses=("box 10:05",)))[0] == []
    assert memory.look(replace(STUCK, losses=("box 11:04",)))[0] == ["one file"]


def test_the_all_clear_of_an_incident_says_what_was_lost_and_what_was_made_up():
    was = Memory(DAY, AlertLevel.CRITICAL, "No odds", "lines", ("lines 15:00", "box 16:00"), ("lines 15:00",))
    message = all_clear("service_down scraper_service", was)
    assert message.text == "Over: No odds. Lost for good: lines 15:00 ET. Made up: box 16:00 ET"
    assert (subject_of(message), message.level) == ("Over: No odds", AlertLevel.CRITICAL)


def test_an_alert_that_no_channel_took_is_sent_again():
    said = news({}, {STUCK.key: STUCK.to_open()}, together([STUCK]), DAY)
    assert list(said.raised.values()) == [STUCK]


def test_an_incident_that_an_earlier_release_told_today_is_not_told_again():
    kept = {STUCK.incident: Memory.of(None, DAY.isoformat())}
    assert news(kept, {}, together([STUCK]), DAY).raised == {}


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
    assert read.to_open() == {**kept, "detail": "", "cause": "", "hits": [], "losses": []}
    assert read.incident == "abort lines"
    assert Alert.from_open({**kept, "day": None, "detail": "missed"}).key == "abort lines missed"


def test_the_all_clear_has_the_key_of_its_incident():
    one = all_clear("bigquery_down all", Memory.of(None, "2026-01-14"))
    assert (one.incident, one.kind) == ("bigquery_down all", "healed")
