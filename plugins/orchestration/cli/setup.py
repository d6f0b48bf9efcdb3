"""``init`` and ``validate``."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from orchestration.config import Config, ConfigError, Loaded, load
from orchestration.planning.reachable import never_running


def run_init(*, pools: bool, adopt: bool = False) -> int:
    """Create what is missing in BigQuery, and Airflow's pools, and check what the configuration refers to.

    ``adopt``: add our columns to tables that another system made. Returns 0, or 1 with what is in the way; a table of
    Phase 2 that is not there keeps nothing else from being made.
    """
    from orchestration.alerts.channels import not_set_up
    from orchestration.audit.references import broken_references, misdated_tips
    from orchestration.audit.setup import OtherColumns, init
    from orchestration.audit.warehouse import Warehouse, WarehouseError
    from orchestration.services.scraper_service import NoListing, unknown_scrapers

    config = load().config
    warehouse = Warehouse(config.settings)
    try:
        for line in init(warehouse, adopt=adopt):
            print(line)
        problems = broken_references(warehouse, config)
        tips = misdated_tips(warehouse, config, datetime.now(UTC))
    except (OtherColumns, WarehouseError) as error:
        print(f"init: {error}", file=sys.stderr)
        return 1
    try:
        problems += unknown_scrapers(config, datetime.now(UTC))
    except NoListing as error:
        print(f"init: warning: the names of the scrapers are not checked: {error}", file=sys.stderr)
    for problem in problems:
        print(f"init: {problem}", file=sys.stderr)
    if tips:
        print(f"init: warning: {tips}", file=sys.stderr)
    code = _pools(config) if pools and config.settings.pools else 0
    for channel, why in not_set_up(config).items():
        print(f"init: warning: alerts by {channel} stay in the log: {why}", file=sys.stderr)
    return 1 if problems else code


def _pools(config: Config) -> int:
    wanted = {
        name: {
            "slots": slots,
            "description": "Calls at one source at a time (workflows.yaml)",
            "include_deferred": True,
        }
        for name, slots in config.settings.pools.items()
    }
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "pools.json"
        file.write_text(json.dumps(wanted), encoding="utf-8")
        command = [sys.executable, "-m", "airflow", "pools", "import", str(file)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        last = (done.stderr.strip() or done.stdout.strip()).splitlines()[-1:]
        print(f"init: the pools could not be made (is Airflow's database there?): {''.join(last)}", file=sys.stderr)
        return 1
    print(f"pools {', '.join(f'{name}={slots}' for name, slots in config.settings.pools.items())}: up to date")
    return 0


def run_validate(file: str | None) -> int:
    """Check a configuration. Returns 0 with its warnings, or 1 with its errors (raised as ConfigError)."""
    loaded = load(file)
    note, path = _build(loaded), loaded.source.name
    for warning in loaded.warnings:
        print(f"warning: {warning}")
    for problem in never_running(loaded.config, loaded.source):
        print(f"warning: {problem.text(path)}")
    count = len(loaded.config.workflows)
    print(f"{file or 'workflows.yaml'}: valid, {count} workflows, {len(loaded.config.scrapers)} scrapers{note}")
    return 0


def _build(loaded: Loaded) -> str:
    """Build and store every DAG, as Airflow will. Returns a note where there is no Airflow to do it with."""
    try:
        from orchestration.generator.in_force import unbuildable
    except Exception as error:
        return f" (no DAG was built: Airflow cannot be imported here: {type(error).__name__}: {error})"
    if problems := unbuildable(loaded):
        raise ConfigError(loaded.source.name, problems)
    return ""
