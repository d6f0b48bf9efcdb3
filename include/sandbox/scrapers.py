"""The scrapers of the world: the records that each finds, the rows that Phase 2 writes, and the path of the file."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sandbox.world import ET, Troubles, World, WorldGame

Parameters = Mapping[str, Any]


class UnknownParameters(Exception):
    """A parameter of the call is missing or invalid. The text names it."""


@dataclass
class Finding:
    """The result of a scraper: rows, count, date and key of its file, and further keys of its answer."""

    rows: list[dict[str, Any]] = field(default_factory=list)
    count: int | None = None
    day: date | None = None
    key: str | None = None
    summary: dict[str, Any] = field(default_factory=dict)
    games: list[str] = field(default_factory=list)
    """The games of a whole date. With ``each``, ``count`` is that of one game."""
    each: bool = False

    @property
    def record_count(self) -> int:
        """The number of records. One row of the table may stand for many records."""
        count = len(self.rows) if self.count is None else self.count
        return count * len(self.games) if self.each else count

    def troubled(self, name: str, troubles: Troubles) -> Finding:
        """Return what is found while ``troubles`` hold: nothing, half of the records, or not the first game."""
        if name in troubles.empty:
            return Finding()
        found = self
        if name in troubles.short and self.games:
            gone = self.games[0]
            found = replace(found, games=self.games[1:], rows=[r for r in self.rows if r.get("game_id") != gone])
        if name in troubles.halved:
            found = replace(found, count=(len(self.rows) if self.count is None else self.count) // 2)
        if troubles.lists_games and found.games:
            found = replace(found, summary={**found.summary, "game_ids": found.games})
        return found


@dataclass(frozen=True)
class Scraper:
    """A scraper: the folder of its files, the table that Phase 2 fills from them, if any, and its search."""

    folder: str
    table: str | None
    find: Callable[[World, Parameters], Finding]
    keeps_paths: bool = True
    """Whether the table names the file of a row. Otherwise the column says ``unknown``."""


def _day(parameters: Parameters, key: str) -> date:
    text = str(parameters.get(key, ""))
    try:
        return datetime.strptime(text.replace("-", ""), "%Y%m%d").date()  # noqa: DTZ007
    except ValueError:
        raise UnknownParameters(f"{key} must be a date, not {text!r}") from None


def _game(world: World, parameters: Parameters) -> WorldGame:
    game_id, code = parameters.get("game_id"), parameters.get("game_code")
    for game in world.schedule():
        if game.game_id == game_id or game.code == code:
            return game
    raise UnknownParameters(f"no game {game_id or code!r}")


def _schedule(world: World, parameters: Parameters) -> Finding:
    troubles = world.troubles
    now = world.clock.setting() - timedelta(days=troubles.frozen_days)
    rows = []
    for game in world.schedule():
        status = 3 if now >= game.final else 2 if now >= game.tip else 1
        rows.append(
            {
                "game_id": game.game_id,
                "game_code": game.code,
                "season_year": int(str(parameters.get("season", 0))),
                "game_date": game.day.isoformat(),
                "game_date_est": (game.tip + timedelta(days=troubles.tips_moved)).isoformat(),
                "game_status": status,
                "game_status_text": ("Unknown", "Scheduled", "In Progress", "Final")[status],
                "home_team_tricode": game.home,
                "away_team_tricode": game.away,
                "data_source": "api_stats",
            }
        )
    return Finding(rows, day=world.day)


def _list(count: int, key: str | None = None) -> Callable[[World, Parameters], Finding]:
    def find(world: World, parameters: Parameters) -> Finding:
        if key and not parameters.get(key):
            raise UnknownParameters(f"{key} is missing")
        return Finding([{}], count=count, key=str(parameters[key]) if key else None)

    return find


def _per_game(what: str, records: int) -> Callable[[World, Parameters], Finding]:
    def find(world: World, parameters: Parameters) -> Finding:
        game = _game(world, parameters)
        there = world.clock.setting() >= world.data_at(what, game)
        rows = [{"game_id": game.game_id, "game_date": game.day.isoformat()}] if there else []
        return Finding(rows, count=records if there else 0, day=game.day, key=game.game_id)

    return find


def _whole_date(parameter: str) -> Callable[[World, Parameters], Finding]:
    def find(world: World, parameters: Parameters) -> Finding:
        day, now = _day(parameters, parameter), world.clock.setting()
        over = [game for game in world.slate(day) if now >= world.data_at("boxscore", game)]
        rows = [{"game_id": game.game_id, "game_date": day.isoformat()} for game in over]
        return Finding(rows, 26, day, each=True, games=[game.game_id for game in over])

    return find


def _report(what: str, parameter: str, records: int | None = None) -> Callable[[World, Parameters], Finding]:
    """Return the search for a report of the day, which has ``records`` records, by default one for each game."""

    def find(world: World, parameters: Parameters) -> Finding:
        day = _day(parameters, parameter)
        games = [game.game_id for game in world.slate(day)]
        there = bool(games) and world.clock.setting() >= world.published_at(what, day)
        rows = [{"game_date": day.isoformat()}] if there else []
        if not there or records:
            return Finding(rows, records if there else 0, day)
        return Finding(rows, 1, day, each=True, games=games)

    return find


def _event_id(world: World, game: WorldGame) -> str:
    return f"{world.dice('event', game.game_id).getrandbits(128):032x}"


def _events(world: World, parameters: Parameters) -> Finding:
    day = _day(parameters, "game_date")
    ids = [_event_id(world, game) for game in world.slate(day)]
    row = {"game_date": day.isoformat()}
    return Finding([row] if ids else [], count=len(ids), day=day, summary={"event_ids": ids})


def _per_event(records: int) -> Callable[[World, Parameters], Finding]:
    def find(world: World, parameters: Parameters) -> Finding:
        day, event = _day(parameters, "game_date"), str(parameters.get("event_id"))
        for game in world.slate(day):
            if _event_id(world, game) == event:
                row = {"game_id": game.game_id, "game_date": day.isoformat()}
                return Finding([row], count=records, day=day, key=event)
        raise UnknownParameters(f"no event {event!r} on {day}")

    return find


# The tables have their real names. Nobody processes the files of oddsa_events.
SCRAPERS: dict[str, Scraper] = {
    "nbac_schedule_api": Scraper("nba-com/schedule", "nbac_schedule", _schedule),
    "nbac_player_list": Scraper("nba-com/player-list", "nbac_player_list_current", _list(540)),
    "bdl_active_players": Scraper("ball-dont-lie/active-players", "bdl_active_players_current", _list(510)),
    "bdl_standings": Scraper("ball-dont-lie/standings", "bdl_standings", _list(30)),
    "br_season_roster": Scraper("basketball-ref/season-rosters", "br_rosters_current", _list(17, "teamAbbr")),
    "espn_roster": Scraper("espn/rosters", "espn_team_rosters", _list(17, "team_abbr")),
    "oddsa_events": Scraper("odds-api/events", None, _events),
    "oddsa_player_props": Scraper("odds-api/player-props", "odds_api_player_points_props", _per_event(42)),
    "oddsa_game_lines": Scraper("odds-api/game-lines", "odds_api_game_lines", _per_event(8)),
    "bp_events": Scraper("bettingpros/events", None, _report("referees", "date")),
    "bp_player_props": Scraper(
        "bettingpros/player-props", "bettingpros_player_points_props", _report("referees", "date", 90)
    ),
    "bdl_box_scores": Scraper("ball-dont-lie/boxscores", "bdl_player_boxscores", _whole_date("date")),
    "nbac_team_boxscore": Scraper("nba-com/team-boxscore", "nbac_team_boxscore", _per_game("boxscore", 2)),
    "nbac_player_boxscore": Scraper("nba-com/player-boxscore", "nbac_player_boxscores", _whole_date("gamedate")),
    "nbac_play_by_play": Scraper("nba-com/play-by-play", "nbac_play_by_play", _per_game("pbp", 480)),
    "bigdataball_pbp": Scraper("big-data-ball/play-by-play", "bigdataball_play_by_play", _per_game("pbp", 470)),
    "nbac_gamebook_pdf": Scraper("nba-com/gamebooks", "nbac_gamebook_player_stats", _per_game("gamebook", 30)),
    "nbac_injury_report": Scraper(
        "nba-com/injury-report", "nbac_injury_report", _report("injury", "gamedate", 75), keeps_paths=False
    ),
    "nbac_referee_assignments": Scraper(
        "nba-com/referees", "nbac_referee_game_assignments", _report("referees", "date")
    ),
}
BUCKET = "nba-scraped-data"


def file_path(scraper: Scraper, finding: Finding, now: datetime) -> str:
    """Return the ``gs://`` path of the file for a finding."""
    day = (finding.day or now.astimezone(ET).date()).isoformat()
    key = f"{finding.key}/" if finding.key else ""
    return f"gs://{BUCKET}/{scraper.folder}/{day}/{key}{now.astimezone(UTC):%Y%m%d_%H%M%S_%f}.json"
