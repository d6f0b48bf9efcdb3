"""What a person asked of one run: the parameters of a manual trigger. Pure; what makes no sense is refused."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from orchestration.config.errors import did_you_mean
from orchestration.config.model import Config
from orchestration.decisions.model import Decision
from orchestration.nba.games import GameType, Schedule, canonical_game_id
from orchestration.words import Action


class RequestRefused(Exception):
    """The parameters contradict each other or name what does not exist. Its text says what and what to do."""


@dataclass(frozen=True)
class Request:
    """The parameters of a run. Without any it is the rule's own decision."""

    force: bool = False
    dry_run: bool = False
    target_date: date | None = None
    games: tuple[str, ...] = ()
    scrapers: tuple[str, ...] = ()
    reason: str | None = None

    @classmethod
    def of(cls, params: Mapping[str, Any], config: Config, workflow: str) -> Request:
        """Return the request of a run's parameters. Raises RequestRefused with everything that is wrong with them."""
        problems = []
        target_date, games = None, []
        if text := params.get("target_date"):
            try:
                target_date = date.fromisoformat(str(text))
            except ValueError:
                problems.append(f"target_date {text!r} is no date; write 2026-01-14")
            if not params.get("force"):
                problems.append("target_date needs force: the rule decides only about its own date")
        for game in params.get("games") or ():
            try:
                games.append(canonical_game_id(game))
            except ValueError as error:
                problems.append(str(error))
        plan = config.workflows[workflow].execution_plan.scrapers
        scrapers = tuple(params.get("scrapers") or ())
        for scraper in scrapers:
            if scraper not in plan:
                problems.append(
                    f"{workflow} does not call {scraper!r}{did_you_mean(scraper, plan)}; it calls {', '.join(plan)}"
                )
        if problems:
            raise RequestRefused("This run was asked for something that makes no sense: " + "; ".join(problems))
        return cls(
            bool(params.get("force")),
            bool(params.get("dry_run")),
            target_date,
            tuple(games),
            scrapers,
            params.get("reason") or None,
        )

    def check_games(self, schedule: Schedule, day: date, config: Config, workflow: str) -> None:
        """Raise RequestRefused when what was asked for is about games that are not played on the ET date ``day``."""
        played = {game.game_id for game in schedule.on(day, GameType)}
        if self.force and not played and config.per_game_scrapers(workflow):
            raise RequestRefused(
                f"No game is played on {day}, so {workflow} has nothing to call; give another target_date"
            )
        if missing := [game for game in self.games if game not in played]:
            raise RequestRefused(
                f"This run was asked for games that are not played on {day}: {', '.join(missing)}. "
                "Give their date as target_date, with force"
            )

    def narrow(self, decision: Decision) -> Decision:
        """Return the decision with only the games and scrapers that were asked for."""
        if decision.action is not Action.RUN:
            return decision
        if self.games:
            decision = replace(decision, games=tuple(g for g in decision.games if g.game_id in self.games))
        if self.scrapers:
            decision = replace(decision, scrapers=tuple(s for s in decision.scrapers if s in self.scrapers))
        return decision
