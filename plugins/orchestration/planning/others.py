"""What a system beside or before ours did, from its rows: history for our decisions, and what ``compare`` shows. Pure.

Its rows have the old columns only. What is not certain is not done, and fetched once more.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from orchestration.config import Config
from orchestration.decisions.model import PastCall, PastExecution
from orchestration.nba.eastern import et, et_date, hold_instants
from orchestration.nba.games import canonical_game_id
from orchestration.vocabulary.scrapers import SERVICE_NAMES, answer_of
from orchestration.words import ExecutionStatus, Outcome

Rows = Iterable[Mapping[str, Any]]
BEGINS_WITHIN = timedelta(minutes=30)
"""What began so soon after a tick belongs to it: an executor came five minutes after its controller."""
ABOUT = ("game_date", "gamedate", "date", "game_code")
"""Parameters that say which date a call is about, the plainest first."""


@dataclass(frozen=True, slots=True)
class TheirCall:
    """A call of theirs, under the name that it has here. ``about``: the ET date that its row or parameters name."""

    call_id: str
    scraper: str
    workflow: str | None
    at: datetime
    outcome: Outcome
    about: date | None
    game_id: str | None

    def __post_init__(self) -> None:
        hold_instants(self, "at")

    @property
    def target_date(self) -> date:
        """The ET date that its data is about: that of the call itself where it names none."""
        return self.about or et_date(self.at)


@dataclass(frozen=True, slots=True)
class TheirExecution:
    """An execution of theirs with its calls. ``status`` and ``failed`` are its own words."""

    decision_id: str | None
    workflow: str
    at: datetime
    status: str
    failed: int
    calls: tuple[TheirCall, ...]

    def __post_init__(self) -> None:
        hold_instants(self, "at")

    @property
    def brought(self) -> list[TheirCall]:
        """Its calls that brought data."""
        return [call for call in self.calls if call.outcome is Outcome.SUCCESS]

    @property
    def completed(self) -> bool:
        """Whether it surely is what we call completed: no call failed, some brought data, all that did of one date."""
        dates = {call.target_date for call in self.brought}
        return self.status == ExecutionStatus.COMPLETED.value and not self.failed and len(dates) == 1


def read_calls(config: Config, rows: Rows, game_ids: Mapping[str, str]) -> list[TheirCall]:
    """Return the calls of rows of ``scraper_execution_log``. ``game_ids``: by game code."""
    calls = []
    for row in rows:
        scraper = str(SERVICE_NAMES.get(row["scraper"], row["scraper"]))
        opts = _object(row.get("opts"))
        calls.append(
            TheirCall(
                row["execution_id"],
                scraper,
                row.get("workflow"),
                et(datetime.fromtimestamp(row["at_second"], UTC)),
                _outcome(config, scraper, row["status"], _object(row.get("summary"))),
                next(filter(None, (_date(text) for text in (row.get("game_date"), *map(opts.get, ABOUT)))), None),
                _game_id(opts) or game_ids.get(str(opts.get("game_code"))),
            )
        )
    return calls


def read_executions(rows: Rows, calls: Sequence[TheirCall]) -> list[TheirExecution]:
    """Return the executions of rows of ``workflow_executions``, in order, each with its calls.

    Those that it names; where it names none, those of its workflow until the next execution.
    """
    by_id = {call.call_id: call for call in calls}
    by_workflow: dict[str | None, list[TheirCall]] = defaultdict(list)
    for call in calls:
        by_workflow[call.workflow].append(call)
    found = []
    following: dict[str, float] = {}
    for row in sorted(rows, key=lambda row: float(row["at_second"]), reverse=True):
        name, start = row["workflow"], float(row["at_second"])
        until = following.get(name, float("inf"))
        named = row.get("calls") or ()
        mine = [by_id[call_id] for call_id in named if call_id in by_id]
        if not named:
            mine = [call for call in by_workflow[name] if start <= call.at.timestamp() < until]
        at = et(datetime.fromtimestamp(start, UTC))
        found.append(
            TheirExecution(
                row.get("decision_id"), name, at, str(row["status"]), int(row.get("failed") or 0), tuple(mine)
            )
        )
        following[name] = start
    return found[::-1]


def past_executions(config: Config, executions: Iterable[TheirExecution]) -> Iterator[PastExecution]:
    """Yield what counts as an execution of ours: completed where that is certain, else failed, which is an attempt.

    Not those of post-game windows: the system before called per-game scrapers for the first game only (lesson E1).
    """
    for one in executions:
        if config.workflows[one.workflow].after_games:
            continue
        status = ExecutionStatus.COMPLETED if one.completed else ExecutionStatus.FAILED
        dates = {call.target_date for call in (one.brought if one.completed else one.calls)}
        about = dates.pop() if len(dates) == 1 else et_date(one.at)
        tick = tick_of(config, one.workflow, one.at)
        yield PastExecution(one.workflow, tick, about, status, len(one.brought) if one.completed else 0)


def past_calls(config: Config, calls: Iterable[TheirCall], scrapers: Iterable[str]) -> Iterator[PastCall]:
    """Yield the calls of ``scrapers`` that brought data."""
    wanted = frozenset(scrapers)
    for call in calls:
        if call.scraper in wanted and call.outcome is Outcome.SUCCESS:
            tick = tick_of(config, call.workflow, call.at)
            yield PastCall(call.scraper, tick, call.target_date, call.outcome, call.game_id)


def tick_of(config: Config, workflow: str | None, moment: datetime) -> datetime:
    """Return the tick that something of theirs belongs to, or the aware ``moment`` itself when it follows none.

    Frequencies are measured tick to tick: what began at 13:05 repeats at 15:00 (lesson T6).
    """
    ticks = config.ticks_of(workflow) if workflow in config.workflows else config.regular_ticks
    return max(ticks.between(moment - BEGINS_WITHIN, moment + timedelta(seconds=1)), default=moment)


def _outcome(config: Config, scraper: str, status: str, summary: Mapping[str, Any]) -> Outcome:
    """Return what came of a call. Saved data that was logged as no_data is data: its summary counts it (lesson K1)."""
    if status == Outcome.NO_DATA.value:
        counted = answer_of(scraper, config.scrapers.get(scraper)).count_in(summary)
        return Outcome.SUCCESS if counted else Outcome.NO_DATA
    return Outcome.SUCCESS if status == Outcome.SUCCESS.value else Outcome.FAILED


def _object(value: Any) -> Mapping[str, Any]:
    """Return a JSON object that may have come as text; nothing where it is none."""
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            return {}
    return value if isinstance(value, Mapping) else {}


def _date(text: Any) -> date | None:
    """Return the date that a parameter begins with. Words such as TODAY say nothing (lesson T12)."""
    found = re.match(r"(\d{4})-?(\d{2})-?(\d{2})(?!\d)", str(text or ""))
    try:
        return date(*map(int, found.groups())) if found else None
    except ValueError:
        return None


def _game_id(opts: Mapping[str, Any]) -> str | None:
    try:
        return canonical_game_id(opts["game_id"])
    except (KeyError, ValueError):
        return None
