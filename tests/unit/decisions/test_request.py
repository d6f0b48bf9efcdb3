"""Manual triggers: what a person can ask for, and what is refused."""

from datetime import date

import pytest

from orchestration.decisions.engine import forced
from orchestration.decisions.request import Request, RequestRefused
from support.worlds import DAY, decision, et, game, history, ours, schedule

WINDOW = "post_game_window_2"
TWO = schedule(game(1), game(2))


def ask(workflow=WINDOW, **params):
    return Request.of(params, ours(), workflow)


def test_nothing_asked_is_the_rules_own_decision():
    assert ask(force=False, dry_run=False, target_date=None, games=None, scrapers=None, reason=None) == Request()


def test_force_runs_whatever_the_rule_says_and_keeps_who_and_why():
    request = ask(force=True, target_date="2026-01-14", reason="late box score")
    found = forced(WINDOW, ours(), et("+1 14:00"), TWO, "manual:anna", request)
    assert (found.action.value, found.rule, found.target_date) == ("RUN", "forced", DAY)
    assert found.reason == "Forced by manual:anna: late box score"
    assert found.games == TWO.games


def test_games_and_scrapers_narrow_the_run():
    request = ask(games=["22500002"], scrapers=["nbac_team_boxscore"])
    request.check_games(TWO, DAY, ours(), WINDOW)
    found = request.narrow(decision(WINDOW, "+1 01:00", TWO, history()))
    assert [g.game_id for g in found.games] == ["0022500002"]
    assert found.scrapers == ("nbac_team_boxscore",)


def test_everything_that_makes_no_sense_is_named_at_once():
    with pytest.raises(RequestRefused) as refused:
        ask(target_date="14.1.2026", games=["banana"], scrapers=["nbac_team_boxscor"])
    text = str(refused.value)
    assert "target_date '14.1.2026' is no date" in text
    assert "target_date needs force" in text
    assert "'banana' is not an NBA game id" in text
    assert "did you mean `nbac_team_boxscore`" in text


def test_a_game_of_another_day_is_refused_with_what_to_do():
    with pytest.raises(RequestRefused, match=r"not played on 2026-01-15: 0022500001\. Give their date as target_date"):
        ask(games=["0022500001"]).check_games(TWO, date(2026, 1, 15), ours(), WINDOW)


def test_forcing_a_day_without_games_is_refused_where_games_are_called_for():
    with pytest.raises(RequestRefused, match="No game is played on 2026-01-15"):
        ask(force=True).check_games(TWO, date(2026, 1, 15), ours(), WINDOW)
    ask("morning_operations", force=True).check_games(TWO, date(2026, 1, 15), ours(), "morning_operations")
