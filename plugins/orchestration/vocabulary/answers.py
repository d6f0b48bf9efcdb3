"""Where a scraper's answer keeps what, and which of its failures mean "nothing published yet" (lesson A1)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

from pydantic import Field, field_validator, model_validator

from orchestration.vocabulary.base import Names, Strict

UNCOUNTED = "none"
"""``records: none``: the scraper counts nothing, and whoever works has brought something."""
ROW_COUNT = "rowCount"
"""The count's key in the plain contract."""


class Sign(Strict):
    """What shows that a failure means "nothing published yet". All that is given must match."""

    status: int | None = Field(default=None, ge=100, le=599)
    """The answer's HTTP status."""
    error_type: str | None = Field(default=None, min_length=1)
    """The kind of error, exactly as it is written."""
    text: str | None = Field(default=None, min_length=1)
    """Contained in the message, in capitals or not."""

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if self.status is None and self.error_type is None and self.text is None:
            raise ValueError("needs a status, an error_type or a text")
        return self

    def matches(self, status: int | None, error_type: str | None, message: str | None) -> bool:
        """Return whether a failure shows this sign. None: not known, which matches nothing that is asked for."""
        return (
            self.status in (None, status)
            and self.error_type in (None, error_type)
            and (self.text is None or self.text.casefold() in (message or "").casefold())
        )


class AnswerDescription(Strict):
    """Keys of the answer's ``data_summary``, and the signs of "nothing published yet"."""

    records: Names = (ROW_COUNT,)
    """Where the count stands: the first of these keys that is there; ``none`` for a scraper that counts nothing."""
    event_ids: str = Field(default="event_ids", min_length=1)
    """Where the ids of its events stand, a list."""
    file: str = Field(default="gcs_path", min_length=1)
    """Where the path of its file stands; not every service says it."""
    no_data: tuple[Sign, ...] = ()
    """Signs of a failure that is none: any of them will do."""
    retried: bool = False
    """Whether the service itself tries the source again before it says that the scraper failed (lesson A5)."""

    @field_validator("records")
    @classmethod
    def _names(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if not value or "" in value:
            raise ValueError(f"needs the name of a key, or {UNCOUNTED}")
        if UNCOUNTED in value and len(value) > 1:
            raise ValueError(f"{UNCOUNTED} stands alone")
        return value

    @property
    def counted(self) -> bool:
        """Whether the scraper counts what it brings."""
        return self.records != (UNCOUNTED,)

    def count_in(self, summary: Mapping[str, Any]) -> int | None:
        """Return the count that a ``data_summary`` states, or None where it states none."""
        if not self.counted:
            return None
        count = next((summary[key] for key in self.records if summary.get(key) is not None), None)
        return count if isinstance(count, int) and not isinstance(count, bool) else None

    def means_no_data(self, status: int | None, error_type: str | None, message: str | None) -> bool:
        """Return whether a failure means "nothing published yet". One rule for answers and for the service's log.

        None stands for what is not known: the log has no HTTP status.
        """
        return any(sign.matches(status, error_type, message) for sign in self.no_data)


PLAIN = AnswerDescription()
"""The plain contract: what an unknown scraper is taken to speak."""


def _counts(*keys: str, no_data: Sign | None = None) -> AnswerDescription:
    # Whoever speaks the plain contract is understood too.
    records = tuple(dict.fromkeys((*keys, ROW_COUNT)))
    return AnswerDescription(records=records, no_data=(no_data,) if no_data else (), retried=True)


# Measured (reference/real-service.md). Its answers give no cause for a failure. Its log does, and these signs are read
# there: what five scrapers leave when the source has nothing yet, as the service writes it.
_NOT_THERE = Sign(error_type="InvalidHttpStatusCodeException", text="404")
_NO_TEAMS = Sign(error_type="DownloadDataException", text="Expected 2 teams")
_NO_PLAYERS = Sign(error_type="DownloadDataException", text="No player rows")
_NOT_IN_DRIVE = Sign(error_type="ValueError", text="No game found matching query")
BUILT_IN_ANSWERS: dict[str, AnswerDescription] = {
    "nbac_schedule_api": _counts("game_count"),
    "nbac_player_list": _counts("records_found"),
    "nbac_team_boxscore": _counts("teamCount", no_data=_NO_TEAMS),
    "nbac_player_boxscore": _counts("records_found", no_data=_NO_PLAYERS),
    "nbac_play_by_play": _counts("events", no_data=_NOT_THERE),
    "nbac_gamebook_pdf": _counts("total_players", no_data=_NOT_THERE),
    # The second one when the report is empty.
    "nbac_injury_report": _counts("total_records", "records"),
    # total_games beside it counts the G League too.
    "nbac_referee_assignments": _counts("nba_games"),
    "br_season_roster": _counts("playerCount"),
    "espn_roster": _counts("playerCount"),
    "bdl_active_players": _counts("playerCount"),
    "bdl_standings": _counts("teamCount"),
    "bdl_box_scores": _counts(ROW_COUNT),
    "oddsa_events": _counts(ROW_COUNT),
    "oddsa_player_props": _counts(ROW_COUNT),
    "oddsa_game_lines": _counts(ROW_COUNT),
    "bigdataball_pbp": _counts("playCount", no_data=_NOT_IN_DRIVE),
    "bp_events": _counts("event_count"),
    "bp_player_props": _counts("props_count"),
}
