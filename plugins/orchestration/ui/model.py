"""What the page of a day shows, as plain values: made from facts, rendered by templates. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from orchestration.nba.games import Game
from orchestration.words import Verdict, plural


class TickState(StrEnum):
    """What became of a tick. The value is what is read aloud, and the legend's word."""

    COMPLETED = "RUN completed"
    PARTIAL = "RUN partial"
    FAILED = "RUN failed"
    RUNNING = "RUN running"
    VETOED = "RUN vetoed"
    RECORDED = "RUN recorded"
    UNEXECUTED = "RUN not executed"
    SKIP = "SKIP"
    ABORT = "ABORT"
    EXPECTED = "expected"
    LATE = "late"
    MISSING = "missing"
    LATER = "not due"

    @property
    def code(self) -> str:
        """The class of the style sheet."""
        return self.name.lower()

    @property
    def quiet(self) -> bool:
        """Whether it is what nobody looks for: it takes a dot, and no stop of the keyboard."""
        return self in (TickState.SKIP, TickState.LATER)


MEANING = {
    TickState.COMPLETED: "no call failed",
    TickState.PARTIAL: "a call failed that is not critical",
    TickState.FAILED: "a critical call failed, or all did",
    TickState.RUNNING: "decided, not over yet",
    TickState.VETOED: "stopped by a person",
    TickState.RECORDED: "a shadow's: another system does it",
    TickState.UNEXECUTED: "decided, and nobody executed it",
    TickState.SKIP: "asked, and nothing to do",
    TickState.ABORT: "should have run and cannot",
    TickState.EXPECTED: "will run, not due yet",
    TickState.LATE: "due, no decision yet, or made up for later",
    TickState.MISSING: "no decision was made",
    TickState.LATER: "not due yet, nothing expected",
}
"""The legend."""


class GameState(StrEnum):
    """How far a scraper has come with a game."""

    COLLECTED = "collected"
    ON_ITS_WAY = "on its way to the table"
    NO_DATA = "no data yet"
    FAILED = "failed"
    DUE = "due, not asked for yet"
    MISSING = "missing"
    NOT_DUE = "not due"

    @property
    def code(self) -> str:
        """The class of the style sheet."""
        return f"g-{self.name.lower()}"


@dataclass(frozen=True, slots=True)
class Calls:
    """The calls of a RUN by the outcome of their last try."""

    success: int = 0
    no_data: int = 0
    failed: int = 0

    @property
    def total(self) -> int:
        """How many calls were made."""
        return self.success + self.no_data + self.failed

    def __str__(self) -> str:
        parts = ((self.success, "success"), (self.no_data, "no_data"), (self.failed, "failed"))
        counted = ", ".join(f"{count} {word}" for count, word in parts if count)
        return plural(self.total, "call") + (f": {counted}" if counted else "")


@dataclass(frozen=True, slots=True)
class Tick:
    """One tick of one workflow. ``offset``: its seconds since the day's lock, which name it in addresses."""

    workflow: str
    at: datetime
    offset: int
    state: TickState
    reason: str = ""
    next_check: datetime | None = None
    target_date: date | None = None
    run_id: str | None = None
    decision_id: str | None = None
    calls: Calls = Calls()
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """One workflow's ticks, and the same by the hours of the day.

    ``halted``: why, if somebody halted it alone; ``shadow``: it only decides and records.
    """

    workflow: str
    ticks: tuple[Tick, ...]
    hours: tuple[tuple[Tick, ...], ...]
    halted: str | None = None
    shadow: bool = False


@dataclass(frozen=True, slots=True)
class Hour:
    """A column: ``label`` is what the clocks show, ``name`` says it whole; ``now``: the present lies in it."""

    start: datetime
    label: str
    name: str
    now: bool = False


@dataclass(frozen=True, slots=True)
class GameRow:
    """A game and how far each scraper has come with it."""

    game: Game
    status: str
    states: tuple[GameState, ...]

    @property
    def has(self) -> int:
        """How many of the scrapers have brought it."""
        return sum(state in (GameState.COLLECTED, GameState.ON_ITS_WAY) for state in self.states)


@dataclass(frozen=True, slots=True)
class Advice:
    """Something that is not as it should be, and what to do. ``run_id``: the run of ``workflow`` to look at."""

    verdict: Verdict
    kind: str
    workflow: str
    text: str
    command: str
    dag: str | None = None
    run_id: str | None = None
    conf: str | None = None
    """The JSON to give to Airflow's trigger form of ``dag``, where a run is what is advised."""


@dataclass(frozen=True, slots=True)
class Cleanups:
    """What the cleanups of the day found; ``last`` None: none has looked yet."""

    count: int = 0
    last: datetime | None = None
    checked: int = 0
    missing: int = 0
    republished: int = 0
    errors: tuple[str, ...] = ()
    waiting: tuple[tuple[str, str, int], ...] = ()
    """Scraper, path and age in minutes of files that had not reached their table."""


@dataclass(frozen=True, slots=True)
class OtherDay:
    """Another day in one line. ``name``: for people; ``code``: the class of the style sheet."""

    day: date
    name: str
    code: str
    headline: str


@dataclass(frozen=True)
class DayPage:
    """The page of one orchestration day as seen at ``seen``; ``live``: that is the present."""

    day: date
    seen: datetime
    live: bool
    verdict: Verdict | None
    headline: str
    advice: tuple[Advice, ...]
    hours: tuple[Hour, ...]
    rows: tuple[Row, ...]
    scrapers: tuple[str, ...] = ()
    games: tuple[GameRow, ...] = ()
    cleanups: Cleanups | None = None
    halt: str | None = None
    shadow: bool = False
    """Everything is only decided and recorded, beside a system that does the work."""
    hidden: int = 0
    """How many workflows the viewer may not see."""
    planned: bool = False
    """The whole day lies ahead: all of it is the plan."""

    @property
    def moving(self) -> bool:
        """Whether it can still change by itself: the present of today, or of the night that ended."""
        return self.live and self.seen < self.hours[0].start + timedelta(days=2)

    @property
    def ticks(self) -> int:
        """How many ticks are shown."""
        return sum(len(row.ticks) for row in self.rows)

    def row(self, workflow: str) -> Row | None:
        """Return a workflow's row, or None."""
        return next((row for row in self.rows if row.workflow == workflow), None)
