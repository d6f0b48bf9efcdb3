"""What the schedule says, and what it does not: rows that are no game, tips that nobody knows, dates out of reach."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from orchestration.decisions.model import History
from orchestration.nba.games import Game, Schedule, UnusableRow, read_game
from orchestration.planning.day import plan
from orchestration.words import Action, AlertLevel
from support.worlds import DAY, MORNING_DONE, decision, et, executed, game, history, ours, schedule

UNDECIDED = read_game("0042500101", "20260120/", date(2026, 1, 20), et("19:30", date(2026, 1, 20)), "", "")
NEEDING_NO_GAMES = ("morning_operations", "schedule_dependency")
NEEDING_GAMES = tuple(sorted(set(ours().workflows) - set(NEEDING_NO_GAMES)))


GOOD = (game(),)


def with_rows(*rows, games=GOOD):
    return Schedule(games, et("04:30"), rows)


class TestARowThatIsNoGame:
    @pytest.mark.parametrize("name", NEEDING_GAMES)
    def test_an_unusable_row_of_another_date_is_named_and_changes_nothing(self, name):
        past = history(MORNING_DONE)
        for tick in ("06:00", "13:00", "22:00", "+1 01:00", "+1 04:00"):
            with_it = decision(name, tick, with_rows(UNDECIDED), past)
            assert replace(with_it, context={}) == replace(decision(name, tick, with_rows(), past), context={})
            assert with_it.context["unusable_rows"] == 1
            assert with_it.context["unusable"] == ["0042500101 on 2026-01-20: no teams"]

    @pytest.mark.parametrize("name", NEEDING_NO_GAMES)
    def test_an_unknown_schedule_does_not_change_a_workflow_that_needs_no_games(self, name):
        broken = UnusableRow("", "no id", DAY, et("12:00"))
        for tick in ("06:00", "13:00", "22:00"):
            found = decision(name, tick, Schedule((), None, (broken,)))
            # The refresh says that others wait for it, and no answer can be compared with the slate; what it does is
            # the same.
            known = decision(name, tick, schedule(game()))
            assert replace(found, context={}, slate=()) == replace(known, context={}, slate=())

    def test_a_date_with_an_unusable_row_runs_for_its_usable_games(self):
        broken = read_game("0022500002", None, DAY, et("19:00"), "BOS", "LAL")
        found = decision("post_game_window_2", "+1 01:00", with_rows(broken))
        assert (found.action, [g.game_id for g in found.games]) == (Action.RUN, ["0022500001"])

    @pytest.mark.parametrize("prefix", ["004", "099"], ids=["of its types", "of an unknown kind"])
    def test_a_date_with_only_unusable_rows_aborts_once_when_the_game_should_be_over(self, prefix):
        row = read_game(f"{prefix}2500001", f"{DAY:%Y%m%d}/", DAY, et("19:00"), "", "")
        only = with_rows(row, games=())
        for tick in ("08:00", "22:00"):
            assert decision("betting_lines", tick, only).rule == "undecided"
        found = decision("betting_lines", "23:00", only)
        assert (found.action, found.rule, found.alert_level) == (Action.ABORT, "unusable_rows", AlertLevel.CRITICAL)
        assert "no teams" in found.reason
        assert decision("post_game_window_1", "22:00", only).rule == "undecided"
        assert decision("post_game_window_2", "23:00", only).rule == "undecided"
        assert decision("post_game_window_2", "+1 01:00", only).rule == "unusable_rows"
        start, end = ours().day_bounds(DAY)
        aborts = [d.workflow for d in plan(ours(), start, end, only, History()) if d.action is Action.ABORT]
        assert sorted(aborts) == sorted(set(aborts))

    def test_an_if_necessary_game_without_teams_and_time_never_aborts(self):
        row = read_game("0042500107", f"{DAY:%Y%m%d}/", DAY, et("00:00"), "", "")
        start, end = ours().day_bounds(DAY)
        decisions = list(plan(ours(), start, end, with_rows(row, games=()), History()))
        assert not [d for d in decisions if d.action is Action.ABORT]
        assert not [d for d in decisions if d.action is Action.RUN and d.workflow in NEEDING_GAMES]

    def test_an_unusable_row_of_an_unwanted_game_type_does_not_count(self):
        all_star = read_game("0032500001", f"{DAY:%Y%m%d}/", DAY, et("17:00"), "", "")
        for tick in ("13:00", "23:00"):
            assert decision("betting_lines", tick, with_rows(all_star, games=())).rule == "no_games"


class TestATipAtMidnight:
    ALONE = Game("0042500101", "20260419/LALBOS", date(2026, 4, 19), et("00:00", date(2026, 4, 19)), "BOS", "LAL")
    SUNDAY = ALONE.date

    def at(self, wall):
        return et(wall, self.SUNDAY)

    def ask(self, wall, *more, name="betting_lines", past=()):
        morning = executed("morning_operations", self.at("06:00"), self.SUNDAY)
        games = Schedule((self.ALONE, *more), self.at("04:30"))
        return decision(name, self.at(wall), games, history(morning, *past))

    def test_an_unknown_tip_alone_opens_the_window_with_business_hours(self):
        assert self.ask("07:00").rule == "before_business_hours"
        found = self.ask("08:00")
        assert (found.action, found.reason) == (Action.RUN, "1 game, no tip is known yet")

    def test_an_unknown_tip_does_not_move_the_opening_of_other_games(self):
        other = game(2, "19:00", self.SUNDAY)
        assert self.ask("12:00", other).rule == "before_opening"
        found = self.ask("13:00", other)
        assert (found.action, len(found.games)) == (Action.RUN, 2)

    def test_an_unknown_tip_keeps_the_window_open_until_business_hours_end(self):
        assert self.ask("20:00").action is Action.RUN
        assert self.ask("20:00", game(2, "15:00", self.SUNDAY)).action is Action.RUN
        assert self.ask("21:00").rule == "missed_window"

    def test_a_game_with_an_unknown_tip_is_due_at_the_end_of_its_slate(self):
        assert self.ALONE.due == self.at("+1 06:00")
        assert self.ask("+1 04:00", name="post_game_window_3").games == (self.ALONE,)

    def test_a_day_with_only_an_unknown_tip_runs_and_does_not_abort(self):
        start, end = ours().day_bounds(self.SUNDAY)
        decisions = list(plan(ours(), start, end, Schedule((self.ALONE,), start), History()))
        assert not [d for d in decisions if d.action is Action.ABORT]
        runs = [d.tick.hour for d in decisions if d.workflow == "betting_lines" and d.action is Action.RUN]
        assert runs == [8, 10, 12, 14, 16, 18, 20]

    @pytest.mark.parametrize("shift", [0, 1], ids=["on its date", "in the night after its date"])
    def test_a_tip_at_a_quarter_past_midnight_is_known(self, shift):
        tip = et(f"+{shift} 00:15", self.SUNDAY)
        assert replace(self.ALONE, tip=tip).tip == tip

    @pytest.mark.lesson("A7")
    @pytest.mark.parametrize("wall", ["-1 19:00", "-1 20:00", "+1 12:00", "+1 06:00", "+1 00:00"])
    def test_a_tip_outside_its_slate_is_unknown(self, wall):
        assert replace(self.ALONE, tip=self.at(wall)).tip is None

    def test_a_game_with_an_unknown_tip_is_equal_after_a_round_trip_through_json(self):
        assert Game.from_dict(self.ALONE.to_dict()) == self.ALONE


@pytest.mark.lesson("K13")
def test_a_date_outside_the_reach_of_a_source_is_unknown():
    reach = (DAY - timedelta(days=3), DAY)
    known = Schedule((game(),), et("04:30"), (), reach)
    assert decision("betting_lines", "13:00", known, history(MORNING_DONE)).action is Action.RUN
    tomorrow = decision("betting_lines", "+1 13:00", known)
    assert (tomorrow.action, tomorrow.rule) == (Action.ABORT, "schedule_unknown")
    assert tomorrow.reason == "Schedule unknown: the schedule reaches from 2026-01-11 to 2026-01-14, not to 2026-01-15"
    assert decision("morning_operations", "+1 06:00", known).action is Action.RUN
