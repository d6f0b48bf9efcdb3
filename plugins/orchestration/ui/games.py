"""The slate's games against the scrapers that must have them. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime

from orchestration.config.model import Config
from orchestration.decisions.collected import lacking, successes_of
from orchestration.health.data import night_is_over, wanted
from orchestration.health.facts import CallFact, DayFacts
from orchestration.nba.games import Game
from orchestration.ui.model import GameRow, GameState
from orchestration.words import Outcome

STATUS = {1: "scheduled", 2: "live", 3: "final"}
_ENDED = {Outcome.FAILED: GameState.FAILED, Outcome.NO_DATA: GameState.NO_DATA}


def scrapers_of(config: Config, facts: DayFacts) -> tuple[str, ...]:
    """Return the scrapers that must have the day's games: the columns."""
    return wanted(config, facts, critical_only=False)


def games_of(config: Config, facts: DayFacts, now: datetime) -> tuple[GameRow, ...]:
    """Return a row for each game that counts, by tip, unknown tips last."""
    scrapers = scrapers_of(config, facts)
    successes = successes_of(facts.calls)
    calls = _last_calls(facts)
    last = facts.last_cleanup
    waiting = {(file.scraper, file.gcs_path) for file in last.waiting} if last else set()
    over = night_is_over(config, facts, now)
    rows = []
    for game in facts.schedule.on(facts.day):
        lacks = lacking(config, scrapers, game, successes)
        states = tuple(_state(game, scraper, scraper in lacks, calls, waiting, now, over=over) for scraper in scrapers)
        rows.append(GameRow(game, game.status_text or STATUS.get(game.status, ""), states))
    return tuple(rows)


def _last_calls(facts: DayFacts) -> Mapping[tuple[str, str | date], CallFact]:
    """The last call of each scraper for each game, or for each date where it is called for nothing in particular."""
    found: dict[tuple[str, str | date], CallFact] = {}
    for call in sorted(facts.calls, key=lambda call: (call.tick, call.try_number)):
        found[call.scraper, call.game_id or call.target_date] = call
    return found


def _state(
    game: Game,
    scraper: str,
    lacks: bool,
    calls: Mapping[tuple[str, str | date], CallFact],
    waiting: set[tuple[str, str]],
    now: datetime,
    *,
    over: bool,
) -> GameState:
    call = calls.get((scraper, game.game_id)) or calls.get((scraper, game.date))
    if not lacks:
        on_its_way = call is not None and (scraper, call.gcs_path) in waiting
        return GameState.ON_ITS_WAY if on_its_way else GameState.COLLECTED
    if now < game.due:
        return GameState.NOT_DUE
    if call is None or call.tick < game.begins:
        return GameState.MISSING if over else GameState.DUE
    return _ENDED.get(call.outcome, GameState.MISSING)
