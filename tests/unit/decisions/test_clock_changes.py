"""Both clock changes: the same instants give the same answers, whatever zone they are given in."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestration.decisions.collected import lacking
from orchestration.decisions.engine import decide
from orchestration.decisions.model import History
from orchestration.health.facts import DayFacts
from orchestration.health.verdict import assess
from orchestration.nba.eastern import after, at, clock, et, et_date, nearest, slate_date
from orchestration.nba.games import Game, Schedule
from orchestration.planning.makeups import makeups
from orchestration.words import Action, Outcome
from support.records import a_call, a_decision, an_execution, expected_run
from support.worlds import called, changed, decided, executed, game, history, ours, schedule

NEW_YORK = ZoneInfo("America/New_York")
CHANGES = [date(2024, 11, 3), date(2025, 11, 2), date(2026, 3, 8)]
BOX = "nbac_team_boxscore"
EVERY_HALF_HOUR = changed(
    settings__controller_interval_minutes=30, settings__first_tick="00:00", settings__last_tick="23:30",
    workflows__post_game_window_2__schedule={"fixed_time": "01:00", "tolerance_minutes": 120},
)  # fmt: skip


def test_a_game_due_at_the_first_0130_is_due_at_the_second_0100():
    saturday = date(2024, 11, 2)
    late = Game("0022400134", "20241102/UTADEN", saturday, at(saturday, time(22)), "DEN", "UTA")
    assert late.due == datetime(2024, 11, 3, 5, 30, tzinfo=UTC)
    second_one = datetime(2024, 11, 3, 6, 0, tzinfo=UTC)
    success = called(BOX, second_one, Outcome.SUCCESS, saturday, late.game_id)
    whole = [called("nbac_player_boxscore", second_one, Outcome.SUCCESS, saturday)]
    at_one = decide("post_game_window_2", ours(), second_one, schedule(late), History())
    assert at_one.games == (late,)
    then = after(second_one, timedelta(hours=1))
    found = decide("post_game_window_2", EVERY_HALF_HOUR, then, schedule(late), history(success, *whole))
    assert found.rule == "done"


@pytest.mark.parametrize("change", [date(2024, 11, 3), date(2025, 11, 2)])
def test_the_second_0130_of_a_clock_change_is_later_than_the_first(change):
    utc = datetime.combine(change, time(5, 30), UTC)
    first, second = et(utc), et(utc + timedelta(hours=1))
    assert (clock(first), clock(second)) == ("01:30", "01:30")
    assert first < second
    assert first != second
    assert max(second, first) is second
    wall = datetime.combine(change, time(1, 30), NEW_YORK)
    assert et(wall) == first
    assert et(wall.replace(fold=1)) == second == at(change, time(1, 30))
    assert after(first, timedelta(hours=1)) == second
    assert len({first, second}) == 2


def quarters(first, last):
    """Every quarter of an hour between two hours after the UTC midnight of a change."""
    change, number = st.sampled_from(CHANGES), st.integers(4 * first, 4 * last)
    return st.builds(lambda day, n: datetime.combine(day, time(), UTC) + timedelta(minutes=15 * n), change, number)


NEAR = quarters(5, 7)
"""The autumn's two hours after 01:00, the spring's hour before the jump and the one after it."""
INSTANTS = st.one_of(NEAR, quarters(-30, 34))


def as_utc(instant):
    return instant


def as_wall(instant):
    return instant.astimezone(NEW_YORK)


@st.composite
def stories(draw):
    """Instants, and what is built from them in a zone of one's choice."""
    tick = draw(INSTANTS)
    near = st.integers(-4 * 30, 4 * 6).map(lambda quarters: tick + timedelta(minutes=15 * quarters))
    tips, ticks = draw(st.lists(near, min_size=1, max_size=4)), draw(st.lists(near, min_size=6, max_size=6))
    outcomes = draw(st.lists(st.sampled_from(Outcome), min_size=6, max_size=6))
    return draw(st.sampled_from(sorted(ours().workflows))), tick, tips, ticks, outcomes


def build(story, zone):
    name, tick, tips, ticks, outcomes = story
    days = [slate_date(tip) for tip in tips]
    games = tuple(
        Game(f"00225{number:05d}", "x", day, zone(tip), "BOS", "LAL")
        for number, (tip, day) in enumerate(zip(tips, days, strict=True))
    )
    calls = [
        called(scraper, zone(when), outcome, days[0], games[0].game_id if scraper == BOX else None)
        for when, outcome in zip(ticks, outcomes, strict=True)
        for scraper in (BOX, "nbac_player_boxscore", "nbac_schedule_api", "nbac_injury_report")
    ]
    past = History(
        tuple(executed(name, zone(when), days[0]) for when in ticks[:2]),
        tuple(calls),
        tuple(decided(name, zone(when), "SKIP", "done", days[0]) for when in ticks[2:4]),
    )
    return name, zone(tick), Schedule(games, zone(min(ticks))), past


@settings(max_examples=300, deadline=None)
@given(stories())
def test_a_decision_does_not_depend_on_the_zone_of_its_instants(story):
    for config in (ours(), EVERY_HALF_HOUR):
        name, tick, seen, past = build(story, as_utc)
        assert decide(name, config, tick, seen, past) == decide(name, config, *build(story, as_wall)[1:])


@settings(max_examples=300, deadline=None)
@given(NEAR, NEAR, st.sampled_from([as_utc, as_wall]))
def test_a_game_is_collected_by_a_success_at_or_after_its_due_instant(due, asked, zone):
    tip = due - timedelta(hours=3, minutes=30)
    late = Game("0022500001", "x", slate_date(tip), zone(tip), "BOS", "LAL")
    past = history(called(BOX, zone(asked), Outcome.SUCCESS, late.date, late.game_id))
    assert (lacking(ours(), (BOX,), late, past.successes) == ()) == (asked >= due)


@settings(max_examples=100, deadline=None)
@given(stories())
def test_makeups_do_not_depend_on_the_zone_of_their_instants(story):
    def found(zone):
        _, tick, seen, past = build(story, zone)
        return makeups(ours(), seen.games, past.successes, tick, 5)

    assert found(as_utc) == found(as_wall)


@settings(max_examples=100, deadline=None)
@given(stories())
def test_the_health_of_a_day_does_not_depend_on_the_zone_of_its_instants(story):
    def health(zone):
        name, now, seen, past = build(story, zone)
        day = ours().current_day(as_utc(story[1]) - timedelta(hours=3))
        facts = DayFacts(
            day,
            seen,
            tuple(expected_run(name, d.tick) for d in past.decisions),
            tuple(a_decision(name, d.tick, Action.RUN, "run", decision_id="d") for d in past.decisions),
            tuple(an_execution(name, e.tick, day, 1, 0, "d", status=e.status) for e in past.executions),
            tuple(a_call(c.scraper_name, name, c.tick, day, c.status, c.game_id) for c in past.calls),
        )
        return assess(ours(), facts, now)

    assert health(as_utc) == health(as_wall)


@settings(max_examples=300, deadline=None)
@given(*[st.one_of(NEAR, INSTANTS)] * 2, st.times())
def test_moments_are_compared_as_instants(one, other, wall):
    assert (et(one) < et(other), et(one) == et(other)) == (one < other, one == other)
    assert et(as_wall(one)) == et(one)
    assert et(one).utcoffset() == as_wall(one).utcoffset()
    assert et_date(one) == as_wall(one).date()
    assert nearest(one, wall) == nearest(as_wall(one), wall)


def test_a_tip_without_a_zone_is_refused():
    with pytest.raises(ValueError, match="no time zone"):
        replace(game(), tip=datetime(2026, 1, 14, 19))
