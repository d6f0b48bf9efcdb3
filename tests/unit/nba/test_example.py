"""The example season that comes with the package."""

from dataclasses import replace

from orchestration.nba.document import EXAMPLE_FILE, example_season, read_document
from orchestration.nba.games import COUNTED_BY_DEFAULT
from support.seasons import GAMES, LAST, NOON_DAYS, OPENING, REST_DAYS, document


def test_the_example_season_is_a_whole_season():
    season = example_season()
    assert season.reach == (OPENING, LAST)
    assert sum(not game.postponed for game in season.games) == GAMES
    assert sum(game.postponed for game in season.games) == 3
    assert not any(season.on(day) for day in REST_DAYS)
    assert all(season.on(day)[0].tip.hour == 12 for day in NOON_DAYS)
    assert all(game.type in COUNTED_BY_DEFAULT for game in season.games)


def without_text(game):
    return replace(game, status_text="PPD" if game.postponed else "")


def test_the_example_season_equals_the_test_season_and_is_under_50_kb():
    assert example_season().games == tuple(map(without_text, read_document(document()).games))
    assert EXAMPLE_FILE.stat().st_size < 50_000
