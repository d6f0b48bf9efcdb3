"""The commands of ``python -m orchestration``, to look at and to parse for."""

from __future__ import annotations

from typing import Any

from typer.main import get_command

from orchestration.cli.app import app

COMMANDS: Any = get_command(app)


def parse(name: str, *arguments: str) -> dict[str, Any]:
    """Return the options of a command line without running it. Raises what a wrong one ends with."""
    return COMMANDS.get_command(None, name).make_context(name, list(arguments)).params


def options(name: str) -> set[str]:
    """Return the options that a command has."""
    return {option for parameter in COMMANDS.get_command(None, name).params for option in parameter.opts}
