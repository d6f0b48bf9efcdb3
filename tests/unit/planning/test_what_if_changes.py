"""The differences between two simulated seasons: runs, calls, games, deadlines and alerts."""

from datetime import date, time, timedelta

import pytest

from orchestration.decisions.model import History
from orchestration.nba.document import example_season
from orchestration.nba.eastern import at, et
from orchestration.planning.calls import Assumption
from orchestration.planning.day import plan
from orchestration.planning.what_if.changes import COLLECTED, ChangeKind, calls_of, changed_keys, compare_seasons
from orchestration.planning.what_if.simulation import published_at_noon, simulate
from orchestration.words import Action, Outcome
from support.worlds import changed, ours

FIRST, LAST = date(2026, 1, 13), date(2026, 1, 15)
START, END = ours().day_bounds(FIRST)[0], ours().day_bounds(LAST)[1]
GAMES = [game for n in range(3) for game in example_season().on(FIRST + timedelta(days=n))]


def season(config, *more):
    return simulate(config, START, END, example_season(), [*more, *published_at_noon(ours(), config)])


def changes(*more, **paths):
    return compare_seasons(season(ours(), *more), season(changed(**paths), *more))


def of(found, workflow):
    return next((one for one in found.workflows if one.workflow == workflow), None)


def test_the_same_configuration_changes_nothing():
    found = compare_seasons(season(ours()), season(ours()))
    assert not found
    assert (found.keys, found.workflows, found.games) == ((), (), ())


def test_a_season_is_decided_by_the_engine_itself():
    played = season(ours())
    known = example_season().seen_at(START)
    decided = list(plan(ours(), START, END, known, History(), published_at_noon(ours())))
    assert list(played.decisions.values()) == decided
    assert played.days == 3


def test_a_window_moved_by_an_hour_is_a_run_lost_and_one_gained_each_night_and_its_deadlines_move():
    found = changes(workflows__post_game_window_1__schedule__fixed_time="23:00")
    window = of(found, "post_game_window_1")
    assert {kind: [et(tick).hour for tick in ticks] for kind, ticks in window.ticks.items()} == {
        ChangeKind.RUN_GAINED: [23, 23, 23],
        ChangeKind.RUN_LOST: [22, 22, 22],
    }
    assert (window.before.deadlines, window.after.deadlines) == ({"22:45": 3}, {"23:45": 3})
    assert window.deadlines_moved
    gained, lost = window.firsts
    assert gained.tick == at(FIRST, time(23))
    assert gained.before.startswith("SKIP Not at 22:00 ET")
    assert gained.after.startswith("RUN ")
    assert gained.after.endswith(" calls)")
    assert lost.before.startswith("RUN ")
    assert lost.after.startswith("SKIP Not at 23:00 ET")
    assert [str(key) for key in found.keys] == ["workflows.post_game_window_1.schedule.fixed_time: 22:00 -> 23:00"]


def test_a_window_an_hour_later_collects_the_games_of_that_hour_earlier_and_the_others_later():
    found = changes(workflows__post_game_window_1__schedule__fixed_time="23:00")
    [collected] = [one for one in found.games if one.what == COLLECTED]
    over = [game for game in GAMES if at(game.date, time(22)) < game.due <= at(game.date, time(23))]
    before = [game for game in GAMES if game.due <= at(game.date, time(22))]
    assert (collected.earlier, collected.later, collected.never) == (len(over), len(before), 0)
    assert over


def test_a_whole_date_call_before_a_game_is_due_does_not_collect_it():
    played = season(ours())
    ticks = [played.first_successes[game.game_id, "nbac_player_boxscore"] for game in GAMES]
    assert all(tick >= game.due for tick, game in zip(ticks, GAMES, strict=True))


def test_a_run_for_another_date_is_a_run_with_other_calls():
    found = changes(workflows__referee_discovery__schedule__target_date="yesterday")
    assert ChangeKind.OTHER_CALLS in of(found, "referee_discovery").ticks


def test_effects_at_other_ticks_are_found():
    found = changes(workflows__post_game_window_1__schedule__fixed_time="23:00")
    later = of(found, "post_game_window_2")
    assert set(later.ticks) == {ChangeKind.OTHER_CALLS}
    assert later.after.calls < later.before.calls


def test_a_doubled_frequency_doubles_runs_and_calls_per_event():
    found = changes(workflows__betting_lines__schedule__frequency_hours=1)
    lines = of(found, "betting_lines")
    assert set(lines.ticks) == {ChangeKind.RUN_GAINED}
    run = next(call for call in found.old.calls if call.record.scraper_name == "oddsa_game_lines")
    assert run.count == len(example_season().on(run.record.target_date))
    assert lines.after.calls > 1.5 * lines.before.calls
    assert calls_of(found.new) - calls_of(found.old) == lines.after.calls - lines.before.calls


def test_a_discovery_finds_data_at_noon_so_its_retries_show():
    found = changes(workflows__injury_discovery__schedule__retry_interval_hours=1)
    hours = {et(tick).hour for tick in of(found, "injury_discovery").ticks[ChangeKind.RUN_GAINED]}
    assert hours == {7, 9, 11}


def test_reconcile_collects_the_games_of_a_disabled_window():
    off = {f"workflows__post_game_window_{n}__enabled": False for n in (2, 3)}
    found = changes(**off)
    collected = found.games[0]
    assert collected.what == COLLECTED
    assert collected.by_reconcile == (0, collected.later)
    assert collected.later > 0
    assert collected.never == 0
    assert et(found.new.collected(GAMES[-1])).time() == time(6, 30)
    assert of(found, "post_game_window_2").firsts[0].after == "switched off"


def test_without_reconcile_the_games_of_a_disabled_window_are_never_collected():
    off = {f"workflows__post_game_window_{n}__enabled": False for n in (2, 3)}
    found = changes(**off, settings__reconcile__enabled=False)
    collected = found.games[0]
    assert collected.never > 0
    assert collected.after is None
    back = compare_seasons(found.new, found.old).games[0]
    assert (back.never, back.newly) == (0, collected.never)


def test_a_longer_deadline_moves_deadlines_and_no_runs():
    found = changes(workflows__morning_operations__deadline_minutes=60)
    morning = of(found, "morning_operations")
    assert morning.ticks == {}
    assert (morning.before.deadlines, morning.after.deadlines) == ({"06:45": 3}, {"07:00": 3})
    assert found


def test_gained_lost_and_moved_alerts_are_found():
    never = Assumption(scraper="nbac_injury_report", outcome=Outcome.NO_DATA)
    fewer = season(changed(workflows__injury_discovery__schedule__max_attempts_per_day=3), never)
    alert = of(compare_seasons(season(ours()), fewer), "injury_discovery")
    assert len(alert.ticks[ChangeKind.ALERT_GAINED]) == 3
    first = next(first for first in alert.firsts if first.kind is ChangeKind.ALERT_GAINED)
    assert first.after == "SKIP All 3 attempts for 2026-01-13 are used up; nothing was found [WARNING]"
    assert ChangeKind.ALERT_LOST in of(compare_seasons(fewer, season(ours())), "injury_discovery").ticks
    moved = changes(workflows__injury_discovery__schedule__retry_interval_hours=5)
    # The data is found at 16:00 instead of noon, and the alert follows an hour later.
    assert len(of(moved, "injury_discovery").ticks[ChangeKind.ALERT_MOVED]) == 3


def test_a_missed_window_is_an_alert_with_its_reason():
    found = changes(workflows__betting_lines__schedule__business_hours={"start": 8, "end": 12})
    [abort] = [first for first in of(found, "betting_lines").firsts if first.kind is ChangeKind.ALERT_GAINED]
    assert abort.after.startswith("ABORT Missed window: business hours ended at 12:00 ET")


def test_an_added_workflow_is_reported():
    new = changed(workflows__mine={"decision_type": "freshness", "execution_plan": {"scraper": "nbac_player_list"}})
    found = compare_seasons(season(ours()), season(new))
    assert of(found, "mine").firsts[0].before == "there is no such workflow"
    assert [str(key) for key in found.keys] == ["workflows.mine: added"]


@pytest.mark.parametrize(
    ("path", "value", "shown"),
    [
        ("workflows__betting_lines__schedule__frequency_hours", 3, True),
        ("workflows__betting_lines__dependencies__requires", [], True),
        ("settings__last_tick", "22:00", True),
        ("workflows__betting_lines__alerts__failure", "WARNING", False),
        ("workflows__betting_lines__description", "other", False),
        ("scrapers__nbac_player_list__timeout_seconds", 300, False),
        ("settings__pools__nba_com", 4, False),
    ],
)
def test_a_key_whose_effect_no_season_shows_is_a_change(path, value, shown):
    new = changed(**{path: value})
    [key] = changed_keys(ours(), new)
    assert (key.path, key.shown) == (path.replace("__", "."), shown)
    if not shown:
        assert compare_seasons(season(ours()), season(new))


def test_a_key_without_effect_changes_nothing():
    found = changes(workflows__betting_lines__schedule__frequency_hours=1.5)
    assert len(found.keys) == 1
    assert not found


def test_without_gaps_reconcile_makes_no_call():
    found = season(ours())
    assert not [call for call in found.calls if call.by_reconcile]
    assert {d.action for d in found.decisions.values()} == {Action.RUN, Action.SKIP}
