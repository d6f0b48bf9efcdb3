"""The answers of the real scraper service, as measured in its states NOV and HEAD (reference/real-service.md)."""

from __future__ import annotations

from typing import Any

COUNT_KEYS: dict[str, tuple[str | None, str | None]] = {
    "nbac_schedule_api": ("game_count", "game_count"),
    "nbac_player_list": ("records_found", "records_found"),
    "nbac_team_boxscore": (None, "teamCount"),
    "nbac_player_boxscore": ("records_found", "records_found"),
    "nbac_play_by_play": ("events", "events"),
    "nbac_gamebook_pdf": ("total_players", "total_players"),
    "nbac_injury_report": ("total_records", "total_records"),
    "nbac_referee_assignments": ("nba_games", "nba_games"),
    "br_season_roster": ("playerCount", "playerCount"),
    "espn_roster": ("playerCount", "playerCount"),
    "bdl_active_players": ("playerCount", None),
    "bdl_standings": ("teamCount", None),
    "bdl_box_scores": ("rowCount", None),
    "oddsa_events": ("rowCount", "rowCount"),
    "oddsa_player_props": ("rowCount", "rowCount"),
    "oddsa_game_lines": ("rowCount", "rowCount"),
    "bigdataball_pbp": ("playCount", "playCount"),
    "bp_events": ("event_count", "event_count"),
    "bp_player_props": ("props_count", "props_count"),
}
"""Where each scraper's count stands in NOV and at HEAD; None: that state does not have the scraper."""
STATES = ("NOV", "HEAD")
NOTHING_YET_IS_AN_ERROR = frozenset(
    {"nbac_play_by_play", "nbac_gamebook_pdf", "nbac_player_boxscore", "nbac_team_boxscore", "bigdataball_pbp"}
)
"""Scrapers that answer 500 when their source has nothing yet; the others count 0."""
BESIDE: dict[str, dict[str, Any]] = {
    "nbac_play_by_play": {"game_date": "2026-01-14", "game_id": "0022500555", "season": "2025-26"},
    "br_season_roster": {"season": "2025-26", "teamAbbr": "BOS"},
    "nbac_referee_assignments": {"date": "2026-01-14", "g_league_games": 3, "total_games": 11},
}


def answered(scraper: str, state: str, count: int) -> tuple[int, dict[str, Any]]:
    """Return status and body of what the service says when it found ``count`` records."""
    key = COUNT_KEYS[scraper][STATES.index(state)]
    if key is None:
        return 400, {"error": f"Unknown scraper: {scraper}", "available_scrapers": ["nbac_schedule_api"]}
    if count == 0 and scraper in NOTHING_YET_IS_AN_ERROR:
        return 500, {"status": "error", "message": f"{scraper} failed", "scraper": scraper, "run_id": "633a4c76"}
    if count == 0 and scraper == "nbac_injury_report" and state == "NOV":
        key = "records"
    summary = {key: count, **BESIDE.get(scraper, {})}
    if scraper == "bp_events" and state == "HEAD":
        summary["rowCount"] = count
    if scraper == "oddsa_events":
        summary["event_ids"] = [f"{number:032x}" for number in range(count)]
    body = {"status": "success", "message": f"{scraper} completed successfully", "scraper": scraper}
    return 200, {**body, "run_id": "633a4c76", "data_summary": summary}
