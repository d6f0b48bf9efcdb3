"""What every configuration model shares."""

from __future__ import annotations

from datetime import time
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from orchestration.words import Channel

DAY_SECONDS = 24 * 60 * 60
FORTNIGHT_MINUTES = 14 * 24 * 60
"""Longer than anything here waits, and far below what a timedelta can hold."""


class Strict(BaseModel):
    """A model that refuses unknown keys (lesson E6) and numbers without end, and does not change after loading."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


Slots = Annotated[int, Field(ge=1, le=100_000)]
"""Slots of an Airflow pool."""
CallSeconds = Annotated[float, Field(gt=0, le=DAY_SECONDS)]
"""How long one call may take."""


def _name(value: str) -> str:
    if ".." in value:
        raise ValueError("must not contain two dots in a row")
    return value


NAME, GROUP, OWNER = r"^[A-Za-z0-9_][A-Za-z0-9_.-]*$", r"^[A-Za-z0-9_][A-Za-z0-9_-]*$", r"^[^,\n\r\t]+$"
DagId = Annotated[str, Field(max_length=250, pattern=NAME), AfterValidator(_name)]
"""Airflow's own rule for the id of a DAG or task, in ASCII: it becomes part of URLs, paths and metrics."""
GroupId = Annotated[str, Field(max_length=200, pattern=GROUP)]
"""Airflow's own rule for the id of a task group, in ASCII."""
IN_WORDS = {
    NAME: "must be made of letters (A-Z, a-z), digits, `_`, `-` and `.`",
    GROUP: "must be made of letters (A-Z, a-z), digits, `_` and `-`",
    OWNER: "must be one name, without commas",
}
"""What these patterns mean."""
Tag = Annotated[str, Field(min_length=1, max_length=100)]
PoolName = Annotated[str, Field(min_length=1, max_length=256)]
Owner = Annotated[str, Field(min_length=1, max_length=100, pattern=OWNER)]
"""Airflow writes a DAG's owners with commas between them."""


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
