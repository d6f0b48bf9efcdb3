"""``check-scraper``: one real call, and what we read from its answer. Records nothing."""

from __future__ import annotations

import json
import sys
from contextlib import redirect_stdout
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Any

from orchestration.config import Config, load
from orchestration.nba.eastern import et, et_date
from orchestration.nba.games import Game
from orchestration.nba.teams import TEAMS
from orchestration.services.answers import CallResult
from orchestration.services.errors import in_short
from orchestration.services.redaction import without_secrets
from orchestration.vocabulary.scrapers import answer_of, event_source_of, fan_out_of, is_event_source, parameters_of
from orchestration.vocabulary.templates import Item, render
from orchestration.words import FanOut, Outcome, did_you_mean

WORKFLOW = "check-scraper"
"""What the service is told to be called for."""
USAGE = 2


@dataclass(frozen=True)
class Asked:
    """What the caller wants instead of the first game, today, or the event source's first event."""

    game: str | None = None
    day: date | None = None
    event: str | None = None


class _CannotAsk(Exception):
    """The call cannot be made: what it needs is not there."""


def run_check_scraper(name: str, asked: Asked, *, as_json: bool) -> int:
    """Print what was read. Returns 0 for an answer that reads as described, 1 for any other, 2 for an unknown name."""
    config = load().config
    if name not in config.scrapers:
        print(f"check-scraper: no scraper is named `{name}`{did_you_mean(name, config.scrapers)}", file=sys.stderr)
        return USAGE
    now = et(datetime.now(UTC))
    parameters: dict[str, Any] = {}
    result, problem = None, None
    try:
        # Airflow's hooks log to standard output, which is the answer's.
        with redirect_stdout(sys.stderr):
            item = _item(config, name, asked, now)
            parameters = _parameters(config, name, item, asked, now)
            result = _call(config, name, parameters)
    except _CannotAsk as error:
        problem = str(error)
    except Exception as error:
        # Nothing is known of what a connection, a warehouse or a service can do; all of it is this command's answer.
        problem = in_short(error)
    if result is not None and result.outcome is Outcome.FAILED:
        problem = f"{result.error_type}: {result.error_message}"
    seen = {
        "outcome": result.outcome.value if result else None,
        "records": result.record_count if result else None,
        "file": result.gcs_path if result else None,
        "event_ids": list(result.event_ids) if result else [],
        "problem": problem,
    }
    if as_json:
        print(json.dumps(seen))
    else:
        print(f"{name}, with {json.dumps(without_secrets(parameters), default=str)}")
        for key, value in seen.items():
            shown = ", ".join(value) if isinstance(value, list) else value
            print(f"  {key:10}{'-' if shown in (None, '') else shown}")
    return 0 if problem is None else 1


def _call(config: Config, name: str, parameters: dict[str, Any]) -> CallResult:
    from orchestration.services.scraper_service import ScraperService

    return ScraperService(config.settings.endpoint).call(
        name,
        parameters,
        WORKFLOW,
        config.timeout_seconds(name),
        answer_of(name, config.scrapers[name]),
        event_source=is_event_source(name, config.scrapers),
    )


def _parameters(config: Config, name: str, item: Item, asked: Asked, now: datetime) -> dict[str, Any]:
    day = asked.day or (item.game.date if item.game else et_date(now))
    return render(parameters_of(name, config.scrapers[name]), target_date=day, now=now, item=item)


def _item(config: Config, name: str, asked: Asked, now: datetime) -> Item:
    """Return what the scraper is called for. Raises _CannotAsk when there is nothing."""
    match fan_out_of(name, config.scrapers[name]):
        case FanOut.GAME:
            return Item(game=_game(config, asked, now))
        case FanOut.TEAM:
            return Item(team=TEAMS[0])
        case FanOut.EVENT:
            return Item(event_id=asked.event or _event(config, name, asked, now))
        case FanOut.NOTHING:
            return Item()


def _event(config: Config, name: str, asked: Asked, now: datetime) -> str:
    source = event_source_of(config.scrapers[name])
    if source not in config.scrapers:
        raise _CannotAsk(f"no scraper is named {source}, which would name the events; give one with --event")
    item = _item(config, source, replace(asked, event=None), now)
    result = _call(config, source, _parameters(config, source, item, asked, now))
    if not result.event_ids:
        why = result.error_message or f"{result.record_count} records"
        raise _CannotAsk(f"{source} names no event ({result.outcome}: {why}); give one with --event")
    return result.event_ids[0]


def _game(config: Config, asked: Asked, now: datetime) -> Game:
    """Return the game asked for, else the first one of the day, else of the nearest day: rather a past one."""
    from orchestration.audit.inputs import decision_inputs
    from orchestration.audit.warehouse import Warehouse, WarehouseError

    day = asked.day or et_date(now)
    try:
        schedule, _ = decision_inputs(Warehouse(), config, list(config.workflows)[:1], now, about=day)
    except WarehouseError as error:
        raise _CannotAsk(f"the schedule, which has the games, cannot be read: {error}") from error
    games = [game for game in schedule.games if asked.game in (None, game.game_id)]
    if asked.day is not None:
        games = [game for game in games if game.date == asked.day]
    if not games:
        which = f"no game {asked.game}" if asked.game else "no game"
        where = f"on {asked.day}" if asked.day else f"around {day}; give its date with --date"
        raise _CannotAsk(f"the schedule has {which} {where}")
    return min(games, key=lambda game: (abs(game.date - day), game.date, game.tip, game.game_id))
