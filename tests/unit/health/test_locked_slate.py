"""The slate that a day was locked with: what became of it is in the first line, and no game day is without games."""

from datetime import timedelta

import pytest

from orchestration.health.verdict import assess
from orchestration.nba.slate import LockedSlate
from orchestration.records.tables import Seen
from orchestration.words import Action, Surrounding, Verdict
from support.facts import CONFIG, a_day
from support.nights import slate
from support.records import a_cleanup, a_decision, replace
from support.worlds import DAY, changed, et, game, locked, schedule

EIGHT = slate(8)
NOW = et("12:20")
WEEK = schedule(
    *EIGHT.games,
    *[game(10 * n + 20 + k, "19:00", DAY + timedelta(days=n)) for n in (-1, 1, 7) for k in range(1, 6)],
    refreshed=et("04:30"),
)


def seen(change, games=EIGHT, now=NOW, config=CONFIG):
    """Return the health of a healthy day after ``change`` of its schedule's games."""
    facts = a_day(games, now)
    rows = tuple(row for game in facts.schedule.games for row in change(game))
    return assess(config, replace(facts, schedule=replace(facts.schedule, games=rows)), now)


def of(day):
    return lambda g: () if g.date == day else (g,)


def on_day(**changes):
    return lambda g: (replace(g, **changes) if g.date == DAY else g,)


@pytest.mark.lesson("F1")
def test_a_locked_day_whose_games_are_all_deleted_is_no_day_without_games():
    found = seen(of(DAY))
    assert (found.verdict, found.findings[0].kind) == (Verdict.UNHEALTHY, "slate_vanished")
    first = "UNHEALTHY: All 8 games of the slate locked at 05:00 ET vanished from the schedule: "
    assert found.headline.startswith(first)
    assert all(f"{g.away}@{g.home}" in found.headline for g in EIGHT.games)


def test_two_deleted_games_of_eight_are_named():
    gone = EIGHT.games[3:5]
    found = seen(lambda g: () if g in gone else (g,))
    assert [f.kind for f in found.findings] == ["slate_vanished"]
    assert "2 of 8 games of the slate" in found.headline
    assert all(f"{g.away}@{g.home}" in found.headline for g in gone)


def test_games_that_come_back_end_the_finding():
    assert seen(of(DAY)).findings != ()
    back = seen(lambda g: (g,))
    assert (back.verdict, back.findings, back.since_lock) == (Verdict.HEALTHY, (), "")


@pytest.mark.parametrize("games", [EIGHT, schedule(*EIGHT.games[:1])], ids=["all", "the only one"])
def test_games_that_moved_to_another_date_are_normal_and_the_day_is_not_called_one_without_games(games):
    found = seen(on_day(date=DAY + timedelta(days=2), tip=None), games)
    assert (found.verdict, found.findings) == (Verdict.HEALTHY, ())
    assert "Normal changes since the lock of 05:00 ET: " in found.headline
    assert f"{games.games[0].away}@{games.games[0].home} to Fri 16 Jan" in found.headline


def test_a_postponed_game_is_normal_and_all_at_once_are_not():
    one = seen(lambda g: (replace(g, status_text="PPD") if g is EIGHT.games[0] else g,))
    assert (one.verdict, one.findings) == (Verdict.HEALTHY, ())
    assert "1 game postponed (" in one.headline
    everything = seen(on_day(status_text="PPD"))
    assert everything.headline.startswith("DEGRADED: All games of 2026-01-14 are postponed at once: 8 games")


def test_many_postponed_dates_are_one_finding():
    found = seen(lambda g: (replace(g, status_text="Postponed") if g.date > DAY else g,), WEEK)
    text = "All games of 2 dates, from 2026-01-15 to 2026-01-21 are postponed at once: 10 games"
    assert [f.text.partition(". ")[0] for f in found.findings] == [text]


def test_moved_tips_are_said_and_are_no_fault():
    found = seen(lambda g: (replace(g, tip=g.tip + timedelta(minutes=30)) if g is EIGHT.games[0] else g,))
    assert found.findings == ()
    assert "1 tip moved (ATL@BOS from " in found.headline


def test_a_game_that_appears_after_the_lock_asks_for_a_new_lock():
    facts = a_day(EIGHT, NOW)
    more = replace(facts.schedule, games=(*facts.schedule.games, game(99, "19:00")))
    found = assess(CONFIG, replace(facts, schedule=more), NOW)
    assert [f.kind for f in found.findings] == ["slate_appeared"]
    assert "1 game of 2026-01-14 appeared in the schedule after the lock of 05:00 ET: LAL@BOS" in found.headline
    assert "trigger schedule_locker --conf '{\"force\": true}'" in found.findings[0].command
    assert assess(CONFIG, replace(facts, schedule=locked(replace(more, locked=()))), NOW).findings == ()


def test_a_day_locked_empty_is_told_from_a_paused_locker():
    facts = a_day(EIGHT, NOW)
    empty = replace(facts.schedule, locked=(LockedSlate(DAY, et("05:00")),))
    found = assess(CONFIG, replace(facts, schedule=empty), NOW)
    assert [f.kind for f in found.findings] == ["slate_appeared"]
    assert "The lock of 05:00 ET found no game on 2026-01-14, and the schedule now has 8 games: " in found.headline
    assert "paused" not in found.headline


def test_a_day_without_a_locked_run_names_its_games_and_what_is_known_of_the_locker():
    facts = replace(a_day(EIGHT, NOW), expected=())
    assert "did not lock 2026-01-14, although it has 8 games" in assess(CONFIG, facts, NOW).headline
    assert "schedule_locker is not paused: its run failed, it locked nothing" in assess(CONFIG, facts, NOW).headline
    paused = Seen(kind=Surrounding.PAUSED, about="schedule_locker", text="paused")
    looked = replace(facts, cleanups=(a_cleanup(et("12:20"), seen=(paused,)),))
    assert "Check whether the DAG schedule_locker is paused" in assess(CONFIG, looked, NOW).headline


def test_a_lock_of_one_workflow_names_those_that_it_lacks():
    facts = a_day(EIGHT, NOW)
    alone = tuple(run for run in facts.expected if run.workflow_name == "betting_lines")
    found = assess(CONFIG, replace(facts, expected=alone), NOW)
    assert [f.kind for f in found.findings] == ["partly_locked"]
    assert "The lock of 05:00 ET is not whole: it names betting_lines, and not " in found.headline
    assert "morning_operations" in found.headline


def test_a_forced_run_of_a_workflow_that_the_lock_lacks_is_no_fault_of_the_lock():
    facts = a_day(EIGHT, NOW)
    others = tuple(run for run in facts.expected if run.workflow_name != "morning_operations")
    rest = tuple(d for d in facts.decisions if d.workflow_name != "morning_operations")
    for rule, kinds in (("forced", []), ("run", ["partly_locked"])):
        ran = a_decision("morning_operations", et("06:00"), Action.RUN, rule)
        found = assess(CONFIG, replace(facts, expected=others, decisions=(*rest, ran)), et("06:05"))
        assert [f.kind for f in found.findings if f.kind == "partly_locked"] == kinds


def test_rows_deleted_before_the_lock_are_missed_by_the_seasons_calendar():
    without = replace(WEEK, games=tuple(g for g in WEEK.games if g.date != DAY))
    found = assess(CONFIG, a_day(without, NOW), NOW)
    assert [f.kind for f in found.findings] == ["slate_missing"]
    assert found.headline.startswith("DEGRADED: The schedule has no game on Wed 14 Jan 2026, although ")
    assert "5 a week later" in found.headline


def test_a_halted_system_says_nothing_of_its_slate():
    halted = changed(settings__halt={"reason": "off-season"})
    found = seen(of(DAY), config=halted)
    assert (found.findings, found.since_lock) == ((), "")
