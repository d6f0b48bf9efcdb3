"""The old system compared with our decisions: each of its known mistakes has its kind."""

from datetime import timedelta

import pytest

from orchestration.planning.other_system.comparison import DifferenceKind, Ours, Theirs, compare, counts, only_one_has
from orchestration.words import Action
from support.records import a_decision
from support.worlds import DAY, et

GAMES = frozenset({"0022500001", "0022500002"})
BEFORE = DAY - timedelta(days=1)


def ours(tick, action="RUN", target=DAY, games=frozenset(), reason="because", workflow="w", rule="run"):
    more = {"target_date": target, "target_games": tuple(games)}
    made = a_decision(workflow, et(tick), Action(action), rule, reason, **more) if action else None
    return Ours(workflow, et(tick), made, per_game=bool(games))


def theirs(at, target=DAY, games=frozenset(), workflow="w", **more):
    return Theirs(workflow, et(at), frozenset({target}), games, **more)


def kinds(decisions, runs):
    return [(f"{one.tick:%H:%M}", one.kind.value) for one in compare(decisions, runs)]


def test_two_equal_runs_and_two_skips_are_the_same():
    assert kinds([ours("06:00"), ours("07:00", "SKIP")], [theirs("06:05")]) == [("06:00", "same"), ("07:00", "same")]


@pytest.mark.parametrize(("at", "tick"), [("05:59", "06:00"), ("06:59", "07:00"), ("06:40", "06:00")])
def test_a_run_belongs_to_the_last_tick_before_it_within_two_minutes(at, tick):
    decisions = [ours("06:00", "SKIP"), ours("07:00", "SKIP")]
    assert (tick, "needless") in kinds(decisions, [theirs(at)])


def test_their_work_before_our_first_tick_is_not_compared():
    assert kinds([ours("12:00", "SKIP")], [theirs("09:05")]) == [("12:00", "same")]


def test_work_at_a_later_tick_is_late_and_that_run_is_not_needless():
    decisions = [ours("12:00"), ours("13:00", "SKIP"), ours("14:00", "SKIP")]
    found = compare(decisions, [theirs("14:05")])
    assert [one.kind for one in found] == [DifferenceKind.LATE, DifferenceKind.SAME, DifferenceKind.SAME]
    assert found[0].why == "2.1 h late, at 14:05 ET"


def test_work_that_stays_due_until_done_is_late_once():
    decisions = [ours("12:00"), ours("13:00"), ours("14:00"), ours("15:00", "SKIP")]
    found = compare(decisions, [theirs("14:05")])
    assert [one.kind for one in found] == [
        DifferenceKind.LATE,
        DifferenceKind.STILL_DUE,
        DifferenceKind.SAME,
        DifferenceKind.SAME,
    ]
    assert [one.why for one in found[:3]] == [
        "2.1 h late, at 14:05 ET", "since 12:00 ET", "they did the work of an earlier tick",
    ]  # fmt: skip


def test_work_that_they_never_did_is_missed():
    found = compare(
        [ours("01:00", reason="5 games to collect"), ours("02:00", "SKIP")], [theirs("09:00", workflow="x")]
    )
    assert found == []
    found = compare([ours("01:00", reason="5 games to collect"), ours("02:00", "SKIP")], [])
    assert [one.kind for one in found] == [DifferenceKind.MISSED, DifferenceKind.SAME]
    assert found[0].why == "they did not run; this was due: 5 games to collect"


def test_work_due_all_day_is_missed_once_and_our_abort_for_it_is_not_unknown():
    decisions = [*(ours(f"{hour}:00") for hour in range(13, 21)), ours("21:00", "ABORT", rule="missed_window")]
    found = compare(decisions, [])
    assert [one.kind for one in found] == [DifferenceKind.MISSED, *[DifferenceKind.STILL_DUE] * 7, DifferenceKind.SAME]


def test_work_due_again_after_a_pause_is_missed_again():
    decisions = [ours("13:00"), ours("14:00", "SKIP"), ours("15:00"), ours("16:00", "SKIP")]
    assert [kind for _, kind in kinds(decisions, [])] == ["missed", "same", "missed", "same"]
    assert [kind for _, kind in kinds(decisions, [theirs("16:05")])] == ["missed", "same", "late", "same"]


def test_an_unexecuted_decision_is_not_a_run():
    [one] = compare([ours("12:00")], [theirs("12:00", executed=False)])
    assert (one.kind, one.theirs) == (DifferenceKind.MISSED, "decided RUN at 12:00 ET, which was not executed")
    assert one.why.startswith("their decision was not executed")


def test_their_reason_for_not_running_is_quoted():
    [one] = compare([ours("12:00")], [theirs("12:00", executed=False, action="SKIP", reason="ran 1 h ago")])
    assert (one.kind, one.theirs) == (DifferenceKind.MISSED, "decided SKIP at 12:00 ET: ran 1 h ago")
    assert one.why.startswith("they did not run")


def test_a_run_without_a_reason_is_needless():
    found = compare([ours("07:00", "SKIP", reason="Done today at 06:00 ET")], [theirs("07:05")])
    assert [(one.kind, one.why) for one in found] == [
        (DifferenceKind.NEEDLESS, "nothing to do: Done today at 06:00 ET")
    ]


def test_running_twice_at_one_tick_is_needless():
    [one] = compare([ours("06:00")], [theirs("06:05"), theirs("06:30")])
    assert (one.kind, one.why) == (DifferenceKind.NEEDLESS, "they ran 2 times")


def test_another_date_is_reported_once_with_both_dates():
    found = compare([ours("22:00"), ours("23:00")], [theirs("22:05", BEFORE)])
    assert [one.kind for one in found] == [DifferenceKind.OTHER_DATE, DifferenceKind.STILL_DUE]
    assert found[0].why == f"they fetched {BEFORE}; {DAY} was due"


def test_an_unknown_date_is_not_another_date():
    assert kinds([ours("06:00")], [Theirs("w", et("06:05"))]) == [("06:00", "same")]


def test_other_games_are_counted_and_named():
    [one] = compare([ours("22:00", games=GAMES)], [theirs("22:05", games=frozenset({"0022500001"}))])
    assert one.kind is DifferenceKind.OTHER_GAMES
    assert one.why == "they fetched 1 game, 2 due: 1 left out (0022500002)"
    assert one.theirs == f"RUN at 22:05 ET for {DAY}, 1 game"


def test_a_later_run_for_another_date_does_not_count_as_late():
    decisions = [ours("22:00"), ours("23:00", "SKIP")]
    assert kinds(decisions, [theirs("23:05", BEFORE)]) == [("22:00", "missed"), ("23:00", "needless")]


@pytest.mark.parametrize("rule", ["history_unreadable", "schedule_unknown", "internal_error"])
def test_our_abort_is_unknown(rule):
    [one] = compare([ours("12:00", "ABORT", reason="History unreadable", rule=rule)], [theirs("12:05")])
    assert (one.kind, one.why) == (DifferenceKind.UNKNOWN, "History unreadable")


def test_a_tick_without_our_decision_is_unknown():
    [_, one, _] = compare([ours("11:00", "SKIP"), ours("12:00", None, None, reason=""), ours("13:00", "SKIP")],
                          [theirs("12:05")])  # fmt: skip
    assert (one.kind, one.ours, one.why) == (DifferenceKind.UNKNOWN, "no decision", "we made no decision at this tick")


def test_counts_name_every_kind_and_workflows_that_only_one_has_are_listed():
    decisions, runs = (
        [ours("06:00"), ours("06:00", workflow="new_one")],
        [theirs("06:05"), theirs("06:05", workflow="old_one")],
    )
    found = compare(decisions, runs)
    assert counts(found) == {kind: int(kind is DifferenceKind.SAME) for kind in DifferenceKind}
    assert only_one_has(decisions, runs) == (["new_one"], ["old_one"])
    assert only_one_has(decisions, []) == ([], [])
