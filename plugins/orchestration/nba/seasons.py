"""Seasons and their names: 2025-26 starts in October 2025 (lesson E9)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

FIRST_MONTH = 10
"""The month from which a date belongs to the new season."""


@dataclass(frozen=True, slots=True)
class Season:
    """A season by its starting year."""

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
