"""Past findings of a day that are over, with the hours at which they were seen."""

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
def test_nothing_healed_on_a_day_that_went_as_planned(now):
    assert past(a_day(until=et(now)), et(now)) == []


def test_a_late_lock_counts_as_missing_until_it_came():
    facts = a_day()
    late = tuple(replace(run, locked_at=et("07:20")) for run in facts.expected)
    assert past(replace(facts, expected=late)) == [("not_locked", "05:50", "06:50")]


def test_the_hours_before_a_forced_lock_count_as_locked():
    facts = a_day()
    again = tuple(replace(run, locked_at=et("14:30"), forced=True) for run in facts.expected)
    assert past(replace(facts, expected=again)) == []


def test_a_late_decision_heals_its_tick_and_a_missing_one_stays_a_finding():
    def silent(decision):
        return et("14:00") <= decision.tick <= et("16:00")

    facts = a_day()
    late = [replace(d, decision_time=et("18:10")) if silent(d) else d for d in facts.decisions]
    # The expected runs that were missed meanwhile follow from it.
    assert past(replace(facts, decisions=tuple(late))) == [("missing_ticks", "14:50", "17:50")]
    never = replace(facts, decisions=tuple(d for d in facts.decisions if not silent(d)))
    assert "missing_ticks" not in {kind for kind, *_ in past(never)}


def test_a_failure_heals_when_a_later_run_completes():
    facts = a_day()
    first = next(e for e in facts.executions if e.workflow_name == "betting_lines")
    wrong = replace(first, status=ExecutionStatus.FAILED, error_message="oddsa_events: timeout")
    executions = tuple(wrong if e is first else e for e in facts.executions)
    [(kind, seen, _)] = past(replace(facts, executions=executions))
    assert (kind, seen) == ("execution_failed", f"{first.tick + timedelta(minutes=50):%H:%M}")


def test_the_aborts_of_a_bigquery_outage_are_left_out_and_a_single_abort_is_listed():
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
