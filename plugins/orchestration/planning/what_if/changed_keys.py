"""The keys in which two configurations differ, and whether a simulated season shows their effect. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import time
from typing import Any

from orchestration.config import Config

_SHOWN = re.compile(
    r"workflows\.[^.]+(\.(enabled|decision_type|schedule|execution_plan|dependencies\.requires|game_types|halt"
    r"|deadline_minutes)(\..*)?)?"
    r"|scrapers\.[^.]+\.(for_each|depends_on)"
    r"|settings\.(controller_interval_minutes|first_tick|last_tick|schedule_refresh_interval_hours"
    r"|cleanup_processor\.interval_minutes|daily_schedule_lock|reconcile|halt|deadline_minutes)(\..*)?"
)
"""The keys whose whole effect a season shows: decisions, calls, collected games and deadlines. Other keys say how a
call is made, how a failure is handled, who is alerted, or what the DAG's page says. ``diff`` lists them by name."""


@dataclass(frozen=True, slots=True)
class KeyChange:
    """A key that differs. ``before`` and ``after`` are its values as written in the file, None without the key."""

    path: str
    before: str | None
    after: str | None

    @property
    def shown(self) -> bool:
        """Whether a season shows its whole effect."""
        return _SHOWN.fullmatch(self.path) is not None

    def __str__(self) -> str:
        if self.before is None:
            return f"{self.path}: added"
        return f"{self.path}: removed" if self.after is None else f"{self.path}: {self.before} -> {self.after}"


def changed_keys(old: Config, new: Config) -> list[KeyChange]:
    """Return the keys in which two configurations differ, in the order of the file. Defaults count as written."""
    return list(_changed("", old.model_dump(), new.model_dump()))


def _changed(path: str, old: Any, new: Any) -> Iterator[KeyChange]:
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for key in dict.fromkeys((*old, *new)):
            here = f"{path}.{key}".lstrip(".")
            if key not in new:
                yield KeyChange(here, _written(old[key]), None)
            elif key not in old:
                yield KeyChange(here, None, _written(new[key]))
            else:
                yield from _changed(here, old[key], new[key])
    elif old != new:
        yield KeyChange(path, _written(old), _written(new))


def _written(value: Any) -> str:
    match value:
        case str():
            return value
        case float():
            return f"{value:g}"
        case time():
            return _plain(value)
    return json.dumps(value, default=_plain, ensure_ascii=False)


def _plain(value: Any) -> str:
    return f"{value:%H:%M}" if isinstance(value, time) else str(value)
