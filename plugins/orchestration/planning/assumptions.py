"""What a plan assumes of the calls that would not simply succeed (``plan --assume FILE``)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import time
from typing import Annotated

from pydantic import Field, TypeAdapter, ValidationError

from orchestration.config.base import Strict, WallTime
from orchestration.config.errors import ConfigError
from orchestration.config.model import Config
from orchestration.config.source import parse
from orchestration.decisions.model import Decision
from orchestration.nba.eastern import et
from orchestration.planning.calls import PlannedCall, needs_of, planned_calls
from orchestration.words import Outcome


class Assumption(Strict):
    """Calls of ``scraper`` or of ``workflow`` (or of both), at ticks from ``from`` to before ``until`` (ET), end so."""

    scraper: str | None = None
    workflow: str | None = None
    start: Annotated[WallTime, Field(alias="from")] = time(0)
    until: WallTime | None = None
    outcome: Outcome


def read_assumptions(text: bytes, name: str) -> list[Assumption]:
    """Return the assumptions of a YAML or JSON list. Raises ConfigError with the place of what is wrong."""
    source = parse(text, name)
    try:
        return TypeAdapter(list[Assumption]).validate_python(source.data)
    except ValidationError as error:
        raise ConfigError(name, [source.problem(e["loc"], e["msg"]) for e in error.errors()]) from None


def _assumed(assumptions: Sequence[Assumption], decision: Decision, scraper: str) -> Outcome | None:
    """Return the outcome of the first assumption that speaks of this call, or None."""
    wall = et(decision.tick).time()
    for one in assumptions:
        if one.scraper not in (None, scraper) or one.workflow not in (None, decision.workflow):
            continue
        if wall >= one.start and (one.until is None or wall < one.until):
            return one.outcome
    return None


def assumed_calls(
    config: Config, decision: Decision, assumptions: Sequence[Assumption]
) -> list[tuple[PlannedCall, Outcome | None]]:
    """Return the calls of a RUN in the order in which they are made, each with the outcome that is assumed of it.

    None: it is not made, since a call that it depends on failed or was not made itself. Without an assumption a call
    succeeds, once the game that it is for is due. Where a source of events brings none, no call is made for any.
    """
    calls: list[tuple[PlannedCall, Outcome | None]] = []
    lost: set[str] = set()
    empty: set[str] = set()
    needs = {scraper: needs_of(config, decision.workflow, scraper) for scraper in decision.scrapers}
    for call in planned_calls(config, decision):
        game = call.item.game
        usual = Outcome.SUCCESS if game is None or decision.tick >= game.due else Outcome.NO_DATA
        if lost.intersection(needs[call.scraper]):
            calls.append((call, None))
            lost.add(call.scraper)
        elif call.per_event_of not in empty:
            outcome = _assumed(assumptions, decision, call.scraper) or usual
            calls.append((call, outcome))
            lost |= {call.scraper} if outcome is Outcome.FAILED else set()
            empty |= {call.scraper} if outcome is Outcome.NO_DATA else set()
    return calls
