"""Windows of a fixed time: which night they mean, at which of their ticks they run; and the refresh before the lock."""

from datetime import date, timedelta

import pytest

from orchestration.config import load, loads
from orchestration.decisions.model import History
from orchestration.planning.day import plan
from orchestration.words import Action
from support.worlds import (
    DAY,
    OLD_FILE,
    ROOT,
    brought,
    called,
    changed,
    decision,
    et,
    executed,
    game,
    history,
    ours,
    schedule,
)

NAME = "post_game_window_1"
YESTERDAY = DAY - timedelta(days=1)
TODAYS = game(1, "19:00")
LAST_NIGHTS = game(2, "22:30", YESTERDAY)
BOTH = schedule(TODAYS, LAST_NIGHTS, refreshed=et("04:30"))


def window(wall, tolerance=30, target=None, **more):
    rule = {"fixed_time": wall, "tolerance_minutes": tolerance, **({"target_date": target} if target else {})}
    return changed(workflows__post_game_window_1__schedule=rule, **more)


class TestInTheMorning:
    @pytest.mark.parametrize("wall", ["05:00", "06:00", "09:30", "11:30"])
    def test_the_slate_of_a_morning_window_is_the_night_that_ended(self, wall):
        found = decision(NAME, wall, BOTH, config=window(wall))
        assert (found.action, found.target_date, found.games) == (Action.RUN, YESTERDAY, (LAST_NIGHTS,))

    @pytest.mark.parametrize("tick", ["06:00", "07:00"])
    def test_a_tolerance_across_the_slate_change_keeps_the_target(self, tick):
        past = history(executed(NAME, "04:00", YESTERDAY, status="failed"))
        found = decision(NAME, tick, BOTH, past, window("04:00", 180))
        assert (found.action, found.target_date) == (Action.RUN, YESTERDAY)

    @pytest.mark.parametrize("target", ["slate", "yesterday"])
    def test_a_tolerance_across_midnight_keeps_the_target(self, target):
        found = decision(NAME, "23:00", BOTH, config=window("00:30", 90, target))
        assert (found.target_date, found.rule) == (DAY, "before_fixed_time")

    def test_a_slate_in_the_morning_is_a_warning_that_names_yesterday(self):
        text = (ROOT / "config" / "workflows.yaml").read_text().replace("fixed_time: '04:00'", "fixed_time: '06:00'")
        [warning] = loads(text).warnings
        assert "post_game_window_3.schedule.target_date" in warning
        assert "Write `yesterday`" in warning
        assert loads(text.replace("slate, fixed_time: '06:00'", "yesterday, fixed_time: '06:00'")).warnings == ()
        assert not any("`yesterday`:" in one for one in load(OLD_FILE).warnings)


class TestAGameThatHasNotTipped:
    @pytest.mark.parametrize(("wall", "target"), [("06:00", "today"), ("18:00", "slate"), ("18:00", "today")])
    def test_a_game_that_has_not_tipped_is_not_a_target(self, wall, target):
        found = decision(NAME, wall, schedule(TODAYS), config=window(wall, target=target))
        assert (found.action, found.rule) == (Action.SKIP, "not_tipped")
        assert found.next_check_time > found.tick

    def test_a_game_that_has_tipped_is_a_target_beside_one_that_has_not(self):
        two = schedule(TODAYS, game(2, "22:30"))
        assert decision(NAME, "22:00", two).games == (TODAYS,)


class TestTheBestTick:
    CONFIG = window("23:30", 30)
    LATE = schedule(game(1, "19:30"), game(2, "20:00"), game(3, "20:30"))

    def test_a_window_first_runs_at_its_fixed_time_and_not_at_earlier_ticks(self):
        early = decision(NAME, "23:00", self.LATE, config=self.CONFIG)
        assert (early.action, early.rule, early.next_check_time) == (Action.SKIP, "before_fixed_time", et("23:30"))
        assert decision(NAME, "23:30", self.LATE, config=self.CONFIG).games == self.LATE.games

    def test_a_later_tick_runs_for_games_that_are_due_and_missing(self):
        config = window("22:30", 60)
        ran = executed(NAME, "22:30")
        assert decision(NAME, "23:00", self.LATE, history(ran), config).games == (self.LATE.games[0],)
        assert decision(NAME, "23:30", self.LATE, history(ran), config).games == self.LATE.games[:2]
        brought_it = brought("23:00", self.LATE.games[0])
        found = decision(NAME, "23:00", self.LATE, history(ran, *brought_it), config)
        assert (found.action, found.rule, found.next_check_time) == (Action.SKIP, "done", et("+1 06:00"))

    def test_a_later_tick_catches_up_a_failed_or_missed_run(self):
        config = window("22:30", 60)
        failed = history(executed(NAME, "22:30", status="failed"))
        for past in (failed, History()):
            assert decision(NAME, "23:00", self.LATE, past, config).games == self.LATE.games

    def test_a_planned_window_runs_once_if_every_game_is_collected(self):
        start, end = self.CONFIG.day_bounds(DAY)
        decisions = plan(self.CONFIG, start, end, schedule(game(1, "19:30"), game(2, "20:00")), History())
        assert [d.tick for d in decisions if d.workflow == NAME and d.action is Action.RUN] == [et("23:30")]


class TestTheRefreshBeforeTheLock:
    NAME = "schedule_dependency"

    def ask(self, tick, *past, config=None):
        return decision(self.NAME, tick, past=history(*past), config=config)

    def test_the_tick_before_the_lock_has_a_lower_age_limit(self):
        found = self.ask("04:30", executed(self.NAME, "-1 23:00"))
        assert (found.action, found.reason) == (
            Action.RUN,
            "Last success 5.5 h ago; the limit before the lock is 1 h",
        )
        assert self.ask("06:00", executed(self.NAME, "04:30")).rule == "fresh"

    def test_a_success_of_the_last_hour_is_fresh_before_the_lock(self):
        assert self.ask("04:30", executed(self.NAME, "03:45")).rule == "fresh"
        assert self.ask("04:30", executed(self.NAME, "03:30")).action is Action.RUN

    def test_the_refresh_tick_moves_with_the_lock_and_needs_an_enabled_lock(self):
        later = changed(settings__daily_schedule_lock={"enabled": True, "generation_time": "07:15"})
        success = executed(self.NAME, "04:30")
        assert self.ask("06:45", success, config=later).action is Action.RUN
        assert self.ask("06:00", success, config=later).rule == "fresh"
        around_midnight = changed(settings__daily_schedule_lock={"enabled": True, "generation_time": "00:15"})
        assert self.ask("23:45", executed(self.NAME, "20:00"), config=around_midnight).action is Action.RUN
        never = changed(settings__daily_schedule_lock={"enabled": False, "generation_time": "06:15"})
        assert self.ask("06:00", success, config=never).rule == "fresh"

    def test_a_success_of_the_schedule_scraper_in_any_workflow_is_a_refresh(self):
        assert self.ask("12:00", called("nbac_schedule_api", "06:00")).action is Action.RUN
        assert self.ask("11:00", called("nbac_schedule_api", "06:00")).rule == "fresh"
        assert self.ask("11:00", called("nbac_schedule_api", "06:00", "no_data")).action is Action.RUN

    @pytest.mark.parametrize("day", [date(2026, 1, 14), date(2026, 3, 8), date(2026, 11, 1)])
    def test_every_planned_morning_has_a_refresh_before_the_lock(self, day):
        start, end = ours().day_bounds(day)[0], ours().day_bounds(day + timedelta(days=6))[1]
        runs = [
            d.tick
            for d in plan(ours(), start, end, schedule(game(1, "19:00", day)), History())
            if d.workflow == self.NAME and d.action is Action.RUN
        ]
        assert [t.date() for t in runs if f"{t:%H:%M}" == "04:30"] == [day + timedelta(days=n) for n in range(1, 8)]
