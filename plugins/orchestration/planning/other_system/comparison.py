"""Another system's work compared with our decisions, tick by tick, while both run. Pure.

In shadow mode our history is the other system's work. Work that the other system does not do stays due at our later
ticks.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from enum import StrEnum

from orchestration.decisions.model import NOT_KNOWING
from orchestration.nba.eastern import clock, hours_between
from orchestration.records.tables import DecisionRecord
from orchestration.words import Action, plural

EARLY_BY = timedelta(minutes=2)
"""A run that begins up to this long before a tick belongs to the tick, because two clocks always differ a little."""
FEW = 3
EARLIER = "they did the work of an earlier tick"


class DifferenceKind(StrEnum):
    """How the two systems differ at one tick of one workflow."""

    SAME = "same"
    STILL_DUE = "still_due"
    """They have still not done the work of an earlier tick. Only the earlier tick counts as late or missed."""
    LATE = "late"
    """They did the work of this tick at a later tick."""
    MISSED = "missed"
    """They never did the work of this tick."""
    NEEDLESS = "needless"
    """They ran without a reason."""
    OTHER_DATE = "other_date"
    """Both ran, they for another date."""
    OTHER_GAMES = "other_games"
    """Both ran for the same date, they for other games."""
    UNKNOWN = "unknown"
    """We could not decide at this tick, or did not decide."""


DIFFERENT = tuple(kind for kind in DifferenceKind if kind not in (DifferenceKind.SAME, DifferenceKind.STILL_DUE))


@dataclass(frozen=True, slots=True)
class Ours:
    """One tick (aware, ET) of one of our workflows. ``made``: our decision at this tick, or None.

    ``per_game``: whether the workflow makes calls for single games.
    """

    workflow: str
    tick: datetime
    made: DecisionRecord | None = None
    per_game: bool = False


@dataclass(frozen=True, slots=True)
class Theirs:
    """A decision or execution of the other system. ``at`` is aware. An unknown field is empty.

    ``executed``: whether calls were made; ``status`` is then the status of the execution. ``action`` and ``reason``
    belong to the decision.
    """

    workflow: str
    at: datetime
    dates: frozenset[date] = frozenset()
    games: frozenset[str] = frozenset()
    executed: bool = True
    status: str | None = None
    action: str = Action.RUN.value
    reason: str = ""

    @property
    def in_short(self) -> str:
        """Their work in words."""
        if not self.executed:
            unexecuted = ", which was not executed" if self.action == Action.RUN else ""
            reason = f": {self.reason}" if self.reason else ""
            return f"decided {self.action} at {clock(self.at)} ET{unexecuted}{reason}"
        dates = f" for {', '.join(sorted(map(str, self.dates)))}" if self.dates else ""
        failed = f", {self.status}" if self.status not in (None, "completed", "success") else ""
        games = f", {plural(len(self.games), 'game')}" if self.games else ""
        return f"RUN at {clock(self.at)} ET{dates}{games}{failed}"


@dataclass(frozen=True, slots=True)
class Comparison:
    """One tick of one workflow with both sides in words, and why they differ."""

    workflow: str
    tick: datetime
    kind: DifferenceKind
    ours: str
    theirs: str
    why: str


def compare(ours: Iterable[Ours], theirs: Iterable[Theirs]) -> list[Comparison]:
    """Return one comparison for each tick of each workflow that both know, in order.

    Their work belongs to our last tick at or before it. Work before our first tick is left out.
    :func:`only_one_has` returns the other workflows.
    """
    ticks: dict[str, list[Ours]] = defaultdict(list)
    for decision in sorted(ours, key=lambda decision: decision.tick.timestamp()):
        ticks[decision.workflow].append(decision)
    runs: dict[str, list[Theirs]] = defaultdict(list)
    for run in sorted(theirs, key=lambda run: run.at.timestamp()):
        runs[run.workflow].append(run)
    found: list[Comparison] = []
    for name, decisions in ticks.items():
        # Without a single row of theirs, they did nothing at all, and every workflow of ours is compared.
        if name in runs or not runs:
            found += _Workflow(decisions, runs.get(name, [])).compared()
    return sorted(found, key=lambda one: (one.tick.timestamp(), one.workflow))


def counts(found: Iterable[Comparison]) -> Mapping[DifferenceKind, int]:
    """Return the number of ticks of each kind, 0 included."""
    counted = Counter(one.kind for one in found)
    return {kind: counted[kind] for kind in DifferenceKind}


def only_one_has(ours: Iterable[Ours], theirs: Iterable[Theirs]) -> tuple[list[str], list[str]]:
    """Return the workflows that only we have, and those that only they have."""
    we, they = {one.workflow for one in ours}, {one.workflow for one in theirs}
    return (sorted(we - they) if they else []), sorted(they - we)


@dataclass
class _Due:
    """Work that they have not done. ``first`` and ``last``: the positions of the ticks between which it was due."""

    first: int
    last: int
    target_date: date


@dataclass
class _Workflow:
    """The comparison of one workflow: our ticks in order, and their work."""

    ticks: Sequence[Ours]
    runs: Sequence[Theirs]
    found: list[Comparison] = field(default_factory=list)
    open: list[_Due] = field(default_factory=list)

    def compared(self) -> list[Comparison]:
        at_tick: dict[int, list[Theirs]] = defaultdict(list)
        moments = [ours.tick.timestamp() for ours in self.ticks]
        for run in self.runs:
            if number := bisect_right(moments, (run.at + EARLY_BY).timestamp()):
                at_tick[number - 1].append(run)
        for number, ours in enumerate(self.ticks):
            here, made = at_tick[number], ours.made
            done = [run for run in here if run.executed]
            if made is None:
                why = "we made no decision at this tick"
                self.found.append(
                    Comparison(ours.workflow, ours.tick, DifferenceKind.UNKNOWN, "no decision", _in_short(here), why)
                )
            elif made.action is Action.ABORT and made.rule in NOT_KNOWING:
                # After any other ABORT we know what was due: their run is missing.
                self._add(made, DifferenceKind.UNKNOWN, here, made.reason)
            elif made.action is Action.RUN and done:
                self._both(number, made, done, per_game=ours.per_game)
            elif made.action is Action.RUN:
                self._only_ours(number, made, here)
            elif done:
                self._only_theirs(made, done)
            else:
                self._add(made, DifferenceKind.SAME, here)
        return self.found

    def _both(self, number: int, made: DecisionRecord, runs: Sequence[Theirs], *, per_game: bool) -> None:
        dates, games, wanted = _dates(runs), {one for run in runs for one in run.games}, set(made.target_games)
        due = self._still_due(number, made)
        if dates and made.target_date not in dates:
            why = f"they fetched {', '.join(sorted(map(str, dates)))}; {made.target_date} was due"
            self._add(made, DifferenceKind.OTHER_DATE, runs, why)
            self._remember(number, made, due)
            return
        if due:
            self._made_up(due, runs)
        if per_game and wanted and games and games != wanted:
            lacking, more = sorted(wanted - games), sorted(games - wanted)
            parts = [f"{len(lacking)} left out ({_named(lacking)})"] if lacking else []
            parts += [f"{len(more)} not due ({_named(more)})"] if more else []
            why = f"they fetched {plural(len(games), 'game')}, {len(wanted)} due: {'; '.join(parts)}"
            self._add(made, DifferenceKind.OTHER_GAMES, runs, why)
        elif len(runs) > 1:
            self._add(made, DifferenceKind.NEEDLESS, runs, f"they ran {len(runs)} times")
        else:
            self._add(made, DifferenceKind.SAME, runs, EARLIER if due else "")

    def _only_ours(self, number: int, made: DecisionRecord, here: Sequence[Theirs]) -> None:
        if due := self._still_due(number, made):
            self._add(made, DifferenceKind.STILL_DUE, here, f"since {clock(self.ticks[due.first].tick)} ET")
        else:
            decided = any(run.action == Action.RUN for run in here)
            problem = "their decision was not executed" if decided else "they did not run"
            self._add(made, DifferenceKind.MISSED, here, f"{problem}; this was due: {made.reason}")
        self._remember(number, made, due)

    def _only_theirs(self, made: DecisionRecord, runs: Sequence[Theirs]) -> None:
        dates = _dates(runs)
        due = next((d for d in reversed(self.open) if not dates or d.target_date in dates), None)
        if due is None:
            self._add(made, DifferenceKind.NEEDLESS, runs, f"nothing to do: {made.reason}")
            return
        self._made_up(due, runs)
        self._add(made, DifferenceKind.SAME, runs, EARLIER)

    def _still_due(self, number: int, made: DecisionRecord) -> _Due | None:
        """Return the open work for the same date that was due at the previous tick too, or None."""
        return next((d for d in self.open if d.last == number - 1 and d.target_date == made.target_date), None)

    def _remember(self, number: int, made: DecisionRecord, due: _Due | None) -> None:
        if due:
            due.last = number
        else:
            self.open.append(_Due(number, number, made.target_date))

    def _made_up(self, due: _Due, runs: Sequence[Theirs]) -> None:
        """Close the work ``due``, and change its tick from missed to late."""
        self.open.remove(due)
        first = self.found[due.first]
        if first.kind is DifferenceKind.MISSED:
            hours = hours_between(first.tick, runs[0].at)
            why = f"{hours:.1f} h late, at {clock(runs[0].at)} ET"
            self.found[due.first] = replace(first, kind=DifferenceKind.LATE, why=why)

    def _add(self, made: DecisionRecord, kind: DifferenceKind, runs: Sequence[Theirs], why: str = "") -> None:
        ours = f"{made.action.value} for {made.target_date}: {made.reason}"
        self.found.append(Comparison(made.workflow_name, made.tick, kind, ours, _in_short(runs), why))


def _in_short(runs: Sequence[Theirs]) -> str:
    return "; ".join(run.in_short for run in runs) or "nothing"


def _dates(runs: Iterable[Theirs]) -> frozenset[date]:
    return frozenset(day for run in runs for day in run.dates)


def _named(games: Sequence[str]) -> str:
    return ", ".join(games[:FEW]) + (", ..." if len(games) > FEW else "")
