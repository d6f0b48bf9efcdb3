"""Manual triggers: what a person can ask for, and what is refused."""

from datetime import date

import pytest

from orchestration.decisions.engine import forced
from orchestration.decisions.request import (
    CleanupRequest,
    LockRequest,
    ReconcileRequest,
    Request,
    RequestRefused,
)
from support.worlds import DAY, decision, et, game, history, ours, schedule

WINDOW = "post_game_window_2"
TWO = schedule(game(1), game(2))


def ask(workflow=WINDOW, **params):
    return Request.of(params, ours(), workflow)


def test_a_request_without_parameters_leaves_the_decision_to_the_rule():
    assert ask(force=False, dry_run=False, target_date=None, games=None, scrapers=None, reason=None) == Request()


def test_force_runs_against_the_rule_and_records_who_and_why():
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


def test_all_problems_of_a_request_are_reported_at_once():
    with pytest.raises(RequestRefused) as refused:
        ask(target_date="14.1.2026", games=["banana"], scrapers=["nbac_team_boxscor"])
    text = str(refused.value)
    assert "target_date '14.1.2026' is not a date" in text
    assert "target_date needs force" in text
    assert "'banana' is not an NBA game id" in text
    assert "did you mean `nbac_team_boxscore`" in text


def test_a_game_of_another_day_is_refused_with_the_next_step():
    with pytest.raises(RequestRefused, match=r"not played on 2026-01-15: 0022500001\. Give their date as target_date"):
        ask(games=["0022500001"]).check_games(TWO, date(2026, 1, 15), ours(), WINDOW)


def test_forcing_a_day_without_games_is_refused_for_a_workflow_with_per_game_scrapers():
    with pytest.raises(RequestRefused, match="No game is played on 2026-01-15"):
        ask(force=True).check_games(TWO, date(2026, 1, 15), ours(), WINDOW)
    ask("morning_operations", force=True).check_games(TWO, date(2026, 1, 15), ours(), "morning_operations")


@pytest.mark.parametrize(
    ("params", "says"),
    [
        ({"force": True, "dryrun": True}, "no parameter is named 'dryrun' (did you mean `dry_run`?)"),
        ({"Force": True}, "did you mean `force`"),
        ({"target-date": "2026-01-14"}, "did you mean `target_date`"),
        ({"colour": "x"}, "no parameter is named 'colour'; the parameters are force, dry_run"),
        ({"as_of": "yesterday"}, "as_of 'yesterday' is not a time with a zone"),
        ({"as_of": "2026-01-14T19:00"}, "is not a time with a zone"),
        ({"as_of": "0001-01-01T00:00+00:00"}, "is not a time with a zone"),
        ({"as_of": 1764081871}, "is not a time with a zone"),
        ({"force": "false"}, "force 'false' must be true or false"),
        ({"force": 1}, "force 1 must be true or false"),
        ({"dry_run": "yes"}, "dry_run 'yes' must be true or false"),
        ({"games": "0022500123"}, "games '0022500123' must be a list of game ids"),
        ({"games": [{}]}, "must be a list of game ids"),
        ({"scrapers": "nbac_team_boxscore"}, "must be a list of texts"),
        ({"scrapers": [1]}, "must be a list of texts"),
        ({"reason": ["x"], "force": True}, "reason ['x'] must be a text"),
        ({"force": True, "target_date": "20260114"}, "target_date '20260114' is not a date"),
        ({"force": True, "target_date": "2026-02-30"}, "is not a date"),
        ({"force": True, "target_date": "9999-12-31"}, "is not a date"),
        ({"force": True, "target_date": "14.1.2026"}, "is not a date"),
        ({"x" * 10_000: 1}, "no parameter is named"),
    ],
)
def test_an_unknown_parameter_or_a_wrong_value_is_refused(params, says):
    with pytest.raises(RequestRefused) as refused:
        ask(**params)
    assert says in str(refused.value)
    assert len(str(refused.value)) < 500


@pytest.mark.parametrize(
    ("parameters", "asked"),
    [
        (LockRequest, {"forced": True}),
        (LockRequest, {"force": "true"}),
        (CleanupRequest, {"asof": "2026-01-14T19:00-05:00"}),
        (CleanupRequest, {"as_of": "yesterday"}),
        (ReconcileRequest, {"days": "3"}),
        (ReconcileRequest, {"days": 0}),
        (ReconcileRequest, {"max_runs": True}),
        (ReconcileRequest, {"day": 3}),
    ],
)
def test_the_system_dags_refuse_wrong_parameters_too(parameters, asked):
    with pytest.raises(RequestRefused):
        parameters.check(asked)


def test_the_parameters_of_the_form_and_of_reconcile_are_accepted():
    ReconcileRequest.check({"days": 2, "max_runs": 5, "as_of": None})
    LockRequest.check({"force": False, "as_of": None})
    sent = {"force": True, "target_date": "2026-01-14", "games": ["0022500001"], "scrapers": None, "reason": "late"}
    assert ask(**sent, as_of="2026-01-15T01:00-05:00").games == ("0022500001",)
