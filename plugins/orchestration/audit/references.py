"""Checks that every table and column of the configuration and of our statements exists.

``init`` and the locker's DAG run the checks, so that a wrong name is found before the night (lessons K3, C2).
"""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta

from orchestration.audit.inputs import by_kind, row_of, schedule_window
from orchestration.audit.statements import statement
from orchestration.audit.warehouse import Warehouse
from orchestration.config import Config
from orchestration.nba.eastern import misdated
from orchestration.nba.games import Game
from orchestration.records.base import from_micros
from orchestration.words import KeptPaths, did_you_mean

SCHEDULE_COLUMNS = (
    "game_id",
    "game_code",
    "game_date",
    "game_date_est",
    "game_status",
    "game_status_text",
    "home_team_tricode",
    "away_team_tricode",
    "data_source",
    "processed_at",
)
HISTORY_COLUMNS = {
    "workflow_executions": (
        *("execution_id", "execution_time", "workflow_name", "decision_id"),
        *("status", "scrapers_failed", "scraper_execution_ids"),
    ),
    "scraper_execution_log": (
        *("execution_id", "scraper_name", "workflow", "game_date"),
        *("status", "triggered_at", "opts", "data_summary"),
    ),
}
"""The columns that we read of another system's tables."""
TIME_COLUMN = "processed_at"
FILE_COLUMNS: dict[KeptPaths, tuple[str, ...]] = {
    KeptPaths.ALL: ("source_file_path",),
    KeptPaths.NEWEST: ("source_file_path", TIME_COLUMN),
    KeptPaths.NONE: (),
}
"""The columns that the cleanup reads of a table, by the paths that the table keeps."""
LOG_COLUMNS = (
    "execution_id",
    "status",
    "triggered_at",
    "gcs_path",
    "error_type",
    "error_message",
    "retry_count",
    "created_at",
)


def broken_references(warehouse: Warehouse, config: Config) -> list[str]:
    """Return a line for each table or column that does not exist.

    Raises WarehouseError if BigQuery does not answer.
    """
    schedule = config.settings.schedule_table
    wanted: dict[str, tuple[str, tuple[str, ...]]] = {schedule: ("every decision about games", SCHEDULE_COLUMNS)}
    for name, scraper in config.scrapers.items():
        if scraper.processed_in is not None:
            _, columns = wanted.get(scraper.processed_in, ("", ()))
            read = FILE_COLUMNS[scraper.keeps_paths]
            of_games = () if scraper.game_column is None else (scraper.game_column,)
            wanted[scraper.processed_in] = (f"scrapers.{name}.processed_in", (*columns, *read, *of_games))
    settings = config.settings
    if settings.service_log is not None:
        wanted.setdefault(settings.service_log, ("settings.service_log", LOG_COLUMNS))
    if settings.history != settings.audit_dataset:
        for table, columns in HISTORY_COLUMNS.items():
            wanted[f"{settings.history}.{table}"] = ("settings.history_dataset", columns)
    problems = []
    for table, (who, columns) in sorted(wanted.items()):
        schema = warehouse.schema(table)
        if schema is None:
            problems.append(f"{who}: table {table} does not exist; create it, or correct workflows.yaml")
            continue
        there = [column.name for column in schema]
        problems += [
            f"{who}: table {table} has no column {column}{did_you_mean(column, there)}"
            for column in columns
            if column not in there
        ]
    return [*problems, *_other_lock(warehouse, config)]


def misdated_tips(warehouse: Warehouse, config: Config, now: datetime) -> str | None:
    """Return a line about tips around ``now`` that are not on their game date, or None (lesson A7).

    Raises WarehouseError when BigQuery does not answer.
    """
    if warehouse.schema(config.settings.schedule_table) is None:
        return None
    payloads = by_kind(warehouse.query(statement("known_schedule"), schedule_window(now)))["game"]
    rows = [json.loads(payload) for payload in payloads]
    # The health check names rows that cannot be read at all.
    games = [game for game in rows if isinstance(row_of(game), Game) and game["tip"] is not None]
    tips = [(game["game_id"], date.fromisoformat(game["date"]), from_micros(game["tip"])) for game in games]
    if not (wrong := [(game_id, day, tip) for game_id, day, tip in tips if misdated(day, tip)]):
        return None
    game_id, day, tip = wrong[0]
    return (
        f"{len(wrong)} of {len(tips)} tips in {config.settings.schedule_table} are not on their game date, for "
        f"example {game_id} of {day}: {tip:%Y-%m-%d %H:%M} ET. These tips count as unknown: windows before games open "
        "with business hours, and games are due at the end of their slate. Check whether the writer of the table puts "
        "midnight UTC of the game date into game_date_est"
    )


def _other_lock(warehouse: Warehouse, config: Config) -> list[str]:
    """Return a line if the days of the reports, as ``init`` made them, do not begin at the lock."""
    day = date(2026, 1, 14)
    lock, _ = config.day_bounds(day)
    parameters = {"lock": lock.astimezone(UTC), "before": (lock - timedelta(minutes=1)).astimezone(UTC)}
    [row] = warehouse.query(statement("day_begins"), parameters)
    if (row["before"], row["lock"]) == (day - timedelta(days=1), day):
        return []
    return [
        f"settings.daily_schedule_lock.generation_time: the reports in {warehouse.audit} do not begin their days at "
        f"{lock:%H:%M} ET; run python -m orchestration init"
    ]
