"""What a person asked of one run: the parameters of a manual trigger. Pure; what makes no sense is refused."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from orchestration.decisions.model import Decision
from orchestration.nba.eastern import require_aware
from orchestration.nba.games import GameType, Schedule, canonical_game_id
from orchestration.vocabulary.model import Config
from orchestration.words import Action, clipped, did_you_mean


class RequestRefused(Exception):
    """The parameters contradict each other or name what does not exist. Its text says what and what to do."""


FIRST_YEAR, LAST_YEAR = 1946, 2200
MOST_DAYS = 14


def _flag(value: Any) -> str | None:
    return None if isinstance(value, bool) else "must be true or false"


def _text(value: Any) -> str | None:
    return None if isinstance(value, str) else "must be a text"


def _list(value: Any) -> str | None:
    whole = isinstance(value, list | tuple) and all(isinstance(one, str) for one in value)
    return None if whole else 'must be a list of texts, such as ["one", "two"]'


def _games(value: Any) -> str | None:
    numbers = isinstance(value, list | tuple) and all(type(one) in (str, int) for one in value)
    return None if numbers else 'must be a list of game ids, such as ["0022500123"]'


def _count(value: Any) -> str | None:
    whole = isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= MOST_DAYS
    return None if whole else f"must be a whole number from 1 to {MOST_DAYS}"


def _date(value: Any) -> str | None:
    try:
        plain = isinstance(value, str) and re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", value)
        if plain and FIRST_YEAR <= date.fromisoformat(value).year <= LAST_YEAR:
            return None
    except ValueError:
        pass
    return "is no date; write 2026-01-14"


def _moment(value: Any) -> str | None:
    try:
        if isinstance(value, str) and FIRST_YEAR <= require_aware(datetime.fromisoformat(value)).year <= LAST_YEAR:
            return None
    except ValueError:
        pass
    return "is no time with a zone, such as 2026-01-14T19:00-05:00"


Kinds = Mapping[str, Callable[[Any], str | None]]
"""What a trigger's conf may hold: each parameter, and what says what is wrong with a value of it."""
OF_WORKFLOW: Kinds = {
    "force": _flag,
    "dry_run": _flag,
    "target_date": _date,
    "games": _games,
    "scrapers": _list,
    "reason": _text,
    "as_of": _moment,
}
OF_LOCKER: Kinds = {"force": _flag, "as_of": _moment}
OF_CLEANUP: Kinds = {"as_of": _moment}
OF_RECONCILE: Kinds = {"days": _count, "max_runs": _count, "as_of": _moment}


def problems_with(asked: Mapping[str, Any], kinds: Kinds) -> Iterator[str]:
    """Yield what is wrong with what a run was asked for: parameters that there are not, and values of other kinds."""
    for key, value in asked.items():
        if key not in kinds:
            yield f"no parameter is named {clipped(key)!r}{did_you_mean(key, kinds)}; there are {', '.join(kinds)}"
        elif value is not None and (problem := kinds[key](value)):
            yield f"{key} {clipped(repr(value))} {problem}"


def check_request(asked: Mapping[str, Any], kinds: Kinds) -> None:
    """Raise RequestRefused with everything that is wrong with what a run was asked for."""
    if problems := list(problems_with(asked, kinds)):
        raise RequestRefused(_refused(problems))


def _refused(problems: list[str]) -> str:
    return "This run was asked for something that makes no sense: " + "; ".join(problems)


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
        problems = list(problems_with(params, OF_WORKFLOW))
        sound = {key: value for key, value in params.items() if not any(problems_with({key: value}, OF_WORKFLOW))}
        games = []
        if params.get("target_date") and not params.get("force"):
            problems.append("target_date needs force: the rule decides only about its own date")
        for game in sound.get("games") or ():
            try:
                games.append(canonical_game_id(game))
            except ValueError as error:
                problems.append(str(error))
        plan = config.workflows[workflow].execution_plan.scrapers
        scrapers = tuple(sound.get("scrapers") or ())
        for scraper in scrapers:
            if scraper not in plan:
                problems.append(
                    f"{workflow} does not call {scraper!r}{did_you_mean(scraper, plan)}; it calls {', '.join(plan)}"
                )
        if problems:
            raise RequestRefused(_refused(problems))
        day = params.get("target_date")
        return cls(
            bool(params.get("force")),
            bool(params.get("dry_run")),
            date.fromisoformat(day) if day else None,
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
