"""A workflow in sentences: every key that changes a decision is in them."""

import pytest

from orchestration.generator.docs import workflow_doc
from orchestration.planning.description import described
from support.worlds import changed, ours


def sentences(name, **paths):
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
            "It runs until data is found: up to 9 attempts a day, every 2 h from 06:00 ET, on game days. "
            "The data is expected by 17:00 ET.",
        ),
    ],
)
def test_the_rule_is_the_first_sentence(name, rule):
    assert described(ours(), name)[0].startswith(rule)


def test_the_early_window_names_its_cutoff_and_delay():
    early = {
        "decision_type": "game_aware_early",
        "schedule": {"early_game_cutoff_hour": 16, "collection_delay_hours": 4, "target_date": "today"},
        "execution_plan": {"scraper": "nbac_team_boxscore"},
    }
    assert "for games of the date that tip before 16:00 ET, from 4 h after their tip" in sentences(
        "early", workflows__early=early
    )


def test_a_post_game_window_names_the_date_of_its_games():
    here = "workflows__post_game_window_2__schedule__target_date"
    assert "every game of the slate" in sentences("post_game_window_2", **{here: "slate"})
    assert "every game of the day before" in sentences("post_game_window_2", **{here: "yesterday"})
    late = "workflows__post_game_window_1__schedule__target_date"
    assert "every game of the slate" in sentences("post_game_window_1", **{late: "yesterday"})


def test_each_step_names_what_it_waits_for_and_what_its_scrapers_fan_out_over():
    text = sentences("betting_lines")
    assert "A run waits 5 min, during which a person can veto it, and then calls: `oddsa_events` (critical)." in text
    assert "After the success of `oddsa_events`, it calls: `oddsa_player_props` for each event (critical); " in text
    assert "A run calls: `oddsa_events`" in sentences("betting_lines", settings__execution_delay_minutes=0)
    assert "`br_season_roster` for each of the 30 teams (critical)" in sentences("morning_operations")
    after = sentences("morning_operations", scrapers__nbac_player_list__depends_on="nbac_schedule_api")
    assert "`nbac_player_list` after `nbac_schedule_api` (critical)" in after


def test_the_assets_that_get_events_are_named():
    tables = "`nba_raw.odds_api_game_lines` and `nba_raw.odds_api_player_points_props`"
    assert f"A call that returns records creates an event of its table's asset: {tables}." in sentences("betting_lines")
    assert "asset" not in sentences("referee_discovery", scrapers__nbac_referee_assignments__processed_in=None)


def test_required_workflows_game_types_and_deadline_are_named():
    assert "It waits for `morning_operations`, which must be done for the same slate" in sentences("betting_lines")
    assert "game types count" not in sentences("betting_lines")
    text = sentences("betting_lines", workflows__betting_lines__game_types=["preseason", "regular"])
    assert "Only these game types count: preseason, regular." in text
    assert "A run must end within 12 min" in sentences("betting_lines", workflows__betting_lines__deadline_minutes=12)


def test_a_halt_a_shadow_and_a_switched_off_workflow_come_first():
    halted = described(
        changed(workflows__betting_lines__halt={"reason": "off", "until": "2026-10-15"}), "betting_lines"
    )
    assert halted[0] == "**The workflow is halted until 2026-10-15** (off): every tick is a SKIP."
    assert "**Everything is halted** (off)" in sentences("betting_lines", settings__halt={"reason": "off"})
    assert "**The workflow is a shadow**" in sentences("betting_lines", workflows__betting_lines__mode="shadow")
    assert "**The workflow is switched off**" in sentences("betting_lines", workflows__betting_lines__enabled=False)


def test_the_dags_page_has_the_same_sentences():
    for name in ours().workflows:
        page = workflow_doc(ours(), name)
        assert [line[2:] for line in page.splitlines() if line.startswith("* ")] == described(ours(), name)
