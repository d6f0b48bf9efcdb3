"""``init``, ``validate`` and ``schema``, and the options that need no command: the version and shell completion."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import shellingham  # type: ignore[import-untyped]
import typer
from typer.completion import get_completion_script, install  # type: ignore[attr-defined]

from orchestration import __version__
from orchestration.cli.app import COMPLETE, EDITORS, SCRIPTS, SET_UP, command
from orchestration.config import Config, ConfigError, Loaded, load
from orchestration.planning.day import never_running
from orchestration.words import ExitCode


@command("init", SET_UP, "", "--adopt")
def init(
    no_pools: Annotated[
        bool, typer.Option("--no-pools", metavar="", help="Leave out Airflow's pools, which need Airflow's database.")
    ] = False,
    adopt: Annotated[
        bool, typer.Option("--adopt", metavar="", help="Add our columns, nullable, to the tables of another system.")
    ] = False,
) -> int:
    """Create datasets, tables, views and pools. Safe to repeat.

    It also checks that the tables, columns and scrapers of workflows.yaml exist. It reports a missing table of
    Phase 2 and still creates everything else.
    """
    from orchestration.alerts.channels import not_set_up
    from orchestration.alerts.deadlines import only_in_database, where_to_put
    from orchestration.alerts.heartbeat import no_address
    from orchestration.audit.references import broken_references, misdated_tips
    from orchestration.audit.setup import OtherColumns
    from orchestration.audit.setup import init as created
    from orchestration.audit.warehouse import Warehouse
    from orchestration.services.scraper_service import NoListing, unknown_scrapers

    config = load().config
    warehouse = Warehouse(config.settings)
    try:
        for line in created(warehouse, adopt=adopt):
            print(line)
    except OtherColumns as error:
        _warn(str(error))
        return ExitCode.FOUND
    problems = broken_references(warehouse, config)
    tips = misdated_tips(warehouse, config, datetime.now(UTC))
    try:
        problems += unknown_scrapers(config, datetime.now(UTC))
    except NoListing as error:
        _warn(f"warning: the names of the scrapers are not checked: {error}")
    for problem in problems:
        _warn(problem)
    if tips:
        _warn(f"warning: {tips}")
    done = no_pools or not config.settings.pools or _pools(config)
    missing = not_set_up(config)
    if in_database := only_in_database(missing.values()):
        _warn(f"warning: {where_to_put(in_database)}")
    for channel, why in missing.items():
        if not only_in_database([why]):
            _warn(f"warning: the channel {channel} takes no alerts: {why}")
    if unset := no_address(config):
        _warn(f"warning: no heartbeat is sent: {unset}")
    return ExitCode.WELL if done and not problems else ExitCode.FOUND


def _warn(text: str) -> None:
    print(f"init: {text}", file=sys.stderr)


def _pools(config: Config) -> bool:
    """Create Airflow's pools. Return False, with a warning printed, when Airflow refuses."""
    pools = config.settings.pools
    more = {"description": "Calls to one source (workflows.yaml)", "include_deferred": True}
    wanted = {name: {"slots": slots, **more} for name, slots in pools.items()}
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "pools.json"
        file.write_text(json.dumps(wanted), encoding="utf-8")
        command = [sys.executable, "-m", "airflow", "pools", "import", str(file)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        last = (done.stderr.strip() or done.stdout.strip()).splitlines()[-1:]
        _warn(f"Airflow could not create the pools. Is Airflow's database there? {''.join(last)}")
        return False
    print(f"pools {', '.join(f'{name}={slots}' for name, slots in pools.items())}: up to date")
    return True


@command("validate", SET_UP, "", "new/workflows.yaml")
def validate(
    file: Annotated[str | None, typer.Argument(metavar="FILE", help="Default: the file in use.")] = None,
) -> int:
    """Check workflows.yaml and build its DAGs.

    Every error has its line, its column and the nearest valid name. A limit that no day reaches is an error here and a
    warning when the file is loaded.
    """
    try:
        loaded = load(file)
        if loaded.refused:
            raise ConfigError(loaded.source.name, loaded.refused)
        note, unsure = _build(loaded)
    except ConfigError as error:
        # The errors are the answer of this command: no headline, no next step.
        print(error, file=sys.stderr)
        return ExitCode.FOUND
    for warning in (*loaded.warnings, *unsure):
        print(f"warning: {warning}")
    for problem in never_running(loaded.config, loaded.source):
        print(f"warning: {problem.text(loaded.source.name)}")
    count = len(loaded.config.workflows)
    print(f"{file or 'workflows.yaml'}: valid, {count} workflows, {len(loaded.config.scrapers)} scrapers{note}")
    return ExitCode.WELL


def _build(loaded: Loaded) -> tuple[str, list[str]]:
    """Build and serialize every DAG as Airflow does, and make the notifier of each channel of alerts.

    Return a note when Airflow cannot be imported here, and the warnings.
    """
    try:
        from orchestration.alerts.notifiers import unusable
        from orchestration.generator.in_force import unbuildable
    except Exception as error:
        return f" (no DAG was built, because Airflow cannot be imported here: {type(error).__name__}: {error})", []
    channels = list(unusable(loaded.config, loaded.source))
    if problems := [*unbuildable(loaded), *(problem for problem, everywhere in channels if everywhere)]:
        raise ConfigError(loaded.source.name, problems)
    return "", [problem.text(loaded.source.name) for problem, _ in channels]


@command("schema", EDITORS, "> config/workflows.schema.json")
def schema() -> int:
    """Print the JSON Schema of workflows.yaml."""
    from orchestration.config.file import schema_text

    print(schema_text(), end="")
    return ExitCode.WELL


def version() -> None:
    """Print the version of the package."""
    print(f"orchestration {__version__}")


def install_completion() -> None:
    """Install the completion of every script for the current shell."""
    shell = _shell()
    folder = [install(shell, name, COMPLETE)[1].parent for name in SCRIPTS.values()][-1]
    print(f"The completion of {len(SCRIPTS)} scripts is installed in {folder}. It works in every new terminal.")


def show_completion() -> None:
    """Print the completion of every script, in the language of the current shell."""
    for name in SCRIPTS.values():
        print(get_completion_script(prog_name=name, complete_var=COMPLETE, shell=_shell()))


def _shell() -> str:
    try:
        return str(shellingham.detect_shell()[0])
    except shellingham.ShellDetectionFailure:
        raise typer.BadParameter("The current shell is unknown. Use bash, zsh, fish or PowerShell.") from None
