"""HTML from values. All text is escaped, and invisible or control characters are shown as ``[U+202E]``."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from orchestration.nba.eastern import clock, et
from orchestration.ui.model import TickState
from orchestration.words import Verdict, plural

FOLDER = Path(__file__).parent
SECURITY = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'self'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-store",
}
"""The page loads only our own scripts and styles, and only Airflow itself may show it in a frame."""
TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
SYMBOLS = {
    Verdict.HEALTHY: "✓",
    Verdict.NO_GAMES: "✓",
    Verdict.DEGRADED: "!",
    Verdict.UNHEALTHY: "✕",
    Verdict.UNKNOWN: "?",
}
FEW_TICKS = 1000
"""Up to this number of ticks, the page contains every reason. With more, the script loads the reason of one tick."""
_INVISIBLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff]")
"""Control characters, marks that change the direction of text, invisible characters, lone surrogates."""


def visible(text: str) -> str:
    """Return ``text`` with control and invisible characters written out, for example ``[U+202E]``."""
    return _INVISIBLE.sub(lambda found: f"[U+{ord(found.group()):04X}]", text)


def _finalize(value: Any) -> Any:
    return visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def short(text: str, limit: int = 300) -> str:
    """Return at most ``limit`` characters of ``text``, followed by its length if it was cut."""
    return text if len(text) <= limit else f"{text[:limit]}… ({len(text):,} characters)"


def console_url(path: str) -> str:
    """Return the Google Cloud console's page about a ``gs://`` file."""
    return f"https://console.cloud.google.com/storage/browser/_details/{quote(path.removeprefix('gs://'))}"


def moment(value: datetime) -> str:
    """Return an aware moment in ET: ``Thu 15 Jan 06:25``."""
    return f"{et(value):%a %d %b %H:%M}"


@cache
def asset(name: str) -> bytes:
    """Return the content of one of our static files. Raises KeyError for any other name."""
    path = FOLDER / "static" / name
    if path.suffix not in TYPES or path.parent != FOLDER / "static" or not path.is_file():
        raise KeyError(name)
    return path.read_bytes()


@cache
def version() -> str:
    """Return a digest of the static files, which makes browsers load a changed file."""
    files = sorted(path for path in (FOLDER / "static").iterdir() if path.suffix in TYPES)
    return sha256(b"".join(path.read_bytes() for path in files)).hexdigest()[:10]


@cache
def _pages() -> Environment:
    pages = Environment(
        loader=FileSystemLoader(FOLDER / "templates"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
        finalize=_finalize,
    )
    pages.filters.update(
        et=lambda value: f"{et(value):%a %d %b %Y %H:%M:%S} ET",
        clock=clock,
        moment=moment,
        plural=plural,
        short=short,
        console=console_url,
        query=urlencode,
        path=lambda value: quote(value, safe=""),
    )
    pages.globals.update(
        TickState=TickState,
        SYMBOLS=SYMBOLS,
        FEW_TICKS=FEW_TICKS,
        one_day=timedelta(days=1),
        version=version,
    )
    return pages


def render(template: str, root: str, **values: Any) -> str:
    """Return the HTML of a page. ``root``: the path of our pages on the API server, after Airflow's own path."""
    from orchestration.ui.links import PREFIX

    airflow = root.removesuffix(PREFIX)
    return _pages().get_template(template).render(root=root, airflow=airflow, **values)
