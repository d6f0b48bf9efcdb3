"""The base of all records. It checks a row before the row is written, and reads a row by column name. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone
from functools import lru_cache
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Self

from pydantic import (
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    PlainSerializer,
    TypeAdapter,
    ValidatorFunctionWrapHandler,
    WrapValidator,
    field_validator,
)
from typing_extensions import TypedDict

from orchestration.nba.eastern import et
from orchestration.services.redaction import masked, without_secrets

_STATE = {"__pydantic_extra__": None, "__pydantic_private__": None}
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@lru_cache(maxsize=4096)
def from_micros(micros: int) -> datetime:
    """Return the aware ET moment of the microseconds since 1970 that our statements select."""
    return et(EPOCH + timedelta(microseconds=micros))


def _moment(value: Any, check: ValidatorFunctionWrapHandler) -> datetime:
    return from_micros(value) if type(value) is int else et(check(value))


def _is_et(moment: datetime) -> bool:
    return isinstance(moment.tzinfo, timezone) and moment.tzinfo is not UTC


def _parsed(value: Any) -> Any:
    return json.loads(value) if isinstance(value, str) else value


def _masked(value: Any) -> Any:
    return masked(value) if isinstance(value, str) else value


Moment = Annotated[
    AwareDatetime,
    WrapValidator(_moment),
    PlainSerializer(lambda value: value.astimezone(UTC).isoformat(), return_type=str),
]
"""A TIMESTAMP column. In Python it is aware and on the ET clock; it is written in UTC.

Statements that return JSON select microseconds since 1970, ``UNIX_MICROS(...)``: BigQuery and its emulator write other
forms of a timestamp differently.
"""
JsonColumn = Annotated[
    dict[str, Any],
    BeforeValidator(_parsed),
    # BigQuery takes a JSON column as text, never as an object.
    PlainSerializer(lambda value: json.dumps(value, default=str, ensure_ascii=False, sort_keys=True), return_type=str),
]
Message = Annotated[str, BeforeValidator(_masked)]
"""A text of another system, cut and without secrets."""


class NotRead(LookupError):
    """The query of a record does not select this column. The value is unknown, not empty (lesson K8)."""


class Record(BaseModel):
    """A row of an audit table. Its fields are the columns. The fields below are in every table.

    ``CallRecord(...)`` makes a row to be written. It needs every required column, and secrets are struck out (lessons
    C3, C9). :meth:`read` returns a row with the columns that a query selects. Any other column raises NotRead.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    TABLE: ClassVar[str]
    ID: ClassVar[str]

    environment: str | None = None
    created_at: Moment
    dag_id: str
    task_id: str
    map_index: int = -1
    try_number: int = 1

    @field_validator("reason", "error_message", mode="before", check_fields=False)
    @classmethod
    def _cut(cls, value: Any) -> Any:
        return _masked(value)

    @field_validator("context", "data_summary", "opts", mode="after", check_fields=False)
    @classmethod
    def _strike_out(cls, value: Any) -> Any:
        return without_secrets(value)

    @classmethod
    def read(cls, row: str | Mapping[str, Any]) -> Self:
        """Return the record of a row that a query selects: a mapping by column, or a JSON object as text.

        A NULL becomes the default of its column. Columns of other systems are left out.

        Raises ValidationError for a value that does not fit its column.
        """
        reader, defaults = _reader(cls), _defaults(cls)
        values = reader.validate_json(row) if isinstance(row, str) else reader.validate_python(row)
        return cls._of(
            {
                name: defaults[name] if value is None else value
                for name, value in values.items()
                if value is not None or name in defaults
            }
        )

    @classmethod
    def whole(cls, columns: Mapping[str, Any]) -> Self:
        """Return the record of a complete row, as from ``SELECT *`` or :meth:`to_json`.

        Raises ValidationError for a row that is not ours, for example without a required column.
        """
        return cls.model_validate({name: columns[name] for name in cls.model_fields if columns.get(name) is not None})

    @classmethod
    def known(cls, **columns: Any) -> Self:
        """Return a record with only these columns, for example a call that a plan assumes.

        The values must have the types of the columns; only the names are checked. Raises TypeError for another name.
        """
        if not columns.keys() <= _columns(cls):
            raise TypeError(f"{cls.__name__} has no column {', '.join(sorted(columns.keys() - _columns(cls)))}")
        for name, value in columns.items():
            if isinstance(value, datetime) and not _is_et(value):
                columns[name] = et(value)
        return cls._of({**_defaults(cls), **columns})

    @classmethod
    def _of(cls, values: dict[str, Any]) -> Self:
        # model_construct takes six times as long, and a plan of a season makes 40,000 records.
        record = cls.__new__(cls)
        record.__setstate__({**_STATE, "__dict__": values, "__pydantic_fields_set__": set(values)})
        return record

    if not TYPE_CHECKING:  # Otherwise mypy accepts any attribute.

        def __getattr__(self, name: str) -> Any:
            if name in type(self).model_fields:
                raise NotRead(f"{type(self).__name__}.{name}: the query of this record does not select it")
            return super().__getattr__(name)

    @property
    def key(self) -> str:
        """The row's deterministic id."""
        return str(getattr(self, self.ID))

    def to_json(self) -> dict[str, Any]:
        """Return the row in the form of ``insertAll``. Raises NotRead for a record without all columns."""
        for name in type(self).model_fields:
            getattr(self, name)
        return self.model_dump(mode="json")

    def changed(self, at: datetime, **values: Any) -> Self | None:
        """Return a new version of this row with other values, or None if nothing changes.

        ``at``: when the version is made. The version is always later than this row, so that the views show it.
        """
        other = type(self).model_validate({**dict(self), **values})
        if other == self:
            return None
        return other.model_copy(update={"created_at": max(et(at), self.created_at + timedelta(microseconds=1))})


@lru_cache
def _reader(record: type[Record]) -> TypeAdapter[dict[str, Any]]:
    """Return the validator of selected columns. None of them is required."""
    columns: dict[str, Any] = {
        name: Annotated[(info.annotation | None, name, *info.metadata)]  # type: ignore[operator]
        for name, info in record.model_fields.items()
    }
    return TypeAdapter(TypedDict(record.__name__, columns, total=False))  # type: ignore[operator]


@lru_cache
def _defaults(record: type[Record]) -> dict[str, Any]:
    """Return the defaults of the optional columns."""
    return {name: info.default for name, info in record.model_fields.items() if not info.is_required()}


@lru_cache
def _columns(record: type[Record]) -> frozenset[str]:
    return frozenset(record.model_fields)
