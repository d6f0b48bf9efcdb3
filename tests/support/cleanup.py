"""The first half of a cleanup, without its task."""

from __future__ import annotations

from datetime import datetime

from orchestration.audit.warehouse import Warehouse
from orchestration.cleanup.reading import Found, correct, look_back, read_files
from orchestration.config import Config


def files_to_check(warehouse: Warehouse, config: Config, now: datetime) -> Found:
    """Return the files that a cleanup at ``now`` checks, after the corrections from the service's log."""
    calls = correct(warehouse, config, look_back(config, now), now).calls
    return read_files(warehouse, config, calls, now)
