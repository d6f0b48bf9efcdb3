"""The first day: nothing is missing from before the first decision on record."""

from datetime import timedelta

import pytest

from orchestration.health.verdict import assess
from orchestration.words import ExecutionStatus, Verdict
from support.facts import CONFIG, a_day
from support.records import first_decision, replace
from support.worlds import et, ours

BEFORE = "-3 06:00"


def first(*times, made=timedelta(minutes=1), **own):
    """The first decision on record of each workflow, at the same tick except for those named."""
    [tick] = times
    ticks = {**dict.fromkeys(ours().enabled, tick), **own}
    return tuple(first_decision(name, et(when), et(when) + made) for name, when in ticks.items() if when)


def switched_on(tick, now, **own):
    """A day whose first decisions are those of ``tick``, seen at ``now``."""
    facts = a_day(until=now)
    since = et(tick)
    return replace(
        facts,
        decisions=tuple(d for d in facts.decisions if d.tick >= since),
        executions=tuple(e for e in facts.executions if e.tick >= since),
        calls=tuple(c for c in facts.calls if c.tick >= since),
        cleanups=tuple(c for c in facts.cleanups if c.cleanup_time >= since),
        first=first(tick, **own),
    )


def found(facts, now):
    return [(f.kind, f.workflow) for f in assess(CONFIG, facts, now).findings]


@pytest.mark.parametrize("hour", [10, 11, 14, 18])
def test_the_ticks_before_the_system_was_switched_on_are_not_missing(hour):
    now = et(f"{hour}:50")
    facts = switched_on("10:00", now)
    assert facts.expected
    assert assess(CONFIG, facts, now).verdict is Verdict.HEALTHY
    assert found(replace(facts, first=first(BEFORE)), now)[0] == ("missing_ticks", "all")


def test_the_lock_and_the_cleanups_before_the_system_was_switched_on_are_not_missing():
    now = et("10:20")
    facts = replace(switched_on("10:00", now), expected=(), cleanups=())
    assert found(facts, now) == []
    ordinary = found(replace(facts, first=first(BEFORE)), now)
    assert {kind for kind, _ in ordinary} == {"missing_ticks", "not_locked", "no_cleanup"}


def test_a_scheduler_that_was_down_in_the_morning_of_an_ordinary_day_is_unhealthy():
    now = et("10:50")
    facts = replace(switched_on("10:00", now), first=first(BEFORE))
    health = assess(CONFIG, facts, now)
    assert health.verdict is Verdict.UNHEALTHY
    assert "No workflow made a decision from 06:00 to 09:00 ET" in health.headline


def test_ticks_after_the_first_decision_can_be_missing():
    now = et("13:50")
    facts = switched_on("10:00", now)
    gap = replace(facts, decisions=tuple(d for d in facts.decisions if d.tick != et("12:00")))
    assert "No workflow made a decision at 12:00 ET: 8 ticks" in assess(CONFIG, gap, now).headline


def test_a_workflow_that_never_decides_is_missing_on_the_first_day_too():
    now = et("13:50")
    facts = switched_on("10:00", now, betting_lines=None)
    silent = replace(facts, decisions=tuple(d for d in facts.decisions if d.workflow_name != "betting_lines"))
    assert "betting_lines has 4 ticks without a decision, the first at 10:00 ET" in assess(CONFIG, silent, now).headline


def test_a_workflow_added_today_can_be_missing_only_after_its_own_first_decision():
    now = et("13:50")
    facts = a_day(until=now)
    late = replace(
        facts,
        decisions=tuple(d for d in facts.decisions if d.workflow_name != "betting_lines" or d.tick >= et("13:00")),
        first=first(BEFORE, betting_lines="13:00"),
    )
    assert found(late, now) == []
    assert found(replace(late, first=first(BEFORE)), now) == [("missing_ticks", "betting_lines")]
    paused = replace(late, first=first(BEFORE, betting_lines=None))
    assert found(paused, now) == [("missing_ticks", "betting_lines")]


def test_every_tick_is_missing_if_nothing_is_on_record():
    now = et("13:50")
    facts = replace(a_day(until=now), decisions=(), executions=(), calls=(), cleanups=())
    assert assess(CONFIG, facts, now).verdict is Verdict.UNHEALTHY


class TestMadeUpFor:
    """The games that reconcile fetched in the morning make up for the night's windows."""

    NOW = et("+1 06:55")

    def night_without_window_3(self):
        facts = a_day()
        return replace(
            facts,
            executions=tuple(
                replace(e, status=ExecutionStatus.FAILED, error_message="all: http_500")
                if e.workflow_name == "post_game_window_3"
                else e
                for e in facts.executions
            ),
            calls=tuple(c for c in facts.calls if c.workflow != "post_game_window_3"),
        )

    def reconciled(self, facts):
        again = [replace(c, slot_time=et("+1 06:30")) for c in a_day().calls if c.workflow == "post_game_window_3"]
        return replace(facts, calls=(*facts.calls, *again))

    def test_a_failed_window_counts_until_its_games_are_collected(self):
        night = self.night_without_window_3()
        assert {kind for kind, _ in found(night, self.NOW)} == {"games_incomplete", "execution_failed"}
        assert found(self.reconciled(night), self.NOW) == []

    def test_the_finding_names_the_next_reconcile_until_the_last_one(self):
        night = self.night_without_window_3()

        def says(now):
            [text] = [f.text for f in assess(CONFIG, night, et(now)).findings if f.kind == "games_incomplete"]
            return text

        assert says("+1 06:00").endswith(". reconcile fetches them again at 06:30 ET")
        assert says("+1 06:55").endswith(". reconcile fetches them again at 12:30 ET")
        assert "reconcile" not in says("+1 12:31")
