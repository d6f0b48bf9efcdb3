"""Days of the old system: the rows that it writes, with its known mistakes."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any

from orchestration.audit.warehouse import Warehouse
from orchestration.nba.eastern import et_date
from orchestration.nba.games import Game
from support.old_system import logged, their_decision, their_execution, write
from support.worlds import et

HOURLY = [f"{hour:02d}:00" for hour in range(6, 24)]
NIGHT = ["+1 01:00", "+1 04:00"]


class Mistake(StrEnum):
    """A mistake of a day, by the number of its lesson."""

    DAILY_AGAIN_EVERY_HOUR = "K1"
    NIGHT_WINDOWS_NEVER_RAN = "T1"
    FAILURE_BLOCKS_THE_RETRY = "K5"
    TODAYS_GAMES_FOR_YESTERDAYS_WINDOW = "T9"
    FIRST_GAME_ONLY = "E1"


@dataclass
class Call:
    """One call of the old system, in the form of the service's log."""

    scraper: str
    opts: dict[str, str]
    status: str = "success"
    summary: dict[str, int] = field(default_factory=dict)


class OldSystem:
    """The old system. It runs due workflows five minutes after its controller, and writes only its own columns.

    ``games`` holds the games of each ET date by tip. The first two tip before 22:00, all of them before 01:00.
    """

    def __init__(self, games: dict[date, Sequence[Game]]) -> None:
        self.games = games
        self.decisions: list[dict[str, Any]] = []
        self.executions: list[dict[str, Any]] = []
        self.log: list[dict[str, Any]] = []

    def day(self, day: date, mistake: Mistake | None = None) -> None:
        """Play a day, from its morning to the end of its night."""
        due = {(workflow, tick): calls for workflow, tick, calls in self._due(day, mistake)}
        workflows = sorted({workflow for workflow, _ in due})
        silent = NIGHT if mistake is Mistake.NIGHT_WINDOWS_NEVER_RAN else []
        for tick in [*HOURLY, *NIGHT]:
            for workflow in workflows:
                if tick in silent or (tick in NIGHT and (workflow, tick) not in due):
                    continue  # at night its controller ran only for these workflows
                calls = due.get((workflow, tick))
                self._decide(workflow, et(tick, day), calls)

    def write(self, warehouse: Warehouse) -> None:
        """Write all rows into the old system's dataset."""
        write(warehouse, "workflow_decisions", *self.decisions)
        write(warehouse, "workflow_executions", *self.executions)
        write(warehouse, "scraper_execution_log", *self.log)

    def _decide(self, workflow: str, tick: datetime, calls: list[Call] | None) -> None:
        decision = their_decision(workflow, tick, "SKIP" if calls is None else "RUN")
        self.decisions.append(decision)
        if calls is None:
            return
        at, ids = tick + timedelta(minutes=5), []
        for number, call in enumerate(calls):
            run_id = f"{workflow} {tick:%d %H} {number}"
            row = logged(run_id, call.scraper, at + timedelta(seconds=5 + number), call.status, **call.opts)
            self.log.append({**row, "workflow": workflow, "data_summary": json.dumps(call.summary)})
            ids.append(run_id)
        failed = sum(call.status == "failed" for call in calls)
        execution = their_execution(workflow, at, ids, "failed" if failed else "completed")
        self.executions.append({**execution, "decision_id": decision["decision_id"], "scrapers_failed": failed})

    def _due(self, day: date, mistake: Mistake | None) -> Iterator[tuple[str, str, list[Call]]]:
        again = HOURLY if mistake is Mistake.DAILY_AGAIN_EVERY_HOUR else HOURLY[:1]
        for tick in again:
            yield "morning_operations", tick, self._morning(mistake)
        for tick in ("13:00", "15:00", "17:00", "19:00"):
            fails = mistake is Mistake.FAILURE_BLOCKS_THE_RETRY and tick == "13:00"
            yield "betting_lines", tick, self._lines(day, "failed" if fails else "success")
        for tick, found in (("06:00", 0), ("08:00", 0), ("10:00", 0), ("12:00", 9)):
            opts = {"gamedate": f"{day}", "hour": "8", "period": "AM"}
            call = Call("nbac_injury_report", opts, "success" if found else "no_data", {"total_records": found})
            yield "injury_discovery", tick, [call]
        for tick, found in (("06:00", 0), ("07:00", 0), ("08:00", 0), ("09:00", 3)):
            status = "success" if found else "no_data"
            yield (
                "referee_discovery",
                tick,
                [Call("nbac_referee_assignments", {"date": f"{day}"}, status, {"nba_games": found})],
            )
        yield from self._night(day, mistake)

    def _morning(self, mistake: Mistake | None) -> list[Call]:
        # Saved data was logged as no_data, so the workflow ran again.
        status = "no_data" if mistake is Mistake.DAILY_AGAIN_EVERY_HOUR else "success"
        rosters = [Call("basketball_ref_season_roster", {"teamAbbr": team, "year": "2026"}, status, {"playerCount": 17})
                   for team in ("BOS", "BRK", "PHO")]  # fmt: skip
        return [
            Call("nbac_schedule_api", {"season": "2025"}, status, {"game_count": 1230}),
            Call("nbac_player_list", {}, status, {"records_found": 540}),
            *rosters,
        ]

    def _lines(self, day: date, status: str) -> list[Call]:
        about = {"game_date": f"{day}", "sport": "basketball_nba"}
        events = Call("oddsa_events", about, status, {"rowCount": 3})
        if status == "failed":
            return [events]
        more = [{**about, "event_id": f"e{number}"} for number in range(3)]
        return [
            events,
            *(Call("oddsa_current_event_odds", opts, status, {"rowCount": 40}) for opts in more),
            *(Call("oddsa_current_game_lines", opts, status, {"rowCount": 8}) for opts in more),
        ]

    def _night(self, day: date, mistake: Mistake | None) -> Iterator[tuple[str, str, list[Call]]]:
        tonight = list(self.games[day])
        for workflow, tick, games in (
            ("post_game_window_1", "22:00", tonight[:2]),
            ("post_game_window_2", "+1 01:00", tonight),
            ("post_game_window_3", "+1 04:00", tonight),
        ):
            if mistake is Mistake.NIGHT_WINDOWS_NEVER_RAN and tick in NIGHT:
                continue
            status, about = "success", day
            if mistake is Mistake.TODAYS_GAMES_FOR_YESTERDAYS_WINDOW and tick in NIGHT:
                about, status = et_date(et(tick, day)), "failed"
                games = list(self.games[about])
            if mistake is Mistake.FIRST_GAME_ONLY:
                games = games[:1]
            yield workflow, tick, list(self._box_scores(workflow, about, games, status))

    def _box_scores(self, workflow: str, day: date, games: Sequence[Game], status: str) -> Iterator[Call]:
        yield Call("nbac_player_boxscore", {"gamedate": f"{day:%Y%m%d}"}, status, {"records_found": 70})
        for game in games:
            opts = {"game_id": game.game_id, "game_date": f"{day}"}
            yield Call("nbac_team_boxscore", opts, status, {"teamCount": 2})
            if workflow == "post_game_window_3":
                opts = {"game_id": game.game_id, "gamedate": f"{day:%Y%m%d}"}
                yield Call("bdb_pbp_scraper", opts, status, {"playCount": 480})
                yield Call("nbac_play_by_play", opts, status, {"events": 571})
                yield Call("nbac_gamebook_pdf", {"game_code": game.code}, status, {"total_players": 26})
