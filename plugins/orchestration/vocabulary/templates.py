"""Parameter templates: expressions in Jinja's sandbox with a fixed set of names.

A template cannot loop, call, multiply or otherwise grow beyond its own length, so it cannot hang a task or the parsing
of the DAGs.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Any

from jinja2 import StrictUndefined, TemplateError, nodes
from jinja2.meta import find_undeclared_variables
from jinja2.sandbox import ImmutableSandboxedEnvironment

from orchestration.nba.eastern import et
from orchestration.nba.games import Game
from orchestration.nba.league import TEAMS, Team, season_of
from orchestration.words import FanOut

ParameterValue = str | int | float | bool
COMMON_NAMES = ("target_date", "now", "season")
REFERENCE = re.compile(
    r"\{\{\s*(?:conn\.(?P<conn>[\w-]+)\.(?P<field>login|password|host|extra\.[\w-]+)|var\.(?P<variable>[\w-]+))\s*\}\}"
)
"""A whole parameter that is a field of an Airflow connection or an Airflow variable. Each call looks it up itself. No
row, XCom or plan has its value."""
MAX_LENGTH = 500
"""The most characters of one template."""
_ALLOWED = (
    nodes.Template, nodes.Output, nodes.TemplateData, nodes.Name, nodes.Const, nodes.Getattr, nodes.Getitem,
    nodes.Slice, nodes.Filter, nodes.Add, nodes.Sub, nodes.Div, nodes.FloorDiv, nodes.Concat, nodes.Neg,
    nodes.CondExpr, nodes.Compare, nodes.Operand, nodes.And, nodes.Or, nodes.Not,
)  # fmt: skip
NAME_OF: Mapping[FanOut, str] = {FanOut.GAME: "game", FanOut.TEAM: "team", FanOut.EVENT: "event_id"}


@lru_cache(maxsize=1)
def _environment() -> ImmutableSandboxedEnvironment:
    environment = ImmutableSandboxedEnvironment(undefined=StrictUndefined, autoescape=False, finalize=_printable)
    environment.filters = {
        **{name: environment.filters[name] for name in ("int", "lower", "string", "trim", "upper")},
        "ds": lambda day: day.strftime("%Y-%m-%d"),
        "ds_nodash": lambda day: day.strftime("%Y%m%d"),
        "hour12": lambda moment: moment.hour % 12 or 12,
        "am_pm": lambda moment: "AM" if moment.hour < 12 else "PM",
    }
    environment.globals, environment.tests = {}, {}
    return environment


def _printable(value: Any) -> Any:
    """Refuse values that have no text of their own, such as a whole game or a method."""
    if value is None or not isinstance(value, str | int | float | date | StrictUndefined):
        raise TemplateError(f"gives a {type(value).__name__}, not a text, number or date; name one of its attributes")
    return value


@dataclass(frozen=True, slots=True)
class Item:
    """The item of one call: a game, a team, an event id, or nothing. At most one is set."""

    game: Game | None = None
    team: Team | None = None
    event_id: str | None = None

    @property
    def label(self) -> str:
        """The item for people: ``0022500123 LAL@BOS``, ``PHX``, the event id, or an empty text."""
        if self.game is not None:
            return self.game.label
        return self.team.tricode if self.team is not None else self.event_id or ""


def render(
    templates: Mapping[str, ParameterValue], *, target_date: date, now: datetime, item: Item
) -> dict[str, ParameterValue]:
    """Return the parameters of one call. A REFERENCE stays as it is.

    ``target_date`` is an ET date, ``now`` the aware tick. Raises jinja2.TemplateError for a name that the call does not
    have. Loading the configuration has already rendered every template once.
    """
    names: dict[str, Any] = {"target_date": target_date, "now": et(now), "season": season_of(target_date)}
    for name, value in (("game", item.game), ("team", item.team), ("event_id", item.event_id)):
        if value is not None:
            names[name] = value
    return {
        key: value if not isinstance(value, str) or REFERENCE.fullmatch(value) else _rendered(value, names)
        for key, value in templates.items()
    }


def _rendered(template: str, names: Mapping[str, Any]) -> str:
    return _environment().from_string(template).render(names)


def references(templates: Mapping[str, ParameterValue]) -> tuple[str, ...] | None:
    """Return the names of the parameters that are a REFERENCE, or None if there is none."""
    return tuple(name for name, value in templates.items() if REFERENCE.fullmatch(str(value))) or None


_SAMPLE_DATE = date(2025, 12, 25)
_SAMPLE_TIP = datetime(2025, 12, 25, 17, 0, tzinfo=UTC)
_SAMPLES: Mapping[FanOut, Item] = {
    FanOut.NOTHING: Item(),
    FanOut.GAME: Item(game=Game("0022500399", "20251225/CLENYK", _SAMPLE_DATE, _SAMPLE_TIP, "NYK", "CLE")),
    FanOut.TEAM: Item(team=TEAMS[0]),
    FanOut.EVENT: Item(event_id="0" * 32),
}


def names_for(fan_out: FanOut) -> tuple[str, ...]:
    """Return the names that templates may use in a scraper with this fan-out."""
    return (*COMMON_NAMES, *((NAME_OF[fan_out],) if fan_out in NAME_OF else ()))


def _all(node: nodes.Node) -> Iterator[nodes.Node]:
    yield node
    for child in node.iter_child_nodes():
        yield from _all(child)


def problem_with(template: ParameterValue, fan_out: FanOut) -> str | None:
    """Return what is wrong with ``template`` in a scraper with this fan-out, or None. Renders the template once."""
    if not isinstance(template, str) or REFERENCE.fullmatch(template):
        return None
    if len(template) > MAX_LENGTH:
        return f"{len(template):,} characters are more than the {MAX_LENGTH} allowed"

    def rendered() -> None:
        render({"": template}, target_date=_SAMPLE_DATE, now=_SAMPLE_TIP, item=_SAMPLES[fan_out])

    return _problem(template, names_for(fan_out), f"with for_each: {fan_out.value} the names are", rendered)


def filled(template: str, values: Mapping[str, str]) -> str:
    """Return a text with ``values`` filled in. A value is never read as a template. Raises jinja2.TemplateError."""
    return _environment().from_string(template).render(values) if "{" in template else template


def broken(template: str, values: Mapping[str, str]) -> str | None:
    """Return why ``values`` cannot be filled into a text, or None."""
    return _problem(template, tuple(values), "the names are", lambda: filled(template, values))


def _problem(template: str, allowed: tuple[str, ...], names: str, rendered: Callable[[], object]) -> str | None:
    try:
        tree = _environment().parse(template)
        # Check before compiling: Jinja evaluates constants while it compiles.
        if odd := next((node for node in _all(tree) if not isinstance(node, _ALLOWED)), None):
            filters = ", ".join(sorted(_environment().filters))
            return (
                f"{type(odd).__name__} is not allowed; a template has names ({', '.join(allowed)}), their attributes, "
                f"texts and numbers, + - / ~, comparisons, `x if y else z` and the filters {filters}"
            )
        unknown = sorted(find_undeclared_variables(tree) - set(allowed))
        if unknown:
            return f"unknown name {unknown[0]!r}; {names} {', '.join(allowed)}"
        rendered()
    except TemplateError as error:
        return " ".join(str(error).split())
    except Exception as error:
        # Like any expression, a template can fail in any way: 1/0, a missing argument, a wrong type.
        return f"{type(error).__name__}: {error}"
    return None
