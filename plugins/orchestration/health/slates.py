"""The events of a slate for downstream DAGs: scheduled, lines collected, complete. Pure.

An event is JSON, as an Airflow asset carries it. Its moments are ISO texts, UTC.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

from orchestration.config import Config
from orchestration.decisions.collected import brings
from orchestration.decisions.types.game_aware import GameAwareWorkflow
from orchestration.health import data
from orchestration.health.facts import DayFacts
from orchestration.health.findings import GRACE
from orchestration.nba.eastern import NOON, SLATE_CUT_OVER, after, at
from orchestration.nba.games import FINAL, Game, Schedule
from orchestration.nba.slate import changes
from orchestration.records.tables import CallRecord
from orchestration.words import ExecutionStatus, KeptPaths, Outcome

Event = dict[str, Any]


def _of(day: date, schedule: Schedule) -> Event:
    return {"target_date": day.isoformat(), "games": len(schedule.on(day))}


def _utc(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat()


def system_was_on(facts: DayFacts) -> bool:
    """Return whether the slate has games and the system was on before the first of them began."""
    begins = [game.begins for game in facts.schedule.on(facts.day)]
    return bool(begins and facts.first) and min(fact.tick for fact in facts.first) <= min(begins)


def scheduled(day: date, schedule: Schedule, locked_at: datetime, expected_runs: int) -> Event:
    """Return the event for the slate of the ET date ``day`` that was locked at ``locked_at``."""
    tips = [game.tip for game in schedule.on(day) if game.tip is not None]
    first_tip = _utc(min(tips)) if tips else None
    return {
        **_of(day, schedule), "first_tip": first_tip, "locked_at": _utc(locked_at), "expected_runs": expected_runs
    }  # fmt: skip


def lines_collected(config: Config, facts: DayFacts) -> Event | None:
    """Return the event once every ``game_aware`` workflow has collected for the slate, or None before.

    Collected: no critical call failed, and one returned records. Halted workflows and shadows do not count.
    """
    ticks: dict[str, str] = {}
    for name, workflow in config.enabled.items():
        if not isinstance(workflow, GameAwareWorkflow) or config.is_shadow(name) or config.halt_on(facts.day, name):
            continue
        with_data = {c.tick for c in facts.calls if c.workflow == name and c.status is Outcome.SUCCESS}
        collected = [
            execution.tick
            for execution in facts.executions
            if (execution.workflow_name, execution.target_date) == (name, facts.day)
            and execution.status is not ExecutionStatus.FAILED
            and execution.tick in with_data
        ]
        if not collected:
            return None
        ticks[name] = _utc(min(collected))
    return {**_of(facts.day, facts.schedule), "collected": ticks} if ticks else None


def morning_of(config: Config, day: date) -> datetime:
    """Return the last moment at which a slate may become complete: after its night and the morning's reconcile."""
    ends, noon = (at(day + timedelta(days=1), wall) for wall in (SLATE_CUT_OVER, NOON))
    return after(max([ends, *(tick for tick in data.reconciles(config, day) if tick < noon)]), GRACE)


def worth_looking(config: Config, facts: DayFacts, now: datetime) -> bool:
    """Return whether to look into the tables: every game is final and collected, or :func:`morning_of` is over.

    Without a post-game window of ours no file is expected in the tables.
    """
    return bool(data.wanted(config, facts, critical_only=False)) and (
        now >= morning_of(config, facts.day) or not _lacks(config, facts)
    )


def complete(config: Config, facts: DayFacts, now: datetime, arrived: Collection[str]) -> Event | None:
    """Return the event of a slate that is complete, or incomplete after :func:`morning_of`; otherwise None.

    Complete: every game is final, collected by every scraper of the post-game windows, and in its tables. ``arrived``:
    the files that are in their tables. A call without a file name counts as not arrived.
    """
    missing = _lacks(config, facts, arrived)
    if missing and now < morning_of(config, facts.day):
        return None
    return {**_of(facts.day, facts.schedule), "complete": not missing, "missing": missing}


def bringing(config: Config, facts: DayFacts) -> Iterator[tuple[Game, str, list[CallRecord]]]:
    """Yield each collected game with its scraper and calls, for scrapers whose table keeps the path of each file."""
    for scraper in data.wanted(config, facts, critical_only=False):
        model = config.scrapers[scraper]
        if model.processed_in is None or model.keeps_paths is not KeptPaths.ALL:
            continue
        for game in facts.schedule.on(facts.day):
            if calls := [call for call in facts.calls if brings(config, scraper, game, call)]:
                yield game, scraper, calls


def _lacks(config: Config, facts: DayFacts, arrived: Collection[str] | None = None) -> list[Event]:
    """Return the incomplete games with what each lacks, and the games that vanished since the lock (lesson F1).

    Without ``arrived``, files do not count.
    """
    not_in_table: dict[Game, list[str]] = {}
    if arrived is not None:
        for game, scraper, calls in bringing(config, facts):
            if not any(call.gcs_path in arrived for call in calls):
                not_in_table.setdefault(game, []).append(scraper)
    not_collected = data.lacking(config, facts, critical_only=False)
    since = changes(facts.schedule, facts.day, morning_of(config, facts.day))
    return [
        {
            "game_id": game.game_id,
            "label": game.label,
            "final": game.status == FINAL,
            "not_collected": list(not_collected.get(game, ())),
            "not_in_table": not_in_table.get(game, []),
        }
        for game in facts.schedule.on(facts.day)
        if game.status != FINAL or game in not_collected or game in not_in_table
    ] + [
        {
            "game_id": game.game_id,
            "label": f"{game.game_id} {game.label}",
            "final": False,
            "not_collected": [],
            "not_in_table": [],
        }
        for game in (since.vanished if since else ())
    ]
