"""The output of the commands: texts and tables that fit 80 columns, in a terminal and in a file."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import date
from typing import Any

from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from orchestration.words import Verdict

WIDTH = 79
UNLIMITED = 100_000


def rendered(*parts: RenderableType, width: int = WIDTH) -> str:
    """Return each part on its own lines, wrapped to ``width``, without trailing blanks."""
    console = Console(width=width, highlight=False, markup=False, emoji=False)
    with console.capture() as kept:
        for part in parts:
            console.print(part)
    return re.sub(r" +$", "", kept.get(), flags=re.MULTILINE)


def show(*parts: RenderableType, width: int = WIDTH) -> None:
    """Print each part on its own lines, wrapped to ``width``."""
    print(rendered(*parts, width=width), end="")


def unknown(reason: str, next_step: str) -> dict[str, Any]:
    """Return the keys that ``--json`` prints for the verdict UNKNOWN."""
    return {"verdict": Verdict.UNKNOWN.value, "reason": reason, "next": next_step}


def in_iso(value: Any) -> str:
    """Return a date or time in ISO 8601, and any other value as text."""
    return value.isoformat() if isinstance(value, date) else str(value)


def show_object(data: dict[str, Any], default: Callable[[Any], Any] = in_iso) -> None:
    """Print one JSON object."""
    print(json.dumps(data, default=default, indent=2, ensure_ascii=False))


def grid(*widths: int) -> Table:
    """Return a table without lines. Each width is a column's least width; a longer text wraps.

    A negative width aligns the column to the right.
    """
    table = Table.grid(padding=(0, 1))
    for width in widths:
        table.add_column(min_width=abs(width), justify="right" if width < 0 else "left", overflow="fold")
    return table


def wrapped(text: str, indent: int = 0, hanging: int = 2) -> str:
    """Return a text, wrapped to ``WIDTH``. Its first line has ``indent`` blanks, the others have ``hanging`` more.

    A word that is too long, such as a path to copy, stays whole.
    """
    first, *rest = _lines(text, WIDTH - indent)
    others = _lines(" ".join(rest), WIDTH - indent - hanging) if rest else []
    return "\n".join([" " * indent + first, *(" " * (indent + hanging) + line for line in others)])


def _lines(text: str, width: int) -> list[str]:
    lines = Text(text, overflow="ignore").wrap(Console(width=width), width)
    return [str(line).rstrip() for line in lines] or [""]
