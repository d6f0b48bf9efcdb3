"""The calls of a RUN, and the outcomes that a plan assumes for them (``plan --assume FILE``). Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import time
from typing import Annotated, Any

from pydantic import Field, TypeAdapter, ValidationError

from orchestration.config import Config, ConfigError
from orchestration.decisions.model import Decision
from orchestration.nba.eastern import et
from orchestration.nba.league import TEAMS
from orchestration.records.tables import CallRecord
from orchestration.vocabulary.base import Strict, WallTime
from orchestration.vocabulary.scrapers import event_source_of, fan_out_of
from orchestration.vocabulary.source import parse
from orchestration.vocabulary.templates import Item
from orchestration.vocabulary.workflows import Step
from orchestration.words import FanOut, Outcome


@dataclass(frozen=True, slots=True)
class PlannedCall:
    """A call that a RUN will make. ``per_event_of``: the scraper that finds events; each event gets one such call."""

    scraper: str
    step: str
    item: Item
    per_event_of: str | None = None

    @property
    def label(self) -> str:
        """The call in words: ``nbac_play_by_play 0022500123 LAL@BOS``."""
        what = f"each event of {self.per_event_of}" if self.per_event_of else self.item.label
        return f"{self.scraper} {what}".rstrip()

    def record(self, decision: Decision, outcome: Outcome) -> CallRecord:
        """Return the record of this call of a RUN, with its assumed outcome."""
        return CallRecord.known(
            scraper_name=self.scraper,
            workflow=decision.workflow,
            slot_time=decision.tick,
            target_date=decision.target_date,
            status=outcome,
            game_id=self.item.game.game_id if self.item.game else None,
            label=self.label,
        )


def divided(items: Sequence[Any], size: int) -> list[list[Any]]:
    """Return ``items`` in lists of ``size``, in order; the last list may be shorter."""
    return [list(items[start : start + size]) for start in range(0, len(items), size)]


def needs_of(config: Config, workflow: str, scraper: str) -> tuple[str, ...]:
    """Return the scrapers of a workflow's plan whose calls must have succeeded before ``scraper`` is called."""
    plan, model = config.workflows[workflow].execution_plan, config.scrapers[scraper]
    step = next(step for step in plan.steps.values() if scraper in step.scrapers)
    events = (event_source_of(model),) if fan_out_of(scraper, model) is FanOut.EVENT else ()
    return tuple(n for n in dict.fromkeys((*step.depends_on, *model.depends_on, *events)) if n in plan.scrapers)


def in_order(config: Config, workflow: str, step: Step) -> list[str]:
    """Return the scrapers of a step in the order of the file, but each after the scrapers that it depends on."""
    waits = {
        scraper: [n for n in needs_of(config, workflow, scraper) if n in step.scrapers] for scraper in step.scrapers
    }
    found: list[str] = []
    while len(found) < len(waits):
        found.append(next(s for s, needs in waits.items() if s not in found and set(needs) <= set(found)))
    return found


def planned_calls(config: Config, decision: Decision) -> Iterator[PlannedCall]:
    """Yield the calls of a RUN in the order of its plan; in a step, a scraper follows those that it depends on."""
    plan = config.workflows[decision.workflow].execution_plan
    for step_name, step in plan.steps.items():
        for scraper in in_order(config, decision.workflow, step):
            if scraper not in decision.scrapers:
                continue
            model = config.scrapers[scraper]
            match fan_out_of(scraper, model):
                case FanOut.GAME:
                    had = decision.collected.get(scraper, ())
                    games = (game for game in decision.games if game.game_id not in had)
                    yield from (PlannedCall(scraper, step_name, Item(game=game)) for game in games)
                case FanOut.TEAM:
                    yield from (PlannedCall(scraper, step_name, Item(team=team)) for team in TEAMS)
                case FanOut.EVENT:
                    yield PlannedCall(scraper, step_name, Item(), event_source_of(model))
                case FanOut.NOTHING:
                    yield PlannedCall(scraper, step_name, Item())


class Assumption(Strict):
    """An outcome for the calls of a scraper, a workflow or both, at ticks with ``from`` <= ET time < ``until``."""

    scraper: str | None = None
    workflow: str | None = None
    start: Annotated[WallTime, Field(alias="from")] = time(0)
    until: WallTime | None = None
    outcome: Outcome


def read_assumptions(text: bytes, name: str) -> list[Assumption]:
    """Return the assumptions of a YAML or JSON list. Raises ConfigError with the line and column of each mistake."""
    source = parse(text, name)
    try:
        return TypeAdapter(list[Assumption]).validate_python(source.data)
    except ValidationError as error:
        raise ConfigError(name, [source.problem(e["loc"], e["msg"]) for e in error.errors()]) from None


def _assumed(assumptions: Sequence[Assumption], decision: Decision, scraper: str) -> Outcome | None:
    """Return the outcome of the first assumption that covers this call, or None."""
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
    """Return the calls of a RUN in the order in which they are made, each with its assumed outcome.

    The outcome None means that the call is not made: a call that it depends on failed or was not made. Without an
    assumption a call succeeds, but a call for a game that is not due yet ends with ``no_data``. If an event source has
    no data, its calls per event are left out.
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
