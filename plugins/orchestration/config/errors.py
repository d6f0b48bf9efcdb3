"""Configuration errors and warnings that a person can act on."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches

MOST_SHOWN = 50
"""Problems of one file: whoever has more has another problem."""
MOST_CHARACTERS = 100


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One thing wrong with a file. ``line`` and ``column`` count from 1; 0 means the file as a whole."""

    line: int
    column: int
    key: str
    message: str

    def text(self, source: str) -> str:
        """Return ``file:line:column: key: message``."""
        place = f"{source}:{self.line}:{self.column}" if self.line else source
        text = f"{place}: {self.key + ': ' if self.key else ''}{self.message}"
        return "\\n".join(text.splitlines())


class ConfigError(Exception):
    """The configuration cannot be used. Its text lists every problem, one a line: Airflow's import error."""

    def __init__(self, source: str, problems: Iterable[Problem]) -> None:
        self.source = source
        self.problems = tuple(sorted(problems))
        count = f"{len(self.problems)} error{'s' if len(self.problems) != 1 else ''}"
        shown = [p.text(source) for p in self.problems[:MOST_SHOWN]]
        if len(self.problems) > MOST_SHOWN:
            shown.append(f"{source}: and {len(self.problems) - MOST_SHOWN} more")
        super().__init__("\n".join([f"{source}: {count}", *shown]))


def clipped(value: object) -> str:
    """Return ``value`` as text on one line, cut off where nobody would read on."""
    text = str(value) if str(value).isprintable() else repr(str(value))[1:-1]
    return text if len(text) <= MOST_CHARACTERS else f"{text[:MOST_CHARACTERS]}…"


def did_you_mean(word: str, allowed: Iterable[str]) -> str:
    """Return `` (did you mean `x`?)`` for the nearest allowed word, else an empty text."""
    close = get_close_matches(clipped(word), list(allowed), n=1, cutoff=0.6)
    return f" (did you mean `{close[0]}`?)" if close else ""
