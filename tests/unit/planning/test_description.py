"""A workflow in other words: each key that decides has its place in the sentences."""

import pytest

from orchestration.generator.docs import workflow_doc
from orchestration.planning.description import described
from support.worlds import changed, ours


def said(name, **paths):
    return " ".join(described(changed(**paths), name))


@pytest.mark.parametrize(
    ("name", "rule"),
    [
        ("schedule_dependency", "It runs whenever the last success is 6 h old, and before the lock."),
        ("morning_operations", "It runs once a day, between 06:00 and 10:00 ET; later if it was missed."),
        ("betting_lines", "It runs on game days, every 2 h from 6 h before the first tip to the last one, between"),
        ("post_game_window_1", "It runs at 22:00 ET (± 30 min), for every game of the slate that is not collected"),
        (
            "injury_discovery",
            "It runs until it is found: up to 12 attempts a day, every 2 h from 06:00 ET, on game days.",
        ),
    ],
)
def test_the_rule_is_the_first_sentence(name, rule):
    assert described(ours(), name)[0].startswith(rule)


def test_early_games_have_their_hours():
    early = {
        "decision_type": "game_aware_early",
        "schedule": {"early_game_cutoff_hour": 16, "collection_delay_hours": 4, "target_date": "today"},
        "execution_plan": {"scraper": "nbac_team_boxscore"},
    }
    assert "for games of the date that tip before 16:00 ET, from 4 h after their tip" in said(
        "early", workflows__early=early
    )


def test_whose_games_a_window_asks_for():
    here = "workflows__post_game_window_2__schedule__target_date"
    assert "every game of the slate" in said("post_game_window_2", **{here: "slate"})
    assert "every game of the day before" in said("post_game_window_2", **{here: "yesterday"})
    late = "workflows__post_game_window_1__schedule__target_date"
    assert "every game of the slate" in said("post_game_window_1", **{late: "yesterday"})


def test_the_steps_with_what_they_wait_for_and_what_each_is_called_for():
    text = said("betting_lines")
    assert "A run waits 5 min, in which anybody may veto it, and calls: `oddsa_events` (critical)." in text
    assert "Once `oddsa_events` succeeded, it calls: `oddsa_player_props` for each event (critical); " in text
    assert "A run calls: `oddsa_events`" in said("betting_lines", settings__execution_delay_minutes=0)
    assert "`br_season_roster` for each of the 30 teams (critical)" in said("morning_operations")
    after = said("morning_operations", scrapers__nbac_player_list__depends_on="nbac_schedule_api")
    assert "`nbac_player_list` after `nbac_schedule_api` (critical)" in after


def test_which_assets_its_calls_are_events_of():
    tables = "`nba_raw.odds_api_game_lines` and `nba_raw.odds_api_player_points_props`"
    assert f"Each call that brings records is an event of the asset of its table: {tables}." in said("betting_lines")
    assert "asset" not in said("referee_discovery", scrapers__nbac_referee_assignments__processed_in=None)


def test_whom_it_waits_for_which_games_count_and_when_it_must_be_over():
    assert "It waits for `morning_operations`, to be done for the same slate" in said("betting_lines")
    assert "Of all games" not in said("betting_lines")
    text = said("betting_lines", workflows__betting_lines__game_types=["preseason", "regular"])
    assert "Of all games only these count: preseason, regular." in text
    assert "It must be over 12 min" in said("betting_lines", workflows__betting_lines__deadline_minutes=12)


def test_a_halt_a_shadow_and_a_switch_come_first():
    halted = described(
        changed(workflows__betting_lines__halt={"reason": "off", "until": "2026-10-15"}), "betting_lines"
    )
    assert halted[0] == "**It is halted until 2026-10-15** (off): it is asked, and does not run."
    assert "**Everything is halted** (off)" in said("betting_lines", settings__halt={"reason": "off"})
    assert "**It is a shadow**" in said("betting_lines", workflows__betting_lines__mode="shadow")
    assert "**It is switched off**" in said("betting_lines", workflows__betting_lines__enabled=False)


def test_the_dags_page_has_the_same_sentences():
    for name in ours().workflows:
        page = workflow_doc(ours(), name)
        assert [line[2:] for line in page.splitlines() if line.startswith("* ")] == described(ours(), name)
