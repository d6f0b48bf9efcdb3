"""Alerts over a real mail server and a real webhook: their channels, their repeats and their end."""

import contextlib
import logging
import re
from html import unescape

import pytest
from airflow.sdk.exceptions import AirflowFailException

from orchestration.alerts.channels import not_set_up, run_link, send
from orchestration.alerts.memory import alert_once, send_once
from orchestration.alerts.model import Alert
from orchestration.words import AlertLevel, Channel
from support.airflow_state import a_run_of_the_cleanup
from support.letterbox import Letterbox
from support.worlds import changed, et, ours

CONFIG = changed(settings__notifications__email_to=["duty@example.com", "lead@example.com"])
ABORT = Alert(
    "abort", "betting_lines", "ABORT: no <schedule> for {{ today }}", "bin/orchestration/plan.sh", run_id="r 1"
)
LINK = "http://localhost:8080/dags/betting_lines/runs/r%201"


@pytest.fixture
def box(monkeypatch):
    box_ = Letterbox()
    with box_.open() as connections:
        for name, value in connections.items():
            monkeypatch.setenv(name, value)
        yield box_


def at_level(level):
    return Alert("missing_games", "post_game_window_2", "2 of 9 games to collect", level=level)


def test_a_critical_alert_goes_to_email_and_slack_with_all_details(box):
    sent = send(CONFIG, ABORT, et("14:00"), run_link("betting_lines", "r 1"))
    assert (set(sent.by), sent.failed) == ({Channel.EMAIL, Channel.SLACK}, {})
    [mail], [(path, post)] = box.mails, box.posts
    assert mail["Subject"] == "CRITICAL: ABORT: no <schedule> for {{ today }}"
    assert mail["To"] == "duty@example.com, lead@example.com"
    assert mail["From"] == "airflow@example.com"
    body = mail.get_body().get_content()
    page = "Page: http://localhost:8080/orchestration/day?day=2026-01-14#incident-abort-betting_lines"
    said = ["Sent: Wed 14 Jan 2026 14:00 ET", page, f"Run: {LINK}", "Next: bin/orchestration/plan.sh"]
    for line in (*said, "ABORT: no &lt;schedule&gt; for {{ today }}"):
        assert line in body
    assert path == "/services/T00/B00/s3cret"
    for line in (*said, "*CRITICAL: ABORT: no &lt;schedule&gt; for {{ today }}*", "\nABORT: no &lt;schedule&gt; for"):
        assert line in post["text"]


def test_a_warning_goes_to_email_and_an_info_alert_only_to_the_log(box):
    assert send(CONFIG, at_level(AlertLevel.WARNING), et("01:00"), LINK).by == (Channel.EMAIL,)
    assert send(CONFIG, at_level(AlertLevel.INFO), et("01:00"), LINK).by == ()
    assert (len(box.mails), len(box.posts)) == (1, 0)


def test_the_yaml_sets_the_channels_of_each_level(box):
    config = changed(settings__notifications={"critical_channels": ["slack"], "warning_channels": "slack"})
    assert send(config, at_level(AlertLevel.WARNING), et("01:00"), LINK).by == (Channel.SLACK,)
    config = changed(settings__notifications={"slack_enabled": False, "email_to": "a@example.com"})
    assert send(config, ABORT, et("01:00"), LINK).by == (Channel.EMAIL,)


@pytest.mark.lesson("F7")
def test_an_alert_without_a_connection_is_only_logged_and_not_sent(caplog):
    with caplog.at_level(logging.WARNING):
        sent = send(CONFIG, ABORT, et("14:00"), LINK)
    assert (sent.by, sent.failed, sent.nowhere) == ((), {}, True)
    assert sent.missing[Channel.SLACK] == "there is no connection slack_default"
    assert "there is no connection slack_default" in caplog.text
    assert "The alert is only in the log: no channel took it" in caplog.text


def test_a_failed_channel_stops_no_other_and_logs_no_secret(box, caplog):
    box.refuse = True
    sent = send(CONFIG, ABORT, et("14:00"), LINK)
    assert sent.by == (Channel.EMAIL,)
    assert "403" in sent.failed[Channel.SLACK]
    assert "s3cret" not in caplog.text + str(sent.failed)
    alone = send(changed(settings__notifications={"critical_channels": ["slack"]}), ABORT, et("14:00"), LINK)
    assert alone.nowhere


def test_the_answer_of_a_channel_is_logged_only_with_its_secrets_masked(box, caplog, capfd):
    box.refuse, box.says = True, b"GET /services?token=of-the-channel"
    sent = send(CONFIG, ABORT, et("14:00"), LINK)
    assert "token=***" in sent.failed[Channel.SLACK]
    [ours] = [record for record in caplog.records if record.name == "orchestration.alerts.channels"]
    shown = caplog.handler.format(ours)
    assert "token=***" in shown
    assert "of-the-channel" not in shown
    assert "Failed to send notification" not in "".join(capfd.readouterr())


def test_missing_channel_setup_is_reported_before_any_alert(box, monkeypatch):
    assert not_set_up(CONFIG) == {}
    assert "email_to is empty" in not_set_up(ours())[Channel.EMAIL]
    monkeypatch.delenv("AIRFLOW_CONN_SLACK_DEFAULT")
    assert "no connection slack_default" in not_set_up(CONFIG)[Channel.SLACK]
    off = changed(settings__notifications={"email_enabled": False, "slack_enabled": False})
    assert not_set_up(off) == {}


@pytest.fixture
def run():
    return a_run_of_the_cleanup(et("14:00"))


LOG = logging.getLogger("task")


@pytest.mark.lesson("C8")
def test_an_alert_sent_by_one_task_is_not_repeated_by_another_that_day(box, run):
    send_once(run, CONFIG, [ABORT], LOG)
    assert "Run: http://localhost:8080/dags/betting_lines/runs/r%201" in box.posts[0][1]["text"]
    alert_once(run, CONFIG, "watchdog", [Alert("abort", "betting_lines", "ABORT as the health check words it")], LOG)
    assert (len(box.mails), len(box.posts)) == (1, 1)


def test_an_alert_that_every_channel_failed_to_send_is_retried_next_hour(box, run):
    config = changed(settings__notifications={"critical_channels": ["slack"]})
    box.refuse = True
    with pytest.raises(AirflowFailException, match="Needs a look: ABORT"):
        alert_once(run, config, "watchdog", [ABORT], LOG)
    box.refuse = False
    with pytest.raises(AirflowFailException):
        alert_once(run, config, "watchdog", [ABORT], LOG)
    alert_once(run, config, "watchdog", [ABORT], LOG)
    assert len(box.posts) == 1


def test_an_alert_about_no_run_links_only_to_our_page(box, run):
    send_once(run, CONFIG, [Alert("missing_ticks", "all", "no decision since 14:00 ET")], LOG)
    text = box.posts[0][1]["text"]
    assert re.search(r"Page: http://localhost:8080/orchestration/day\?day=[\d-]{10}#incident-missing_ticks-all\n", text)
    assert "Run:" not in text


FROM_OUTSIDE = (
    "<!channel>",
    "<@U1>",
    "<https://x.example|our page>",
    "a & b",
    "&lt;!here&gt;",
    "<b>x</b>",
    "x\r\nBcc: y",
)


@pytest.mark.parametrize("outside", FROM_OUTSIDE)
def test_text_from_outside_stays_text_in_mail_and_slack(box, outside):
    alert = Alert(
        outside, outside, f"{outside} failed. Why: {outside}", f"do {outside}", run_id=outside, detail=outside
    )
    assert len(send(CONFIG, alert, et("14:00"), run_link(outside, outside)).by) == 2
    [mail], [(_, post)] = box.mails, box.posts
    html = mail.get_body().get_content().removeprefix('<pre style="white-space: pre-wrap">').partition("</pre>")[0]
    for body in (html, post["text"]):
        assert not set(body) & set("<>")
        assert re.sub(r"&(amp|lt|gt|quot|#x27);", "", body).count("&") == 0
    assert unescape(post["text"]).replace("\r", "").count(outside.replace("\r", "")) >= 3
    assert mail["Subject"] == f"CRITICAL: {' '.join(outside.split())} failed"
    assert mail["Bcc"] is None


def test_the_end_of_each_incident_is_one_message(box, run):
    other = Alert("missing_ticks", "all", "no decision since 13:00 ET", level=AlertLevel.WARNING)
    with pytest.raises(AirflowFailException):
        alert_once(run, CONFIG, "watchdog", [ABORT, other], LOG)
    alert_once(run, CONFIG, "watchdog", [], LOG)
    alert_once(run, CONFIG, "watchdog", [], LOG)
    assert [mail["Subject"] for mail in box.mails][2:] == [
        "Over: ABORT: no <schedule> for {{ today }}",
        "Over: no decision since 13:00 ET",
    ]
    assert "\nOver: ABORT: no &lt;schedule&gt; for {{ today }}" in box.posts[-1][1]["text"]


def test_a_problem_that_returns_is_alerted_a_second_time_but_no_third_time_that_day(box, run):
    for found in ([ABORT], [], [ABORT], [], [ABORT], []):
        with contextlib.suppress(AirflowFailException):
            alert_once(run, CONFIG, "watchdog", found, LOG)
    subjects = [mail["Subject"] for mail in box.mails]
    assert [subject.partition(":")[0] for subject in subjects] == ["CRITICAL", "Over", "CRITICAL"]


def test_no_all_clear_for_an_unsent_alert_or_with_healed_false(box, run):
    quiet = changed(settings__notifications={"email_to": ["duty@example.com"], "healed": False})
    with pytest.raises(AirflowFailException):
        alert_once(run, quiet, "watchdog", [ABORT], LOG)
    alert_once(run, quiet, "watchdog", [], LOG)
    assert len(box.mails) == 1


def test_an_all_clear_that_every_channel_failed_to_send_is_retried(box, run):
    config = changed(settings__notifications={"critical_channels": ["slack"]})
    with pytest.raises(AirflowFailException):
        alert_once(run, config, "watchdog", [ABORT], LOG)
    box.refuse = True
    alert_once(run, config, "watchdog", [], LOG)
    box.refuse = False
    alert_once(run, config, "watchdog", [], LOG)
    assert box.posts[-1][1]["text"].startswith("*Over: ABORT: no &lt;schedule&gt;")
