"""What the cleanup's task does when it looks, without the task."""

from __future__ import annotations

from datetime import datetime

from orchestration.audit.warehouse import Warehouse
from orchestration.cleanup.corrections import correct
from orchestration.cleanup.reading import Found, look_back, read_files
from orchestration.config.model import Config


def look(warehouse: Warehouse, config: Config, now: datetime) -> Found:
    """The files to check at ``now``."""
    calls = correct(warehouse, config, look_back(config, now), now).calls
    return read_files(warehouse, config, calls, now)
