"""What was wrong with a day and is right again: said with when it was seen."""

from datetime import timedelta

import pytest

from orchestration.decisions.model import HISTORY_UNREADABLE
from orchestration.health.verdict import healed
from orchestration.words import Action, ExecutionStatus, NoAnswer
from support.facts import AFTER, CONFIG, a_day
from support.records import replace
from support.worlds import et


def past(facts, now=AFTER):
    return [(was.finding.kind, f"{was.first:%H:%M}", f"{was.last:%H:%M}") for was in healed(CONFIG, facts, now)]


@pytest.mark.parametrize("now", ["05:10", "13:20", "22:50", "+1 05:40"])
def test_a_day_that_goes_as_planned_has_nothing_to_tell(now):
    assert past(a_day(until=et(now)), et(now)) == []


def test_a_lock_that_came_late_was_missing_until_then():
    facts = a_day()
    late = tuple(replace(run, locked_at=et("07:20")) for run in facts.expected)
    assert past(replace(facts, expected=late)) == [("not_locked", "05:50", "06:50")]


def test_a_forced_lock_hides_the_first_one_and_says_nothing_of_the_hours_before():
    facts = a_day()
    again = tuple(replace(run, locked_at=et("14:30"), forced=True) for run in facts.expected)
    assert past(replace(facts, expected=again)) == []


def test_what_was_decided_late_was_missing_and_what_never_was_is_still_wrong():
    def silent(decision):
        return et("14:00") <= decision.tick <= et("16:00")

    facts = a_day()
    late = [replace(d, decision_time=et("18:10")) if silent(d) else d for d in facts.decisions]
    assert past(replace(facts, decisions=tuple(late))) == [
        ("missing_ticks", "14:50", "17:50"),
        ("expected_missed", "15:50", "16:50"),
    ]
    never = replace(facts, decisions=tuple(d for d in facts.decisions if not silent(d)))
    assert "missing_ticks" not in {kind for kind, *_ in past(never)}


def test_a_failure_that_a_later_run_made_up_for():
    facts = a_day()
    first = next(e for e in facts.executions if e.workflow_name == "betting_lines")
    wrong = replace(first, status=ExecutionStatus.FAILED, error_message="oddsa_events: timeout")
    executions = tuple(wrong if e is first else e for e in facts.executions)
    [(kind, seen, _)] = past(replace(facts, executions=executions))
    assert (kind, seen) == ("execution_failed", f"{first.tick + timedelta(minutes=50):%H:%M}")


def test_the_aborts_of_an_outage_of_bigquery_are_said_with_it_and_one_alone_by_itself():
    facts = a_day()

    def unread(*names):
        return tuple(
            replace(d, action=Action.ABORT, rule=HISTORY_UNREADABLE, reason=NoAnswer.DOWN.value)
            if d.tick == et("11:00") and d.workflow_name in names
            else d
            for d in facts.decisions
        )

    one, other = "betting_lines", "injury_discovery"
    assert past(replace(facts, decisions=unread(one))) == [("abort", "11:50", "11:50")]
    assert past(replace(facts, decisions=unread(one, other))) == [("bigquery_down", "11:50", "11:50")]
