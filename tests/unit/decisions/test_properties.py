"""Properties of the engine over random slates, configurations, histories and clock times."""

import itertools
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orchestration.decisions.engine import decide
from orchestration.decisions.model import History
from orchestration.nba.eastern import at, et, hours_between, nearest
from orchestration.nba.games import Game, Schedule
from orchestration.planning.calls import Assumption
from orchestration.planning.day import plan
from orchestration.words import Action, ExecutionStatus, Outcome
from support.effort import examples
from support.worlds import called, changed, decided, executed, ours

pytestmark = pytest.mark.fuzz
CHECKED = settings(max_examples=examples(20), deadline=None, suppress_health_check=[HealthCheck.too_slow])
DAYS = st.one_of(
    st.dates(date(2025, 10, 1), date(2026, 6, 30)),
    st.sampled_from([date(2026, 3, 7), date(2026, 3, 8), date(2025, 11, 1), date(2025, 11, 2), date(2025, 12, 25)]),
)
TIPS = st.builds(time, st.integers(12, 22), st.sampled_from([0, 10, 30]))
NAMES = st.sampled_from(sorted(ours().workflows))
SCRAPERS = sorted(ours().scrapers)


@st.composite
def slates(draw, day=None):
    day = draw(DAYS) if day is None else day
    games = []
    for number, (shift, wall, prefix, text) in enumerate(
        draw(
            st.lists(
                st.tuples(
                    st.integers(-1, 1), TIPS, st.sampled_from(["001", "002", "002", "002", "004", "006"]),
                    st.sampled_from(["", "", "", "PPD"]),
                ),
                max_size=15,
            )
        )
    ):  # fmt: skip
        on = day + timedelta(days=shift)
        games.append(Game(f"{prefix}25{number:05d}", f"{on:%Y%m%d}/LALBOS", on, at(on, wall), "BOS", "LAL", 1, text))
    return day, Schedule(tuple(games), at(day, time(4, 30)))


@st.composite
def configs(draw):
    start = draw(st.integers(5, 12))
    return changed(
        workflows__betting_lines__schedule={
            "window_before_game_hours": draw(st.integers(1, 10)),
            "frequency_hours": draw(st.sampled_from([0.5, 1, 1.5, 2, 3, 4])),
            "business_hours": {"start": start, "end": draw(st.integers(max(start, 6), 23))},
        },
        workflows__injury_discovery__schedule={
            "max_attempts_per_day": draw(st.integers(1, 8)),
            "retry_interval_hours": draw(st.integers(1, 5)),
            "first_hour": draw(st.integers(6, 10)),
        },
        settings__controller_interval_minutes=draw(st.sampled_from([15, 30, 60])),
    )


ASSUMPTIONS = st.lists(
    st.builds(
        lambda scraper, start, outcome: Assumption.model_validate(
            {"scraper": scraper, "from": start, "outcome": outcome}
        ),
        st.sampled_from(SCRAPERS),
        st.builds(time, st.integers(0, 23)),
        st.sampled_from([Outcome.NO_DATA, Outcome.FAILED]),
    ),
    max_size=4,
)


@st.composite
def histories(draw, day):
    ticks = st.builds(lambda hours: at(day, time(0)) + timedelta(hours=hours), st.integers(-24, 30))
    targets = st.sampled_from([day - timedelta(days=1), day])
    ids = st.sampled_from([None, *(f"00225{n:05d}" for n in range(4))])
    rules = st.sampled_from(["missed_window", "no_games", "found"])
    execution = st.builds(executed, NAMES, ticks, targets, st.sampled_from(ExecutionStatus), st.integers(0, 3))
    call = st.builds(called, st.sampled_from(SCRAPERS), ticks, st.sampled_from(Outcome), targets, ids)
    made = st.builds(decided, NAMES, ticks, st.sampled_from(Action), rules, targets)
    return History(*(tuple(draw(st.lists(one, max_size=8))) for one in (execution, call, made)))


def planned(config, day, schedule, assumptions=()):
    start, end = config.day_bounds(day)
    return list(plan(config, start, end, schedule, History(), assumptions))


@CHECKED
@given(slates(), configs(), ASSUMPTIONS)
def test_runs_keep_the_frequency_and_stay_inside_the_window(slate, config, assumptions):
    day, schedule = slate
    rule = config.workflows["betting_lines"].schedule
    decisions = planned(config, day, schedule, assumptions)
    collected_at = None
    for d in (d for d in decisions if d.workflow == "betting_lines"):
        if d.action is not Action.RUN:
            continue
        games = schedule.on(d.target_date)
        assert rule.business_hours.start * 60 <= d.tick.hour * 60 + d.tick.minute <= rule.business_hours.end * 60
        assert rule.window_before_game_hours - hours_between(d.tick, games[0].tip) >= -1e-9
        assert d.tick < games[-1].tip
        assert set(d.games) == set(games)
        brought = not any(a.scraper in d.scrapers for a in assumptions)
        if brought and collected_at is not None:
            assert hours_between(collected_at, d.tick) >= rule.frequency_hours
        collected_at = d.tick if brought else collected_at


@CHECKED
@given(slates(), configs(), ASSUMPTIONS)
def test_attempts_keep_the_daily_limit_and_the_interval(slate, config, assumptions):
    day, schedule = slate
    rule = config.workflows["injury_discovery"].schedule
    found = planned(config, day, schedule, assumptions)
    ticks = [d.tick for d in found if d.workflow == "injury_discovery" and d.action is Action.RUN]
    assert len(ticks) <= rule.max_attempts_per_day
    assert all(hours_between(a, b) >= rule.retry_interval_hours for a, b in itertools.pairwise(ticks))
    assert all(tick.hour >= rule.first_hour for tick in ticks)


@CHECKED
@given(slates(), ASSUMPTIONS)
def test_each_window_targets_every_begun_game_until_the_game_is_collected(slate, assumptions):
    day, schedule = slate
    box, whole = "nbac_team_boxscore", ("nbac_player_boxscore",)
    collected, last = set(), {}
    for d in planned(ours(), day, schedule, assumptions):
        if not d.workflow.startswith("post_game") or d.action is not Action.RUN:
            continue
        games = schedule.on(d.target_date)
        fixed = ours().workflows[d.workflow].schedule.fixed_time
        assert abs(hours_between(nearest(d.tick, fixed), d.tick)) <= 0.5
        assert d.target_date == day
        assert all(g.begins <= d.tick for g in d.games)
        if d.workflow != "post_game_window_3":
            begun = {g for g in games if g.begins <= d.tick}
            lacks_whole = {g for g in begun if any(last.get(s) is None or last[s] < g.due for s in whole)}
            assert set(d.games) == (begun - collected or lacks_whole)
        if not any(a.scraper == box and _applies(a, d.tick) for a in assumptions):
            collected |= {g for g in d.games if d.tick >= g.due}
        last |= {s: d.tick for s in whole if not any(a.scraper == s and _applies(a, d.tick) for a in assumptions)}


def _applies(assumption, tick):
    return tick.time() >= assumption.start and (assumption.until is None or tick.time() < assumption.until)


@st.composite
def cases(draw):
    day, schedule = draw(slates())
    minutes = draw(st.integers(0, 30 * 60))
    tick = datetime.combine(day, time(0), tzinfo=UTC) + timedelta(hours=4, minutes=minutes)
    refreshed = draw(st.sampled_from([schedule.refreshed_at, None, schedule.refreshed_at - timedelta(days=3)]))
    return draw(NAMES), tick, replace(schedule, refreshed_at=refreshed), draw(histories(day))


@pytest.mark.lesson("K9")
@settings(max_examples=examples(100), deadline=None)
@given(cases())
def test_every_case_has_one_decision_with_a_reason(case):
    name, tick, schedule, past = case
    found = decide(name, ours(), tick, schedule, past)
    assert found.reason
    assert found.next_check_time > tick
    assert (found.action is Action.RUN) == bool(found.scrapers)
    assert decide(name, ours(), tick, schedule, past) == found
    assert found.to_dict()["tick"] == et(tick).isoformat()
    if found.action is Action.ABORT:
        assert found.alert_level.value in ("WARNING", "CRITICAL")


@CHECKED
@given(slates())
def test_a_waiting_workflow_does_not_run_before_its_next_check_time(slate):
    day, schedule = slate
    decisions = planned(ours(), day, schedule)
    for name in ours().workflows:
        mine = [d for d in decisions if d.workflow == name]
        for before, after in itertools.pairwise(mine):
            waiting = before.action is Action.SKIP and before.rule in ("before_opening", "too_soon", "fresh", "not_due")
            if waiting and after.tick < before.next_check_time:
                assert after.action is Action.SKIP, (name, before.reason, after.reason)
