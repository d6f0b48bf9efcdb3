"""Channels of alerts over real servers: any notifier, who gets what, what replaces a channel that fails."""

import logging
import re

import pytest
from airflow.sdk.exceptions import AirflowFailException

from orchestration.alerts.channels import send
from orchestration.alerts.failing import still_failing
from orchestration.alerts.memory import ALERTS, alert_once
from orchestration.alerts.model import Alert
from orchestration.cli import main
from orchestration.health.task_kinds import TEST
from orchestration.words import AlertLevel
from support.airflow_state import a_run_of_the_cleanup
from support.letterbox import Letterbox
from support.worlds import changed, changed_file, et

TEXT = "ABORT: {{ alert_link }} <!channel> {% raw %}"
ABORT = Alert("abort", "betting_lines", TEXT, detail="window_missed")
LATE = Alert("service_slow", "scraper_service", "slow", level=AlertLevel.WARNING)
LINK, LOG = "http://localhost:8080/dags/cleanup", logging.getLogger("task")
PAGER = {
    "name": "pager",
    "notifier": "support.letterbox.Pager",
    "arguments": {
        "text": "{{ alert_text }}",
        "dedup_key": "{{ alert_key }}",
        "details": {
            "severity": "{{ alert_severity }}",
            "first": "{{ 'page' if alert_level == 'CRITICAL' else 'mail' }}",
        },
    },
}


def channels(*some, **more):
    return changed(
        settings__alerts={"channels": list(some)}, settings__notifications={"email_to": "a@example.com"}, **more
    )


@pytest.fixture
def box(monkeypatch):
    box_ = Letterbox()
    with box_.open() as connections:
        for name, value in connections.items():
            monkeypatch.setenv(name, value)
        yield box_


@pytest.fixture
def run():
    return a_run_of_the_cleanup(et("14:00"))


def test_any_notifier_gets_the_alert_as_values_and_never_as_a_template(box):
    assert send(channels(PAGER), ABORT, et("14:00"), LINK).by == ("pager",)
    [(path, body)] = box.posts
    assert (path, body["dedup_key"]) == ("/pager", "abort betting_lines window_missed")
    assert TEXT in body["text"]
    assert body["details"] == {"severity": "critical", "first": "page"}


def test_a_channel_gets_its_levels_workflows_and_hours(box):
    night = {**PAGER, "levels": ["CRITICAL"], "workflows": ["betting_lines"], "hours": "22:00-07:00"}
    config = channels("email", night)
    assert send(config, ABORT, et("23:30"), LINK).by == ("email", "pager")
    assert send(config, ABORT, et("06:59"), LINK).by == ("email", "pager")
    assert send(config, ABORT, et("07:00"), LINK).by == ("email",)
    assert send(config, LATE, et("23:30"), LINK).by == ("email",)


def test_the_short_forms_take_arguments_of_their_notifiers(box):
    mail = {
        "name": "lead",
        "notifier": "email",
        "arguments": {"to": "lead@example.com", "subject": "NBA: {{ alert_kind }}"},
    }
    assert send(channels(mail), ABORT, et("14:00"), LINK).by == ("lead",)
    [mail] = box.mails
    assert (mail["To"], mail["Subject"]) == ("lead@example.com", "NBA: abort")


@pytest.mark.lesson("F7")
def test_the_next_channel_of_the_list_replaces_one_that_fails_whatever_it_takes_otherwise(box):
    box.refuse = "/pager"
    night = {"name": "mail", "notifier": "email", "levels": ["INFO"], "hours": "02:00-03:00"}
    sent = send(channels(PAGER, night, "slack"), LATE, et("14:00"), LINK)
    assert sent.by == ("slack", "mail")
    assert "403" in sent.failed["pager"]
    assert "Sent here because pager failed: HTTPError: 403" in box.mails[0].get_body().get_content()
    assert "Sent here" not in box.posts[0][1]["text"]
    assert send(channels("slack", PAGER), LATE, et("14:00"), LINK).by == ("slack",)


@pytest.mark.parametrize(
    ("broken", "why"),
    [
        ({"notifier": "no_such_package.Notifier"}, "cannot be imported"),
        ({"notifier": "support.letterbox.Letterbox"}, "is not a notifier"),
        ({"arguments": {"txt": "a"}}, "refuses its arguments"),
        ({"arguments": {"text": "a", "pager_conn_id": "nowhere"}}, "there is no connection nowhere"),
    ],
)
def test_a_channel_that_cannot_be_used_never_loses_the_others(box, broken, why):
    sent = send(channels({**PAGER, **broken}, "slack"), ABORT, et("14:00"), LINK)
    assert sent.by == ("slack",)
    assert why in (sent.failed | sent.missing)["pager"]


@pytest.mark.lesson("F7")
def test_an_alert_that_no_channel_is_for_is_logged_once_and_sent_when_one_is(box, run, caplog):
    only = {"name": "slack", "notifier": "slack", "levels": ["CRITICAL"]}
    with pytest.raises(AirflowFailException, match="Needs a look: slow"):
        alert_once(run, channels(only), "watchdog", [LATE], LOG)
    caplog.clear()
    alert_once(run, channels(only), "watchdog", [LATE], LOG)
    assert [one for one in caplog.records if one.levelno >= logging.ERROR] == []
    assert box.posts == []
    alert_once(run, channels(only, "email"), "watchdog", [LATE], LOG)
    alert_once(run, channels(only, "email"), "watchdog", [LATE], LOG)
    assert len(box.mails) == 1


def test_a_system_without_channels_logs_each_alert_once_a_day(run, caplog):
    with pytest.raises(AirflowFailException):
        alert_once(run, channels(), "watchdog", [ABORT], LOG)
    for _ in range(3):
        alert_once(run, channels(), "watchdog", [ABORT], LOG)
    assert len([one for one in caplog.records if "ABORT" in one.getMessage()]) == 1
    assert list(still_failing(run["asset_state_store"][ALERTS], channels(), et("14:00"), LINK)) == []


@pytest.mark.lesson("F7")
def test_a_channel_that_refuses_is_a_fault_until_it_takes_a_message_again(box, run):
    config, store = channels("slack", "email"), run["asset_state_store"][ALERTS]

    def failing():
        return list(still_failing(store, config, et("15:05"), LINK))

    assert failing() == []
    box.refuse = True
    with pytest.raises(AirflowFailException):
        alert_once(run, config, "watchdog", [ABORT], LOG)
    [(name, why)] = failing()
    assert name == "slack"
    [since] = re.findall(r"^since (\w+ \d+ \w+ \d\d:\d\d ET) \(", why)
    assert "Status Code: 403" in why
    assert why.endswith("). email has taken over")
    box.refuse = False
    assert failing() == []
    [(_, post)] = box.posts
    assert f"slack takes alerts again. Since {since} it missed: CRITICAL: ABORT" in post["text"]
    assert failing() == []
    assert len(box.mails) == len(box.posts) == 1


def test_a_channel_that_takes_the_next_alert_is_well_again(box, run):
    config, store = channels("slack", "email"), run["asset_state_store"][ALERTS]
    box.refuse = True
    with pytest.raises(AirflowFailException):
        alert_once(run, config, "watchdog", [ABORT], LOG)
    box.refuse = False
    with pytest.raises(AirflowFailException):
        alert_once(run, config, "watchdog", [ABORT, LATE], LOG)
    assert list(still_failing(store, config, et("15:05"), LINK)) == []


def test_alerts_test_sends_one_message_to_each_channel_and_shows_what_came_back(box, monkeypatch, tmp_path, capsys):
    file = tmp_path / "workflows.yaml"
    file.write_text(changed_file(settings__alerts={"channels": [{**PAGER, "levels": ["CRITICAL"]}, "slack"]}))
    monkeypatch.setenv("ORCHESTRATION_CONFIG", str(file))
    assert TEST.id == "channel_test"
    assert main(["alerts", "test"]) == 0
    assert [line.split() for line in capsys.readouterr().out.splitlines()] == [["pager", "sent"], ["slack", "sent"]]
    assert ["Alerts reach the channel pager" in box.posts[0][1]["text"], len(box.posts)] == [True, 2]
    monkeypatch.delenv("AIRFLOW_CONN_SLACK_DEFAULT")
    box.refuse = "/pager"
    assert main(["alerts", "test"]) == 1
    out = " ".join(capsys.readouterr().out.split())
    assert "pager FAILED HTTPError: 403" in out
    assert "slack NOT SET UP there is no connection slack_default" in out
    assert "AIRFLOW_CONN_" in out
    file.write_text(changed_file(settings__alerts={"channels": []}))
    assert main(["alerts", "test"]) == 1
    assert "alerts are only in the log" in capsys.readouterr().out
