"""What a slate has come to, for those who build on it: scheduled, lines collected, complete. Pure.

What is said of it is JSON, as the event of an Airflow asset carries it; moments are ISO texts, UTC.
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
from orchestration.records.tables import CallRecord
from orchestration.words import ExecutionStatus, KeptPaths, Outcome

Said = dict[str, Any]


def _of(day: date, schedule: Schedule) -> Said:
    return {"target_date": day.isoformat(), "games": len(schedule.on(day))}


def _utc(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat()


def was_there(facts: DayFacts) -> bool:
    """Return whether the slate has games, and the system's first decision on record is older than the first of them."""
    begins = [game.begins for game in facts.schedule.on(facts.day)]
    return bool(begins and facts.first) and min(fact.tick for fact in facts.first) <= min(begins)


def scheduled(day: date, schedule: Schedule, locked_at: datetime, expected_runs: int) -> Said:
    """Return what is said of the slate of the ET date ``day`` that was locked at ``locked_at``."""
    tips = [game.tip for game in schedule.on(day) if game.tip is not None]
    first_tip = _utc(min(tips)) if tips else None
    return {
        **_of(day, schedule), "first_tip": first_tip, "locked_at": _utc(locked_at), "expected_runs": expected_runs
    }  # fmt: skip


def lines_collected(config: Config, facts: DayFacts) -> Said | None:
    """Return what is said once every ``game_aware`` workflow that calls has collected for the slate; None before.

    Collected: no critical call failed, and one brought records. What is halted is not waited for.
    """
    ticks: dict[str, str] = {}
    for name, workflow in config.enabled.items():
        if not isinstance(workflow, GameAwareWorkflow) or config.is_shadow(name) or config.halt_on(facts.day, name):
            continue
        brought = {c.tick for c in facts.calls if c.workflow == name and c.status is Outcome.SUCCESS}
        collected = [
            execution.tick
            for execution in facts.executions
            if (execution.workflow_name, execution.target_date) == (name, facts.day)
            and execution.status is not ExecutionStatus.FAILED
            and execution.tick in brought
        ]
        if not collected:
            return None
        ticks[name] = _utc(min(collected))
    return {**_of(facts.day, facts.schedule), "collected": ticks} if ticks else None


def morning_of(config: Config, day: date) -> datetime:
    """Return until when the slate of ``day`` is waited for: its cut-over and the morning's reconcile are over."""
    ends, noon = (at(day + timedelta(days=1), wall) for wall in (SLATE_CUT_OVER, NOON))
    return after(max([ends, *(tick for tick in data.reconciles(config, day) if tick < noon)]), GRACE)


def to_be_told(config: Config, facts: DayFacts, now: datetime) -> bool:
    """Return whether it is worth looking into the tables: every game is final and collected, or the morning is here.

    Where no post-game window of ours is on, nobody brings what would be waited for.
    """
    return bool(data.wanted(config, facts, critical_only=False)) and (
        now >= morning_of(config, facts.day) or not _lacks(config, facts)
    )


def complete(config: Config, facts: DayFacts, now: datetime, arrived: Collection[str]) -> Said | None:
    """Return what is said of a slate that is complete, or not by its morning; None before.

    Complete: every game is final, brought by every scraper of the post-game windows, critical or not, and in its
    tables; ``arrived`` are the files that are. A call that names no file has not arrived as far as anybody knows.
    """
    missing = _lacks(config, facts, arrived)
    if missing and now < morning_of(config, facts.day):
        return None
    return {**_of(facts.day, facts.schedule), "complete": not missing, "missing": missing}


def bringing(config: Config, facts: DayFacts) -> Iterator[tuple[Game, str, list[CallRecord]]]:
    """Yield each game that a scraper has brought whose table shows all files, with scraper and calls."""
    for scraper in data.wanted(config, facts, critical_only=False):
        model = config.scrapers[scraper]
        if model.processed_in is None or model.keeps_paths is not KeptPaths.ALL:
            continue
        for game in facts.schedule.on(facts.day):
            if calls := [call for call in facts.calls if brings(config, scraper, game, call)]:
                yield game, scraper, calls


def _lacks(config: Config, facts: DayFacts, arrived: Collection[str] | None = None) -> list[Said]:
    """Return what each game lacks that lacks anything; files only where ``arrived`` says which have."""
    not_in_table: dict[Game, list[str]] = {}
    if arrived is not None:
        for game, scraper, calls in bringing(config, facts):
            if not any(call.gcs_path in arrived for call in calls):
                not_in_table.setdefault(game, []).append(scraper)
    not_collected = data.lacking(config, facts, critical_only=False)
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
    ]
