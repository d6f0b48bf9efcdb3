"""What a plan assumes of the calls that would not simply succeed (``plan --assume FILE``)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import time
from typing import Annotated

from pydantic import Field, TypeAdapter, ValidationError

from orchestration.config.base import Strict, WallTime
from orchestration.config.errors import ConfigError
from orchestration.config.source import parse
from orchestration.decisions.model import Decision
from orchestration.nba.eastern import et
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


def assumed_outcome(assumptions: Sequence[Assumption], decision: Decision, scraper: str) -> Outcome | None:
    """Return the outcome of the first assumption that speaks of this call, or None."""
    wall = et(decision.tick).time()
    for one in assumptions:
        if one.scraper not in (None, scraper) or one.workflow not in (None, decision.workflow):
            continue
        if wall >= one.start and (one.until is None or wall < one.until):
            return one.outcome
    return None
