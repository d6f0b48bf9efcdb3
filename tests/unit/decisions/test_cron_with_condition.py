"""``cron_with_condition``: at given times, if a condition on the games of the date holds."""

from datetime import date, timedelta

import pytest

from orchestration.config import ConfigError
from orchestration.decisions.engine import examine
from orchestration.decisions.model import History
from orchestration.nba.eastern import at
from orchestration.nba.games import Schedule, UnusableRow
from orchestration.planning.day import never_running, plan
from orchestration.planning.description import described
from orchestration.vocabulary.source import parse
from orchestration.words import Action, AlertLevel
from support.worlds import DAY, changed, decided, decision, et, executed, game, history, schedule

NIGHT = schedule(game(1, "19:00"), game(2, "19:30"), game(3, "22:30"))
REST = schedule(game(1, day=DAY + timedelta(days=1)), refreshed=et("04:30"))


def workflow(condition="any_game", times=("14:30", "17:00"), requires=(), **more):
    return {
        "decision_type": "cron_with_condition",
        "schedule": {"at": times if isinstance(times, str) else list(times), "condition": condition, **more},
        "execution_plan": {"scraper": "nbac_player_list"},
        "dependencies": {"requires": list(requires)},
    }


def config(*arguments, **keywords):
    return changed(workflows__mine=workflow(*arguments, **keywords))


def answer(tick, games=NIGHT, past=None, **more):
    found = decision("mine", tick, games, past, config(**more))
    return found.action.value, found.rule


@pytest.mark.parametrize(
    ("condition", "games", "runs"),
    [
        ("any_game", NIGHT, True),
        ("any_game", REST, False),
        ("none", NIGHT, False),
        ("none", REST, True),
        ({"at_least": 3}, NIGHT, True),
        ({"at_least": 4}, NIGHT, False),
        ({"at_least": 0}, REST, True),
    ],
)
def test_the_workflow_runs_at_its_time_if_the_condition_holds(condition, games, runs):
    assert answer("14:30", games, condition=condition) == (("RUN", "run") if runs else ("SKIP", "condition_not_met"))


def test_each_time_is_a_tick_and_other_ticks_are_skipped():
    mine = config()
    assert {et("14:30").time(), et("17:00").time()} <= set(mine.ticks_of("mine").times)
    found = decision("mine", "14:00", NIGHT, config=mine)
    assert (found.rule, found.next_check_time) == ("outside_window", et("14:30"))
    assert found.reason == "Not at 14:30, 17:00 ET; next at Wed 14 Jan 14:30 ET"
    late = decision("mine", "22:00", NIGHT, config=mine)
    assert late.next_check_time == et("+1 14:30")


def test_the_reason_names_the_games_and_the_condition():
    assert decision("mine", "14:30", NIGHT, config=config()).reason == "14:30 ET, 3 games on Wed 14 Jan 2026"
    few = decision("mine", "14:30", NIGHT, config=config({"at_least": 8}))
    assert few.reason == "3 games on Wed 14 Jan 2026; it runs if there are at least 8 games"
    none = decision("mine", "14:30", NIGHT, config=config("none"))
    assert none.reason == "3 games on Wed 14 Jan 2026; it runs if there is no game"


def test_a_failed_or_missed_run_is_caught_up_within_the_tolerance():
    failed = history(executed("mine", "14:30", status="failed"))
    assert answer("15:00", past=failed) == ("RUN", "run")
    assert answer("15:00") == ("RUN", "run")
    assert decision("mine", "15:00", NIGHT, config=config()).reason.endswith("; catch-up for 14:30 ET")
    assert answer("16:00") == ("SKIP", "outside_window")
    assert answer("15:00", tolerance_minutes=29) == ("SKIP", "outside_window")
    assert answer("15:00", tolerance_minutes=30) == ("RUN", "run")


def test_each_time_runs_once():
    first = history(executed("mine", "14:30"))
    assert answer("15:00", past=first) == ("SKIP", "done")
    assert answer("17:00", past=first) == ("RUN", "run")
    assert answer("18:00", past=history(executed("mine", "14:30"), executed("mine", "17:00"))) == ("SKIP", "done")


def test_a_catch_up_after_midnight_keeps_the_date_before_midnight():
    late = decision("mine", "+1 00:10", NIGHT, config=config(times=["23:50", "00:10"]))
    assert late.target_date == DAY + timedelta(days=1)
    made_up = decision("mine", "+1 00:10", NIGHT, config=changed(
        settings__first_tick="00:10", workflows__mine={
            "decision_type": "cron_with_condition", "schedule": {"at": "23:50"},
            "execution_plan": {"scraper": "nbac_player_list"},
        },
    ))  # fmt: skip
    assert (made_up.action, made_up.target_date) == (Action.RUN, DAY)


def test_yesterday_and_slate_are_resolved_at_the_time_of_the_run():
    yesterday = decision("mine", "14:30", NIGHT, config=config(target_date="yesterday"))
    assert yesterday.target_date == DAY - timedelta(days=1)
    morning = decision("mine", "+1 09:00", NIGHT, config=config(times="09:00", target_date="slate"))
    assert (morning.target_date, morning.action) == (DAY, Action.RUN)
    assert decision("mine", "14:30", NIGHT, config=config(target_date="slate")).target_date == DAY


def test_an_unknown_schedule_aborts_unless_the_condition_needs_no_games():
    for condition in ("any_game", "none", {"at_least": 1}):
        found = decision("mine", "14:30", Schedule(), config=config(condition))
        assert (found.action, found.rule, found.alert_level) == (Action.ABORT, "schedule_unknown", AlertLevel.WARNING)
    assert answer("14:30", Schedule(), condition={"at_least": 0}) == ("RUN", "run")
    assert answer("14:00", Schedule()) == ("SKIP", "outside_window")


def test_a_date_with_only_unusable_rows_is_undecided():
    rows = (UnusableRow("0022500001", "no teams", DAY, et("19:00")),)
    assert answer("14:30", Schedule((), et("04:30"), rows)) == ("SKIP", "undecided")


def test_the_workflow_waits_for_required_workflows_and_aborts_once_at_its_last_tick():
    requires = ["morning_operations"]
    assert answer("14:30", requires=requires) == ("SKIP", "waiting_for_required")
    assert answer("15:00", requires=requires) == ("ABORT", "missed_window")
    missed = history(decided("mine", "15:00", "ABORT", "missed_window"))
    assert answer("17:00", past=missed, requires=requires) == ("SKIP", "waiting_for_required")
    assert answer("14:30", past=history(executed("morning_operations", "06:00")), requires=requires)[0] == "RUN"


def test_a_workflow_whose_condition_does_not_hold_counts_as_done_for_dependents():
    def waits(past):
        needed = {"workflows__betting_lines__dependencies": {"requires": ["mine"]}}
        both = changed(workflows__mine=workflow({"at_least": 8}), **needed)
        return decision("betting_lines", "15:00", NIGHT, past, both).rule == "waiting_for_required"

    assert waits(History())
    assert not waits(history(decided("mine", "14:30", "SKIP", "condition_not_met")))
    assert not waits(history(executed("mine", "14:30")))


def test_the_workflow_runs_once_at_each_time_of_a_planned_day():
    start, end = config().day_bounds(DAY)
    runs = [
        d.tick for d in plan(config(), start, end, NIGHT, History()) if (d.workflow, d.action.value) == ("mine", "RUN")
    ]
    assert runs == [et("14:30"), et("17:00")]


@pytest.mark.parametrize("day", [date(2026, 3, 8), date(2026, 11, 1)])
def test_each_time_runs_once_on_a_day_with_a_clock_change(day):
    mine = config(times=["01:30", "02:30", "14:30"])
    games = schedule(game(1, "19:00", day), game(2, "19:00", day - timedelta(days=1)))
    start = at(day, et("00:00").time())
    found = list(plan(mine, start, mine.day_bounds(day)[1], games.seen_at(start), History()))
    runs = [d.tick for d in found if (d.workflow, d.action) == ("mine", Action.RUN)]
    assert len(runs) == len(set(runs)) == 3


def test_explain_lists_every_check_in_order():
    _, examined = examine("mine", config({"at_least": 8}), et("14:30"), NIGHT, History())
    assert [(one.name, one.reached) for one in examined] == [
        ("halted", True),
        ("not_its_time", True),
        ("games_unknown", True),
        ("games_undecided", True),
        ("slate_vanished", True),
        ("condition_not_met", True),
        ("done_for_this_time", False),
        ("waiting_for_required", False),
        ("time_and_condition", False),
    ]
    assert all(one.question for one in examined)


@pytest.mark.parametrize(
    ("condition", "words"),
    [
        ("any_game", "It runs at 14:30 and 17:00 ET, if there is any game of the date. A failed or"),
        ("none", "It runs at 14:30 and 17:00 ET, if there is no game of the date. A failed or"),
        (
            {"at_least": 8},
            "It runs at 14:30 and 17:00 ET, if there are at least 8 games of the date. A failed or missed run",
        ),
        ({"at_least": 0}, "It runs at 14:30 and 17:00 ET. A failed or missed run is caught up within 60 min."),
    ],
)
def test_the_description_names_times_condition_and_tolerance(condition, words):
    assert described(config(condition), "mine")[0].startswith(words)


@pytest.mark.parametrize("condition", ["any_game", "none", {"at_least": 0}, {"at_least": 15}])
def test_a_condition_that_can_hold_on_some_day_is_not_a_warning(condition):
    assert never_running(config(condition), parse(b"{}", "w.yaml")) == []


def test_a_condition_that_no_day_can_meet_is_a_warning():
    nothing = {**workflow({"at_least": 15}), "game_types": []}
    [problem] = never_running(changed(workflows__mine=nothing), parse(b"{}", "w.yaml"))
    assert "0 games on" in problem.message


@pytest.mark.parametrize(
    ("schedule", "says"),
    [
        ({"condition": "nune"}, "'nune' is not one of any_game, none (did you mean `none`?)"),
        ({"condition": 3}, "must be any_game, none, or at_least: with a number (it is 3)"),
        ({"condition": {"at_lest": 3}}, "unknown key (did you mean `at_least`?)"),
        ({"condition": {"at_least": 16}}, "less than or equal to 15 (it is 16)"),
        ({"condition": {"at_least": True}}, "must be a number, not true"),
        ({"at": []}, "at least 1 item"),
        ({"at": "25:00"}, "must be an ET wall time"),
    ],
)
def test_a_wrong_time_or_condition_is_refused_with_a_suggestion(schedule, says):
    with pytest.raises(ConfigError) as error:
        config(
            **{"condition": "any_game", "times": "14:30"}
            | {("times" if k == "at" else k): v for k, v in schedule.items()}
        )
    assert says in str(error.value)
