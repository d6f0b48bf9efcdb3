"""reconcile: the calls that it finds missing, the runs that it starts, and its alerts after the last run."""

from datetime import timedelta
from types import SimpleNamespace

import pytest
from airflow.sdk.exceptions import AirflowFailException

from orchestration.alerts.channels import Sent
from orchestration.alerts.memory import ALERTS
from orchestration.cleanup.following import followed_of
from orchestration.cleanup.makeup_inputs import ScheduleUnknown, find_makeups
from orchestration.operators import base
from orchestration.operators.reconcile import FindMakeupsOperator, ReportOpenGamesOperator
from orchestration.operators.retries import NotKnownYet
from orchestration.operators.watch import WatchOperator
from orchestration.records.ids import TaskKey
from orchestration.records.tables import CleanupRecord
from support.airflow_state import AssetEvents, StateStore
from support.old_system import logged, write
from support.rows import add_schedule, call, decision
from support.worlds import DAY, changed, et

CONFIG = changed(
    workflows__post_game_window_1__enabled=False,
    workflows__post_game_window_2__enabled=False,
    workflows__post_game_window_3__execution_plan={
        "type": "parallel",
        "scrapers": ["nbac_team_boxscore", "nbac_player_boxscore", "nbac_gamebook_pdf"],
    },
)
"""One window with three scrapers: two per game, one for the whole date."""
GAMES = ("0022500001", "0022500002")
FIRST, LAST = et("+1 06:30"), et("+1 12:30")


@pytest.fixture
def night(warehouse, outbox):
    """Two games of DAY, a refresh at 05:00 of the next morning, and decisions since DAY."""
    add_schedule(warehouse, *((game, DAY, "api_stats", et("+1 05:00"), "Final") for game in GAMES))
    outbox.stage([decision("morning_operations", "06:00")])
    outbox.drain()
    return warehouse


def found(warehouse, now=FIRST, days=2, **more):
    return [(m.target_date, m.games, m.scrapers) for m in find_makeups(warehouse, CONFIG, now, days, 5, **more)]


ALL = ("nbac_gamebook_pdf", "nbac_player_boxscore", "nbac_team_boxscore")


def test_missing_calls_of_a_date_become_one_run(night):
    assert found(night) == [(DAY, GAMES, ALL)]


def test_calls_that_succeeded_after_the_games_are_not_missing(night, outbox):
    outbox.stage(
        [call("nbac_player_boxscore", "+1 04:00", "success"),
         *(call("nbac_team_boxscore", "+1 04:00", "success", n, game) for n, game in enumerate(GAMES))]
    )  # fmt: skip
    outbox.drain()
    assert found(night) == [(DAY, GAMES, ("nbac_gamebook_pdf",))]


def test_calls_of_the_old_system_are_not_missing(night):
    code = f"{DAY:%Y%m%d}/LALBOS"
    write(
        night, "scraper_execution_log",
        logged("p1", "nbac_player_boxscore", et("+1 04:00"), gamedate=f"{DAY:%Y%m%d}"),
        *(logged(f"t{game}", "nbac_team_boxscore", et("+1 04:00"), game_id=game.lstrip("0")) for game in GAMES),
        logged("early", "nbac_gamebook_pdf", et("21:00"), game_code=code),
    )  # fmt: skip
    # Both games of this test have the same code. The later id wins.
    assert found(night) == [(DAY, GAMES, ("nbac_gamebook_pdf",))]
    write(night, "scraper_execution_log", logged("late", "nbac_gamebook_pdf", et("+1 04:00"), game_code=code))
    assert found(night) == [(DAY, GAMES[:1], ("nbac_gamebook_pdf",))]


def test_days_before_the_first_decision_are_fetched_only_on_request(night, outbox):
    before = DAY - timedelta(days=1)
    add_schedule(night, ("0022500003", before, "api_stats", et("+1 05:00"), "Final"))
    assert [day for day, *_ in found(night)] == [DAY, before]
    assert [day for day, *_ in found(night, on_record_only=True)] == [DAY]
    outbox.stage([decision("betting_lines", "-1 13:00")])
    outbox.drain()
    assert [day for day, *_ in found(night, on_record_only=True)] == [DAY, before]


def test_an_unreadable_table_does_not_stop_the_make_up_of_other_scrapers(night, outbox, monkeypatch):
    path = "gs://nba-scraped-data/a.json"
    outbox.stage(
        [call("nbac_player_boxscore", "+1 04:00", "success", n, game, gcs_path=path) for n, game in enumerate(GAMES)]
    )
    outbox.drain()
    gone = {CONFIG.scrapers["nbac_player_boxscore"].processed_in: "no such table"}
    monkeypatch.setattr("orchestration.cleanup.makeup_inputs.arrived_files", lambda *_: (set(), gone))
    assert found(night) == [(DAY, GAMES, ("nbac_gamebook_pdf", "nbac_team_boxscore"))]


@pytest.mark.lesson("F2")
def test_a_game_whose_file_never_arrived_is_fetched_again(night, outbox):
    path = "gs://nba-scraped-data/a.json"
    made = [call(s, "+1 02:00", "success", n, game, gcs_path=f"{path}{s}{n}")
            for n, game in enumerate(GAMES) for s in ALL]  # fmt: skip
    left = followed_of(made[0])
    key = TaskKey("cleanup", "c", "republish_lost_files")
    outbox.stage([*made, CleanupRecord(
        cleanup_id="c", cleanup_time=et("+1 06:20"), files_checked=0, missing_files_found=0, republished_count=0,
        files_since=et("+1 00:20"), followed_files=[left], created_at=et("+1 06:20"), **key.columns(),
    )])  # fmt: skip
    outbox.drain()
    gone = dict.fromkeys({CONFIG.scrapers[s].processed_in for s in ALL}, "not asked here")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("orchestration.cleanup.makeup_inputs.arrived_files", lambda *_: (set(), gone))
        assert found(night) == [(DAY, GAMES[:1], (left.scraper_name,))]


def test_an_unknown_schedule_is_an_error_and_not_zero_missing_calls(warehouse):
    with pytest.raises(ScheduleUnknown, match="no rows around this date"):
        found(warehouse)


class Run:
    """A run of the DAG with its alerts."""

    def __init__(self, monkeypatch, config=CONFIG):
        self.alerts, self.memory = [], StateStore()
        monkeypatch.setattr(base, "load_or_last_good", lambda: SimpleNamespace(config=config))
        monkeypatch.setattr("orchestration.runs.clock.RunClock.now", lambda clock: clock.tick)
        monkeypatch.setattr(
            "orchestration.alerts.memory.send",
            lambda config, alert, *_: self.alerts.append(alert) or Sent((), {}, to_log=True),
        )

    def context(self, at, run_type="scheduled", **params):
        dag_run = SimpleNamespace(
            run_id="r", run_type=run_type, conf={}, start_date=at, run_after=at, logical_date=at,
            triggering_user_name="me",
        )  # fmt: skip
        ti = SimpleNamespace(dag_id="reconcile", run_id="r", task_id="t", map_index=-1, try_number=1, max_tries=2)
        return {
            "dag_run": dag_run, "ti": ti, "params": params,
            "asset_state_store": {ALERTS: self.memory}, **AssetEvents().context(),
        }  # fmt: skip

    def run(self, operator, at, **more):
        params = {} if operator is WatchOperator else {"days": 2, "max_runs": 5}
        return operator(task_id="t").execute(self.context(at, **params, **more))


@pytest.fixture
def run(monkeypatch):
    return lambda config=CONFIG: Run(monkeypatch, config)


def test_each_date_becomes_a_run_with_its_own_id(night, run):
    [started] = run().run(FindMakeupsOperator, FIRST)
    assert started["trigger_dag_id"] == "post_game_window_3"
    assert started["trigger_run_id"].startswith(f"reconcile__{DAY}__")
    assert started["conf"]["games"] == list(GAMES)
    assert started["conf"]["force"] is True


def test_an_unreadable_warehouse_is_retried(warehouse, run):
    with pytest.raises(NotKnownYet):
        run().run(FindMakeupsOperator, FIRST)


def test_missing_calls_are_alerted_once_after_the_last_reconcile(night, run):
    one = run()
    one.run(ReportOpenGamesOperator, FIRST)
    one.run(ReportOpenGamesOperator, LAST, run_type="manual")
    assert one.alerts == []
    with pytest.raises(AirflowFailException):
        one.run(ReportOpenGamesOperator, LAST)
    one.run(ReportOpenGamesOperator, LAST)
    [alert] = one.alerts
    assert (alert.kind, alert.level) == ("games_incomplete", "CRITICAL")
    assert alert.text == (
        f"Data is missing for 2 games of {DAY}, and reconcile could not fetch it: nbac_gamebook_pdf, "
        f"nbac_player_boxscore, nbac_team_boxscore. Nothing fetches it again by itself. {', '.join(GAMES)}"
    )


def test_complete_data_sends_no_alert(night, outbox, run):
    outbox.stage(
        [call("nbac_player_boxscore", "+1 04:00", "success"),
         *(call(s, "+1 06:30", "success", n, game) for n, game in enumerate(GAMES) for s in (ALL[0], ALL[2]))]
    )  # fmt: skip
    outbox.drain()
    one = run()
    assert one.run(FindMakeupsOperator, LAST) == []
    one.run(ReportOpenGamesOperator, LAST)
    assert one.alerts == []


def watched(one, at):
    """Return the kinds of the watchdog's alerts at ``at``, without those about the rest of the day."""
    one.alerts.clear()
    with pytest.raises(AirflowFailException):
        one.run(WatchOperator, at)
    return {alert.kind for alert in one.alerts}


def test_the_watchdog_alerts_missing_games_only_after_reconcile(night, run):
    one = run()
    for wall in ("05:20", "06:20", "12:20"):
        assert "games_incomplete" not in watched(one, et(f"+1 {wall}"))
        one.memory.clear()
    assert "games_incomplete" in watched(one, et("+1 13:20"))
    one.memory.clear()
    alone = run(changed(settings__reconcile={"enabled": False}))
    assert "games_incomplete" in watched(alone, et("+1 05:20"))


def test_the_watchdog_ignores_the_time_before_the_first_decision(warehouse, outbox, run):
    outbox.stage([decision("morning_operations", "10:00", late=timedelta(minutes=7))])
    outbox.drain()
    one = run()
    one.run(WatchOperator, et("10:20"))
    assert one.alerts == []
    assert "schedule_unknown" in watched(one, et("11:20"))
