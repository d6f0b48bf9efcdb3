"""The message of an alert: its subject, its length, its links."""

import pytest

from orchestration.alerts.message import MOST_OF_SUBJECT, MOST_OF_TEXT, message_of, subject_of
from orchestration.alerts.model import Alert, Memory, all_clear
from orchestration.nba.eastern import from_to
from orchestration.runs.execution import WHY_NOT_MADE, for_people
from orchestration.words import AlertLevel, brief
from support.worlds import et

DOWN = Alert("service_down", "scraper_service", "No calls since 15:00 ET: service unreachable. betting_lines waits")
PAGE = "http://localhost:8080/orchestration/day?day=2026-01-14"


def message(alert, run=None):
    return message_of(alert, et("15:20"), PAGE, run).splitlines()


def test_the_subject_is_the_level_and_the_first_sentence():
    assert subject_of(DOWN) == "CRITICAL: No calls since 15:00 ET: service unreachable"


@pytest.mark.parametrize("text", ["a\nb: c", "a\x00b", "a\u2028b", "a\r\nBcc: x"])
def test_a_subject_is_one_line_of_printable_text(text):
    assert subject_of(Alert("abort", "x", text)).isprintable()


def test_the_message_is_text_command_page_run_and_time():
    assert message(DOWN, run="http://run") == [
        DOWN.text,
        f"Next: {DOWN.command}",
        f"Page: {PAGE}",
        "Run: http://run",
        "Sent: Wed 14 Jan 2026 15:20 ET",
    ]
    assert not any(line.startswith("Run:") for line in message(DOWN))


def test_a_long_text_is_cut_between_words_and_follows_whole_as_details():
    long = Alert("abort", "x", "word " * 200 + "end")
    first, *_, details = message(long)
    assert len(first) <= MOST_OF_TEXT
    assert first.endswith(" word…")
    assert details == f"Details: {long.text}"
    assert len(subject_of(long)) <= MOST_OF_SUBJECT


def test_an_all_clear_begins_with_over_and_names_no_level():
    over = all_clear(DOWN.incident, Memory(None, DOWN.level, DOWN.text, DOWN.workflow))
    assert subject_of(over) == over.text == "Over: No calls since 15:00 ET: service unreachable"
    assert over.level is AlertLevel.CRITICAL, "those who got the alert get its end"


def test_a_quoted_error_is_its_first_clause_without_the_request():
    error = "Forbidden: 403 POST https://bigquery.googleapis.com/x?prettyPrint=false: Quota exceeded. See https://go/y"
    assert brief(error) == "Forbidden: 403 Quota exceeded"
    assert brief("word " * 100).endswith(" word…")


def test_a_range_of_one_moment_is_a_moment():
    assert (from_to(et("15:00"), et("15:00")), from_to(et("15:00"), et("16:00"))) == ("at 15:00", "from 15:00 to 16:00")


def test_a_call_that_was_not_made_is_said_in_plain_words():
    assert for_people(f"x: {WHY_NOT_MADE}") == "x: not called, because a call that it needs failed"
