"""The schedule and the history that a decision needs, read in one round trip."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

from orchestration.audit.statements import statement
from orchestration.audit.warehouse import Parameter, Warehouse
from orchestration.config import Config
from orchestration.decisions.model import History
from orchestration.decisions.whole import PastAnswers
from orchestration.nba.eastern import et_date
from orchestration.nba.games import Game, Schedule, UnusableRow, read_game
from orchestration.nba.slate import LockedGame, LockedSlate
from orchestration.planning.other_system.rows import past_calls, past_executions, read_calls, read_executions
from orchestration.records.base import from_micros
from orchestration.records.tables import CallRecord, DecisionRecord, ExecutionRecord, ExpectedRun

SCHEDULE_DAYS_BACK, SCHEDULE_DAYS_AHEAD = 3, 8
"""ET dates of the schedule that are read around the target date."""
PAST_ANSWERS = timedelta(days=45)
"""How far back earlier answers are read, to learn what is usual."""


def decision_inputs(
    warehouse: Warehouse,
    config: Config,
    names: Iterable[str],
    tick: datetime,
    *,
    days_ahead: int = 0,
    about: date | None = None,
) -> tuple[Schedule, History]:
    """Return the schedule around ``tick`` and the history of the workflows ``names`` and of those they require.

    ``days_ahead``: further days of the schedule, for a longer plan. ``about``: an ET date that the schedule must
    contain, for a run that is forced for another day.

    Raises WarehouseError when BigQuery does not answer, ValueError for a row that cannot be read. Neither error ever
    means "never ran" (lesson K8).
    """
    names = list(names)
    workflows = {*names, *(r for name in names for r in config.workflows[name].dependencies.requires)}
    scrapers = {scraper for name in names for scraper in config.workflows[name].execution_plan.scrapers}
    # All workflows may be switched off.
    start = tick - timedelta(hours=max((config.look_back_hours(name) for name in names), default=0))
    parameters: dict[str, Parameter] = {
        **schedule_window(tick, days_ahead, about),
        "answers_from_date": (tick - PAST_ANSWERS).astimezone(UTC).date(),
        "history_from": start.astimezone(UTC),
        "history_from_date": start.astimezone(UTC).date(),
        "tick": tick.astimezone(UTC),
        "tick_date": tick.astimezone(UTC).date(),
        "workflows": sorted(workflows),
        "scrapers": sorted(scrapers),
    }
    facts = by_kind(warehouse.query(statement("decision_inputs"), parameters))
    schedule = schedule_from(facts)
    calls = read_calls(config, facts["their_call"], {game.code: game.game_id for game in schedule.games})
    executions = read_executions(facts["their_execution"], calls)
    history = History(
        (*map(ExecutionRecord.read, facts["execution"]), *past_executions(config, executions)),
        (*map(CallRecord.read, facts["call"]), *past_calls(calls, scrapers)),
        tuple(map(DecisionRecord.read, facts["decision"])),
        tuple(map(PastAnswers.model_validate_json, facts["past_answers"])),
    )
    return schedule, history


def past_answers(warehouse: Warehouse, config: Config, name: str, tick: datetime) -> tuple[PastAnswers, ...]:
    """Return the earlier answers of the scrapers of the workflow ``name``. Raises WarehouseError."""
    scrapers = sorted(config.workflows[name].execution_plan.scrapers)
    before: dict[str, Parameter] = {
        "answers_from_date": (tick - PAST_ANSWERS).astimezone(UTC).date(), "tick": tick.astimezone(UTC)
    }  # fmt: skip
    rows = by_kind(warehouse.query(statement("past_answers"), {**before, "scrapers": scrapers}))
    return tuple(map(PastAnswers.model_validate_json, rows["past_answers"]))


def schedule_window(tick: datetime, days_ahead: int = 0, about: date | None = None) -> dict[str, Parameter]:
    """Return the parameters that bound the schedule's dates around ``tick``; the ET date ``about`` lies within them."""
    today = et_date(tick)
    about = about or today
    return {
        "schedule_from": min(about, today - timedelta(days=SCHEDULE_DAYS_BACK)),
        "schedule_to": max(about, today + timedelta(days=SCHEDULE_DAYS_AHEAD + days_ahead)),
    }


def by_kind(rows: Iterable[Mapping[str, Any]]) -> dict[str, list[str]]:
    """Return the JSON objects of a "kind and payload" result, as text, by kind."""
    facts: dict[str, list[str]] = defaultdict(list)
    for row in rows:
        facts[row["kind"]].append(row["payload"])
    return facts


def schedule_from(facts: Mapping[str, list[str]]) -> Schedule:
    """Return the schedule of a result's rows. Rows without a game become unusable rows."""
    rows = [row_of(json.loads(row)) for row in facts.get("game", ())]
    micros = next((json.loads(row).get("refreshed_at") for row in facts.get("refreshed", ())), None)
    return Schedule(
        tuple(row for row in rows if isinstance(row, Game)),
        None if micros is None else from_micros(micros),
        tuple(row for row in rows if isinstance(row, UnusableRow)),
        locked=tuple(_locked_slates(map(ExpectedRun.read, facts.get("locked", ())))),
        elsewhere=tuple(row_of(json.loads(row)) for row in facts.get("elsewhere", ())),
    )


def _locked_slates(runs: Iterable[ExpectedRun]) -> Iterator[LockedSlate]:
    """Yield the slates that the locks kept.

    An older release kept none. An empty slate means a day without games only if a run about the date counted none.
    """
    for run in runs:
        if run.slate or (run.target_date == run.date and run.games_today == 0):
            games = (LockedGame(game.game_id, game.code, game.tip) for game in run.slate)
            yield LockedSlate(run.date, run.locked_at, tuple(games))


def row_of(row: Mapping[str, Any]) -> Game | UnusableRow:
    """Return the game of a row, or an unusable row if the source's values are not a game."""
    try:
        day = date.fromisoformat(row["date"])
        tip, processed = (None if row.get(key) is None else from_micros(row[key]) for key in ("tip", "processed_at"))
    except (KeyError, TypeError, ValueError, OverflowError, OSError) as error:
        return UnusableRow(str(row.get("game_id") or ""), f"its date or tip-off cannot be read: {error}")
    return read_game(
        row.get("game_id"),
        row.get("code"),
        day,
        tip,
        row.get("home"),
        row.get("away"),
        row.get("status"),
        row.get("status_text"),
        processed,
    )
