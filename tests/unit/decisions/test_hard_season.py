"""A season that does not behave, tick by tick: what is played is collected, what is not played is not asked for."""

from collections import defaultdict
from datetime import date, time, timedelta
from functools import lru_cache

import pytest

from orchestration.decisions.collected import lacking, scrapers_about_games, successes_of
from orchestration.decisions.engine import decide
from orchestration.decisions.model import History
from orchestration.nba.eastern import after, at
from orchestration.nba.games import Game, GameType
from orchestration.planning.calls import planned_calls
from orchestration.planning.makeups import makeups
from orchestration.records.tables import CallRecord
from orchestration.words import Action, Outcome
from support.seasons import LAST, OPENING, hard_season, last_refresh
from support.worlds import called, executed, ours

END = LAST + timedelta(days=45)
WINDOWS = ("post_game_window_1", "post_game_window_2", "post_game_window_3")


class Played:
    """The season as it went: every decision, every call, and what each of them brought."""

    def __init__(self) -> None:
        self.season = hard_season()
        self.fates = {fate.game_id: fate for fate in self.season.fates}
        self.tips = defaultdict(list)
        for fate in self.season.fates:
            if fate.tip is not None:
                self.tips[fate.day].append(fate.tip)
        self.decisions, self.calls, self.history = [], [], History()
        day = OPENING
        while day <= END:
            self._day(day)
            day += timedelta(days=1)

    def _day(self, day: date) -> None:
        """A day, and the reconcile of half past six on its next morning."""
        start, end = ours().day_bounds(day)
        ticks = defaultdict(list)
        for name in ours().enabled:
            for tick in ours().ticks_of(name).between(start, end):
                ticks[tick].append(name)
        seen = lru_cache(self.season.schedule)
        for tick in sorted(ticks):
            schedule = seen(last_refresh(tick))
            made = [decide(name, ours(), tick, schedule, self.history) for name in ticks[tick]]
            self.decisions += made
            for decision in made:
                if decision.action is Action.RUN:
                    self._run(decision)
            noted = [decision.as_past for decision in made]
            self.history = self.history.plus(decisions=noted)
        now = at(day + timedelta(days=1), time(6, 30))
        schedule = self.season.schedule(last_refresh(now))
        games = [game for shift in range(3) for game in schedule.on(day - timedelta(days=shift), GameType)]
        for makeup in makeups(ours(), games, self.history.successes, now, 5):
            per_game = ours().per_game_scrapers(makeup.workflow)
            for scraper in makeup.scrapers:
                for game_id in makeup.games if scraper in per_game else (None,):
                    self._note([self._call(scraper, now, makeup.target_date, game_id)])
        oldest = after(end, -timedelta(hours=72))
        self.history = History(
            tuple(e for e in self.history.executions if e.tick > oldest),
            tuple(c for c in self.history.calls if c.tick > oldest),
            tuple(d for d in self.history.decisions if d.tick > oldest),
        )

    def _run(self, decision) -> None:
        calls = [
            self._call(c.scraper, decision.tick, decision.target_date, c.item.game.game_id if c.item.game else None)
            for c in planned_calls(ours(), decision)
        ]
        brought = sum(call.status is Outcome.SUCCESS for call in calls)
        done = executed(decision.workflow, decision.tick, decision.target_date, with_records=brought)
        self._note(calls, done)

    def _note(self, calls, *executions) -> None:
        self.calls += calls
        self.history = self.history.plus(executions, calls)

    def _call(self, scraper, tick, day, game_id) -> CallRecord:
        """A source has something of a game from its tip on, of a date from its first tip on; else nothing."""
        about_games = any(scraper in scrapers_about_games(ours(), name, critical_only=False) for name in WINDOWS)
        tips = self.tips[day]
        if game_id is not None:
            fate = self.fates[game_id]
            tips = [fate.tip] if fate.tip is not None and fate.day == day else []
        there = not about_games or (bool(tips) and min(tips) <= tick)
        return called(scraper, tick, Outcome.SUCCESS if there else Outcome.NO_DATA, day, game_id)


@lru_cache
def played():
    return Played()


def test_the_season_has_moved_games_unknown_tips_and_undecided_teams():
    fates = played().season.fates
    assert sum(len({said.day for said in fate.said}) > 1 for fate in fates) > 25
    assert sum(fate.tip is None for fate in fates) > 5
    assert sum(not fate.said[0].teams for fate in fates) > 20
    assert sum(fate.said[-1].wall == time(0) and fate.tip is not None for fate in fates) > 5


@pytest.mark.lesson("K6")
@pytest.mark.lesson("K12")
def test_every_game_that_is_played_is_collected_by_half_past_six():
    late = []
    critical = {s for name in WINDOWS for s in scrapers_about_games(ours(), name, critical_only=True)}
    by_day = defaultdict(list)
    for call in played().calls:
        by_day[call.target_date].append(call)
    for fate in played().season.fates:
        if fate.tip is None or fate.day > END:
            continue
        game = Game(fate.game_id, "x", fate.day, fate.tip, fate.home, fate.away)
        deadline = at(fate.day + timedelta(days=1), time(6, 30))
        in_time = [call for call in by_day[fate.day] if call.tick <= deadline]
        late += [
            (game.label, fate.day, scrapers)
            for scrapers in [lacking(ours(), critical, game, successes_of(in_time))]
            if scrapers
        ]
    assert late == []


@pytest.mark.lesson("K12")
def test_no_call_is_made_for_a_game_that_is_not_played():
    fates = played().fates
    about_games = [call for call in played().calls if call.game_id is not None]
    wrong = [c for c in about_games if fates[c.game_id].tip is None or fates[c.game_id].day != c.target_date]
    assert wrong == []
    assert not [c for c in about_games if c.tick < min(fates[c.game_id].tip, at(c.target_date, time(12)))]


def test_no_decision_of_the_hard_season_aborts():
    assert [(d.tick, d.workflow, d.reason) for d in played().decisions if d.action is Action.ABORT] == []
