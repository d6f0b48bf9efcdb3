"""The recorded decisions, made again with the data known at each tick."""

from datetime import date, timedelta

from orchestration.nba.document import example_season
from orchestration.nba.eastern import after
from orchestration.planning.what_if.backtest import Past, decide_again, left_out
from orchestration.planning.what_if.changes import runs_of
from orchestration.planning.what_if.simulation import simulate
from orchestration.records.tables import CallRecord, ExecutionRecord
from orchestration.words import Action, AlertLevel, ExecutionStatus, Outcome
from support.records import a_call, a_decision, an_execution, replace
from support.worlds import changed, ours

FIRST, LAST = date(2026, 1, 12), date(2026, 1, 15)
START, END = ours().day_bounds(FIRST)[0], ours().day_bounds(LAST)[1]
FROM = ours().day_bounds(FIRST + timedelta(days=2))[0]
"""Decisions are made again from the third day on, so that the record holds all that the rules look back to."""


def recorded(decision, **more):
    return a_decision(
        decision.workflow, decision.tick, decision.action, decision.rule, decision.reason,
        alert_level=decision.alert_level, target_date=decision.target_date, scrapers_triggered=decision.scrapers,
        target_games=tuple(game.game_id for game in decision.games), triggered_by="schedule", **more,
    )  # fmt: skip


def past():
    """The record of four days: the decisions, and the rows of executions and calls ten minutes after each tick."""
    season = simulate(ours(), START, END, example_season())
    versions = []
    for run in runs_of(season):
        made = [call.record for call in season.made[run.workflow, run.tick]]
        successes = sum(call.status is Outcome.SUCCESS for call in made)
        done = after(run.tick, timedelta(minutes=10))
        versions.append(an_execution(run.workflow, run.tick, run.target_date, successes, created_at=done))
        for call in made:
            row_id = f"{call.workflow} {call.tick} {call.label}"
            about = (call.scraper_name, call.workflow, call.tick, call.target_date, call.status, call.game_id)
            versions.append(a_call(*about, row_id=row_id, created_at=done))
    decisions = tuple(map(recorded, season.decisions.values()))
    return Past(example_season().seen_at(START), decisions, tuple(versions))


PAST = past()


def again(config=None, record=PAST):
    return list(decide_again(config or ours(), record, FROM, END))


def others(config=None, record=PAST):
    return [
        (one.then.workflow_name, f"{one.then.tick:%d %H:%M}", one.differs)
        for one in again(config, record)
        if one.differs
    ]


def test_the_configuration_of_then_repeats_every_decision():
    assert len(again()) == 2 * 147
    assert {one.then.action for one in again()} == {Action.RUN, Action.SKIP}
    assert others() == []


def test_another_configuration_shows_only_its_differences():
    found = others(changed(workflows__post_game_window_1__schedule__fixed_time="23:00"))
    assert ("post_game_window_1", "14 22:00", ("action", "rule", "games", "scrapers", "reason")) in found
    assert ("post_game_window_1", "14 23:00", ("action", "rule", "games", "scrapers", "reason")) in found
    assert {name for name, _, _ in found} == {"post_game_window_1"}
    assert {differs for _, tick, differs in found if tick[3:] not in ("22:00", "23:00")} == {("reason",)}


def test_each_decision_rests_on_the_recorded_history():
    found = others(changed(workflows__betting_lines__schedule__frequency_hours=3))
    skipped = [tick for name, tick, differs in found if "action" in differs]
    # With a frequency of 3 h, a run comes too soon after the recorded run 2 h before it.
    assert skipped == ["14 15:00", "14 17:00", "14 19:00", "15 15:00", "15 17:00", "15 19:00"]


def test_a_disabled_or_removed_workflow_is_reported():
    found = again(changed(workflows__referee_discovery__enabled=False))
    assert {one.then.workflow_name for one in found if one.differs == ("workflow",)} == {"referee_discovery"}


def test_a_row_written_after_the_decision_does_not_count():
    def late(version):
        known = isinstance(version, ExecutionRecord) and version.workflow_name == "betting_lines"
        later = after(version.created_at, timedelta(hours=1, minutes=30))
        return replace(version, created_at=later) if known else version

    found = others(record=replace(PAST, versions=tuple(map(late, PAST.versions))))
    assert ("betting_lines", "14 14:00", ("action", "rule", "games", "scrapers", "reason")) in found


def test_a_decision_made_later_does_not_count():
    [found] = [d for d in PAST.decisions if (d.workflow_name, f"{d.tick:%d %H:%M}") == ("injury_discovery", "14 07:00")]
    assert (found.rule, found.alert_level) == ("found", AlertLevel.INFO)
    # The alert is raised once: a later tick raises it again only if it did not know the first.
    late = tuple(replace(d, created_at=END) if d == found else d for d in PAST.decisions)
    assert ("injury_discovery", "14 08:00", ("alert",)) in others(record=replace(PAST, decisions=late))


def test_the_version_of_a_row_known_at_the_decision_counts():
    morning = next(v for v in PAST.versions if v.key.startswith("morning_operations 2026-01-14"))
    noon = after(morning.tick, timedelta(hours=6))
    corrected = replace(morning, status=ExecutionStatus.FAILED, created_at=noon)
    found = others(record=replace(PAST, versions=(*PAST.versions, corrected)))
    ticks = [tick for name, tick, _ in found if name == "morning_operations" and tick.startswith("14")]
    assert ticks[0] == "14 12:00"
    calls = [version for version in PAST.versions if isinstance(version, CallRecord)]
    box = next(
        c for c in calls if (c.workflow, f"{c.tick:%d %H}", c.status) == ("post_game_window_2", "15 01", "success")
    )
    failed = replace(box, status=Outcome.FAILED, error_type="timeout", created_at=box.created_at + timedelta(hours=1))
    assert others(record=replace(PAST, versions=(*PAST.versions, failed))) != []
    killed = replace(failed, error_type="killed")
    assert others(record=replace(PAST, versions=(*PAST.versions, killed))) == []


def test_manual_runs_and_decisions_without_knowledge_are_left_out():
    [one] = [d for d in PAST.decisions if (d.workflow_name, f"{d.tick:%d %H:%M}") == ("betting_lines", "14 12:00")]
    odd = (
        replace(one, rule="forced", action=Action.RUN),
        replace(one, triggered_by="manual:ann", reason="x"),
        replace(one, rule="schedule_unknown", action=Action.ABORT),
    )
    assert [left_out(d) for d in odd] == ["started by hand", "started by hand", "made without enough data"]
    record = replace(PAST, decisions=(*PAST.decisions, *odd))
    assert len(again(record=record)) == len(again())


def test_each_difference_is_named():
    one = next(one for one in again() if one.then.action is Action.RUN and one.then.target_games)
    for change, name in (
        ({"alert_level": AlertLevel.CRITICAL}, "alert"),
        ({"target_games": ()}, "games"),
        ({"scrapers_triggered": ()}, "scrapers"),
        ({"rule": "x"}, "rule"),
        ({"reason": "x"}, "reason"),
        ({"target_date": FIRST}, "target date"),
        ({"action": Action.SKIP}, "action"),
    ):
        assert replace(one, then=replace(one.then, **change)).differs == (name,)
