"""What every configuration model shares."""

from __future__ import annotations

from datetime import time
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict

from orchestration.words import Channel


class Strict(BaseModel):
    """A model that refuses unknown keys (lesson E6) and does not change after loading."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def _wall_time(value: Any) -> Any:
    # YAML 1.1 reads an unquoted 22:00 as the base-60 integer 1320; an unquoted 01:00 stays text.
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 24 * 60:
        return time(*divmod(value, 60))
    if isinstance(value, str):
        hour, colon, minute = value.partition(":")
        if colon and hour.isdigit() and minute.isdigit() and int(hour) < 24 and len(minute) == 2 and int(minute) < 60:
            return time(int(hour), int(minute))
    if isinstance(value, time):
        return value
    raise ValueError("must be an ET wall time from '00:00' to '23:59', in quotes")


WallTime = Annotated[time, BeforeValidator(_wall_time)]
"""An ET wall-clock time such as '22:00'."""


def _as_list(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


Names = Annotated[tuple[str, ...], BeforeValidator(_as_list)]
"""One name or a list of them."""
Channels = Annotated[tuple[Channel, ...], BeforeValidator(_as_list)]
"""One channel or a list of them."""
