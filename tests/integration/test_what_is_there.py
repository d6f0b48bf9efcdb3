"""The names in workflows.yaml exist: tables, columns and scrapers. The tips of the schedule fit their dates."""

import json
import logging
from datetime import timedelta
from types import SimpleNamespace

import pytest
from airflow.sdk.exceptions import AirflowFailException

from orchestration.audit.references import misdated_tips
from orchestration.audit.warehouse import Warehouse
from orchestration.cli import main
from orchestration.operators import base
from orchestration.operators.lock import CheckTablesOperator
from orchestration.records.ids import TaskKey
from orchestration.records.tables import CleanupRecord
from orchestration.services.scraper_service import NoListing, ScraperService, names_in, unknown_scrapers
from sandbox.dialect import DIALECTS
from support.rows import add_schedule, decision
from support.worlds import DAY, changed, et, ours

NOWHERE = {"conn_type": "http", "host": "127.0.0.1", "port": 9}


@pytest.fixture
def midnights(warehouse):
    """A schedule as the service of November 2025 wrote it, with tips at midnight UTC of the game date."""
    days = [DAY + timedelta(days=n) for n in range(3)]
    add_schedule(
        warehouse, *((f"002250000{n}", day, "api_stats", et("05:00"), "Scheduled") for n, day in enumerate(days))
    )
    warehouse.query(
        "UPDATE {schedule_table} SET game_date_est = TIMESTAMP(game_date) "
        f"WHERE game_date BETWEEN DATE '{days[0]}' AND DATE '{days[1]}'"
    )
    return warehouse


class Checked:
    """Run the daily check. Return its alerts."""

    def __init__(self, monkeypatch, config=None):
        self.alerts, self.log = [], []
        monkeypatch.setattr(base, "load_or_last_good", lambda: SimpleNamespace(config=config or ours()))
        monkeypatch.setattr(
            "orchestration.operators.lock.send_once",
            lambda context, config, alerts, log: self.alerts.extend(alerts),
        )
        dag_run = SimpleNamespace(
            run_id="r", run_type="scheduled", conf={}, start_date=et("05:00"), run_after=et("05:00"),
            logical_date=et("05:00"), triggering_user_name=None,
        )  # fmt: skip
        monkeypatch.setattr("orchestration.runs.clock.RunClock.now", lambda clock: clock.tick)
        self.context = {"dag_run": dag_run, "params": {}}

    def run(self):
        CheckTablesOperator(task_id="check_tables").execute(self.context)


@pytest.mark.lesson("A8")
@pytest.mark.parametrize(
    ("dialect", "missing"), [("real", set()), ("plain", set()), ("november", {"nbac_team_boxscore"})]
)
def test_our_scrapers_are_in_the_services_list_in_both_of_its_forms(dialect, missing):
    called = {scraper for w in ours().enabled.values() for scraper in w.execution_plan.scrapers}
    assert called - names_in(DIALECTS[dialect].listing()) == missing


@pytest.mark.parametrize("nonsense", [{}, [], {"scrapers": []}, {"scrapers": [{"module": "m"}]}, "names", None, 3])
def test_an_answer_in_another_form_is_not_a_list_of_scrapers(nonsense):
    with pytest.raises(ValueError, match="no list of scrapers"):
        names_in(nonsense)


@pytest.mark.lesson("A8")
def test_init_and_the_daily_check_report_a_scraper_that_the_service_lacks(warehouse, monkeypatch, tmp_path, capsys):
    now = et("06:00")
    assert unknown_scrapers(ours(), now) == []
    plan = {"type": "parallel", "scrapers": ["nbac_player_lists"]}
    wrong = changed(scrapers__nbac_player_lists={"parameters": {}}, workflows__morning_operations__execution_plan=plan)
    [line] = unknown_scrapers(wrong, now)
    halt = {"reason": "the service has lost it", "until": "2026-02-01"}
    halted = changed(
        scrapers__nbac_player_lists={"parameters": {}},
        workflows__morning_operations__execution_plan=plan,
        workflows__morning_operations__halt=halt,
    )
    assert (unknown_scrapers(halted, now), unknown_scrapers(halted, et("+30 06:00"))) == ([], [line])
    assert line == (
        "scrapers.nbac_player_lists: the scraper service knows no nbac_player_lists (did you mean "
        "`nbac_player_list`?); morning_operations would call it"
    )
    checked = Checked(monkeypatch, wrong)
    with pytest.raises(AirflowFailException, match="knows no nbac_player_lists"):
        checked.run()
    assert [alert.kind for alert in checked.alerts] == ["broken_references"]
    file = tmp_path / "workflows.yaml"
    file.write_text(json.dumps(wrong.model_dump(mode="json", exclude_defaults=True)))
    monkeypatch.setattr("orchestration.cli.setup.load", lambda: SimpleNamespace(config=wrong))
    assert main(["init", "--no-pools"]) == 1
    assert f"init: {line}" in capsys.readouterr().err


def test_a_service_that_does_not_answer_is_reported_and_blocks_nothing(warehouse, monkeypatch, capsys, caplog):
    monkeypatch.setenv("AIRFLOW_CONN_SCRAPER_SERVICE", json.dumps(NOWHERE))
    with pytest.raises(NoListing, match="GET /scrapers: "):
        ScraperService().names(5)
    assert main(["init", "--no-pools"]) == 0
    assert "init: warning: the names of the scrapers are not checked: GET /scrapers: " in capsys.readouterr().err
    checked = Checked(monkeypatch)
    with caplog.at_level(logging.WARNING):
        checked.run()
    assert checked.alerts == []
    monkeypatch.delenv("AIRFLOW_CONN_SCRAPER_SERVICE")
    with pytest.raises(NoListing):
        unknown_scrapers(ours(), et("06:00"))


@pytest.mark.lesson("A7")
def test_tips_outside_their_game_date_are_one_finding(midnights, monkeypatch):
    said = misdated_tips(midnights, ours(), et("05:00"))
    assert said.startswith(
        f"2 of 3 tips in nba_raw.nbac_schedule are not on their game date, for example 0022500000 of {DAY}: "
        f"{DAY - timedelta(days=1)} 19:00 ET. These tips count as unknown"
    )
    checked = Checked(monkeypatch)
    checked.run()
    assert [(alert.kind, alert.text) for alert in checked.alerts] == [("misdated_tips", said)]


@pytest.mark.lesson("A7")
def test_init_reports_wrong_tips_and_succeeds(midnights, monkeypatch, capsys):
    class Now:
        @staticmethod
        def now(_):
            return et("05:00")

    monkeypatch.setattr("orchestration.cli.setup.datetime", Now)
    assert main(["init", "--no-pools"]) == 0
    assert "init: warning: 2 of 3 tips in nba_raw.nbac_schedule" in capsys.readouterr().err


def test_right_and_undecided_tips_are_not_reported(warehouse):
    add_schedule(warehouse, ("0022500001", DAY, "api_stats", et("05:00"), "Scheduled"))
    assert misdated_tips(warehouse, ours(), et("05:00")) is None
    warehouse.query(
        "UPDATE {schedule_table} SET game_date_est = TIMESTAMP '2026-01-14 05:00:00+00' "
        f"WHERE game_date = DATE '{DAY}'"
    )
    assert misdated_tips(warehouse, ours(), et("05:00")) is None


def test_a_missing_table_has_no_tips(warehouse):
    elsewhere = changed(settings__schedule_table="nba_raw.nowhere")
    assert misdated_tips(Warehouse(elsewhere.settings), elsewhere, et("05:00")) is None


@pytest.mark.parametrize(("last", "found"), [("17:20", ["no_cleanup"]), ("+1 04:20", [])])
def test_the_daily_check_alerts_about_a_cleanup_that_does_not_run(last, found, warehouse, outbox, monkeypatch):
    monkeypatch.setattr("orchestration.operators.lock.broken_references", lambda warehouse, config: [])
    last_cleanup = CleanupRecord(
        cleanup_id="c", cleanup_time=et(last), files_checked=0, missing_files_found=0, republished_count=0,
        created_at=et(last), **TaskKey("cleanup", "r", "republish").columns(),
    )  # fmt: skip
    outbox.stage([decision("betting_lines", "-1 12:00", "SKIP"), last_cleanup])
    outbox.drain()
    check = Checked(monkeypatch)
    check.context["dag_run"].logical_date = et("+1 05:00")
    check.run()
    assert [(one.kind, one.workflow) for one in check.alerts] == [(kind, "cleanup") for kind in found]
