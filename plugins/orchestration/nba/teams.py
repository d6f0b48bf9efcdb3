"""The 30 teams and their codes at each source, in one table (lesson E9)."""

from __future__ import annotations

from dataclasses import dataclass


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
