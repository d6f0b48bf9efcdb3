"""``reconcile``: what to fetch anew, as the commands that do it."""

from __future__ import annotations

import json
import shlex
import sys
from datetime import UTC, datetime

from orchestration.config import load


def run_reconcile(days: int, max_runs: int, as_of: datetime | None) -> int:
    """Print a command for each run that makes up for something. Returns 0 for none, 1 for some, 3 when unknown."""
    from orchestration.audit.warehouse import Warehouse, WarehouseError
    from orchestration.cleanup.reconcile import find_makeups
    from orchestration.services.files import FilesUnknown

    try:
        config = load().config
        if config.is_shadow():
            print("This system is a shadow (settings.mode): it fetches nothing.")
            return 0
        found = find_makeups(Warehouse(config.settings), config, as_of or datetime.now(UTC), days, max_runs)
    except (WarehouseError, FilesUnknown) as error:
        print(f"reconcile: {error}", file=sys.stderr)
        return 3
    for makeup in found:
        print(f"# {makeup.conf['reason']}")
        print(f"airflow dags trigger {makeup.workflow} --conf {shlex.quote(json.dumps(makeup.conf))}")
    if not found:
        print(f"Nothing is missing of the last {days} days.")
    return 1 if found else 0
