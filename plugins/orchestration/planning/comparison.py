"""What another system did, beside what this one decided, tick by tick: for the time in which both run. Pure."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from orchestration.nba.eastern import clock, hours_between
from orchestration.words import Action

EARLY_BY = timedelta(minutes=2)
"""A run that began so long before a tick still belongs to it: two clocks are never the same."""
FEW = 3


class Kind(StrEnum):
    """What one tick of one workflow shows."""

    SAME = "same"
    LATE = "late"
    """They did at a later tick what was due at this one."""
    MISSED = "missed"
    """They never did on that day what was due at this tick."""
    NEEDLESS = "needless"
    """They ran, and there was no reason to."""
    OTHER_DATE = "other_date"
    """Both ran, they for another date."""
    OTHER_GAMES = "other_games"
    """Both ran for the same date, they for other games."""
    OURS_ABORTED = "ours_aborted"
    """This system could not decide to run."""


DIFFERENT = tuple(kind for kind in Kind if kind is not Kind.SAME)


@dataclass(frozen=True, slots=True)
class Ours:
    """A decision of this system. ``tick`` is aware; ``games`` are 10-digit ids."""

    workflow: str
    tick: datetime
    action: Action
    target_date: date
    games: frozenset[str]
    reason: str
    per_game: bool
    """Whether the workflow makes calls for single games."""


@dataclass(frozen=True, slots=True)
class Theirs:
    """A RUN of the other system. ``at`` is aware; what cannot be known of it is empty.

    ``executed``: whether anybody carried the decision out; ``status`` is then the execution's.
    """

    workflow: str
    at: datetime
    dates: frozenset[date] = frozenset()
    games: frozenset[str] = frozenset()
    executed: bool = True
    status: str | None = None

    @property
    def in_short(self) -> str:
        """For people: what they did."""
        if not self.executed:
            return f"decided RUN at {clock(self.at)} ET, and nobody executed it"
        dates = f" for {', '.join(sorted(map(str, self.dates)))}" if self.dates else ""
        failed = f", {self.status}" if self.status not in (None, "completed", "success") else ""
        games = f", {len(self.games)} games" if self.games else ""
        return f"RUN at {clock(self.at)} ET{dates}{games}{failed}"


@dataclass(frozen=True, slots=True)
class Comparison:
    """One tick of one workflow, seen from both sides. ``ours`` and ``theirs`` are for people."""

    workflow: str
    tick: datetime
    kind: Kind
    ours: str
    theirs: str
    why: str


def compare(ours: Iterable[Ours], theirs: Iterable[Theirs]) -> list[Comparison]:
    """Return one comparison for each tick and workflow of a day, in order.

    A run of theirs belongs to the last tick of ours at or before it. Runs of workflows that have no tick here are not
    compared: :func:`unknown_workflows` names them.
    """
    ticks: dict[str, list[Ours]] = defaultdict(list)
    for decision in sorted(ours, key=lambda decision: decision.tick.timestamp()):
        ticks[decision.workflow].append(decision)
    runs: dict[str, list[Theirs]] = defaultdict(list)
    for run in sorted(theirs, key=lambda run: run.at.timestamp()):
        runs[run.workflow].append(run)
    found = [one for name, decisions in ticks.items() for one in _workflow(decisions, runs.get(name, ()))]
    return sorted(found, key=lambda one: (one.tick.timestamp(), one.workflow))


def counts(found: Iterable[Comparison]) -> Mapping[Kind, int]:
    """Return how often each kind was found, all kinds named."""
    counted = Counter(one.kind for one in found)
    return {kind: counted[kind] for kind in Kind}


def unknown_workflows(ours: Iterable[Ours], theirs: Iterable[Theirs]) -> list[str]:
    """Return the workflows that only they have."""
    return sorted({run.workflow for run in theirs} - {decision.workflow for decision in ours})


def _workflow(decisions: Sequence[Ours], runs: Sequence[Theirs]) -> list[Comparison]:
    at_tick: dict[int, list[Theirs]] = defaultdict(list)
    for run in runs:
        before = [n for n, d in enumerate(decisions) if d.tick.timestamp() <= (run.at + EARLY_BY).timestamp()]
        at_tick[before[-1] if before else 0].append(run)
    found: list[Comparison] = []
    made_up: set[int] = set()
    for number, decision in enumerate(decisions):
        here = at_tick[number]
        done = [run for run in here if run.executed]
        if decision.action is Action.ABORT:
            found.append(_one(decision, Kind.OURS_ABORTED, here, decision.reason))
        elif decision.action is Action.RUN and done:
            found.append(_both(decision, done))
        elif decision.action is Action.RUN:
            found.append(_only_ours(decisions, number, at_tick, made_up, here))
        elif done and number not in made_up:
            found.append(_one(decision, Kind.NEEDLESS, here, f"nothing to do: {decision.reason}"))
        elif done:
            found.append(_one(decision, Kind.SAME, here, "makes up for an earlier tick"))
        else:
            found.append(_one(decision, Kind.SAME, here, ""))
    return found


def _both(decision: Ours, runs: Sequence[Theirs]) -> Comparison:
    dates = frozenset().union(*(run.dates for run in runs))
    games = frozenset().union(*(run.games for run in runs))
    if dates and decision.target_date not in dates:
        why = f"they asked for {', '.join(sorted(map(str, dates)))}; due was {decision.target_date}"
        return _one(decision, Kind.OTHER_DATE, runs, why)
    if decision.per_game and decision.games and games and games != decision.games:
        lacking, more = sorted(decision.games - games), sorted(games - decision.games)
        parts = [f"{len(lacking)} left out ({_named(lacking)})"] if lacking else []
        parts += [f"{len(more)} more ({_named(more)})"] if more else []
        return _one(
            decision, Kind.OTHER_GAMES, runs, f"{len(games)} games of {len(decision.games)}: {'; '.join(parts)}"
        )
    more_than_once = f"they ran {len(runs)} times" if len(runs) > 1 else ""
    return _one(decision, Kind.NEEDLESS if more_than_once else Kind.SAME, runs, more_than_once)


def _only_ours(
    decisions: Sequence[Ours],
    number: int,
    at_tick: Mapping[int, Sequence[Theirs]],
    made_up: set[int],
    here: Sequence[Theirs],
) -> Comparison:
    decision = decisions[number]
    for later in range(number + 1, len(decisions)):
        runs = [run for run in at_tick[later] if run.executed and (not run.dates or decision.target_date in run.dates)]
        if runs and later not in made_up and decisions[later].action is not Action.RUN:
            made_up.add(later)
            late = hours_between(decision.tick, runs[0].at)
            return _one(decision, Kind.LATE, runs, f"{late:.1f} h late")
    nobody = "nobody executed their decision" if here else "they did not run"
    return _one(decision, Kind.MISSED, here, f"{nobody}; due was: {decision.reason}")


def _one(decision: Ours, kind: Kind, runs: Sequence[Theirs], why: str) -> Comparison:
    mine = f"{decision.action.value} for {decision.target_date}: {decision.reason}"
    return Comparison(
        decision.workflow, decision.tick, kind, mine, "; ".join(run.in_short for run in runs) or "nothing", why
    )


def _named(games: Sequence[str]) -> str:
    return ", ".join(games[:FEW]) + (", ..." if len(games) > FEW else "")
