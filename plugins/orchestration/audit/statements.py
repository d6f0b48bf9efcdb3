"""Every statement that the system runs: one file each, under ``include/sql``.

Placeholders stand for names of the configuration: ``{audit}`` is the audit dataset, ``{history}`` the dataset of the
other system, ``{schedule_table}`` and ``{service_log}`` are tables. ``{lock_minutes}`` is the lock in minutes
after midnight. ``{not_ours}`` is the condition for rows of the service. ``{blocked_errors}`` lists the error types of
:data:`orchestration.words.BLOCKED_ERRORS`. The name of a file under ``parts``, such as
``{call}``, stands for columns that several statements select. :func:`filled` replaces these placeholders. Those for a
table that only BigQuery knows, such as ``{partition}``, are replaced by :func:`with_identifiers`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from orchestration.config import variable
from orchestration.vocabulary.settings import Settings
from orchestration.words import BLOCKED_ERRORS

SQL_FOLDER = Path(variable("ORCHESTRATION_SQL") or Path(__file__).resolve().parents[3] / "include" / "sql")
_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)?")


@lru_cache
def statement(name: str) -> str:
    """Return the statement ``queries/<name>.sql``."""
    return (SQL_FOLDER / "queries" / f"{name}.sql").read_text(encoding="utf-8")


@dataclass(frozen=True)
class Partition:
    """How a table is partitioned: a file of ``include/sql/partitions``, its column, and HOUR, DAY, MONTH or YEAR."""

    kind: str = "none"
    column: str = "NULL"
    granularity: str = "DAY"


@lru_cache
def _texts(folder: str) -> dict[str, str]:
    """Return the files of a folder without their comments, by placeholder."""
    return {
        f"{{{path.stem}}}": re.sub(r"^--.*\n", "", path.read_text(encoding="utf-8"), flags=re.MULTILINE).strip()
        for path in (SQL_FOLDER / folder).glob("*.sql")
    }


def with_identifiers(name: str, partition: Partition | None = None, **identifiers: str) -> str:
    """Return a statement with table or column names of the configuration.

    ``partition``: of the table. A name cannot be a parameter of a query. Raises ValueError for a name with other
    characters than letters, digits, underscores and one dot.
    """
    text, found = statement(name), partition or Partition()
    text = text.replace("{partition}", _texts("partitions")[f"{{{found.kind}}}"])
    identifiers |= {"partition_column": found.column, "granularity": found.granularity}
    for key, value in identifiers.items():
        if not _IDENTIFIER.fullmatch(value):
            raise ValueError(f"{key} {value!r} is not a table or column name")
        text = text.replace("{" + key + "}", value)
    return text


def filled(text: str, settings: Settings) -> str:
    """Return a statement with the parts and the names of ``settings`` in place of its ``{...}``."""
    lock = settings.daily_schedule_lock.generation_time
    log = f"{settings.audit_dataset}.scraper_execution_log"
    names = {
        "{audit}": settings.audit_dataset,
        "{history}": settings.history,
        "{schedule_table}": settings.schedule_table,
        "{service_log}": settings.service_log or log,
        # A separate log holds no rows of ours and has no column dag_id.
        "{not_ours}": "dag_id IS NULL" if settings.service_log in (None, log) else "TRUE",
        "{blocked_errors}": ", ".join(f"'{error}'" for error in BLOCKED_ERRORS),
        "{lock_minutes}": str(lock.hour * 60 + lock.minute),
    }
    for placeholder, name in (_texts("parts") | names).items():
        text = text.replace(placeholder, name)
    return text


def ddl(folder: str) -> dict[str, str]:
    """Return the statements that create ``tables``, ``views``, ``functions`` or ``reports``, by name.

    A function may use functions whose names sort before its own.
    """
    return {path.stem: path.read_text(encoding="utf-8") for path in sorted((SQL_FOLDER / folder).glob("*.sql"))}
