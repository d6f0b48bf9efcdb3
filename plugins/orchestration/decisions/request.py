"""The parameters of a manual trigger: one model makes the form in Airflow's UI and refuses what is wrong. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date, datetime
from typing import Annotated, Any

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, WrapValidator
from pydantic_core import ErrorDetails

from orchestration.decisions.model import Decision
from orchestration.errors import UserError
from orchestration.nba.eastern import require_aware
from orchestration.nba.games import GameType, Schedule, canonical_game_id
from orchestration.vocabulary.model import Config
from orchestration.words import Action, clipped, did_you_mean


class RequestRefused(UserError):
    """The parameters contradict each other or name something unknown. The text says what is wrong and what to do."""


FIRST_YEAR, LAST_YEAR = 1946, 2200
MOST_DAYS = 14


def _or(message: str) -> WrapValidator:
    """Replace pydantic's message by ``message``."""

    def check(value: Any, inner: Callable[[Any], Any]) -> Any:
        try:
            return inner(value)
        except ValueError:
            raise ValueError(message) from None

    return WrapValidator(check)


def _date(value: Any) -> date:
    if not isinstance(value, str) or not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", value):
        raise ValueError
    return _plausible(date.fromisoformat(value))


def _moment(value: Any) -> datetime:
    moment = require_aware(datetime.fromisoformat(value if isinstance(value, str) else ""))
    _plausible(moment.date())
    return moment


def _plausible(day: date) -> date:
    if not FIRST_YEAR <= day.year <= LAST_YEAR:
        raise ValueError
    return day


def _ids(value: Any) -> Any:
    if not isinstance(value, list | tuple) or not all(type(one) in (str, int) for one in value):
        raise ValueError('must be a list of game ids, for example ["0022500123"]')
    return value


Flag = Annotated[bool, Field(strict=True), _or("must be true or false")]
Count = Annotated[int, Field(strict=True, ge=1, le=MOST_DAYS), _or(f"must be a whole number from 1 to {MOST_DAYS}")]
Text = Annotated[str, _or("must be a text")]
Texts = Annotated[tuple[str, ...], _or('must be a list of texts, for example ["one", "two"]')]
GameIds = Annotated[tuple[Annotated[str, BeforeValidator(canonical_game_id)], ...], BeforeValidator(_ids)]
Day = Annotated[
    date,
    BeforeValidator(_date),
    _or("is not a date; write YYYY-MM-DD, for example 2026-01-14"),
]
Moment = Annotated[
    AwareDatetime,
    BeforeValidator(_moment),
    _or("is not a time with a zone; write one, for example 2026-01-14T19:00-05:00"),
]
AsOf = Annotated[
    Moment | None,
    Field(description="Replay: decide and record as of this moment (with its zone)."),
]


class Parameters(BaseModel):
    """The parameters of one kind of run. A parameter that is null counts as not given."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    @classmethod
    def form(cls, **defaults: Any) -> dict[str, dict[str, Any]]:
        """Return the arguments of Airflow's ``Param`` for each parameter: default, description and JSON schema.

        ``defaults`` replaces defaults of the model. A parameter without a default may stay empty in the form.
        """
        found: dict[str, dict[str, Any]] = {}
        for name, schema in cls.model_json_schema()["properties"].items():
            kind = schema.pop("anyOf", [schema])[0]
            default = defaults.get(name, None if schema["default"] == [] else schema["default"])
            shape = {key: value for key, value in {**schema, **kind}.items() if key not in ("title", "items")}
            found[name] = {**shape, "default": default, **({"type": ["null", kind["type"]]} if default is None else {})}
        return found

    @classmethod
    def problems(cls, asked: Mapping[str, Any]) -> list[str]:
        """Return every problem of the parameters ``asked``: unknown names, and values of a wrong type."""
        try:
            cls.model_validate(cls._given(asked))
        except ValidationError as error:
            return [cls._in_words(details) for details in error.errors()]
        return []

    @classmethod
    def check(cls, asked: Mapping[str, Any]) -> None:
        """Raise RequestRefused with every problem of the parameters ``asked``."""
        _refuse(cls.problems(asked))

    @classmethod
    def _given(cls, asked: Mapping[str, Any]) -> dict[str, Any]:
        return {key: value for key, value in asked.items() if value is not None or key not in cls.model_fields}

    @classmethod
    def _in_words(cls, details: ErrorDetails) -> str:
        key, *inside = map(str, details["loc"])
        message = details["msg"].removeprefix("Value error, ")
        if details["type"] == "extra_forbidden":
            near, known = did_you_mean(key, cls.model_fields), ", ".join(cls.model_fields)
            return f"no parameter is named {clipped(key)!r}{near}; the parameters are {known}"
        return f"{key}: {message}" if inside else f"{key} {clipped(repr(details['input']))} {message}"


def _refuse(problems: list[str]) -> None:
    if problems:
        raise RequestRefused(f"The parameters of this run are refused: {'; '.join(problems)}")


class CleanupRequest(Parameters):
    """The parameters of a run of the cleanup."""

    give_up: Texts = Field((), description="Files that need not arrive: paths, or a scraper for all its open files.")
    as_of: AsOf = None


class LockRequest(Parameters):
    """The parameters of a run of the schedule locker."""

    force: Flag = Field(False, description="Replace the first lock of the day.")
    as_of: AsOf = None


class ReconcileRequest(Parameters):
    """The parameters of a run of reconcile. The form shows the defaults of the settings."""

    days: Count | None = Field(None, description="Days to look back.")
    max_runs: Count | None = Field(None, description="The most runs to start.")
    as_of: AsOf = None


class Request(Parameters):
    """The parameters of a run of a workflow. Without parameters, the rule decides."""

    force: Flag = Field(False, description="RUN, whatever the rule decides.")
    dry_run: Flag = Field(False, description="Decide and record only; call no scraper.")
    target_date: Day | None = Field(None, description="With force: the ET date of the data.")
    games: GameIds = Field((), description="Only these games (10-digit ids).")
    scrapers: Texts = Field((), description="Only these scrapers of the plan.")
    reason: Text | None = Field(None, description="With force: the reason. It is kept with the decision.")
    as_of: AsOf = None

    @classmethod
    def of(cls, asked: Mapping[str, Any], config: Config, workflow: str) -> Request:
        """Return the request of a run's parameters. Raises RequestRefused with every problem of them."""
        problems = cls.problems(asked)
        if asked.get("target_date") and not asked.get("force"):
            problems.append("target_date needs force: without force, the rule chooses the date")
        plan = config.workflows[workflow].execution_plan.scrapers
        named = asked.get("scrapers")
        for scraper in named if isinstance(named, list | tuple) else ():
            if isinstance(scraper, str) and scraper not in plan:
                near = did_you_mean(scraper, plan)
                problems.append(f"{workflow} does not call {scraper!r}{near}; it calls {', '.join(plan)}")
        _refuse(problems)
        return cls.model_validate(cls._given(asked))

    def check_games(self, schedule: Schedule, day: date, config: Config, workflow: str) -> None:
        """Raise RequestRefused if the request names games that are not played on the ET date ``day``."""
        played = {game.game_id for game in schedule.on(day, GameType)}
        if self.force and not played and config.per_game_scrapers(workflow):
            raise RequestRefused(
                f"No game is played on {day}, so {workflow} has nothing to call. Give another target_date"
            )
        if missing := [game for game in self.games if game not in played]:
            raise RequestRefused(
                f"These games are not played on {day}: {', '.join(missing)}. Give their date as target_date, with force"
            )

    def narrow(self, decision: Decision) -> Decision:
        """Return the decision with only the requested games and scrapers."""
        if decision.action is not Action.RUN:
            return decision
        if self.games:
            decision = replace(decision, games=tuple(g for g in decision.games if g.game_id in self.games))
        if self.scrapers:
            decision = replace(decision, scrapers=tuple(s for s in decision.scrapers if s in self.scrapers))
        return decision
