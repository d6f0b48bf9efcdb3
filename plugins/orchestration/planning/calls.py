"""The calls of a RUN: one for every game, team or event, or a single one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from orchestration.config.model import Config
from orchestration.config.scrapers import event_source_of, fan_out_of
from orchestration.config.templates import Item
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


def planned_calls(config: Config, decision: Decision) -> Iterator[PlannedCall]:
    """Yield the calls of a RUN, in the order of its plan."""
    plan = config.workflows[decision.workflow].execution_plan
    for step_name, step in plan.steps.items():
        for scraper in step.scrapers:
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
