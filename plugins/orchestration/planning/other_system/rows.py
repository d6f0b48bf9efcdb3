"""The rows of another system that works on the same tables, beside or before ours. Pure.

The rows are history for our decisions, and one side of ``compare``. We read only the old columns. Work that is perhaps
not done counts as not done, so our rules fetch its data again.
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
from orchestration.planning.other_system.comparison import Ours, Theirs
from orchestration.records.base import from_micros
from orchestration.records.tables import CallRecord, DecisionRecord, ExecutionRecord
from orchestration.vocabulary.scrapers import SERVICE_NAMES, answer_of
from orchestration.words import ExecutionStatus, Outcome

BEGINS_WITHIN = timedelta(minutes=30)
"""Work that begins up to this long after a tick belongs to it: the old executor ran 5 min after the controller."""
ABOUT = ("game_date", "gamedate", "date", "game_code")
"""Parameters that name the date of a call, the clearest first."""


@dataclass(frozen=True, slots=True)
class TheirExecution:
    """An execution of the other system, with its calls. ``status`` is a word of that system. Times are ET."""

    decision_id: str | None
    workflow_name: str
    execution_time: datetime
    status: str
    scrapers_failed: int
    calls: tuple[CallRecord, ...]

    @property
    def successes(self) -> list[CallRecord]:
        """The calls that returned data."""
        return [call for call in self.calls if call.status is Outcome.SUCCESS]

    @property
    def completed(self) -> bool:
        """Whether its work is certainly done: no call failed, and all calls with data are for one date."""
        dates = {call.target_date for call in self.successes}
        return self.status == ExecutionStatus.COMPLETED.value and not self.scrapers_failed and len(dates) == 1


def read_calls(config: Config, rows: Iterable[str], game_ids: Mapping[str, str]) -> list[CallRecord]:
    """Return the calls of rows of their ``scraper_execution_log`` (JSON), with our names of scrapers.

    ``game_ids``: the game id of each game code. The ``game_date`` of a call is the ET date in the row or in its
    parameters, else None. Its ``target_date`` is the ``game_date``, else the ET date on which the call was made.
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

    An execution without call ids gets the calls of its workflow until the next execution.
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
        if named:
            mine = [by_id[call_id] for call_id in named if call_id in by_id]
        else:
            since = [call for call in by_workflow[name] if start <= call.triggered_at]
            mine = [call for call in since if until is None or call.triggered_at < until]
        failed = int(row.get("scrapers_failed") or 0)
        found.append(TheirExecution(row.get("decision_id"), name, start, str(row["status"]), failed, tuple(mine)))
        following[name] = start
    return found[::-1]


def past_executions(config: Config, executions: Iterable[TheirExecution]) -> Iterator[ExecutionRecord]:
    """Yield their executions as records: completed if that is certain, else failed, which counts as an attempt.

    Executions of post-game windows are left out: the old system called a scraper per game for the first game only
    (lesson E1).
    """
    for one in executions:
        if config.workflows[one.workflow_name].after_games:
            continue
        dates = {call.target_date for call in (one.successes if one.completed else one.calls)}
        yield ExecutionRecord.known(
            workflow_name=one.workflow_name,
            slot_time=tick_of(config, one.workflow_name, one.execution_time),
            target_date=dates.pop() if len(dates) == 1 else et_date(one.execution_time),
            status=ExecutionStatus.COMPLETED if one.completed else ExecutionStatus.FAILED,
            scrapers_succeeded=len(one.successes) if one.completed else 0,
            scrapers_no_data=0,
        )


def past_calls(calls: Iterable[CallRecord], scrapers: Iterable[str]) -> Iterator[CallRecord]:
    """Yield the calls of ``scrapers`` that returned data."""
    wanted = frozenset(scrapers)
    return (call for call in calls if call.scraper_name in wanted and call.status is Outcome.SUCCESS)


def tick_of(config: Config, workflow: str | None, moment: datetime) -> datetime:
    """Return the tick to which work of theirs belongs, or the aware ``moment`` itself if no tick is near.

    Rules count time from tick to tick, so work that began at 13:05 counts from 13:00 (lesson T6).
    """
    ticks = config.ticks_of(workflow) if workflow in config.workflows else config.regular_ticks
    return max(ticks.between(moment - BEGINS_WITHIN, moment + timedelta(seconds=1)), default=moment)


def read_two_systems(
    config: Config, rows: Iterable[Mapping[str, Any]], until: datetime
) -> tuple[list[Ours], list[Theirs]]:
    """Return our ticks, and the other system's work, up to the aware ``until``.

    ``rows``: the rows of ``queries/two_systems.sql``.
    """
    facts: dict[str, list[str]] = defaultdict(list)
    for row in rows:
        facts[row["kind"]].append(row["payload"])
    game_ids = {str(game["game_code"]): str(game["game_id"]) for game in map(json.loads, facts["game"])}
    calls = read_calls(config, facts["their_call"], game_ids)
    executions = read_executions(facts["their_execution"], calls)
    return _ours(config, facts["decision"], until), _theirs(config, facts["their_decision"], executions)


def _ours(config: Config, rows: Iterable[str], until: datetime) -> list[Ours]:
    """Return the ticks with our decisions, and the ticks without a decision since the first one."""
    found: dict[tuple[str, datetime], Ours] = {}
    for decision in map(DecisionRecord.read, rows):
        name, tick = decision.workflow_name, decision.tick
        per_game = name in config.workflows and bool(config.per_game_scrapers(name))
        found[name, tick] = Ours(name, tick, decision, per_game)
    first = min((tick for _, tick in found), default=until)
    for name in {name for name, _ in found if name in config.enabled}:
        for tick in config.ticks_of(name).between(first, max(first, until)):
            found.setdefault((name, tick), Ours(name, tick))
    return list(found.values())


def _theirs(config: Config, decisions: Iterable[str], executions: Sequence[TheirExecution]) -> list[Theirs]:
    """Return their executions, and their decisions without an execution. Only calls per game have games."""
    found = []
    for one in executions:
        name = one.workflow_name
        per_game = config.per_game_scrapers(name) if name in config.workflows else ()
        dates = frozenset(call.game_date for call in one.calls if call.game_date is not None)
        games = frozenset(call.game_id for call in one.calls if call.game_id and call.scraper_name in per_game)
        found.append(Theirs(name, one.execution_time, dates, games, status=one.status))
    executed = {one.decision_id for one in executions}
    for row in map(json.loads, decisions):
        if row["decision_id"] not in executed:
            at, reason = from_micros(row["decision_time"]), row.get("reason") or ""
            found.append(Theirs(row["workflow_name"], at, executed=False, action=str(row["action"]), reason=reason))
    return found


def _outcome(config: Config, scraper: str, status: str, summary: Mapping[str, Any]) -> Outcome:
    """Return the outcome of a call. A row ``no_data`` is a success if its summary counts records (lesson K1)."""
    if status == Outcome.NO_DATA.value:
        counted = answer_of(scraper, config.scrapers.get(scraper)).count_in(summary)
        return Outcome.SUCCESS if counted else Outcome.NO_DATA
    return Outcome.SUCCESS if status == Outcome.SUCCESS.value else Outcome.FAILED


def _object(value: Any) -> Mapping[str, Any]:
    """Return a JSON object, or the object in a JSON text. Return an empty one for anything else."""
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            return {}
    return value if isinstance(value, Mapping) else {}


def _date(text: Any) -> date | None:
    """Return the date at the beginning of a parameter, else None. A word such as TODAY is not a date (lesson T12)."""
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
