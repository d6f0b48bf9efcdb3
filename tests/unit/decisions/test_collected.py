"""What counts as collected, for the windows, the plan, health and reconcile alike."""

import pytest

from orchestration.words import Action, AlertLevel
from support.worlds import DAY, brought, called, changed, decision, et, executed, game, history, old, schedule

FIRST, SECOND, THIRD = "post_game_window_1", "post_game_window_2", "post_game_window_3"
EVENING = schedule(game(1, "19:00"), game(2, "20:30"))
ONE, TWO = EVENING.games


def ids(found):
    return [one.game_id for one in found.games]


@pytest.mark.lesson("K6")
def test_the_box_score_of_a_live_game_does_not_count():
    past = history(*brought("22:00", ONE, TWO))
    found = decision(SECOND, "+1 01:00", EVENING, past)
    assert found.action is Action.RUN
    assert TWO.game_id in ids(found)


def test_a_success_counts_only_for_a_game_that_was_due():
    past = history(*brought("22:30", ONE, TWO))
    assert ids(decision(SECOND, "+1 01:00", EVENING, past)) == [TWO.game_id]
    assert decision(SECOND, "+1 01:00", EVENING, past).collected == {}
    both = history(*brought("+1 00:00", ONE, TWO))
    assert decision(SECOND, "+1 01:00", EVENING, both).rule == "done"


@pytest.mark.lesson("K4")
def test_a_failed_whole_date_call_is_repeated_without_the_collected_games():
    past = history(
        *brought("+1 00:30", ONE, TWO, without="nbac_player_boxscore"),
        called("nbac_player_boxscore", "+1 00:30", "failed"),
    )
    found = decision(SECOND, "+1 01:00", EVENING, past)
    assert (found.action, "nbac_player_boxscore" in found.reason) == (Action.RUN, True)
    assert found.collected == {"nbac_team_boxscore": (ONE.game_id, TWO.game_id)}
    assert (found.rule, found.context["overdue"]) == ("missing_games", [ONE.game_id, TWO.game_id])


def test_a_whole_date_success_counts_only_after_the_last_game_was_due():
    early = history(
        *brought("+1 00:00", ONE, TWO, without="nbac_player_boxscore"), called("nbac_player_boxscore", "23:00")
    )
    assert decision(SECOND, "+1 01:00", EVENING, early).action is Action.RUN
    other_date = called("nbac_player_boxscore", "+1 00:30", target=DAY.replace(day=13))
    assert decision(SECOND, "+1 01:00", EVENING, early.plus((), [other_date])).action is Action.RUN
    later = called("nbac_player_boxscore", "+1 00:00")
    assert decision(SECOND, "+1 01:00", EVENING, early.plus((), [later])).rule == "done"


def test_play_by_play_is_requested_after_the_box_scores_are_collected():
    here = history(*brought("+1 01:00", ONE, TWO))
    found = decision(THIRD, "+1 04:00", EVENING, here)
    assert ids(found) == [ONE.game_id, TWO.game_id]
    assert found.collected == {"nbac_team_boxscore": (ONE.game_id, TWO.game_id)}
    # In the old file it is all that the last window brings, and none of it is critical.
    assert decision(THIRD, "+1 04:00", EVENING, here, old()).action is Action.RUN


def test_a_window_of_whole_date_scrapers_runs_until_a_success_after_the_last_game():
    config = changed(workflows__post_game_window_2__execution_plan={"scraper": "nbac_player_boxscore"})
    live, over = history(called("nbac_player_boxscore", "22:00")), history(called("nbac_player_boxscore", "+1 00:00"))
    assert ids(decision(SECOND, "+1 01:00", EVENING, live, config)) == [ONE.game_id, TWO.game_id]
    assert decision(SECOND, "+1 01:00", EVENING, over, config).rule == "done"


def test_a_window_without_game_scrapers_is_done_after_a_run_after_the_games():
    config = changed(workflows__post_game_window_2__execution_plan={"scraper": "br_season_roster"})
    for tick, rule in (("22:00", "run"), ("+1 00:00", "done")):
        past = history(executed(SECOND, tick))
        assert decision(SECOND, "+1 01:00", EVENING, past, config).rule == rule


def test_a_success_on_the_old_date_of_a_moved_game_does_not_count():
    moved = game(1, "19:00", DAY)
    before = history(*brought("-1 23:30", moved))
    assert ids(decision(SECOND, et("+1 01:00"), schedule(moved), before)) == [moved.game_id]


WHOLE_DATE_ONLY = changed(
    scrapers__nbac_player_boxscore__critical=False,
    **{f"workflows__{name}__execution_plan": {"type": "single", "scraper": "nbac_player_boxscore"}
       for name in (FIRST, SECOND)},
    workflows__post_game_window_2__alerts={"missing_games": "CRITICAL"},
)  # fmt: skip
"""Two windows with the same whole-date scraper, which is not critical."""


@pytest.mark.parametrize(
    ("tick", "outcome", "rule", "alert"),
    [
        ("+1 00:00", "success", "done", AlertLevel.NONE),
        ("22:00", "success", "run", AlertLevel.NONE),
        ("+1 00:00", "no_data", "missing_games", AlertLevel.CRITICAL),
        ("22:00", "no_data", "missing_games", AlertLevel.CRITICAL),
    ],
)
def test_windows_with_a_whole_date_scraper_that_is_not_critical_share_its_calls(tick, outcome, rule, alert):
    games = EVENING if tick != "22:00" or outcome == "success" else schedule(game(1, "18:30"), game(2, "18:30"))
    past = history(called("nbac_player_boxscore", tick, outcome))
    found = decision(SECOND, "+1 01:00", games, past, config=WHOLE_DATE_ONLY)
    assert (found.rule, found.alert_level) == (rule, alert)


def test_a_window_whose_scrapers_are_not_about_games_counts_its_own_executions():
    rosters = changed(
        **{f"workflows__{name}__execution_plan": {"type": "single", "scraper": "br_season_roster"}
           for name in (FIRST, SECOND)}
    )  # fmt: skip
    early = schedule(game(1, "18:30"))
    others = history(called("br_season_roster", "22:00"), executed(FIRST, "22:00", status="failed"))
    assert decision(SECOND, "+1 01:00", early, others, config=rosters).rule == "run"
    own = others.plus([executed(SECOND, "+1 00:30", status="failed")])
    assert decision(SECOND, "+1 01:00", early, own, config=rosters).rule == "missing_games"
    done = others.plus([executed(SECOND, "+1 00:30")])
    assert decision(SECOND, "+1 01:00", early, done, config=rosters).rule == "done"
