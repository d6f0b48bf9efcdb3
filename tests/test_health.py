"""The verdict knows calendar and windows (lesson K11)."""

from dataclasses import replace
from datetime import timedelta

import pytest

from orchestration.decisions.model import History
from orchestration.health.facts import CallFact, CleanupFact, DayFacts, DecisionFact, ExecutionFact, ExpectedFact
from orchestration.health.verdict import assess
from orchestration.nba.games import Schedule
from orchestration.planning.calls import planned_calls
from orchestration.planning.day import day_bounds, plan
from orchestration.words import Action, ExecutionStatus, Outcome, Verdict
from worlds import DAY, et, game, ours, schedule

CONFIG = ours()
NIGHT = schedule(game(1, "19:00"), game(2, "19:30"))
AFTER = et("+1 05:40")


def a_day(games=NIGHT, until=AFTER):
    """The facts of a day on which everything went as planned, as far as ``until``."""
    start, end = day_bounds(CONFIG, DAY)
    decisions = list(plan(CONFIG, start, end, games, History()))
    made = [d for d in decisions if d.tick <= until]
    runs = [d for d in made if d.action is Action.RUN]

    def ident(d):
        return f"{d.workflow} {d.tick}"

    def outcome(call, d):
        return Outcome.SUCCESS if call.item.game is None or d.tick >= call.item.game.due else Outcome.NO_DATA

    calls = [
        CallFact(c.scraper, d.workflow, d.tick, d.target_date, outcome(c, d), c.item.game and c.item.game.game_id, None)
        for d in runs
        for c in planned_calls(CONFIG, d)
    ]
    return DayFacts(
        DAY,
        replace(games, refreshed_at=until),
        tuple(ExpectedFact(d.workflow, d.tick, d.reason) for d in decisions if d.action is Action.RUN),
        tuple(DecisionFact(ident(d), d.workflow, d.tick, d.action, d.rule, d.reason) for d in made),
        tuple(
            ExecutionFact(ident(d), d.workflow, d.tick, d.target_date, ExecutionStatus.COMPLETED, 5, 0, None)
            for d in runs
        ),
        tuple(calls),
        tuple(CleanupFact(t, 10, 0, 0, ()) for t in CONFIG.cleanup_ticks.between(start, until)),
    )


def verdict(facts, now=AFTER):
    return assess(CONFIG, facts, now)


@pytest.mark.parametrize("hour", range(5, 24))
def test_a_day_that_goes_as_planned_is_healthy_at_every_hour(hour):
    now = et(f"{hour:02d}:50")
    health = verdict(a_day(until=now), now)
    assert (health.verdict, health.findings) == (Verdict.HEALTHY, ())


def test_and_so_it_is_in_the_morning_after():
    health = verdict(a_day())
    assert (health.verdict, health.games, health.collected) == (Verdict.HEALTHY, 2, 2)
    assert health.headline == "HEALTHY: box scores of 2 of 2 games that are due are in"


@pytest.mark.lesson("K11")
def test_a_rest_day_is_no_games_and_not_unhealthy():
    tomorrow = schedule(game(day=DAY + timedelta(days=1)), refreshed=et("04:30"))
    health = verdict(a_day(tomorrow))
    assert (health.verdict, health.verdict.exit_code) == (Verdict.NO_GAMES, 0)


@pytest.mark.lesson("K10")
def test_a_run_without_execution_is_unhealthy():
    facts = a_day()
    lost = next(e for e in facts.executions if e.workflow == "betting_lines")
    health = verdict(replace(facts, executions=tuple(e for e in facts.executions if e is not lost)))
    assert health.verdict is Verdict.UNHEALTHY
    assert health.headline == "UNHEALTHY: RUN without execution: betting_lines at 13:00 ET"


@pytest.mark.lesson("E5")
def test_a_day_without_executions_is_never_healthy():
    facts = replace(a_day(), executions=(), calls=())
    assert verdict(facts).verdict is Verdict.UNHEALTHY


def test_ticks_without_decisions_name_the_dag_or_the_scheduler():
    facts = a_day()
    one = replace(facts, decisions=tuple(d for d in facts.decisions if d.workflow != "injury_discovery"))
    assert "injury_discovery, the first at 06:00 ET; is the DAG paused?" in verdict(one).headline
    none = replace(facts, decisions=tuple(d for d in facts.decisions if not 14 <= d.tick.hour <= 16))
    assert "was the scheduler down?" in verdict(none).headline


@pytest.mark.lesson("K6")
def test_a_missing_box_score_is_named_with_the_command_that_fetches_it():
    facts = a_day()
    lost = [c for c in facts.calls if (c.scraper, c.game_id) == ("nbac_team_boxscore", "0022500002")]
    health = verdict(replace(facts, calls=tuple(c for c in facts.calls if c not in lost)))
    assert health.headline == "UNHEALTHY: 1 of 2 games are incomplete; 0022500002 LAL@BOS lacks nbac_team_boxscore"
    assert '"target_date": "2026-01-14"' in health.findings[0].command


def test_it_is_not_missing_before_the_last_window_of_the_night():
    facts = a_day(until=et("+1 00:30"))
    assert verdict(facts, et("+1 00:30")).verdict is Verdict.HEALTHY


@pytest.mark.lesson("K2")
def test_mostly_no_data_before_the_games_is_suspicious():
    facts = a_day()
    empty = tuple(replace(e, no_data=5) if e.workflow == "betting_lines" else e for e in facts.executions)
    assert "20 of 20 calls found no data on a game day" in verdict(replace(facts, executions=empty)).headline


def test_a_failed_execution_counts_until_a_later_one_completes():
    facts = a_day()
    first = next(e for e in facts.executions if e.workflow == "betting_lines")
    failed = replace(first, status=ExecutionStatus.FAILED, error="oddsa_events: http_500")
    healed = replace(facts, executions=tuple(failed if e is first else e for e in facts.executions))
    assert verdict(healed).verdict is Verdict.HEALTHY
    alone = replace(
        healed, executions=tuple(e for e in healed.executions if e.workflow != "betting_lines" or e is failed)
    )
    assert any("oddsa_events: http_500" in f.text for f in verdict(alone).findings)


def test_an_abort_an_unknown_schedule_a_missing_lock_and_a_backlog_are_found():
    facts = a_day()
    assert "the locker did not lock" in verdict(replace(facts, expected=())).headline
    assert "the schedule is unknown" in verdict(replace(facts, schedule=Schedule())).headline
    last = replace(facts.cleanups[-1], missing=2, republished=2)
    assert "2 of 10 files had not reached their table" in verdict(replace(facts, cleanups=(last,))).headline
    assert "no cleanup today" in verdict(replace(facts, cleanups=())).headline
    aborted = replace(facts.decisions[-1], action=Action.ABORT, reason="History unreadable")
    health = verdict(replace(facts, decisions=(*facts.decisions[:-1], aborted)))
    assert "History unreadable" in health.headline


def silent(workflow, *hours, facts=None):
    """A day on which this workflow's ticks at these hours brought neither decision nor execution."""
    facts = facts or a_day()
    gone = [(workflow, et(f"{hour:02d}:00")) for hour in hours]
    return replace(
        facts,
        decisions=tuple(d for d in facts.decisions if (d.workflow, d.tick) not in gone),
        executions=tuple(e for e in facts.executions if (e.workflow, e.tick) not in gone),
    )


def missed(facts, now=AFTER):
    return [f.text for f in verdict(facts, now).findings if f.kind == "expected_missed"]


@pytest.mark.lesson("K10")
def test_an_expected_run_that_did_not_happen_is_missed():
    assert missed(silent("morning_operations", 6)) == [
        "morning_operations was expected to run at 06:00 ET and did not: missed"
    ]


def test_it_is_not_missed_before_it_is_due():
    at = et("06:40")
    assert missed(silent("morning_operations", 6, facts=a_day(until=at)), at) == []


def test_nor_when_a_later_tick_made_up_for_it():
    assert missed(silent("betting_lines", 13)) == []
    assert missed(silent("betting_lines", 13, 15, 17, 19)) == [
        "betting_lines was expected to run at 13:00, 15:00, 17:00, 19:00 ET and did not: missed"
    ]


def test_a_lock_is_due_half_an_hour_after_five():
    facts = replace(a_day(until=et("05:20")), expected=())
    kinds = [{f.kind for f in verdict(facts, et(moment)).findings} for moment in ("05:29", "05:30")]
    assert kinds == [set(), {"not_locked"}]


def test_every_finding_has_a_kind_and_a_workflow():
    for facts in (replace(a_day(), expected=()), replace(a_day(), decisions=()), replace(a_day(), executions=())):
        for finding in verdict(facts).findings:
            assert finding.kind
            assert finding.workflow
