"""The 30 teams with their codes at each source, and the seasons with their names (lesson E9)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

FIRST_MONTH = 10
"""From this month on, a date belongs to the new season."""


@dataclass(frozen=True, slots=True)
class Season:
    """A season by its starting year: 2025-26 starts in October 2025."""

    start_year: int

    @property
    def end_year(self) -> int:
        """The year in which it ends."""
        return self.start_year + 1

    @property
    def label(self) -> str:
        """Its name, such as ``2025-26``."""
        return f"{self.start_year}-{self.end_year % 100:02d}"


def season_of(day: date) -> Season:
    """Return the season that the ET date ``day`` belongs to."""
    return Season(day.year if day.month >= FIRST_MONTH else day.year - 1)


@dataclass(frozen=True, slots=True)
class Team:
    """A team. ``tricode`` is NBA.com's code; ESPN and Basketball-Reference have other codes for some teams."""

    tricode: str
    full_name: str
    espn: str
    basketball_reference: str


_ESPN = {"GSW": "GS", "NOP": "NO", "NYK": "NY", "SAS": "SA", "UTA": "UTAH"}
_BASKETBALL_REFERENCE = {"PHX": "PHO", "BKN": "BRK", "CHA": "CHO"}
_NAMES = {
    "ATL": "Atlanta Hawks",
    "BOS": "Boston Celtics",
    "BKN": "Brooklyn Nets",
    "CHA": "Charlotte Hornets",
    "CHI": "Chicago Bulls",
    "CLE": "Cleveland Cavaliers",
    "DAL": "Dallas Mavericks",
    "DEN": "Denver Nuggets",
    "DET": "Detroit Pistons",
    "GSW": "Golden State Warriors",
    "HOU": "Houston Rockets",
    "IND": "Indiana Pacers",
    "LAC": "Los Angeles Clippers",
    "LAL": "Los Angeles Lakers",
    "MEM": "Memphis Grizzlies",
    "MIA": "Miami Heat",
    "MIL": "Milwaukee Bucks",
    "MIN": "Minnesota Timberwolves",
    "NOP": "New Orleans Pelicans",
    "NYK": "New York Knicks",
    "OKC": "Oklahoma City Thunder",
    "ORL": "Orlando Magic",
    "PHI": "Philadelphia 76ers",
    "PHX": "Phoenix Suns",
    "POR": "Portland Trail Blazers",
    "SAC": "Sacramento Kings",
    "SAS": "San Antonio Spurs",
    "TOR": "Toronto Raptors",
    "UTA": "Utah Jazz",
    "WAS": "Washington Wizards",
}

TEAMS: tuple[Team, ...] = tuple(
    Team(code, name, _ESPN.get(code, code), _BASKETBALL_REFERENCE.get(code, code)) for code, name in _NAMES.items()
)
BY_TRICODE: dict[str, Team] = {team.tricode: team for team in TEAMS}


def team(tricode: str) -> Team:
    """Return the team with NBA.com's ``tricode``. Raises KeyError with the code if there is none (lesson E2)."""
    return BY_TRICODE[tricode]
