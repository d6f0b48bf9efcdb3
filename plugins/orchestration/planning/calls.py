"""The calls of a RUN: one for every game, team or event, or a single one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from orchestration.config.model import Config
from orchestration.config.scrapers import event_source_of, fan_out_of
from orchestration.config.templates import Item
from orchestration.config.workflows import Step
from orchestration.decisions.model import Decision
from orchestration.nba.teams import TEAMS
from orchestration.words import FanOut


@dataclass(frozen=True, slots=True)
class PlannedCall:
    """A call that a RUN will make. ``per_event_of``: one for each event of that scraper, known only then."""

    scraper: str
    step: str
    item: Item
    per_event_of: str | None = None

    @property
    def label(self) -> str:
        """For people: ``nbac_play_by_play 0022500123 LAL@BOS``."""
        what = f"each event of {self.per_event_of}" if self.per_event_of else self.item.label
        return f"{self.scraper} {what}".rstrip()


def divided(items: Sequence[Any], size: int) -> list[list[Any]]:
    """Return ``items`` in lists of ``size``, in their order; the last one may be shorter."""
    return [list(items[start : start + size]) for start in range(0, len(items), size)]


def needs_of(config: Config, workflow: str, scraper: str) -> tuple[str, ...]:
    """Return the scrapers of a workflow's plan whose calls must have succeeded before ``scraper`` is called."""
    plan, model = config.workflows[workflow].execution_plan, config.scrapers[scraper]
    step = next(step for step in plan.steps.values() if scraper in step.scrapers)
    events = (event_source_of(model),) if fan_out_of(scraper, model) is FanOut.EVENT else ()
    return tuple(n for n in dict.fromkeys((*step.depends_on, *model.depends_on, *events)) if n in plan.scrapers)


def in_order(config: Config, workflow: str, step: Step) -> list[str]:
    """Return the scrapers of a step as they stand there, but each after those that it depends on."""
    waits = {
        scraper: [n for n in needs_of(config, workflow, scraper) if n in step.scrapers] for scraper in step.scrapers
    }
    found: list[str] = []
    while len(found) < len(waits):
        found.append(next(s for s, needs in waits.items() if s not in found and set(needs) <= set(found)))
    return found


def planned_calls(config: Config, decision: Decision) -> Iterator[PlannedCall]:
    """Yield the calls of a RUN, in the order of its plan; in a step what others depend on comes first."""
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
