"""What a new configuration changes: its keys, and the runs, calls, games, deadlines and alerts of a season. Pure."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import Any

from orchestration.config import Config
from orchestration.decisions.model import Decision
from orchestration.nba.eastern import after, clock
from orchestration.nba.games import Game
from orchestration.planning.what_if.simulation import SimulatedSeason
from orchestration.words import Action, AlertLevel, plural

_SHOWN = re.compile(
    r"workflows\.[^.]+(\.(enabled|decision_type|schedule|execution_plan|dependencies\.requires|game_types|halt"
    r"|deadline_minutes)(\..*)?)?"
    r"|scrapers\.[^.]+\.(for_each|depends_on)"
    r"|settings\.(controller_interval_minutes|first_tick|last_tick|schedule_refresh_interval_hours"
    r"|cleanup_processor\.interval_minutes|daily_schedule_lock|reconcile|halt|deadline_minutes)(\..*)?"
)
"""The keys whose whole effect a season shows: decisions, calls, collected games and deadlines. Other keys say how a
call is made, how a failure is handled, who is alerted, or what the DAG's page says. ``diff`` lists them by name."""


class ChangeKind(StrEnum):
    """What can change at a tick of a workflow."""

    RUN_GAINED = "run_gained"
    RUN_LOST = "run_lost"
    OTHER_CALLS = "other_calls"
    """The workflow runs at the same tick, for another date or with other calls."""
    ALERT_GAINED = "alert_gained"
    ALERT_LOST = "alert_lost"
    ALERT_MOVED = "alert_moved"
    """The alert is raised for the same date, at another tick."""


@dataclass(frozen=True, slots=True)
class First:
    """The first tick with a change of this kind, and both decisions in words."""

    kind: ChangeKind
    tick: datetime
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class WorkflowTotals:
    """The totals of a workflow under one configuration. ``deadlines``: the number of runs by ET time of deadline."""

    runs: int
    calls: int
    deadline_minutes: float | None
    deadlines: dict[str, int]


@dataclass(frozen=True)
class WorkflowChange:
    """The changes of one workflow. ``ticks``: the aware ticks of each kind of change, in order."""

    workflow: str
    before: WorkflowTotals
    after: WorkflowTotals
    ticks: dict[ChangeKind, list[datetime]]
    firsts: tuple[First, ...]

    @property
    def deadlines_moved(self) -> bool:
        """Whether any deadline of its runs differs."""
        return self.before.deadlines != self.after.deadlines


@dataclass(frozen=True, slots=True)
class GameChange:
    """The number of games that a scraper collects earlier, later, never any more, or newly.

    ``what``: the scraper, or ``collected`` for all critical scrapers together. ``by_reconcile``: the number of games
    that reconcile collects, before and after. ``hours``: the average delay of earlier and later games, negative if
    earlier. ``game`` and its ET ``day``: the first game that changes. ``before`` and ``after``: its ticks, None for
    never.
    """

    what: str
    earlier: int
    later: int
    never: int
    newly: int
    by_reconcile: tuple[int, int]
    hours: float
    game: str
    day: date
    before: datetime | None
    after: datetime | None

    @property
    def figures(self) -> tuple[int, int, int, int, float]:
        """The counts and the average delay. Scrapers with equal figures need only one line."""
        return self.earlier, self.later, self.never, self.newly, self.hours


COLLECTED = "collected"


@dataclass(frozen=True, slots=True)
class KeyChange:
    """A key that differs. ``before`` and ``after`` are its values as written in the file, None without the key."""

    path: str
    before: str | None
    after: str | None

    @property
    def shown(self) -> bool:
        """Whether a season shows its whole effect."""
        return _SHOWN.fullmatch(self.path) is not None

    def __str__(self) -> str:
        if self.before is None:
            return f"{self.path}: added"
        return f"{self.path}: removed" if self.after is None else f"{self.path}: {self.before} -> {self.after}"


@dataclass(frozen=True)
class Changes:
    """All differences between two simulated seasons."""

    old: SimulatedSeason
    new: SimulatedSeason
    keys: tuple[KeyChange, ...]
    workflows: tuple[WorkflowChange, ...]
    games: tuple[GameChange, ...]

    def __bool__(self) -> bool:
        """Whether anything changes, or may change although a season does not show it."""
        return bool(self.workflows or self.games or not all(key.shown for key in self.keys))


def compare_seasons(old: SimulatedSeason, new: SimulatedSeason) -> Changes:
    """Return the differences between two simulated seasons of one schedule."""
    names = dict.fromkeys((*old.config.workflows, *new.config.workflows))
    workflows = tuple(change for name in names if (change := _workflow(name, old, new)) is not None)
    return Changes(old, new, tuple(changed_keys(old.config, new.config)), workflows, tuple(_games(old, new)))


def calls_of(season: SimulatedSeason) -> int:
    """Return the number of calls. Calls of reconcile count."""
    return sum(call.count for call in season.calls)


def runs_of(season: SimulatedSeason, workflow: str | None = None) -> list[Decision]:
    """Return the RUN decisions of one workflow, or of all workflows, in order."""
    return [d for d in season.decisions.values() if d.action is Action.RUN and workflow in (None, d.workflow)]


def _totals(name: str, season: SimulatedSeason) -> WorkflowTotals:
    runs = runs_of(season, name)
    minutes = season.config.deadline_minutes(name) if name in season.config.workflows else None
    limit = timedelta(minutes=minutes or 0)
    calls = sum(c.count for c in season.calls if c.record.workflow == name and not c.by_reconcile)
    return WorkflowTotals(len(runs), calls, minutes, dict(Counter(clock(after(run.tick, limit)) for run in runs)))


def _workflow(name: str, old: SimulatedSeason, new: SimulatedSeason) -> WorkflowChange | None:
    ticks: dict[ChangeKind, list[datetime]] = {}
    for tick in sorted({d.tick for season in (old, new) for d in season.decisions.values() if d.workflow == name}):
        if (kind := _of_runs(name, tick, old, new)) is not None:
            ticks.setdefault(kind, []).append(tick)
    for kind, tick in sorted(_alerts(name, old, new), key=lambda found: found[1]):
        ticks.setdefault(kind, []).append(tick)
    change = WorkflowChange(
        name,
        _totals(name, old),
        _totals(name, new),
        {kind: ticks[kind] for kind in ChangeKind if kind in ticks},
        tuple(_first(kind, name, ticks[kind][0], old, new) for kind in ChangeKind if kind in ticks),
    )
    return change if ticks or change.deadlines_moved else None


def _of_runs(name: str, tick: datetime, old: SimulatedSeason, new: SimulatedSeason) -> ChangeKind | None:
    before, now = old.decisions.get((name, tick)), new.decisions.get((name, tick))
    ran, runs = (d is not None and d.action is Action.RUN for d in (before, now))
    if ran != runs:
        return ChangeKind.RUN_GAINED if runs else ChangeKind.RUN_LOST
    if before is None or now is None or not runs:
        return None

    def calls(season: SimulatedSeason) -> Counter[str]:
        return Counter({str(call.record.label): call.count for call in season.made.get((name, tick), ())})

    return ChangeKind.OTHER_CALLS if before.target_date != now.target_date or calls(old) != calls(new) else None


def _alerts(name: str, old: SimulatedSeason, new: SimulatedSeason) -> Iterator[tuple[ChangeKind, datetime]]:
    """Yield the alerts that only one season raises, and the alerts that both raise at different ticks."""

    def raised(season: SimulatedSeason) -> dict[tuple[date, str, AlertLevel], list[datetime]]:
        found: dict[tuple[date, str, AlertLevel], list[datetime]] = {}
        for d in season.decisions.values():
            if d.workflow == name and d.alert_level is not AlertLevel.NONE:
                found.setdefault((d.target_date, d.rule, d.alert_level), []).append(d.tick)
        return found

    before, now = raised(old), raised(new)
    for key in before.keys() | now.keys():
        was, ticks = before.get(key, []), now.get(key, [])
        gone, come = [t for t in was if t not in ticks], [t for t in ticks if t not in was]
        moved = min(len(gone), len(come))
        yield from ((ChangeKind.ALERT_MOVED, tick) for tick in come[:moved])
        yield from ((ChangeKind.ALERT_LOST, tick) for tick in gone[moved:])
        yield from ((ChangeKind.ALERT_GAINED, tick) for tick in come[moved:])


def _first(kind: ChangeKind, name: str, tick: datetime, old: SimulatedSeason, new: SimulatedSeason) -> First:
    def in_words(season: SimulatedSeason) -> str:
        decision = season.decisions.get((name, tick))
        if decision is not None:
            made = sum(call.count for call in season.made.get((name, tick), ()))
            calls = f" ({plural(made, 'call')})" if decision.action is Action.RUN else ""
            alert = "" if decision.alert_level is AlertLevel.NONE else f" [{decision.alert_level.value}]"
            return f"{decision.action.value} {decision.reason}{calls}{alert}"
        if name not in season.config.workflows:
            return "there is no such workflow"
        return "no tick at this time" if name in season.config.enabled else "switched off"

    return First(kind, tick, in_words(old), in_words(new))


def _games(old: SimulatedSeason, new: SimulatedSeason) -> Iterator[GameChange]:
    for what in dict.fromkeys((COLLECTED, *old.about_games, *new.about_games)):
        games = [(game, _collected(what, game, old), _collected(what, game, new)) for game in old.games]
        moved = [(game, before, now) for game, before, now in games if before != now]
        if not moved:
            continue
        both = [(now - before) / timedelta(hours=1) for _, before, now in moved if before and now]
        game, before, now = moved[0]
        yield GameChange(
            what,
            earlier=sum(hours < 0 for hours in both),
            later=sum(hours > 0 for hours in both),
            never=sum(now is None for _, _, now in moved),
            newly=sum(before is None for _, before, _ in moved),
            by_reconcile=(_reconciled(old, (b for _, b, _ in games)), _reconciled(new, (n for _, _, n in games))),
            hours=sum(both) / len(both) if both else 0.0,
            game=game.label,
            day=game.date,
            before=before,
            after=now,
        )


def _collected(what: str, game: Game, season: SimulatedSeason) -> datetime | None:
    return season.collected(game) if what == COLLECTED else season.first_successes.get((game.game_id, what))


def _reconciled(season: SimulatedSeason, ticks: Iterable[datetime | None]) -> int:
    """Return how many of these ticks are ticks of reconcile."""
    times = {call.record.tick for call in season.calls if call.by_reconcile}
    return sum(tick in times for tick in ticks)


def changed_keys(old: Config, new: Config) -> list[KeyChange]:
    """Return the keys in which two configurations differ, in the order of the file. Defaults count as written."""
    return list(_changed("", old.model_dump(), new.model_dump()))


def _changed(path: str, old: Any, new: Any) -> Iterator[KeyChange]:
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for key in dict.fromkeys((*old, *new)):
            here = f"{path}.{key}".lstrip(".")
            if key not in new:
                yield KeyChange(here, _written(old[key]), None)
            elif key not in old:
                yield KeyChange(here, None, _written(new[key]))
            else:
                yield from _changed(here, old[key], new[key])
    elif old != new:
        yield KeyChange(path, _written(old), _written(new))


def _written(value: Any) -> str:
    match value:
        case str():
            return value
        case float():
            return f"{value:g}"
        case time():
            return f"{value:%H:%M}"
        case date():
            return str(value)
    return json.dumps(value, default=_written, ensure_ascii=False)
