"""The BigQuery emulator, faster: ``python -m sandbox.bigquery start ...`` with the emulator's own arguments.

Two changes save most of the time of a simulated day:

* The emulator parses a statement about thirty times and translates it each time. Here both results are cached.
* The emulator copies a whole table after each change, for time travel. Nothing here uses time travel, so it does not.
"""

from __future__ import annotations

import sys
from functools import lru_cache
from typing import Any

import bqemulator.api.app
import sqlglot
from bqemulator import server
from bqemulator.cli import main
from bqemulator.sql.translator import SQLTranslator
from bqemulator.versioning.snapshots import SnapshotManager

from sandbox.bigquery_faults import Faults

_parse_one = sqlglot.parse_one
_translate = SQLTranslator.translate
_capture = SnapshotManager.capture
_create_app = bqemulator.api.app.create_app
_translated: dict[tuple[str, str], Any] = {}
MOST_TEXTS = 4096


@lru_cache(MOST_TEXTS)
def _parsed(sql: str, read: str | None) -> sqlglot.exp.Expr:
    return _parse_one(sql, read=read)


def parse_one(sql: str, read: str | None = None, **more: Any) -> sqlglot.exp.Expr:
    """Return sqlglot's expression for ``sql``. Raises sqlglot's ParseError."""
    return _parse_one(sql, read=read, **more) if more else _parsed(sql, read).copy()


def translate(translator: SQLTranslator, sql: str, **more: Any) -> Any:
    """Return ``sql`` in DuckDB's dialect, from the cache if the arguments are the same."""
    key = (sql, repr(more))
    if key not in _translated:
        if len(_translated) >= MOST_TEXTS:
            _translated.clear()
        _translated[key] = _translate(translator, sql, **more)
    return _translated[key]


def capture(manager: SnapshotManager, *table: str, kind: str = "AUTO") -> Any:
    """Take a snapshot only if a statement asks for one, not after each change."""
    return None if kind == "AUTO" else _capture(manager, *table, kind=kind)


def create_app(context: Any) -> Any:
    """Return the emulator's application, with the faults of :mod:`sandbox.bigquery_faults`."""
    app = _create_app(context)
    app.add_middleware(Faults)
    return app


if __name__ == "__main__":
    for owner, name, ours in (
        (sqlglot, "parse_one", parse_one),
        (SQLTranslator, "translate", translate),
        (SnapshotManager, "capture", capture),
        (server, "create_app", create_app),
    ):
        setattr(owner, name, ours)
    sys.exit(main())
