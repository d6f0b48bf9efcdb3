"""``python -m orchestration init``: tables, views and reports, idempotent; refuses tables with other columns."""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from orchestration.audit.statements import AUDIT_DATASET, ddl
from orchestration.audit.warehouse import Warehouse

if TYPE_CHECKING:
    from google.cloud.bigquery import SchemaField

_COLUMN = re.compile(r"^  (?P<name>\w+) (?P<type>[A-Z].*?)(?P<required> NOT NULL)? OPTIONS\(", re.MULTILINE)
_RAW_TABLE = re.compile(r"\bnba_raw\.\w+")
_ALSO_FINE = {("JSON", "STRING")}
"""Our JSON arrives as text, which a STRING column takes as well (and as which the emulator describes a JSON column)."""
_LEGACY = {"INTEGER": "INT64", "FLOAT": "FLOAT64", "BOOLEAN": "BOOL", "RECORD": "STRUCT"}


@dataclass(frozen=True)
class Column:
    """A column as our DDL or a table has it. ``type`` is BigQuery's name, ``ARRAY<...>`` for repeated ones."""

    name: str
    type: str
    required: bool


class OtherColumns(Exception):
    """A table exists with other columns than ours; nothing was changed."""


def columns_of(statement: str) -> list[Column]:
    """Return the columns of one of our CREATE TABLE statements, which have one column a line."""
    return [
        Column(match["name"], re.sub(r"STRUCT<[^<>]*>", "STRUCT", match["type"]), bool(match["required"]))
        for match in _COLUMN.finditer(statement)
    ]


def _existing(schema: Sequence[SchemaField]) -> dict[str, Column]:
    found = {}
    for field in schema:
        kind = _LEGACY.get(field.field_type, field.field_type)
        repeated = f"ARRAY<{kind}>" if field.mode == "REPEATED" else kind
        found[field.name] = Column(field.name, repeated, field.mode == "REQUIRED")
    return found


def differences(wanted: Sequence[Column], existing: dict[str, Column]) -> list[str]:
    """Return what keeps an existing table from taking our rows. Further nullable columns are somebody else's affair."""
    problems = []
    for column in wanted:
        there = existing.get(column.name)
        if there is None:
            problems.append(f"column {column.name} {column.type} is missing")
        elif there.type != column.type and (column.type, there.type) not in _ALSO_FINE:
            problems.append(f"column {column.name} is {there.type}, not {column.type}")
    ours = {column.name for column in wanted}
    problems += [
        f"column {c.name} is required, and unknown here" for c in existing.values() if c.required and c.name not in ours
    ]
    return problems


def init(warehouse: Warehouse) -> list[str]:
    """Create what is missing; return a line for each thing created or found.

    Raises OtherColumns, before anything is created, when a table exists with other columns; WarehouseError when
    BigQuery does not answer.
    """
    tables, said, problems = ddl("tables"), [], []
    present = {}
    for name, statement in tables.items():
        schema = warehouse.schema(f"{AUDIT_DATASET}.{name}")
        present[name] = schema is not None
        if schema is not None:
            problems += [f"{AUDIT_DATASET}.{name}: {p}" for p in differences(columns_of(statement), _existing(schema))]
    if problems:
        raise OtherColumns(
            "These tables exist with other columns; nothing was changed. Add the columns (ALTER TABLE ... ADD COLUMN), "
            "or move the table away, then run init again:\n  " + "\n  ".join(problems)
        )
    warehouse.query(f"CREATE SCHEMA IF NOT EXISTS {AUDIT_DATASET}")
    for name, statement in tables.items():
        if not present[name]:
            warehouse.query(statement)
        said.append(f"table {AUDIT_DATASET}.{name}: {'there already' if present[name] else 'created'}")
    for name, statement in ddl("views").items():
        warehouse.query(statement)
        said.append(f"view  {AUDIT_DATASET}.{name}: up to date")
    for name, statement in ddl("reports").items():
        # BigQuery takes no function over a table that does not exist.
        absent = [table for table in set(_RAW_TABLE.findall(statement)) if warehouse.schema(table) is None]
        if absent:
            said.append(
                f"report {AUDIT_DATASET}.{name}: left out, {absent[0]} does not exist; run init again when it does"
            )
            continue
        warehouse.query(statement)
        warehouse.describe(f"{AUDIT_DATASET}.{name}", description_of(statement))
        said.append(f"report {AUDIT_DATASET}.{name}: up to date")
    return said


def description_of(statement: str) -> str:
    """Return the comment that a statement begins with."""
    lines = itertools.takewhile(lambda line: line.startswith("--"), statement.splitlines())
    return " ".join(line.removeprefix("--").strip() for line in lines)
