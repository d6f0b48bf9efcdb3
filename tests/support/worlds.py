"""Building blocks of the tests: games, schedules, histories, configurations."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, time
from functools import lru_cache
from pathlib import Path

import yaml

from orchestration.config import Config, load, loads
from orchestration.decisions.engine import decide
from orchestration.decisions.model import Decision, History
from orchestration.nba.eastern import at
from orchestration.nba.games import Game, GameType, Schedule
from orchestration.nba.slate import LockedGame, LockedSlate
from orchestration.records.tables import CallRecord, DecisionRecord, ExecutionRecord
from orchestration.words import Action, ExecutionStatus, Outcome

ROOT = Path(__file__).resolve().parents[2]
OLD_FILE = Path(__file__).parent / "data" / "workflows-2025-11.yaml"
DAY = date(2026, 1, 14)


@lru_cache
def ours() -> Config:
    """Return our own configuration."""
    return load(ROOT / "config" / "workflows.yaml").config


@lru_cache
def old() -> Config:
    """Return the configuration of the old file of November 2025."""
    return load(OLD_FILE).config


def changed(**paths: object) -> Config:
    """Return our configuration with changed values: ``a__b__c=value`` sets a.b.c."""
    return loads(changed_file(**paths)).config


def changed_file(**paths: object) -> str:
    """Return the text of our workflows.yaml with changed values."""
    data = yaml.safe_load((ROOT / "config" / "workflows.yaml").read_text())
    for path, value in paths.items():
        *parents, key = path.split("__")
        here = data
        for parent in parents:
            here = here.setdefault(parent, {})
        here[key] = value
    return str(yaml.safe_dump(data))


def et(text: str, day: date = DAY) -> datetime:
    """Return an aware ET moment: '19:30' on ``day``, '+1 01:00' on the day after."""
    shift, _, wall = text.rpartition(" ")
    moment = date.fromordinal(day.toordinal() + int(shift or 0))
    return at(moment, time.fromisoformat(wall))


def game(number: int = 1, tip: str = "19:00", day: date = DAY, *, prefix: str = "002", text: str = "") -> Game:
    game_id = f"{prefix}25{number:05d}"
    return Game(game_id, f"{day:%Y%m%d}/LALBOS", day, et(tip, day), "BOS", "LAL", 1, text)


def schedule(*games: Game, refreshed: datetime | None = None) -> Schedule:
    """Return a schedule, by default refreshed at 04:30 on the date of its first game."""
    first = min((g.date for g in games), default=DAY)
    return Schedule(games, refreshed or et("04:30", first))


def locked(schedule: Schedule, day: date = DAY, wall: str = "05:00", now: Schedule | None = None) -> Schedule:
    """Return ``schedule``, or the schedule ``now``, with the slate that a lock of ``day`` kept of ``schedule``."""
    games = (LockedGame(game.game_id, game.code, game.tip) for game in schedule.on(day, GameType))
    slate = LockedSlate(day, et(wall, day), tuple(games))
    return replace(now or schedule, locked=(*schedule.locked, slate))


def as_seen(games: Schedule, moment: datetime) -> Schedule:
    """Return the schedule as of ``moment``: games that are due by then are final."""
    known = tuple(replace(g, status=3) if g.due <= moment else g for g in games.games)
    return replace(games, games=known, refreshed_at=moment)


def executed(
    workflow: str, tick: str | datetime, target: date = DAY, status: str = "completed", with_records: int = 1
) -> ExecutionRecord:
    moment = et(tick) if isinstance(tick, str) else tick
    return ExecutionRecord.known(
        workflow_name=workflow, slot_time=moment, target_date=target, status=ExecutionStatus(status),
        scrapers_succeeded=with_records, scrapers_no_data=0,
    )  # fmt: skip


def called(
    scraper: str, tick: str | datetime, outcome: str = "success", target: date = DAY, game_id: str | None = None
) -> CallRecord:
    moment = et(tick) if isinstance(tick, str) else tick
    return CallRecord.known(
        scraper_name=scraper, slot_time=moment, target_date=target, status=Outcome(outcome), game_id=game_id
    )


def brought(tick: str, *games: Game, workflow: str = "post_game_window_2", without: str = "") -> list[CallRecord]:
    """Return a successful call for each scraper of a window, for these games and their date, at one tick."""
    scrapers = [s for s in ours().workflows[workflow].execution_plan.scrapers if s != without]
    per_game = ours().per_game_scrapers(workflow)
    return [
        called(scraper, tick, target=one.date, game_id=one.game_id if scraper in per_game else None)
        for scraper in scrapers
        for one in games
    ]


def decided(workflow: str, tick: str | datetime, action: str, rule: str, target: date = DAY) -> DecisionRecord:
    moment = et(tick) if isinstance(tick, str) else tick
    return DecisionRecord.known(
        workflow_name=workflow, slot_time=moment, target_date=target, action=Action(action), rule=rule
    )


def history(*past: ExecutionRecord | CallRecord | DecisionRecord) -> History:
    return History(
        tuple(p for p in past if isinstance(p, ExecutionRecord)),
        tuple(p for p in past if isinstance(p, CallRecord)),
        tuple(p for p in past if isinstance(p, DecisionRecord)),
    )


MORNING_DONE = executed("morning_operations", "06:00")


def decision(
    workflow: str,
    tick: str | datetime,
    games: Schedule | None = None,
    past: History | None = None,
    config: Config | None = None,
) -> Decision:
    moment = et(tick) if isinstance(tick, str) else tick
    return decide(workflow, config or ours(), moment, games or schedule(game()), past or History())
