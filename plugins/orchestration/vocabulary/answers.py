"""How to read a scraper's answer (A1), and what a good answer holds (F3).

The keys of its values, the failures that mean "nothing published yet", and the least that is expected of it.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from orchestration.vocabulary.base import Names, Strict

UNCOUNTED = "none"
"""``records: none``: the scraper does not count its records, so every answer without an error is a success."""
ROW_COUNT = "rowCount"
"""The key of the count in the plain contract."""
GAME_KEYS = ("game_id", "gameId", "id", "game_code", "gameCode", "code")
"""Where a game's id or code stands, if an answer lists its games as objects."""
MOST_OF_A_NAME = 40
MOST_RECORDS = 10_000_000


class Least(Strict):
    """The least number of records of a good answer."""

    min: int = Field(ge=1, le=MOST_RECORDS)
    """An answer with fewer records is partial."""


class Expects(Strict):
    """What a good answer holds. An answer below it is partial: its game or date is not collected (lesson F3)."""

    records: Least | None = None
    """The records of an answer."""
    records_per_game: Least | None = None
    """The records of a whole-date answer for each game that it should hold."""
    games: Literal["all"] | None = None
    """``all``: a whole-date answer holds every game of the slate, after the games every game that is due."""
    changes: Literal["daily"] | None = None
    """``daily``: the same content, or the same file, as on an earlier day is reported."""

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not self.model_dump(exclude_none=True):
            raise ValueError("needs records, records_per_game, games or changes")
        return self

    @property
    def counts_records(self) -> bool:
        """Whether it says how many records are enough. Otherwise that is learned."""
        return self.records is not None or self.records_per_game is not None


class Sign(Strict):
    """A sign that a failure means "nothing published yet". Every given field must match."""

    status: int | None = Field(default=None, ge=100, le=599)
    """The HTTP status of the answer."""
    error_type: str | None = Field(default=None, min_length=1)
    """The error type, exactly as the service writes it."""
    text: str | None = Field(default=None, min_length=1)
    """A part of the message; capitals do not matter. A number is found as a whole: 404 is not in 0022500404."""

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if self.status is None and self.error_type is None and self.text is None:
            raise ValueError("needs a status, an error_type or a text")
        return self

    def matches(self, status: int | None, error_type: str | None, message: str | None) -> bool:
        """Return whether a failure has this sign. None means unknown and does not match a given field."""
        return (
            self.status in (None, status)
            and self.error_type in (None, error_type)
            and (self.text is None or _has(message or "", self.text))
        )


def _has(message: str, text: str) -> bool:
    """Return whether ``text`` is in the message, in any case and not as a part of a longer number."""
    before, after = "(?<![0-9])" * text[0].isdigit(), "(?![0-9])" * text[-1].isdigit()
    return re.search(f"{before}{re.escape(text.casefold())}{after}", message.casefold()) is not None


class AnswerDescription(Strict):
    """The keys of the answer's ``data_summary``, and the signs of "nothing published yet"."""

    records: Names = (ROW_COUNT,)
    """The keys that may hold the count; the first key in the answer is read. ``none``: the scraper does not count."""
    event_ids: str = Field(default="event_ids", min_length=1)
    """The key of the list of event ids."""
    file: str = Field(default="gcs_path", min_length=1)
    """The key of the file's path; not every service returns it."""
    games: str | None = Field(default=None, min_length=1)
    """The key of the list of games: ids, codes, or objects with one of them."""
    games_count: str | None = Field(default=None, min_length=1)
    """The key of the number of games, for an answer that does not list them."""
    content: str | None = Field(default=None, min_length=1)
    """The key of the data itself, or of a hash of it."""
    no_data: tuple[Sign, ...] = ()
    """Signs of a failure that means "nothing published yet". One of them is enough."""
    retried: bool = False
    """Whether the service itself retries the source before it returns a failure (lesson A5)."""

    @field_validator("records")
    @classmethod
    def _names(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if not value or "" in value:
            raise ValueError(f"must be the name of a key, or {UNCOUNTED}")
        if UNCOUNTED in value and len(value) > 1:
            raise ValueError(f"{UNCOUNTED} cannot stand beside other keys")
        return value

    @property
    def counted(self) -> bool:
        """Whether the scraper counts its records."""
        return self.records != (UNCOUNTED,)

    def count_in(self, summary: Mapping[str, Any]) -> int | None:
        """Return the count in a ``data_summary``, or None if there is none."""
        if not self.counted:
            return None
        return _whole_number(next((summary[key] for key in self.records if summary.get(key) is not None), None))

    def games_in(self, summary: Mapping[str, Any]) -> tuple[str, ...] | None:
        """Return the games that a ``data_summary`` lists, as ids or codes, or None if it has no list."""
        listed = summary.get(self.games) if self.games is not None else None
        if not isinstance(listed, list):
            return None
        named = (next((g[k] for k in GAME_KEYS if g.get(k)), "") if isinstance(g, dict) else g for g in listed)
        return tuple(dict.fromkeys(str(one).strip()[:MOST_OF_A_NAME] for one in named))

    def game_count_in(self, summary: Mapping[str, Any]) -> int | None:
        """Return the number of games in a ``data_summary``, or None if there is none."""
        return _whole_number(summary.get(self.games_count)) if self.games_count is not None else None

    def content_hash_of(self, summary: Mapping[str, Any]) -> str | None:
        """Return a hash of the content of a ``data_summary``, or None if it has none."""
        content = summary.get(self.content) if self.content is not None else None
        if content is None:
            return None
        text = json.dumps(content, sort_keys=True, default=str)
        return hashlib.sha256(text.encode(errors="replace")).hexdigest()[:32]

    def means_no_data(self, status: int | None, error_type: str | None, message: str | None) -> bool:
        """Return whether a failure means "nothing published yet", in an answer or in the service's log.

        None means unknown: the log has no HTTP status.
        """
        return any(sign.matches(status, error_type, message) for sign in self.no_data)


def _whole_number(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


PLAIN = AnswerDescription()
"""The plain contract, for a scraper without a built-in description."""


# Measured (reference/real-service.md). The service's answers give no cause for a failure, but its log does.
# Every sign names an error type: a 404 of the service itself, from a wrong address, stays a failure.
_NO_TEAMS = ("2025", Sign(error_type="DownloadDataException", text="Expected 2 teams"))
_NO_PLAYERS = ("2025, 2026", Sign(error_type="DownloadDataException", text="No player rows"))
_NO_STATISTICS = ("2026", Sign(error_type="DownloadDataException", text="missing or null 'statistics'"))
_NO_BOX_SCORE = ("2026", Sign(error_type="DownloadDataException", text="Missing 'boxScoreTraditional' in response"))
_NOT_THERE = ("2025, 2026", Sign(error_type="InvalidHttpStatusCodeException", text="404"))
_NOT_THERE_IN_THE_END = ("2026", Sign(error_type="DownloadDecodeMaxRetryException", text="404"))
_NO_REPORT = ("2026", Sign(error_type="DownloadDataException", text="404"))
_NOT_IN_DRIVE_2025 = ("2025", Sign(error_type="ValueError", text="No game found matching query"))
_NOT_IN_DRIVE = ("2026", Sign(error_type="GameNotFoundError"))
BUILT_IN_SIGNS: dict[str, tuple[tuple[str, Sign], ...]] = {
    "nbac_team_boxscore": (_NO_TEAMS, _NO_STATISTICS, _NO_BOX_SCORE),
    "nbac_player_boxscore": (_NO_PLAYERS, _NO_STATISTICS, _NO_BOX_SCORE),
    "nbac_play_by_play": (_NOT_THERE, _NOT_THERE_IN_THE_END),
    "nbac_gamebook_pdf": (_NOT_THERE, _NOT_THERE_IN_THE_END),
    "nbac_injury_report": (_NOT_THERE, _NOT_THERE_IN_THE_END, _NO_REPORT),
    "bigdataball_pbp": (_NOT_IN_DRIVE_2025, _NOT_IN_DRIVE),
}
"""The causes that scrapers log while the source has published nothing, each with the service's years (lesson F15)."""


def _description(name: str, *counts: str, games_count: str | None = None) -> AnswerDescription:
    # The key of the plain contract is accepted too.
    records = tuple(dict.fromkeys((*counts, ROW_COUNT)))
    signs = tuple(sign for _, sign in BUILT_IN_SIGNS.get(name, ()))
    return AnswerDescription(records=records, no_data=signs, retried=True, games_count=games_count)


_COUNTS: dict[str, tuple[str, ...]] = {
    "nbac_schedule_api": ("game_count",),
    "nbac_player_list": ("records_found",),
    "nbac_team_boxscore": ("teamCount",),
    "nbac_player_boxscore": ("records_found",),
    "nbac_play_by_play": ("events",),
    "nbac_gamebook_pdf": ("total_players",),
    # An empty report has the second key.
    "nbac_injury_report": ("total_records", "records"),
    # Not total_games, which includes the G League.
    "nbac_referee_assignments": ("nba_games",),
    "br_season_roster": ("playerCount",),
    "espn_roster": ("playerCount",),
    "bdl_active_players": ("playerCount",),
    "bdl_standings": ("teamCount",),
    "bdl_box_scores": (ROW_COUNT,),
    "oddsa_events": (ROW_COUNT,),
    "oddsa_player_props": (ROW_COUNT,),
    "oddsa_game_lines": (ROW_COUNT,),
    "bigdataball_pbp": ("playCount",),
    "bp_events": ("event_count",),
    "bp_player_props": ("props_count",),
}
_GAMES_COUNTS = {"nbac_referee_assignments": "nba_games"}
BUILT_IN_ANSWERS: dict[str, AnswerDescription] = {
    name: _description(name, *counts, games_count=_GAMES_COUNTS.get(name)) for name, counts in _COUNTS.items()
}
