"""Days that go well: nothing is raised at any moment of any day, by the check, the watchdog or an alert.

2 % of the calls fail at first, 3 % of the messages are lost, and the records of the answers scatter. In the noisy
season 5 % of the tries fail, each by itself: what is raised there is about a call whose retries failed too. The drills
play a whole season, with all that is in it, and 200 noisy days.
"""

from datetime import date, time, timedelta
from functools import lru_cache

import pytest

from orchestration.health.verdict import assess
from orchestration.nba.eastern import at
from orchestration.nba.games import GameType, type_of
from orchestration.words import Outcome
from support.quiet_season import QuietSeason
from support.seasons import LAST, OPENING, REST_DAYS, Fate, HardSeason, Said, hard_season
from support.worlds import ours

SPRING_FORWARD, FALL_BACK = date(2026, 3, 8), date(2025, 11, 2)
ALL_STAR, DOUBLE = date(2026, 2, 15), date(2026, 3, 7)
SPANS = [
    pytest.param(SPRING_FORWARD - timedelta(days=3), SPRING_FORWARD + timedelta(days=2), id="a week"),
    pytest.param(OPENING, LAST + timedelta(days=45), id="a season", marks=pytest.mark.drill),
]
NOISY_SPANS = [
    pytest.param(SPRING_FORWARD - timedelta(days=3), SPRING_FORWARD + timedelta(days=2), id="a week"),
    pytest.param(OPENING - timedelta(days=20), OPENING + timedelta(days=180), id="200 days", marks=pytest.mark.drill),
]
WEEK = timedelta(days=7)
OF_A_FAILED_CALL = ("execution_failed", "execution_partial", "source_failing", "games_incomplete")


@lru_cache
def season():
    """The hard season without tips after midnight, with an All-Star game and a day on which two teams play twice."""
    fates = [fate for fate in hard_season().fates if fate.tip is None or fate.tip.hour >= 6]
    long_before = at(OPENING, time(0)) - timedelta(days=30)
    for game_id, day, wall, home, away in (
        ("0032500001", ALL_STAR, time(20), "EAS", "WES"),
        ("0022591001", DOUBLE, time(12), "BOS", "LAL"),
        ("0022591002", DOUBLE, time(20), "BOS", "LAL"),
    ):
        fates.append(Fate(game_id, home, away, [Said(long_before, day, wall)], at(day, wall), day))
    return HardSeason(fates)


def test_the_season_has_every_kind_of_day():
    fates = season().fates
    assert {type_of(fate.game_id) for fate in fates} >= {GameType.ALL_STAR, GameType.PLAY_IN, GameType.PLAYOFFS}
    days = {fate.day for fate in fates if fate.tip is not None}
    assert {FALL_BACK, SPRING_FORWARD, DOUBLE} <= days
    assert len(REST_DAYS - days) >= 8
    assert sum(fate.tip is not None and fate.tip.hour == 12 for fate in fates) >= 4
    assert sum(len({said.day for said in fate.said}) > 1 for fate in fates) > 25  # postponed


def raised_in(played, first, last):
    """Yield what the check finds at each moment of some days, with the day.

    Of more than a week it yields every seventh moment, which is another one each day.
    """
    day, every = first, 1 if last - first < WEEK else 7
    while day <= last:
        moments = played.play(day)
        for now in (now for number, now in enumerate(moments, day.toordinal()) if number % every == 0):
            for seen in sorted({day, max(first, day - timedelta(days=1))}):
                yield now, seen, assess(ours(), played.facts(seen, now), now).findings
        day += timedelta(days=1)


@pytest.mark.lesson("K11")
@pytest.mark.parametrize(("first", "last"), SPANS)
def test_healthy_days_raise_nothing(first, last):
    played = QuietSeason(season())
    looks = list(raised_in(played, first, last))
    raised = [(f"{now:%d %b %H:%M}", seen, finding.text) for now, seen, found in looks for finding in found]
    assert (raised, played.alerts) == ([], [])
    assert len(looks) > 8 * (last - first).days
    assert sum(call.status is Outcome.FAILED for call in played.calls) > 0
    assert sum(cleanup.missing_files_found for cleanup in played.cleanups) > 0


@pytest.mark.lesson("K11")
@pytest.mark.parametrize(("first", "last"), NOISY_SPANS)
def test_noisy_days_raise_only_what_is_about_a_call_that_failed_for_good(first, last):
    played, false = QuietSeason(season(), noisy=True), []
    for now, seen, findings in raised_in(played, first, last):
        start, end = ours().day_bounds(seen)
        lost = {workflow for workflow, tick in played.lost if start <= tick < end and tick <= now}
        false += [
            (f"{now:%d %b %H:%M}", seen, finding.text)
            for finding in findings
            if not lost or finding.kind not in OF_A_FAILED_CALL
        ]
    told = [(at, text) for at, text in played.alerts if text.partition(":")[0] not in {name for name, _ in played.lost}]
    assert (false, told) == ([], [])
    assert sum(call.status is Outcome.FAILED for call in played.calls) > 0
