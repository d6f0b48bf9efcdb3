"""The record itself: rows that are gone or wait elsewhere, two writers, clocks that contradict."""

from datetime import timedelta

import pytest

from orchestration.health.facts import AskedTick, DayFacts, WrittenTwice
from orchestration.health.running import undecided
from orchestration.health.verdict import assess
from orchestration.records.tables import Seen
from orchestration.words import Action, Outcome, Surrounding, Verdict
from support.facts import CONFIG, NIGHT, a_day
from support.records import first_decision, replace
from support.worlds import DAY, et

NOW = et("15:25")
BEFORE = tuple(first_decision(name, et("-3 06:00")) for name in CONFIG.enabled)
TODAY = tuple(first_decision(name, et("14:00")) for name in CONFIG.enabled)
"""The first decisions on record after the table was emptied at 13:30."""


def day(now=NOW, first=BEFORE, **changes):
    return replace(a_day(until=now, linked=True), first=first, **changes)


def without(facts, table, *, since="05:00", until="13:30"):
    """Return the facts without the rows of a table that were made in a part of the day."""
    kept = (row for row in getattr(facts, table) if not et(since) <= row.tick < et(until))
    return replace(facts, **{table: tuple(kept)})


def seen(facts, kind, about, text):
    last = replace(facts.cleanups[-1], seen=(Seen(kind=kind, about=about, text=text),))
    return replace(facts, cleanups=(*facts.cleanups[:-1], last))


def found(facts, now=NOW):
    return [finding.kind for finding in assess(CONFIG, facts, now).findings]


def headline(facts, now=NOW):
    return assess(CONFIG, facts, now).headline


TABLES = {
    "decisions": "workflow_decisions",
    "executions": "workflow_executions",
    "calls": "scraper_execution_log",
}


@pytest.mark.parametrize("hour", ["05:10", "06:10", "09:20", "13:50", "23:10", "+1 04:50"])
def test_a_whole_record_raises_nothing(hour):
    assert found(day(et(hour)), et(hour)) == []


@pytest.mark.parametrize("first", [BEFORE, TODAY, ()], ids=["older days are left", "all is gone", "unknown"])
@pytest.mark.parametrize("table", TABLES)
def test_an_emptied_table_is_named_and_nothing_else(table, first):
    facts = without(day(first=first), table)
    assert found(facts) == ["rows_gone"]
    assert headline(facts).startswith(f"UNHEALTHY: Rows are gone from nba_orchestration.{TABLES[table]}: ")


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize(("since", "until"), [("05:00", "09:30"), ("08:30", "12:30")], ids=["morning", "noon"])
def test_a_part_of_a_day_that_is_gone_is_named(table, since, until):
    now = et("23:25")
    facts = without(day(now), table, since=since, until=until)
    # At noon only one run made calls. Without its row alone, nobody can tell whether it was deleted or waits.
    alone = since == "08:30" and table != "decisions"
    assert found(facts, now) == ["rows_waiting" if alone else "rows_gone"]


def test_the_decisions_that_are_gone_are_no_ticks_without_a_decision():
    facts = without(day(first=TODAY), "decisions")
    assert undecided(CONFIG, facts, NOW) == {}
    assert "scheduler" not in headline(facts)
    late = replace(facts, decisions=(), executions=tuple(e for e in facts.executions if e.tick < et("12:00")))
    assert found(late)[0] == "rows_gone"


def test_a_day_without_decisions_executions_and_calls_is_no_first_day_if_cleanups_ran():
    facts = day(first=TODAY)
    for table in TABLES:
        facts = without(facts, table)
    assert headline(facts).startswith("UNHEALTHY: No workflow made a decision from 06:00 to 13:00 ET")
    assert "although 7 cleanups ran in this time" in headline(facts)
    asked = AskedTick(
        workflow="w", scraper_name="s", tick=et("-1 12:00"), target_date=DAY - timedelta(days=1), calls=1, found=1
    )
    assert headline(replace(facts, cleanups=facts.cleanups[-1:], asked=(asked,))).startswith("UNHEALTHY: No workflow")


def test_a_first_day_stays_a_first_day_if_the_cleanups_saw_the_dags_paused():
    facts = day(first=TODAY)
    for table in TABLES:
        facts = without(facts, table)
    paused = (Seen(kind=Surrounding.PAUSED, about="betting_lines", text="paused"),)
    early = tuple(replace(c, seen=paused if c.cleanup_time < et("13:30") else ()) for c in facts.cleanups)
    assert found(replace(facts, cleanups=early)) == []


def test_a_row_has_time_until_the_first_cleanup_after_its_run():
    facts = day(et("14:50"))
    late = replace(facts, decisions=tuple(d for d in facts.decisions if d.tick != et("14:00")))
    assert "rows_waiting" not in found(late, et("14:50"))


def test_rows_that_bigquery_refuses_wait_in_the_outbox_and_are_not_gone():
    facts = day()
    kept = tuple(d for d in facts.decisions if d.tick < et("13:00"))
    refused = (Seen(kind=Surrounding.OUTBOX, about="outbox", text="BigQuery took no rows for workflow_decisions"),)
    cleanups = tuple(replace(c, seen=refused) if c.cleanup_time > et("13:00") else c for c in facts.cleanups)
    kinds = found(replace(facts, decisions=kept, cleanups=cleanups))
    assert kinds[0] == "rows_not_taken"
    assert not {"rows_gone", "rows_waiting"} & {*kinds}


def test_calls_that_are_not_on_record_wait_in_an_outbox_if_others_are():
    facts = day()
    gone = next(c for c in facts.calls if c.workflow == "betting_lines")
    some = replace(facts, calls=tuple(c for c in facts.calls if c is not gone))
    assert found(some) == ["rows_waiting"]
    assert "1 execution counted 1 call that no row has" in headline(some)


def test_the_failed_tries_before_a_success_are_no_more_calls_than_were_counted():
    facts = day()
    again = [replace(c, try_number=2, row_id=f"{c.row_id} 2") for c in facts.calls[:9]]
    assert found(replace(facts, calls=(*facts.calls, *again))) == []


def test_runs_of_airflow_without_a_decision_are_named_and_the_dag_is_not_called_paused():
    silent = replace(day(), decisions=tuple(d for d in day().decisions if d.workflow_name != "referee_discovery"),
                     executions=tuple(e for e in day().executions if e.workflow_name != "referee_discovery"),
                     calls=tuple(c for c in day().calls if c.workflow != "referee_discovery"))  # fmt: skip
    assert "missing_ticks" in found(silent)
    ticks = " ".join(et(f"{hour:02d}:00").isoformat() for hour in range(6, 15))
    told = seen(silent, Surrounding.NO_ROW, "referee_discovery", ticks)
    assert found(told) == ["rows_waiting"]
    assert "Airflow has 9 successful runs without a decision (referee_discovery at 06:00" in headline(told)


def test_a_lock_that_is_gone_is_not_called_a_paused_locker():
    gone = seen(day(expected=()), Surrounding.NO_ROW, "schedule_locker", et("05:00").isoformat())
    assert found(gone) == ["rows_gone"]
    assert "nba_orchestration.daily_expected_schedule: the run of schedule_locker succeeded" in headline(gone)


def test_a_run_that_made_calls_and_has_no_execution_is_not_said_to_have_made_none():
    facts = a_day(linked=True)
    last = max(facts.executions, key=lambda e: e.tick)
    gone = replace(facts, executions=tuple(e for e in facts.executions if e is not last))
    [one] = [f for f in assess(CONFIG, gone, et("+1 05:40")).findings if f.kind == "run_without_execution"]
    assert "no execution is on record" in one.text


def another(**changes):
    facts = day()
    [one] = [d for d in facts.decisions if (d.workflow_name, d.tick) == ("betting_lines", et("13:00"))]
    return replace(facts, decisions=(*facts.decisions, replace(one, decision_id="another", **changes)))


def test_two_decisions_of_one_tick_are_named():
    facts = another(action=Action.SKIP)
    assert found(facts) == ["decided_twice"]
    assert "for example betting_lines at 13:00 ET (RUN and SKIP)" in headline(facts)


@pytest.mark.parametrize("who", ["manual", "manual:me", "replay", "reconcile"])
def test_a_run_that_a_person_or_reconcile_started_is_no_second_decision(who):
    assert "decided_twice" not in found(another(triggered_by=who))


def test_one_id_that_two_processes_wrote_is_named():
    twice = tuple(WrittenTwice(written_to=t, workflow_name="betting_lines", tick=et("13:00"), ids=2)
                  for t in ("workflow_decisions", "scraper_execution_log"))  # fmt: skip
    assert found(day(twice=twice)) == ["decided_twice", "called_twice"]


def with_clock(minutes, table, *names):
    """Return the day on which the clock of the worker of some rows was off by this many minutes."""
    facts, shift = day(), timedelta(minutes=minutes)

    def moved(row):
        if row.tick != et("13:00"):
            return row
        return replace(row, **{name: getattr(row, name) + shift for name in names})

    return replace(facts, **{table: tuple(moved(row) for row in getattr(facts, table))})


@pytest.mark.parametrize(
    ("minutes", "table", "names"),
    [
        (-10, "decisions", ["decision_time"]),
        (10, "decisions", ["decision_time"]),
        (-10, "calls", ["triggered_at"]),
        (10, "calls", ["triggered_at"]),
        (-10, "executions", ["created_at"]),
    ],
)
def test_times_of_a_run_that_contradict_each_other_name_a_wrong_clock(minutes, table, names):
    facts = with_clock(minutes, table, *names)
    assert found(facts) == ["clock_off"]
    assert headline(facts).startswith("DEGRADED: A worker's clock is wrong by ")


@pytest.mark.parametrize("minutes", [-2, 2])
def test_clocks_that_differ_by_two_minutes_are_not_named(minutes):
    assert found(with_clock(minutes, "decisions", "decision_time")) == []


def test_a_day_about_which_nothing_is_on_record_is_unknown():
    nothing = DayFacts(DAY, NIGHT)
    assert assess(CONFIG, nothing, NOW).verdict is Verdict.UNKNOWN
    assert headline(nothing).startswith(
        "UNKNOWN: No workflow made a decision on 2026-01-14, and nothing else is on record"
    )
    assert assess(CONFIG, nothing, et("05:10")).verdict is not Verdict.UNKNOWN


def test_calls_that_name_no_decision_prove_nothing():
    facts = without(replace(a_day(until=NOW), first=BEFORE), "decisions")
    assert "rows_gone" not in found(facts)
    assert any(c.status is Outcome.SUCCESS for c in facts.calls)
