"""The model of a scraper, and the items, parameters and names of the scrapers that we know."""

from __future__ import annotations

from collections.abc import Mapping
from math import isfinite
from typing import Annotated

from pydantic import AfterValidator, Field

from orchestration.vocabulary.answers import BUILT_IN_ANSWERS, PLAIN, AnswerDescription, Expects
from orchestration.vocabulary.base import CallSeconds, Names, PoolName, Strict
from orchestration.words import FanOut, KeptPaths

TableName = Annotated[str, Field(max_length=1000, pattern=r"^[A-Za-z_][A-Za-z0-9_]*\.[A-Za-z_][A-Za-z0-9_]*$")]
"""``dataset.table``, only letters, digits and underscores, because it becomes part of a statement."""
ColumnName = Annotated[str, Field(max_length=300, pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]

MOST_CALLS_PER_TASK = 100
"""The HTTP client has this many connections, and a killed task loses at most this many calls."""
ParameterName = Annotated[str, Field(min_length=1, max_length=100)]


def _recordable(value: str | int | float | bool) -> str | int | float | bool:
    """Refuse a number that BigQuery cannot hold: parameters are recorded with every call."""
    if isinstance(value, float) and not isfinite(value):
        raise ValueError("is not a number that can be sent. Write it in quotes")
    if isinstance(value, int) and not -(2**63) <= value < 2**63:
        raise ValueError("has more than 64 bits. Write it in quotes")
    return value


Parameter = Annotated[str | int | float | bool, AfterValidator(_recordable)]


class Scraper(Strict):
    """One scraper of the service. Times are in seconds."""

    name: str | None = None
    description: str = ""
    module: str | None = None
    """Descriptive: the module of the scraper's code."""
    critical: bool = True
    """Whether a failed call makes the execution ``failed`` rather than ``partial``."""
    processor_name: str | None = None
    """Descriptive: the Phase 2 processor that reads the file."""
    estimated_duration_seconds: CallSeconds | None = None
    """The usual worst case; the timeout is never below it (lesson E7)."""
    treat_no_data_as_success: bool = False
    """Descriptive: no_data is a success for every call."""
    depends_on: Names = ()
    dependency_for: Names = ()
    for_each: FanOut | None = None
    parameters: dict[ParameterName, Parameter] | None = None
    timeout_seconds: CallSeconds | None = None
    retries: int | None = Field(default=None, ge=0, le=10)
    pool: PoolName | None = None
    calls_per_task: int = Field(default=1, ge=1, le=MOST_CALLS_PER_TASK)
    """How many calls one task makes, at a time at most the slots of the pool."""
    deferrable: bool | None = None
    """Whether the triggerer makes the calls. Default: Airflow's ``[operators] default_deferrable``."""
    answer: AnswerDescription | None = None
    """How to read the answer; keys that are not set here are built in."""
    expects: Expects | None = None
    """What a good answer holds. Without a number of records it is learned from earlier answers."""
    processed_in: TableName | None = None
    """The table of Phase 2 with the data; ``source_file_path`` holds the path of the file."""
    game_column: ColumnName | None = None
    """The column of that table with the game's id or code. Then a game is in when the table has it."""
    keeps_paths: KeptPaths = KeptPaths.ALL
    """Which files' paths that table keeps. ``newest``: a newer file counts as the arrival of older ones (lesson A4)."""

    @property
    def traceable(self) -> bool:
        """Whether the table shows that a file has arrived."""
        return self.processed_in is not None and self.keeps_paths is not KeptPaths.NONE


# The parameters of the known scrapers, for a file without parameters (reference/scrapers.md).
_DATE = "{{ target_date | ds }}"
_GAME_DAY = "{{ game.date | ds_nodash }}"
_SPORT = "basketball_nba"
_START_YEAR = "{{ season.start_year }}"

BUILT_IN: dict[str, tuple[FanOut, dict[str, str | int | float | bool]]] = {
    "nbac_schedule_api": (FanOut.NOTHING, {"season": _START_YEAR}),
    "nbac_player_list": (FanOut.NOTHING, {}),
    "bdl_active_players": (FanOut.NOTHING, {}),
    "br_season_roster": (
        FanOut.TEAM,
        {"teamAbbr": "{{ team.basketball_reference }}", "year": "{{ season.end_year }}"},
    ),
    "espn_roster": (FanOut.TEAM, {"team_abbr": "{{ team.espn }}"}),
    "bdl_standings": (FanOut.NOTHING, {"season": _START_YEAR}),
    "oddsa_events": (FanOut.NOTHING, {"sport": _SPORT, "game_date": _DATE}),
    "oddsa_player_props": (FanOut.EVENT, {"event_id": "{{ event_id }}", "game_date": _DATE, "sport": _SPORT}),
    "oddsa_game_lines": (FanOut.EVENT, {"event_id": "{{ event_id }}", "game_date": _DATE, "sport": _SPORT}),
    "bp_events": (FanOut.NOTHING, {"date": _DATE}),
    "bp_player_props": (FanOut.NOTHING, {"date": _DATE}),
    "bdl_box_scores": (FanOut.NOTHING, {"date": _DATE}),
    "nbac_team_boxscore": (FanOut.GAME, {"game_id": "{{ game.game_id }}", "game_date": "{{ game.date | ds }}"}),
    "nbac_player_boxscore": (FanOut.NOTHING, {"gamedate": "{{ target_date | ds_nodash }}"}),
    "nbac_play_by_play": (FanOut.GAME, {"game_id": "{{ game.game_id }}", "gamedate": _GAME_DAY}),
    "bigdataball_pbp": (FanOut.GAME, {"game_id": "{{ game.game_id }}", "gamedate": _GAME_DAY}),
    "nbac_gamebook_pdf": (FanOut.GAME, {"game_code": "{{ game.code }}"}),
    "nbac_injury_report": (
        FanOut.NOTHING,
        {"gamedate": _DATE, "hour": "{{ now | hour12 }}", "period": "{{ now | am_pm }}"},
    ),
    "nbac_referee_assignments": (FanOut.NOTHING, {"date": _DATE}),
}
SERVICE_NAMES = {
    "basketball_ref_season_roster": "br_season_roster",
    "bdb_pbp_scraper": "bigdataball_pbp",
    "bdl_active_players_scraper": "bdl_active_players",
    "bdl_box_scores_scraper": "bdl_box_scores",
    "bdl_standings_scraper": "bdl_standings",
    "oddsa_current_event_odds": "oddsa_player_props",
    "oddsa_current_game_lines": "oddsa_game_lines",
}
"""Scrapers that have another name in the service's log: that name, and the name for calls."""
EVENT_SOURCE = "oddsa_events"
"""The scraper whose ``event_ids`` feed ``for_each: event``, unless ``depends_on`` names another."""


def fan_out_of(name: str, scraper: Scraper) -> FanOut:
    """Return the item that the scraper ``name`` is called once for: its ``for_each``, else the built-in item."""
    return scraper.for_each or BUILT_IN.get(name, (FanOut.NOTHING, {}))[0]


def parameters_of(name: str, scraper: Scraper) -> dict[str, str | int | float | bool]:
    """Return the parameter templates of the scraper ``name``: its own, else the built-in templates."""
    return scraper.parameters if scraper.parameters is not None else BUILT_IN.get(name, (FanOut.NOTHING, {}))[1]


def event_source_of(scraper: Scraper) -> str:
    """Return the scraper that lists the events of this one."""
    return scraper.depends_on[0] if scraper.depends_on else EVENT_SOURCE


def divider_of(name: str, scraper: Scraper) -> str | None:
    """Return the task that splits the list of items of the scraper ``name`` into batches, or None.

    No task is needed for teams, which are known beforehand, nor for batches of one.
    """
    if scraper.calls_per_task == 1:
        return None
    match fan_out_of(name, scraper):
        case FanOut.GAME:
            return f"games_by_{scraper.calls_per_task}"
        case FanOut.EVENT:
            return f"{event_source_of(scraper)}_by_{scraper.calls_per_task}"
        case _:
            return None


def answer_of(name: str, scraper: Scraper | None = None) -> AnswerDescription:
    """Return how to read the answer of the scraper ``name``: its own keys, and built-in values for the others."""
    built_in = BUILT_IN_ANSWERS.get(name, PLAIN)
    own = scraper.answer if scraper is not None else None
    if own is None:
        return built_in
    return built_in.model_copy(update={key: getattr(own, key) for key in own.model_fields_set})


def is_event_source(name: str, scrapers: Mapping[str, Scraper]) -> bool:
    """Return whether other scrapers are called for each event of ``name``."""
    return any(
        event_source_of(other) == name and fan_out_of(key, other) is FanOut.EVENT for key, other in scrapers.items()
    )
