"""What a system beside or before ours did, from its rows: history for our decisions, and what ``compare`` shows. Pure.

Its rows have the old columns only. What is not certain is not done, and fetched once more.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from orchestration.config import Config
from orchestration.nba.eastern import et_date
from orchestration.nba.games import canonical_game_id
from orchestration.records.base import from_micros
from orchestration.records.tables import CallRecord, ExecutionRecord
from orchestration.vocabulary.scrapers import SERVICE_NAMES, answer_of
from orchestration.words import ExecutionStatus, Outcome

BEGINS_WITHIN = timedelta(minutes=30)
"""What began so soon after a tick belongs to it: an executor came five minutes after its controller."""
ABOUT = ("game_date", "gamedate", "date", "game_code")
"""Parameters that say which date a call is about, the plainest first."""


@dataclass(frozen=True, slots=True)
class TheirExecution:
    """An execution of theirs with its calls. Not a record: ``status`` is their own word. ``execution_time`` is ET."""

    decision_id: str | None
    workflow_name: str
    execution_time: datetime
    status: str
    scrapers_failed: int
    calls: tuple[CallRecord, ...]

    @property
    def brought(self) -> list[CallRecord]:
        """Its calls that brought data."""
        return [call for call in self.calls if call.status is Outcome.SUCCESS]

    @property
    def completed(self) -> bool:
        """Whether it surely is what we call completed: no call failed, some brought data, all that did of one date."""
        dates = {call.target_date for call in self.brought}
        return self.status == ExecutionStatus.COMPLETED.value and not self.scrapers_failed and len(dates) == 1


def read_calls(config: Config, rows: Iterable[str], game_ids: Mapping[str, str]) -> list[CallRecord]:
    """Return the calls of rows of their ``scraper_execution_log`` (JSON), under our names. ``game_ids``: by game code.

    ``game_date`` is the ET date that the row or its parameters name, None where they name none; ``target_date`` is then
    the date of the call itself.
    """
    calls = []
    for row in map(json.loads, rows):
        scraper = str(SERVICE_NAMES.get(row["scraper_name"], row["scraper_name"]))
        opts, triggered_at = _object(row.get("opts")), from_micros(row["triggered_at"])
        about = next(filter(None, (_date(text) for text in (row.get("game_date"), *map(opts.get, ABOUT)))), None)
        calls.append(
            CallRecord.known(
                execution_id=row["execution_id"],
                scraper_name=scraper,
                workflow=row.get("workflow"),
                game_date=about,
                status=_outcome(config, scraper, row["status"], _object(row.get("data_summary"))),
                triggered_at=triggered_at,
                slot_time=tick_of(config, row.get("workflow"), triggered_at),
                target_date=about or et_date(triggered_at),
                game_id=_game_id(opts) or game_ids.get(str(opts.get("game_code"))),
            )
        )
    return calls


def read_executions(rows: Iterable[str], calls: Sequence[CallRecord]) -> list[TheirExecution]:
    """Return the executions of rows of their ``workflow_executions`` (JSON), in order, each with its calls.

    Those that it names; where it names none, those of its workflow until the next execution.
    """
    by_id = {call.execution_id: call for call in calls}
    by_workflow: dict[str | None, list[CallRecord]] = defaultdict(list)
    for call in calls:
        by_workflow[call.workflow].append(call)
    found = []
    following: dict[str, datetime] = {}
    for row in sorted(map(json.loads, rows), key=lambda row: int(row["execution_time"]), reverse=True):
        name, start = row["workflow_name"], from_micros(row["execution_time"])
        until = following.get(name)
        named = row.get("scraper_execution_ids") or ()
        mine = [by_id[call_id] for call_id in named if call_id in by_id]
        if not named:
            mine = [
                c for c in by_workflow[name] if start <= c.triggered_at and (until is None or c.triggered_at < until)
            ]
        found.append(
            TheirExecution(
                decision_id=row.get("decision_id"),
                workflow_name=name,
                execution_time=start,
                status=str(row["status"]),
                scrapers_failed=int(row.get("scrapers_failed") or 0),
                calls=tuple(mine),
            )
        )
        following[name] = start
    return found[::-1]


def past_executions(config: Config, executions: Iterable[TheirExecution]) -> Iterator[ExecutionRecord]:
    """Yield what counts as an execution of ours: completed where that is certain, else failed, which is an attempt.

    Not those of post-game windows: the system before called per-game scrapers for the first game only (lesson E1).
    """
    for one in executions:
        if config.workflows[one.workflow_name].after_games:
            continue
        dates = {call.target_date for call in (one.brought if one.completed else one.calls)}
        yield ExecutionRecord.known(
            workflow_name=one.workflow_name,
            slot_time=tick_of(config, one.workflow_name, one.execution_time),
            target_date=dates.pop() if len(dates) == 1 else et_date(one.execution_time),
            status=ExecutionStatus.COMPLETED if one.completed else ExecutionStatus.FAILED,
            scrapers_succeeded=len(one.brought) if one.completed else 0,
            scrapers_no_data=0,
        )


def past_calls(calls: Iterable[CallRecord], scrapers: Iterable[str]) -> Iterator[CallRecord]:
    """Yield the calls of ``scrapers`` that brought data."""
    wanted = frozenset(scrapers)
    return (call for call in calls if call.scraper_name in wanted and call.status is Outcome.SUCCESS)


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
