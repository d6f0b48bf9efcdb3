"""``python -m orchestration init`` creates tables, views, functions and reports. It is safe to repeat."""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from orchestration.audit.statements import ddl, filled
from orchestration.audit.warehouse import Warehouse
from orchestration.errors import UserError

if TYPE_CHECKING:
    from google.cloud.bigquery import SchemaField

_COLUMN = re.compile(
    r'^  (?P<name>\w+) (?P<type>[A-Z].*?)(?P<required> NOT NULL)? OPTIONS\(description="(?P<description>.*)"\)',
    re.MULTILINE,
)
_STRUCT = re.compile(r"STRUCT<([^<>]*)>")
_ALSO_FINE = {("JSON", "STRING")}
"""We write JSON as text, which a STRING column takes too. The emulator describes a JSON column as STRING."""
_LEGACY = {"INTEGER": "INT64", "FLOAT": "FLOAT64", "BOOLEAN": "BOOL", "RECORD": "STRUCT"}


@dataclass(frozen=True)
class Column:
    """A column of our DDL or of a table. ``type`` is BigQuery's name, ``ARRAY<...>`` for a repeated column."""

    name: str
    type: str
    required: bool
    description: str = ""


class OtherColumns(UserError):
    """A table exists with other columns than ours. Nothing was changed. The text says what to do next."""


def columns_of(statement: str) -> list[Column]:
    """Return the columns of one of our CREATE TABLE statements, which have one column a line."""
    return [
        Column(match["name"], match["type"], bool(match["required"]), match["description"])
        for match in _COLUMN.finditer(statement)
    ]


def _existing(schema: Sequence[SchemaField]) -> dict[str, Column]:
    found = {}
    for field in schema:
        kind = _LEGACY.get(field.field_type, field.field_type)
        repeated = f"ARRAY<{kind}>" if field.mode == "REPEATED" else kind
        found[field.name] = Column(field.name, repeated, field.mode == "REQUIRED")
    return found


@dataclass(frozen=True)
class Differences:
    """Why an existing table does not take our rows: columns that can be added, and other differences."""

    missing: tuple[Column, ...]
    others: tuple[str, ...]

    @property
    def texts(self) -> list[str]:
        """Each difference in one line."""
        return [*(f"column {c.name} {c.type} is missing" for c in self.missing), *self.others]


def differences(wanted: Sequence[Column], existing: dict[str, Column]) -> Differences:
    """Return how an existing table differs from ours.

    A nullable column in place of a required one, and further nullable columns, do not count as differences.
    """
    missing, others = [], []
    for column in wanted:
        there = existing.get(column.name)
        kind = _STRUCT.sub("STRUCT", column.type)
        if there is None:
            missing.append(column)
        elif there.type != kind and (kind, there.type) not in _ALSO_FINE:
            others.append(f"column {column.name} is {there.type}, not {kind}")
    ours = {column.name for column in wanted}
    others += [
        f"column {c.name} is required, and unknown here" for c in existing.values() if c.required and c.name not in ours
    ]
    return Differences(tuple(missing), tuple(others))


def init(warehouse: Warehouse, *, adopt: bool = False) -> list[str]:
    """Create what is missing. Return a line for each table, view, function and report.

    ``adopt``: add our columns, nullable, to tables of another system, and change nothing else.

    Raises OtherColumns, before anything is created, if a table exists with other columns; WarehouseError if BigQuery
    does not answer.
    """
    audit, tables, said = warehouse.audit, ddl("tables"), []
    found: dict[str, Differences | None] = {}
    for name, statement in tables.items():
        schema = warehouse.schema(f"{audit}.{name}")
        found[name] = None if schema is None else differences(columns_of(statement), _existing(schema))
    _refuse_others(audit, found, adopt=adopt)
    warehouse.query("CREATE SCHEMA IF NOT EXISTS {audit}")
    for name, statement in tables.items():
        differing = found[name]
        if differing is None:
            warehouse.query(statement)
            said.append(f"table {audit}.{name}: created")
        elif differing.missing:
            warehouse.add_columns(f"{audit}.{name}", [_field(column) for column in differing.missing])
            said += [f"table {audit}.{name}: column {c.name} {c.type} added, nullable" for c in differing.missing]
        else:
            said.append(f"table {audit}.{name}: there already")
    for name, statement in ddl("views").items():
        warehouse.query(statement)
        said.append(f"view  {audit}.{name}: up to date")
    schedule = warehouse.settings.schedule_table
    # BigQuery refuses a function that reads a table or a function which does not exist.
    absent = [] if warehouse.schema(schedule) is not None else ["{schedule_table}"]
    for kind in ("functions", "reports"):
        for name, statement in ddl(kind).items():
            what = f"{kind.removesuffix('s')} {audit}.{name}"
            if any(word in statement for word in absent):
                absent.append(f"{{audit}}.{name}(")
                said.append(f"{what}: left out, {schedule} does not exist; run init again when it does")
                continue
            warehouse.query(statement)
            warehouse.describe(f"{audit}.{name}", filled(description_of(statement), warehouse.settings))
            said.append(f"{what}: up to date")
    return said


def _refuse_others(audit: str, found: Mapping[str, Differences | None], *, adopt: bool) -> None:
    differing = {name: one for name, one in found.items() if one and (one.others or (one.missing and not adopt))}
    if not differing:
        return
    problems = "".join(f"\n  {audit}.{name}: {text}" for name, one in differing.items() for text in one.texts)
    elsewhere = "give this system a dataset of its own (settings.audit_dataset in workflows.yaml)"
    if any(one.others for one in differing.values()):
        ways = f"Types and required columns of others are never changed: {elsewhere}, then run init again."
    else:
        ways = (
            f"Two ways out: {elsewhere} and run init again; or `python -m orchestration init --adopt`, which adds the "
            "missing columns, nullable, and changes nothing else."
        )
    raise OtherColumns(f"These tables exist with other columns; nothing was changed. {ways}{problems}")


def _field(column: Column) -> SchemaField:
    """Return a column in the API's form, nullable: rows of other systems have no value for it."""
    from google.cloud.bigquery import SchemaField

    kind, mode = column.type, "NULLABLE"
    if repeated := re.fullmatch(r"ARRAY<(.*)>", kind):
        kind, mode = repeated[1], "REPEATED"
    inner = ()
    if struct := _STRUCT.fullmatch(kind):
        kind, inner = "STRUCT", tuple(SchemaField(*part.split()) for part in struct[1].split(","))
    return SchemaField(column.name, kind, mode, fields=inner, description=column.description)


def description_of(statement: str) -> str:
    """Return the comment at the start of a statement."""
    lines = itertools.takewhile(lambda line: line.startswith("--"), statement.splitlines())
    return " ".join(line.removeprefix("--").strip() for line in lines)
