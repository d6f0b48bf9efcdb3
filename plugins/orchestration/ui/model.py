"""The values that the templates show on the page of a day. Pure."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from orchestration.nba.games import Game
from orchestration.records.tables import CleanupRecord, FollowedFile
from orchestration.words import Verdict, plural


class TickState(StrEnum):
    """The state of a tick, and its meaning. The legend shows both, and screen readers read the state."""

    meaning: str

    def __new__(cls, value: str, meaning: str) -> TickState:
        """Keep the meaning of a state beside its text."""
        state = str.__new__(cls, value)
        state._value_, state.meaning = value, meaning
        return state

    COMPLETED = "RUN completed", "no call failed"
    PARTIAL = "RUN partial", "a call that is not critical failed"
    FAILED = "RUN failed", "a critical call failed, or all did"
    RUNNING = "RUN running", "decided, not ended yet"
    VETOED = "RUN vetoed", "stopped by a person"
    RECORDED = "RUN recorded", "decided by a shadow, which makes no call"
    UNEXECUTED = "RUN not executed", "decided, but no execution followed"
    SKIP = "SKIP", "decided: nothing to do at this tick"
    ABORT = "ABORT", "should have run, but could not"
    EXPECTED = "expected", "will run, not due yet"
    LATE = "late", "due without a decision, or a later tick did its work"
    MISSING = "missing", "no decision was made"
    LATER = "not due", "not due yet, no run expected"

    @property
    def code(self) -> str:
        """The CSS class."""
        return self.name.lower()

    @property
    def quiet(self) -> bool:
        """Whether the tick needs no attention. The page shows it as a dot, and the Tab key skips it."""
        return self in (TickState.SKIP, TickState.LATER)


class GameState(StrEnum):
    """The progress of a scraper with a game."""

    COLLECTED = "collected"
    ON_ITS_WAY = "on its way to the table"
    NOT_IN_TABLE = "written, not in its table"
    NO_DATA = "no data yet"
    FAILED = "failed"
    DUE = "due, not called yet"
    MISSING = "missing"
    NOT_DUE = "not due"

    @property
    def code(self) -> str:
        """The CSS class."""
        return f"g-{self.name.lower()}"


@dataclass(frozen=True, slots=True)
class Calls:
    """The calls of a RUN by the outcome of their last try."""

    success: int = 0
    no_data: int = 0
    failed: int = 0

    @property
    def total(self) -> int:
        """The number of calls made."""
        return self.success + self.no_data + self.failed

    def __str__(self) -> str:
        counted = ", ".join(f"{count} {word}" for word, count in asdict(self).items() if count)
        return plural(self.total, "call") + (f": {counted}" if counted else "")


@dataclass(frozen=True, slots=True)
class Tick:
    """One tick of one workflow. ``lock``: the start of its orchestration day. Times are aware."""

    workflow: str
    at: datetime
    lock: datetime
    state: TickState
    reason: str = ""
    next_check: datetime | None = None
    target_date: date | None = None
    run_id: str | None = None
    decision_id: str | None = None
    calls: Calls = Calls()
    error: str | None = None

    @property
    def day(self) -> date:
        """The orchestration day of the tick, for its address."""
        return self.lock.date()

    @property
    def offset(self) -> int:
        """The seconds since the lock of the day, for the address of the tick."""
        return int((self.at - self.lock).total_seconds())


@dataclass(frozen=True, slots=True)
class Row:
    """The ticks of one workflow, in order and by hour of the day.

    ``halted``: the reason of the workflow's own halt, or None. ``shadow``: the workflow records decisions only.
    """

    workflow: str
    ticks: tuple[Tick, ...]
    hours: tuple[tuple[Tick, ...], ...]
    halted: str | None = None
    shadow: bool = False


@dataclass(frozen=True, slots=True)
class Hour:
    """A column of the timeline. ``name``: date, time and zone. ``now``: whether this is the current hour."""

    start: datetime
    label: str
    name: str
    now: bool = False


@dataclass(frozen=True, slots=True)
class GameRow:
    """A game and the progress of each scraper with it."""

    game: Game
    status: str
    states: tuple[GameState, ...]

    @property
    def has(self) -> int:
        """The number of scrapers that have the game."""
        return sum(state in (GameState.COLLECTED, GameState.ON_ITS_WAY) for state in self.states)


@dataclass(frozen=True, slots=True)
class Advice:
    """The part of a finding that the viewer may see. ``dag``: the DAG to open, or the DAG of the run ``run_id``.

    ``anchor``: its place on the page, which alerts link to.
    """

    verdict: Verdict
    kind: str
    anchor: str
    text: str
    command: str
    run_id: str | None
    dag: str | None
    conf: str | None
    """The JSON for Airflow's trigger form of ``dag``, if the advice is a run."""


@dataclass(frozen=True, slots=True)
class Cleanups:
    """The cleanups of the day. ``last``: the last one, None before the first. ``open``: files that never arrived."""

    all: tuple[CleanupRecord, ...]
    last: CleanupRecord | None
    open: tuple[FollowedFile, ...] = ()


@dataclass(frozen=True, slots=True)
class OtherDay:
    """Another day in one line. ``name``: its title; ``code``: its CSS class."""

    day: date
    name: str
    code: str
    headline: str


@dataclass(frozen=True)
class DayPage:
    """The page of one orchestration day at the moment ``seen``. ``live``: that moment is now."""

    day: date
    seen: datetime
    live: bool
    verdict: Verdict | None
    headline: str
    hours: tuple[Hour, ...]
    rows: tuple[Row, ...]
    advice: tuple[Advice, ...] = ()
    scrapers: tuple[str, ...] = ()
    games: tuple[GameRow, ...] = ()
    since_lock: tuple[str, ...] = ()
    """The changes of the slate since its lock: vanished games, then normal changes."""
    cleanups: Cleanups | None = None
    halt: str | None = None
    shadow: bool = False
    """Whether the whole system only records decisions, because another system does the work."""
    hidden: int = 0
    """The number of workflows that the viewer may not see."""
    planned: bool = False
    """Whether the day has not begun: the page shows the plan."""

    @property
    def moving(self) -> bool:
        """Whether the page can still change, because it shows the current day or last night, as of now."""
        return self.live and self.seen < self.hours[0].start + timedelta(days=2)

    @property
    def ticks(self) -> int:
        """The number of ticks on the page."""
        return sum(len(row.ticks) for row in self.rows)

    def row(self, workflow: str) -> Row | None:
        """Return a workflow's row, or None."""
        return next((row for row in self.rows if row.workflow == workflow), None)
