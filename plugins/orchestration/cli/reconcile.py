"""``reconcile``: what to fetch anew, as the commands that do it."""

from __future__ import annotations

import json
import shlex
import sys
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from orchestration.cli.reports import absent_basis
from orchestration.config import load

if TYPE_CHECKING:
    from orchestration.audit.warehouse import Parameter


def run_reconcile(days: int, max_runs: int, as_of: datetime | None) -> int:
    """Print a command for each run that makes up for something. Returns 0 for none, 1 for some, 3 when unknown."""
    from orchestration.audit.statements import statement
    from orchestration.audit.warehouse import Warehouse, WarehouseError
    from orchestration.cleanup.makeup_inputs import find_makeups
    from orchestration.services.google_cloud import FilesUnknown

    config, now = load().config, as_of or datetime.now(UTC)
    warehouse, last = Warehouse(config.settings), config.current_day(now)
    try:
        if config.is_shadow():
            print("This system is a shadow (settings.mode): it fetches nothing.")
            return 0
        found = find_makeups(warehouse, config, now, days, max_runs)
        span: dict[str, Parameter] = {"first_date": last - timedelta(days=days), "last_date": last}
        absent = absent_basis(warehouse.query(statement("basis"), span)[0])
    except (WarehouseError, FilesUnknown) as error:
        print(f"reconcile: {error}", file=sys.stderr)
        return 3
    for makeup in found:
        print(f"# {makeup.conf['reason']}")
        print(f"airflow dags trigger {makeup.workflow} --conf {shlex.quote(json.dumps(makeup.conf))}")
    if absent and not found:
        print(f"reconcile: unknown: {'; '.join(absent)}", file=sys.stderr)
        return 3
    if not found:
        print(f"Nothing is missing of the last {days} days.")
    return 1 if found else 0
