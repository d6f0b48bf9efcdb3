"""The sandbox world: any date can be the game day, and a seed fixes everything. Also the demo's options and output."""

from datetime import UTC, date, datetime, timedelta

import pytest
from rich.console import Console

from orchestration.nba.games import Game
from orchestration.nba.league import BY_TRICODE
from sandbox.day import moments
from sandbox.demo import options, plain_printer
from sandbox.processes import StackError
from sandbox.world import Rates, World
from support.worlds import ours

YEAR = [date(2026, 1, 1) + timedelta(days=n) for n in range(0, 365, 7)]
CHANGES = [date(2026, 3, 8), date(2026, 11, 1), date(2027, 3, 14)]


@pytest.mark.parametrize("day", [*YEAR, *CHANGES], ids=str)
def test_any_date_has_the_requested_number_of_games(day):
    world = World(seed=3, day=day, games=15)
    slate = world.slate(day)
    assert len(slate) == 15
    assert len({g.game_id for g in world.schedule()}) == len(world.schedule())
    for one in slate:
        real = Game(one.game_id, one.code, one.day, one.tip, one.home, one.away)
        assert {real.home, real.away} <= set(BY_TRICODE)
        assert real.code.startswith(f"{day:%Y%m%d}/")
    assert len({team for one in slate for team in (one.home, one.away)}) == 30


def test_a_seed_fixes_the_world_and_another_seed_changes_it():
    moment = datetime(2026, 1, 14, 18, tzinfo=UTC)

    def seen(seed):
        world = World(seed, rates=Rates(0.3, 0.3))
        world.clock.set(moment)
        calls = [(world.fault(str(n), 1), world.loses(str(n))) for n in range(50)]
        return world.schedule(), world.published_at("injury", world.day), calls

    assert seen(1) == seen(1)
    assert seen(1) != seen(2)


def test_faults_have_the_requested_frequency():
    world = World(1, rates=Rates(0.02, 0.0))
    faults = [world.fault(str(n), 1) for n in range(5000)]
    assert 0.01 <= sum(f is not None for f in faults) / 5000 <= 0.03
    assert {f for f in faults if f} == {"error", "timeout", "rate_limited"}
    assert not any(world.loses(str(n)) for n in range(200))


@pytest.mark.parametrize("day", [date(2026, 1, 14), *CHANGES], ids=str)
def test_the_demo_plays_every_tick_of_the_day_once(day):
    timeline = moments(day)
    assert list(timeline) == sorted(timeline)
    played = [dag for dags in timeline.values() for dag in dags]
    assert played.count("schedule_locker") == 2  # the one of this day, and that of the next day at the end
    assert played.count("betting_lines") == 18
    assert played.count("post_game_window_2") == 19
    assert played.count("reconcile") == 3  # this day's at morning and noon, and that of the next morning
    assert set(played) == {*ours().workflows, "schedule_locker", "cleanup", "reconcile"}


@pytest.mark.parametrize(
    ("environment", "says"),
    [
        ({"DEMO_DATE": "tomorrow"}, "is not a date"),
        ({"DEMO_GAMES": "16"}, "1 to 15 games"),
        ({"DEMO_GAMES": "0"}, "1 to 15 games"),
        ({"DEMO_SEED": "x"}, "is not a whole number"),
    ],
)
def test_an_invalid_option_is_an_error_of_one_line(environment, says):
    with pytest.raises(StackError, match=says):
        options(environment)


def test_text_in_brackets_is_printed_unchanged(capsys):
    plain_printer(Console())("init failed: [/opt/x] is [bold]not[/] there")
    assert capsys.readouterr().out == "init failed: [/opt/x] is [bold]not[/] there\n"
