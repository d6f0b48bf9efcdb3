"""Every statement that the system runs: one file each, under ``include/sql``.

Names that the configuration decides stand in them as ``{audit}`` (the audit dataset), ``{history}`` (that of the system
beside or before ours), ``{schedule_table}`` and ``{service_log}``, and the lock's time as ``{lock_minutes}`` after
midnight; ``{not_ours}`` is what tells the service's rows from ours. ``{their_call}`` and ``{their_execution}`` are
parts, under ``parts``, that several statements have in common. The warehouse fills them in, here and nowhere else.
"""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path

from orchestration.config import variable
from orchestration.vocabulary.settings import Settings

SQL_FOLDER = Path(variable("ORCHESTRATION_SQL") or Path(__file__).resolve().parents[3] / "include" / "sql")
_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)?")


@lru_cache
def statement(name: str) -> str:
    """Return the statement ``queries/<name>.sql``."""
    return (SQL_FOLDER / "queries" / f"{name}.sql").read_text(encoding="utf-8")


@lru_cache
def _parts() -> dict[str, str]:
    """Return the parts that several statements have in common, by their placeholder."""
    return {
        f"{{{path.stem}}}": re.sub(r"^--.*\n", "", path.read_text(encoding="utf-8"), flags=re.MULTILINE).strip()
        for path in (SQL_FOLDER / "parts").glob("*.sql")
    }


def with_identifiers(name: str, **identifiers: str) -> str:
    """Return a statement whose table or column names come from the configuration.

    Raises ValueError for anything but letters, digits and underscores, with at most one dot: SQL takes parameters,
    and names, which cannot be parameters, only in this form.
    """
    for key, value in identifiers.items():
        if not _IDENTIFIER.fullmatch(value):
            raise ValueError(f"{key} {value!r} is not a table or column name")
    text = statement(name)
    for key, value in identifiers.items():
        text = text.replace("{" + key + "}", value)
    return text


def filled(text: str, settings: Settings) -> str:
    """Return a statement with the names of ``settings``, which its model has validated, in place of its ``{...}``."""
    lock = settings.daily_schedule_lock.generation_time
    log = f"{settings.audit_dataset}.scraper_execution_log"
    names = {
        "{audit}": settings.audit_dataset,
        "{history}": settings.history,
        "{schedule_table}": settings.schedule_table,
        "{service_log}": settings.service_log or log,
        # In a log of its own there are no rows of ours, and no column that tells.
        "{not_ours}": "dag_id IS NULL" if settings.service_log in (None, log) else "TRUE",
        "{lock_minutes}": str(lock.hour * 60 + lock.minute),
    }
    for placeholder, name in (_parts() | names).items():
        text = text.replace(placeholder, name)
    return text


def ddl(folder: str) -> dict[str, str]:
    """Return the statements that create ``tables``, ``views``, ``functions`` or ``reports``, by name.

    A function may use those whose names sort before its own.
    """
    return {path.stem: path.read_text(encoding="utf-8") for path in sorted((SQL_FOLDER / folder).glob("*.sql"))}
