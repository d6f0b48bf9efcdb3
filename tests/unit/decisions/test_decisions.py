"""The decision types, check by check (DESIGN section 5)."""

from datetime import date

import pytest

from orchestration.decisions.engine import aborted, decide
from orchestration.nba.games import Schedule
from orchestration.words import Action, AlertLevel
from support.worlds import (
    DAY,
    MORNING_DONE,
    brought,
    called,
    changed,
    decided,
    decision,
    et,
    executed,
    game,
    history,
    old,
    ours,
    schedule,
)

TWO = schedule(game(1, "19:00"), game(2, "22:30"))


def answer(*arguments, **keywords):
    found = decision(*arguments, **keywords)
    assert found.next_check_time > found.tick
    assert (found.next_check_time.hour, found.next_check_time.minute) in {
        (t.hour, t.minute) for t in (keywords.get("config") or ours()).ticks_of(found.workflow).times
    }
    return found.action.value, found.rule


class TestSelfAware:
    def test_the_workflow_skips_before_its_window_and_runs_in_and_after_it(self):
        late_window = changed(workflows__morning_operations__schedule__ideal_window={"start_hour": 8, "end_hour": 10})
        assert answer("morning_operations", "07:00", config=late_window) == ("SKIP", "before_window")
        assert answer("morning_operations", "08:00", config=late_window) == ("RUN", "run")
        assert answer("morning_operations", "10:00", config=late_window) == ("RUN", "run")
        assert answer("morning_operations", "11:00", config=late_window) == ("RUN", "catch_up")

    def test_a_catch_up_raises_the_drift_alert(self):
        assert decision("morning_operations", "14:00").alert_level is AlertLevel.WARNING

    def test_a_success_is_enough_for_the_day(self):
        assert answer("morning_operations", "07:00", past=history(MORNING_DONE)) == ("SKIP", "done")

    @pytest.mark.lesson("K1")
    def test_a_success_without_records_is_not_repeated_every_hour(self):
        past = history(executed("morning_operations", "06:00", with_records=0))
        assert {answer("morning_operations", f"{hour:02d}:00", past=past) for hour in range(7, 24)} == {
            ("SKIP", "done")
        }

    @pytest.mark.lesson("K4")
    def test_a_failed_critical_call_leaves_the_morning_undone(self):
        past = history(executed("morning_operations", "06:00", status="failed"))
        assert answer("morning_operations", "07:00", past=past) == ("RUN", "run")

    @pytest.mark.lesson("T3")
    def test_the_morning_does_not_run_again_when_utc_has_a_new_day(self):
        assert answer("morning_operations", "20:00", past=history(MORNING_DONE)) == ("SKIP", "done")

    @pytest.mark.lesson("T4")
    def test_yesterdays_run_does_not_count_for_today(self):
        yesterday = executed("morning_operations", "-1 06:00", target=date(2026, 1, 13))
        assert answer("morning_operations", "06:00", past=history(yesterday)) == ("RUN", "run")


class TestGameAware:
    NAME = "betting_lines"
    READY = history(MORNING_DONE)

    def test_an_unknown_schedule_aborts_and_an_empty_day_does_not(self):
        assert answer(self.NAME, "13:00", Schedule()) == ("ABORT", "schedule_unknown")
        assert answer(self.NAME, "13:00", schedule(game(day=date(2026, 1, 15)))) == ("SKIP", "no_games")

    def test_betting_lines_waits_for_its_required_workflow(self):
        assert answer(self.NAME, "13:00", TWO) == ("SKIP", "waiting_for_required")
        assert answer(self.NAME, "13:00", TWO, history(executed("morning_operations", "06:00", status="failed"))) == (
            "SKIP",
            "waiting_for_required",
        )

    def test_the_reason_before_the_opening_names_the_opening_time(self):
        found = decision(self.NAME, "12:00", TWO, self.READY)
        assert found.reason == "First tip 19:00 ET is 7.0 h away; the window opens 6 h before, at 13:00"
        assert found.next_check_time == et("13:00")

    def test_an_early_game_waits_for_business_hours(self):
        noon = schedule(game(1, "12:00"))
        assert answer(self.NAME, "07:00", noon, self.READY) == ("SKIP", "before_business_hours")
        assert answer(self.NAME, "08:00", noon, self.READY) == ("RUN", "run")

    @pytest.mark.lesson("E1")
    def test_a_run_targets_every_game(self):
        assert [g.game_id for g in decision(self.NAME, "13:00", TWO, self.READY).games] == ["0022500001", "0022500002"]

    @pytest.mark.lesson("T6")
    def test_the_frequency_is_measured_from_tick_to_tick(self):
        past = history(MORNING_DONE, executed(self.NAME, "13:00"))
        assert answer(self.NAME, "14:00", TWO, past) == ("SKIP", "too_soon")
        assert answer(self.NAME, "15:00", TWO, past) == ("RUN", "run")

    @pytest.mark.lesson("K5")
    def test_a_failed_run_does_not_block_the_next_tick(self):
        past = history(MORNING_DONE, executed(self.NAME, "13:00", status="failed"))
        assert answer(self.NAME, "14:00", TWO, past) == ("RUN", "run")

    @pytest.mark.lesson("K2")
    def test_a_run_without_records_is_not_a_collection(self):
        past = history(MORNING_DONE, executed(self.NAME, "13:00", with_records=0))
        assert answer(self.NAME, "14:00", TWO, past) == ("RUN", "run")
        assert answer(self.NAME, "23:00", TWO, past) == ("ABORT", "missed_window")

    def test_a_missed_window_aborts_once(self):
        assert answer(self.NAME, "21:00", TWO, self.READY) == ("ABORT", "missed_window")
        reported = history(MORNING_DONE, decided(self.NAME, "21:00", "ABORT", "missed_window"))
        assert answer(self.NAME, "22:00", TWO, reported) == ("SKIP", "miss_already_reported")

    def test_a_closed_window_with_a_collection_is_done(self):
        past = history(MORNING_DONE, executed(self.NAME, "13:00"))
        assert answer(self.NAME, "21:00", TWO, past) == ("SKIP", "done")


class TestPostGame:
    FIRST, SECOND, THIRD = "post_game_window_1", "post_game_window_2", "post_game_window_3"

    def test_a_window_runs_only_around_its_fixed_time(self):
        assert answer(self.FIRST, "21:00", TWO) == ("SKIP", "outside_window")
        assert answer(self.FIRST, "22:00", TWO) == ("RUN", "run")
        assert answer(self.SECOND, "+1 01:00", TWO) == ("RUN", "run")

    @pytest.mark.lesson("T8")
    @pytest.mark.parametrize("config", [ours(), old()])
    def test_the_evening_window_fetches_tonights_games(self, config):
        assert decision(self.FIRST, "22:00", TWO, config=config).target_date == DAY

    @pytest.mark.lesson("T9")
    @pytest.mark.parametrize("config", [ours(), old()])
    @pytest.mark.parametrize(("name", "tick"), [(SECOND, "+1 01:00"), (THIRD, "+1 04:00")])
    def test_the_target_after_midnight_is_still_last_nights_slate(self, config, name, tick):
        assert decision(name, tick, TWO, config=config).target_date == DAY

    @pytest.mark.lesson("K6")
    def test_the_next_window_runs_for_the_missing_games_only(self):
        past = history(
            called("nbac_team_boxscore", "23:00", game_id="0022500001"),
            called("nbac_team_boxscore", "23:00", "no_data", game_id="0022500002"),
        )
        found = decision(self.SECOND, "+1 01:00", TWO, past)
        assert [g.game_id for g in found.games] == ["0022500002"]

    def test_a_window_with_every_game_collected_is_done(self):
        past = history(*brought("+1 02:00", *TWO.games, workflow=self.THIRD))
        assert answer(self.THIRD, "+1 04:00", TWO, past) == ("SKIP", "done")

    def test_a_game_requested_before_it_was_due_raises_no_alert(self):
        past = history(called("nbac_team_boxscore", "22:00", "no_data", game_id="0022500002"))
        assert decision(self.SECOND, "+1 01:00", TWO, past).alert_level is AlertLevel.NONE

    def test_a_game_requested_after_it_was_due_raises_an_alert(self):
        early = schedule(game(1, "18:00"), game(2, "22:30"))
        past = history(called("nbac_team_boxscore", "22:00", "no_data", game_id="0022500001"))
        found = decision(self.SECOND, "+1 01:00", early, past)
        assert (found.rule, found.alert_level) == ("missing_games", AlertLevel.CRITICAL)
        assert "1 overdue: 0022500001 LAL@BOS" in found.reason

    def test_a_first_request_raises_no_alert_however_late(self):
        assert decision(self.THIRD, "+1 04:00", TWO).alert_level is AlertLevel.NONE

    def test_a_window_succeeds_only_once(self):
        past = history(executed(self.FIRST, "22:00"))
        assert answer(self.FIRST, "22:00", TWO, past) == ("SKIP", "done")
        assert answer(self.FIRST, "22:00", TWO, history(executed(self.FIRST, "22:00", status="failed"))) == (
            "RUN",
            "run",
        )


class TestEarlyGames:
    CONFIG = changed(
        workflows__early_games={
            "decision_type": "game_aware_early",
            "schedule": {"early_game_cutoff_hour": 17, "collection_delay_hours": 3},
            "execution_plan": {"type": "single", "scraper": "nbac_team_boxscore"},
        }
    )
    CHRISTMAS = schedule(game(1, "12:00"), game(2, "14:30"), game(3, "20:00"))

    def ask(self, tick, past=None):
        return decision("early_games", tick, self.CHRISTMAS, past, self.CONFIG)

    @pytest.mark.lesson("T10")
    def test_a_noon_game_is_collected_in_the_afternoon(self):
        assert self.ask("14:00").rule == "not_due"
        assert self.ask("14:00").next_check_time == et("15:00")
        assert [g.game_id for g in self.ask("15:00").games] == ["0022500001"]

    def test_each_game_has_its_own_due_time_and_evening_games_are_not_early(self):
        past = history(called("nbac_team_boxscore", "16:00", game_id="0022500001"))
        assert self.ask("17:00", past).rule == "not_due"
        assert [g.game_id for g in self.ask("18:00", past).games] == ["0022500002"]
        both = history(*past.calls, called("nbac_team_boxscore", "18:00", game_id="0022500002"))
        assert self.ask("19:00", both).rule == "done"

    def test_a_day_without_early_games_is_skipped(self):
        found = decide("early_games", self.CONFIG, et("15:00"), TWO, history())
        assert (found.action, found.rule) == (Action.SKIP, "no_games")


class TestDiscovery:
    NAME = "injury_discovery"

    def test_discovery_runs_until_data_is_found(self):
        assert answer(self.NAME, "06:00") == ("RUN", "run")
        assert decision(self.NAME, "08:00", past=history(executed(self.NAME, "06:00"))).reason.startswith(
            "Attempt 2 of 9"
        )
        found = history(executed(self.NAME, "12:00"), called("nbac_injury_report", "12:00"))
        assert answer(self.NAME, "14:00", past=found) == ("SKIP", "found")

    @pytest.mark.lesson("T4")
    def test_yesterdays_report_does_not_count_for_today(self):
        yesterday = called("nbac_injury_report", "-1 12:00", target=date(2026, 1, 13))
        assert answer(self.NAME, "06:00", past=history(yesterday)) == ("RUN", "run")

    def test_a_rest_day_is_skipped_and_an_unknown_one_aborts(self):
        assert answer(self.NAME, "08:00", schedule(game(day=date(2026, 1, 15)))) == ("SKIP", "no_games")
        assert answer(self.NAME, "08:00", Schedule()) == ("ABORT", "schedule_unknown")

    @pytest.mark.lesson("T5")
    def test_no_attempt_is_spent_before_the_first_hour(self):
        config = changed(settings__first_tick="00:00")
        assert answer(self.NAME, "05:00", config=config) == ("SKIP", "before_first_hour")
        assert answer(self.NAME, "06:00", config=config) == ("RUN", "run")

    def test_attempts_are_spaced_and_limited(self):
        past = [executed("referee_discovery", f"{hour:02d}:00", with_records=0) for hour in range(6, 12)]
        assert answer(self.NAME, "07:00", past=history(executed(self.NAME, "06:00"))) == ("SKIP", "too_soon")
        used_up = decision("referee_discovery", "12:00", past=history(*past))
        assert (used_up.rule, used_up.alert_level) == ("max_attempts_reached", AlertLevel.WARNING)

    @pytest.mark.lesson("C8")
    def test_the_alert_for_used_up_attempts_is_raised_once_a_day(self):
        past = [executed("referee_discovery", f"{hour:02d}:00", with_records=0) for hour in range(6, 12)]
        past.append(decided("referee_discovery", "12:00", "SKIP", "max_attempts_reached"))
        assert decision("referee_discovery", "13:00", past=history(*past)).alert_level is AlertLevel.NONE


class TestFreshness:
    NAME = "schedule_dependency"

    def test_freshness_runs_when_the_last_success_is_too_old(self):
        assert answer(self.NAME, "04:30") == ("RUN", "run")
        past = history(executed(self.NAME, "04:30"))
        assert answer(self.NAME, "10:00", past=past) == ("SKIP", "fresh")
        assert answer(self.NAME, "11:00", past=past) == ("RUN", "run")

    def test_a_failed_run_does_not_make_the_data_fresh(self):
        assert answer(self.NAME, "06:00", past=history(executed(self.NAME, "04:30", status="failed"))) == ("RUN", "run")


@pytest.mark.lesson("C10")
class TestHalt:
    def test_a_halt_skips_every_workflow_with_its_reason(self):
        config = changed(settings__halt={"reason": "off-season", "until": "2026-01-20"})
        for name in config.workflows:
            found = decision(name, "13:00", TWO, config=config)
            assert (found.action, found.reason) == (Action.SKIP, "Halted until 2026-01-20: off-season")

    def test_a_halt_can_stop_one_workflow_and_ends_after_its_date(self):
        config = changed(workflows__injury_discovery__halt={"reason": "source moved", "until": "2026-01-14"})
        assert decision("injury_discovery", "13:00", config=config).rule == "halted"
        assert decision("referee_discovery", "13:00", config=config).rule == "run"
        assert (
            decision("injury_discovery", "+1 13:00", schedule(game(day=date(2026, 1, 15))), config=config).rule == "run"
        )


@pytest.mark.lesson("K8")
def test_unreadable_history_aborts_and_always_alerts():
    found = aborted("betting_lines", ours(), et("13:00"), "history_unreadable", "History unreadable: no answer")
    assert found.action is Action.ABORT
    assert found.alert_level is AlertLevel.CRITICAL
    assert found.next_check_time == et("14:00")


@pytest.mark.lesson("K9")
def test_the_same_input_always_gives_the_same_decision():
    first = decision("betting_lines", "13:00", TWO, history(MORNING_DONE))
    decision("betting_lines", "13:00", Schedule())
    assert decision("betting_lines", "13:00", TWO, history(MORNING_DONE)) == first
