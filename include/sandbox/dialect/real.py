"""The real service in its two recorded states: its answers, its log, its messages and Phase 2's tables."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sandbox.dialect.base import Answer, Failure, ServiceCall, iso, message_body
from sandbox.scrapers import BUCKET, SCRAPERS, Finding
from sandbox.world import ET

OWN_RETRIES = 8
"""How often the service tries a source that refuses."""

# For each scraper the key of ``data_summary`` that holds the count, and the other keys.
COUNTS: dict[str, tuple[str, tuple[str, ...]]] = {
    "nbac_schedule_api": ("game_count", ("season",)),
    "nbac_player_list": ("records_found", ("season",)),
    "nbac_team_boxscore": ("teamCount", ("gameId", "gameDate", "source")),
    "nbac_player_boxscore": ("records_found", ("gamedate", "season")),
    "nbac_play_by_play": ("events", ("game_date", "game_id", "season")),
    "nbac_gamebook_pdf": ("total_players", ("game_code", "date")),
    "nbac_injury_report": ("total_records", ("gamedate", "hour", "period")),
    "nbac_referee_assignments": ("nba_games", ("date",)),
    "br_season_roster": ("playerCount", ("season", "teamAbbr")),
    "espn_roster": ("playerCount", ("teamAbbr", "season")),
    "bdl_active_players": ("playerCount", ()),
    "bdl_standings": ("teamCount", ("season",)),
    "bdl_box_scores": ("rowCount", ("date",)),
    "oddsa_events": ("rowCount", ("sport", "game_date")),
    "oddsa_player_props": ("rowCount", ("sport", "event_id")),
    "oddsa_game_lines": ("rowCount", ("sport", "event_id")),
    "bigdataball_pbp": ("playCount", ("game_id", "season")),
    "bp_events": ("event_count", ("date",)),
    "bp_player_props": ("props_count", ("date",)),
}
G_LEAGUE_GAMES = 3
"""Games of another league in every answer about referees. Its total counts them too."""

# Scrapers that use another name for themselves in the log and in messages.
OWN_NAMES = {
    "br_season_roster": "basketball_ref_season_roster",
    "bdl_standings": "bdl_standings_scraper",
    "bdl_active_players": "bdl_active_players_scraper",
    "bdl_box_scores": "bdl_box_scores_scraper",
    "oddsa_player_props": "oddsa_current_event_odds",
    "oddsa_game_lines": "oddsa_current_game_lines",
    "bigdataball_pbp": "bdb_pbp_scraper",
}
PACKAGES = {
    "bdl": "balldontlie",
    "bigdataball": "bigdataball",
    "bp": "bettingpros",
    "br": "basketball_ref",
    "espn": "espn",
    "nbac": "nbacom",
    "oddsa": "oddsapi",
}

_NOT_THERE = "InvalidHttpStatusCodeException", "Invalid HTTP status code (no retry): 404", 0
# Scrapers that fail when the source has no data yet: error type, text and own retries, as in the log of July 2026.
ABSENT = {
    "nbac_team_boxscore": (
        "DownloadDataException", "homeTeam missing or null 'statistics' (game may not have started)", 0,
    ),
    "nbac_player_boxscore": ("DownloadDataException", "Missing 'boxScoreTraditional' in response", 0),
    "nbac_play_by_play": _NOT_THERE,
    "nbac_gamebook_pdf": _NOT_THERE,
    "bigdataball_pbp": ("GameNotFoundError", "No game found matching query: name contains '{game_id}'", OWN_RETRIES),
}  # fmt: skip
# In November 2025.
ABSENT_BEFORE = {
    "nbac_player_boxscore": ("DownloadDataException", "No player rows in leaguegamelog JSON.", 0),
    "nbac_play_by_play": _NOT_THERE,
    "nbac_gamebook_pdf": _NOT_THERE,
    "bigdataball_pbp": ("ValueError", "No game found matching query: name contains '{game_id}'", OWN_RETRIES),
}
_REFUSED = f"Max decode/download retries reached: {OWN_RETRIES} (the last answer: 403 Forbidden)"
GAVE_UP = "DownloadDecodeMaxRetryException", _REFUSED, OWN_RETRIES
EMPTY_WHERE_BLOCKED = "nbac_injury_report"
"""Its source answers 403 before the report is out, so the service reads a 403 as an empty report."""
OUTSIDE_THE_RUN = {"error", "rate_limited", "timeout"}
"""Faults of the service itself. No source was called, so a retry can help."""


@dataclass
class Real:
    """The real service: a count key for each scraper, no path, and status 500 for every failure."""

    topic: str
    scrapers: tuple[str, ...]
    logs: bool = True
    batches: bool = True
    overwrites: bool = True
    november: bool = False

    @property
    def absent(self) -> Mapping[str, tuple[str, str, int]]:
        """How each scraper of this state fails while its source has no data."""
        return ABSENT_BEFORE if self.november else ABSENT

    def run_id(self, bits: int) -> str:
        """Return eight hexadecimal digits."""
        return f"{bits & 0xFFFFFFFF:08x}"

    def listing(self) -> dict[str, Any]:
        """Return the scrapers with their modules."""
        found = [{"name": name, "module": module_of(name)} for name in self.scrapers]
        return {"scrapers": found, "count": len(found)}

    def judge(self, call: ServiceCall, result: Finding | Failure) -> Finding | Failure:
        """Return a failure for an empty result that the scraper counts as one, and an empty report for its 403."""
        if isinstance(result, Failure):
            early = result.kind == "blocked" and call.name == EMPTY_WHERE_BLOCKED
            return Finding() if early else result
        if result.record_count or call.name not in self.absent:
            return result
        return Failure("absent", self.absent[call.name][1].format(game_id=call.parameters.get("game_id")))

    def answer(self, call: ServiceCall, result: Finding | Failure, path: str | None) -> Answer:
        """Return the answer to the caller. It never names the file, and never the cause of a failure."""
        said = {"scraper": call.name, "run_id": call.run_id}
        if isinstance(result, Finding):
            message = f"{call.name} completed successfully"
            summary = self.summary(call, result)
            return 200, {"status": "success", "message": message, **said, "data_summary": summary}, {}
        if result.kind in OUTSIDE_THE_RUN:
            error = {"message": result.text, "error_type": "RuntimeError"}
            return 500, {"status": "error", "scraper": call.name, **error}, {}
        return 500, {"status": "error", "message": f"{call.name} failed", **said}, {}

    def summary(self, call: ServiceCall, finding: Finding) -> dict[str, Any]:
        """Return the ``data_summary`` of a success."""
        key, beside = COUNTS[call.name]
        count = finding.record_count
        day = finding.day or call.at.astimezone(ET).date()
        known = {
            **call.parameters,
            "date": day.isoformat(),
            "game_date": day.isoformat(),
            "gameDate": day.isoformat(),
            "gameId": call.parameters.get("game_id"),
            "season": season_label(day),
            "source": call.name,
            "teamAbbr": call.parameters.get("teamAbbr") or call.parameters.get("team_abbr"),
        }
        summary = {key: count, **{name: known.get(name) for name in beside}, **finding.summary}
        if call.name == "nbac_referee_assignments":
            summary |= {"g_league_games": G_LEAGUE_GAMES, "total_games": count + G_LEAGUE_GAMES}
        if call.name == "bp_events" and not self.november:
            summary["rowCount"] = count
        if call.name == "nbac_injury_report" and self.november and not count:
            summary["records"] = summary.pop(key)
        return summary

    def log_row(
        self, call: ServiceCall, result: Finding | Failure, path: str | None, now: datetime
    ) -> dict[str, Any] | None:
        """Return the row of the log, which has only the old columns."""
        if isinstance(result, Failure) and result.kind in OUTSIDE_THE_RUN:
            return None
        opts = {**call.parameters, "workflow": call.workflow, "source": call.source, "group": "prod", "debug": False}
        row = {
            "execution_id": call.run_id,
            "scraper_name": OWN_NAMES.get(call.name, call.name),
            "workflow": call.workflow or "MANUAL",
            "game_date": _iso_date(call.parameters.get("gamedate")),
            "triggered_at": iso(call.at),
            "source": call.source or "CLOUD_RUN",
            "environment": "prod",
            "triggered_by": "master-controller" if call.source == "CONTROLLER" else "nba-scrapers",
            "retry_count": 0,
            "recovery": False,
            "run_id": call.run_id,
            "opts": json.dumps(opts),
            "created_at": iso(now),
        }
        if isinstance(result, Failure):
            kind, says, retries = self._cause(call, result)
            return {**row, "status": "failed", "error_type": kind, "error_message": says, "retry_count": retries}
        count = result.record_count
        summary = {"record_count": count, "scraper_stats": self.summary(call, result), "is_empty_report": not count}
        return {
            **row,
            "status": "success" if count and not self.november else "no_data",
            "completed_at": iso(now),
            "duration_seconds": (now - call.at).total_seconds(),
            "gcs_path": None if self.november else path,
            "data_summary": json.dumps(summary),
        }

    def _cause(self, call: ServiceCall, failure: Failure) -> tuple[str, str, int]:
        if failure.kind == "absent":
            kind, _, retries = self.absent[call.name]
            return kind, failure.text, retries
        return GAVE_UP if failure.kind == "blocked" else ("DownloadDataException", failure.text, 0)

    def message(self, call: ServiceCall, finding: Finding, path: str, now: datetime) -> dict[str, Any]:
        """Return the body of the handoff's message, with the scraper's own name for itself."""
        body = message_body(call, OWN_NAMES.get(call.name, call.name), finding, path, now)
        if self.november:
            return body
        return {
            **body,
            "processor_name": body["name"],
            "phase": "phase_1_scrapers",
            "correlation_id": call.run_id,
            "output_table": SCRAPERS[call.name].table,
            "metadata": {"gcs_path": path, "workflow": call.workflow},
        }

    def processed(self, name: str, row: Mapping[str, Any], path: str) -> dict[str, Any]:
        """Return the row with the object's name, or ``unknown`` in tables that keep no path."""
        named = path.removeprefix(f"gs://{BUCKET}/") if SCRAPERS[name].keeps_paths else "unknown"
        found = {**row, "source_file_path": named}
        if self.november and "game_date_est" in found:
            # November wrote midnight UTC of the date: every tip then lies on the ET day before.
            found["game_date_est"] = f"{found['game_date']}T00:00:00+00:00"
        return found


def module_of(name: str) -> str:
    """Return the module with the scraper's code."""
    return f"scrapers.{PACKAGES[name.split('_', maxsplit=1)[0]]}.{name}"


def season_label(day: date) -> str:
    """Return the season of a date, for example 2025-26."""
    start = day.year if day.month >= 8 else day.year - 1
    return f"{start}-{(start + 1) % 100:02d}"


def _iso_date(text: str | None) -> str | None:
    """Return YYYY-MM-DD for the option ``gamedate``, or None if it holds no date."""
    digits = (text or "").replace("-", "")
    return f"{digits[:4]}-{digits[4:6]}-{digits[6:]}" if len(digits) == 8 else None
