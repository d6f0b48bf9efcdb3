"""Values that several models of ``workflows.yaml`` share: names, times, lists, halts."""

from __future__ import annotations

from datetime import date, datetime, time
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, field_validator

from orchestration.nba.eastern import NOON, at, et_date
from orchestration.words import Channel

DAY_SECONDS = 24 * 60 * 60
FORTNIGHT_MINUTES = 14 * 24 * 60
"""The longest wait that a key may set, far below the limit of a timedelta."""


class Strict(BaseModel):
    """A model that refuses unknown keys (lesson E6), infinity and NaN, and is immutable."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


Slots = Annotated[int, Field(ge=1, le=100_000)]
"""Slots of an Airflow pool."""
CallSeconds = Annotated[float, Field(gt=0, le=DAY_SECONDS)]
"""The longest duration of one call, in seconds."""


def _name(value: str) -> str:
    if ".." in value:
        raise ValueError("must not contain two dots in a row")
    return value


NAME, GROUP, OWNER = r"^[A-Za-z0-9_][A-Za-z0-9_.-]*$", r"^[A-Za-z0-9_][A-Za-z0-9_-]*$", r"^[^,\n\r\t]+$"
DagId = Annotated[str, Field(max_length=250, pattern=NAME), AfterValidator(_name)]
"""Airflow's rule for the id of a DAG or task, in ASCII because ids are parts of URLs, paths and metrics."""
GroupId = Annotated[str, Field(max_length=200, pattern=GROUP)]
"""Airflow's rule for the id of a task group, in ASCII."""
IN_WORDS = {
    NAME: "must be made of letters (A-Z, a-z), digits, `_`, `-` and `.`",
    GROUP: "must be made of letters (A-Z, a-z), digits, `_` and `-`",
    OWNER: "must be one name, without commas",
}
"""The error texts of these patterns."""
Tag = Annotated[str, Field(min_length=1, max_length=100)]
PoolName = Annotated[str, Field(min_length=1, max_length=256)]
Owner = Annotated[str, Field(min_length=1, max_length=100, pattern=OWNER)]
"""Without commas: Airflow separates a DAG's owners by commas."""


def _wall_time(value: Any) -> Any:
    if isinstance(value, str):
        hour, colon, minute = value.partition(":")
        if colon and _is_number(hour, 23) and len(minute) == 2 and _is_number(minute, 59):
            return time(int(hour), int(minute))
    if isinstance(value, time):
        return value
    raise ValueError("must be an ET wall time from '00:00' to '23:59', in quotes")


def _is_number(text: str, most: int) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 2 and int(text) <= most


WallTime = Annotated[time, BeforeValidator(_wall_time)]
"""An ET wall-clock time such as '22:00'."""


def _as_number(value: Any) -> Any:
    return int(value) if isinstance(value, str) and _is_number(value, 60) else value


StepMinutes = Annotated[Literal[5, 10, 15, 20, 30, 60], BeforeValidator(_as_number)]
"""Minutes that divide an hour. Pydantic reads quoted numbers, but not those of a ``Literal``."""


def _as_list(value: Any) -> Any:
    return [value] if isinstance(value, str | time) else value


Names = Annotated[tuple[str, ...], BeforeValidator(_as_list)]
"""One name or a list of them."""
WallTimes = Annotated[tuple[WallTime, ...], BeforeValidator(_as_list)]
"""One ET wall time or a list of them."""
Tags = Annotated[tuple[Tag, ...], BeforeValidator(_as_list)]
"""One tag or a list of them."""
Channels = Annotated[tuple[Channel, ...], BeforeValidator(_as_list)]
"""One channel or a list of them."""


class Halt(Strict):
    """Every decision is a SKIP with this reason (lesson C10): through the date ``until``, or before that moment."""

    reason: str = Field(min_length=1)
    until: date | AwareDatetime | None = None

    @field_validator("until", mode="before")
    @classmethod
    def _no_seconds_since_1970(cls, value: Any) -> Any:
        wrong = ValueError("must be a date (2026-02-14), or a time with a zone (2026-02-14T18:00-05:00)")
        if isinstance(value, int | float | str) and str(value)[:10].count("-") != 2:
            raise wrong
        if isinstance(value, str) and len(value) > len("2026-02-14"):
            # Pydantic would read midnight as a date.
            try:
                value = datetime.fromisoformat(value)
            except ValueError:
                raise wrong from None
        if isinstance(value, datetime) and value.tzinfo is None:
            raise wrong
        return value

    def holds_at(self, moment: datetime) -> bool:
        """Return whether the halt is in force at the aware ``moment``."""
        if self.until is None:
            return True
        if isinstance(self.until, datetime):
            return moment < self.until
        return et_date(moment) <= self.until

    def holds_on(self, day: date) -> bool:
        """Return whether the halt is in force at noon of the ET date ``day``."""
        return self.holds_at(at(day, NOON))

    def __str__(self) -> str:
        until = f" until {self.until}" if self.until else ""
        return f"Halted{until}: {self.reason}"
