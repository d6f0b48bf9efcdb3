"""The frame of the command line: the Typer app, and the options that several commands share."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable
from datetime import date, datetime
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command_from_info

from orchestration import __version__
from orchestration.decisions.request import FIRST_YEAR, LAST_YEAR
from orchestration.errors import UserError
from orchestration.nba.eastern import require_aware
from orchestration.words import ExitCode, clipped, did_you_mean

if TYPE_CHECKING:
    from orchestration.nba.games import Schedule
    from orchestration.planning.calls import Assumption

LAST_NIGHT, PLAN = "Last night", "Plan and explain"
SET_UP, EDITORS = "Set up and take over", "For editors"
MODULES = {
    "health": "health",
    "status": "status",
    "timeline": "reports",
    "missing": "reports",
    "failures": "reports",
    "reconcile": "reports",
    "plan": "plan",
    "explain": "plan",
    "describe": "plan",
    "diff": "diff",
    "backtest": "diff",
    "init": "setup",
    "validate": "setup",
    "check-scraper": "check_scraper",
    "compare": "compare",
    "schema": "setup",
}
"""The module of each command, in the order of the help. A module is imported when its command is used."""
SCRIPTS = {
    "health": "quick_health_check.sh",
    "status": "check_system_status.sh",
    "timeline": "view_today_timeline.sh",
    "missing": "check_missing_executions.sh",
    "failures": "investigate_scraper_failures.sh",
    "compare": "compare.sh",
    "plan": "plan.sh",
    "describe": "describe.sh",
    "diff": "diff.sh",
    "backtest": "backtest.sh",
}
"""The script in ``bin/orchestration`` that runs a command."""
COMPLETE = "_ORCHESTRATION_COMPLETE"
"""The variable by which a shell asks for completions."""
_MEANINGS = [f"{code.value} {code.meaning}" for code in ExitCode]
CODES = f"Exit codes: {', '.join(_MEANINGS[:2])},\n {', '.join(_MEANINGS[2:])}."

F = TypeVar("F", bound=Callable[..., int])


class _Command(TyperCommand):
    """A command whose help ends with examples, under the name that it was called by."""

    def format_help(self, ctx: Any, formatter: Any) -> None:
        examples, self.epilog = self.epilog or "", None
        super().format_help(ctx, formatter)
        # Not by Typer, which would break an example over two lines.
        print(" Examples:")
        for example in examples.split("\n"):
            print(f"   {ctx.command_path} {example}".rstrip())
        print(f"\n {CODES}")
        self.epilog = examples

    def get_help_option(self, ctx: Any) -> Any:
        return _without_type(super().get_help_option(ctx))


class _Commands(TyperGroup):
    """The commands, each imported when it is used: the health check loads nothing of the others."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        # Typer suggests the nearest of these names for a mistyped command.
        self.commands.update(dict.fromkeys(MODULES))  # type: ignore[arg-type]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        if cmd_name in MODULES and self.commands[cmd_name] is None:
            import_module(f"orchestration.cli.{MODULES[cmd_name]}")
            self.commands[cmd_name] = _built(next(one for one in app.registered_commands if one.name == cmd_name))
        return self.commands.get(cmd_name)

    def get_help_option(self, ctx: Any) -> Any:
        return _without_type(super().get_help_option(ctx))


def _built(info: Any) -> Any:
    return get_command_from_info(info, pretty_exceptions_short=False, rich_markup_mode="rich")


def _without_type(option: Any) -> Any:
    """Return the option without ``<bool>`` in its help."""
    if option is not None:
        option.metavar = ""
    return option


HELP = {"help_option_names": ["--help", "-h"]}

app = typer.Typer(
    cls=_Commands,
    context_settings=HELP,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    epilog=CODES.replace("\n ", "\n"),
)


def command(name: str, panel: str, *examples: str) -> Callable[[F], F]:
    """Register a function as the command ``name``. Its docstring is the help; its result is the exit code."""

    def register(function: F) -> F:
        paragraphs = [" ".join(one.split()) for one in (function.__doc__ or "").split("\n\n")]
        text, epilog = "\n\n".join(paragraphs), "\n".join(examples)
        registered = app.command(
            name, cls=_Command, context_settings=HELP, rich_help_panel=panel, help=text, epilog=epilog
        )
        return registered(function)

    return register


def _version(wanted: bool) -> None:
    if wanted:
        print(f"orchestration {__version__}")
        raise typer.Exit


def _install(wanted: bool) -> None:
    if wanted:
        from orchestration.cli.setup import install_completion

        install_completion()
        raise typer.Exit


def _show(wanted: bool) -> None:
    if wanted:
        from orchestration.cli.setup import show_completion

        show_completion()
        raise typer.Exit


def _flag(name: str, callback: Callable[[bool], None], what: str) -> Any:
    return typer.Option(name, callback=callback, is_eager=True, metavar="", help=what)


@app.callback()
def _root(
    version: Annotated[bool, _flag("--version", _version, "Show the version and exit.")] = False,
    install_completion: Annotated[
        bool, _flag("--install-completion", _install, "Complete the scripts in this shell with Tab.")
    ] = False,
    show_completion: Annotated[bool, _flag("--show-completion", _show, "Print the completion for this shell.")] = False,
) -> None:
    """Decide when the NBA scrapers run, run them, and prove what happened."""


def _day(text: str) -> date:
    with contextlib.suppress(ValueError):
        day = date.fromisoformat(text)
        if FIRST_YEAR <= day.year <= LAST_YEAR:
            return day
    raise typer.BadParameter(f"'{clipped(text)}' is not a date. Write YYYY-MM-DD, for example 2026-01-14.")


def _moment(text: str) -> datetime:
    with contextlib.suppress(ValueError):
        moment = require_aware(datetime.fromisoformat(text))
        if FIRST_YEAR <= moment.year <= LAST_YEAR:
            return moment
    raise typer.BadParameter(f"'{clipped(text)}' is not a time with a zone, for example 2026-01-14T19:00-05:00.")


class Misuse(UserError):
    """The command was called wrongly: exit code 64."""


def no_such(what: str, name: str, known: Iterable[str]) -> Misuse:
    """Return the error for a workflow or scraper that the configuration does not have, with the nearest name."""
    known = list(known)
    near = did_you_mean(name, known)
    return Misuse(f"no {what} is named {clipped(name)}{near}", next_step=f"choose from {', '.join(known)}")


def _names(section: str) -> Callable[[str], list[str]]:
    """Return the shell completion of names in a section of the configuration in use. A broken one completes nothing."""

    def names(incomplete: str) -> list[str]:
        from orchestration.config import load

        with contextlib.suppress(Exception):
            return [name for name in getattr(load().config, section) if name.startswith(incomplete)]
        return []

    return names


def a_day(*names: str, what: str, **more: Any) -> Any:
    """Return an option for an ET date."""
    return typer.Option(*names, parser=_day, metavar="YYYY-MM-DD", help=what, show_default=False, **more)


def a_file(*names: str, what: str) -> Any:
    """Return an option for a file that exists."""
    return typer.Option(*names, exists=True, dir_okay=False, metavar="FILE", help=what, show_default=False)


WORKFLOWS, SCRAPERS = _names("workflows"), _names("scrapers")

Day = Annotated[date | None, a_day("--date", what="ET date. Default: the current orchestration day.")]
AsOf = Annotated[
    datetime | None,
    typer.Option(
        "--as-of",
        parser=_moment,
        metavar="TIME",
        show_default=False,
        help="Show what was known at this moment, for example 2026-01-14T19:00-05:00. Default: now.",
    ),
]
Tick = Annotated[
    datetime, typer.Option("--at", parser=_moment, metavar="TIME", help="The tick, for example 2026-01-14T13:00-05:00.")
]
AsJson = Annotated[bool, typer.Option("--json", metavar="", help="Print one JSON object.")]
ConfigFile = Annotated[Path | None, a_file("--config", what="Another workflows.yaml. Default: the file in use.")]
Games = Annotated[Path | None, a_file("--games", what="NBA.com's schedule document. Default: the warehouse.")]
Assume = Annotated[Path | None, a_file("--assume", what="YAML list of calls that do not succeed.")]


def days_option(most: int, what: str) -> Any:
    """Return the option ``--days``, from 1 to ``most``."""
    return typer.Option("--days", min=1, max=most, metavar="N", help=what)


def _content(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise UserError(f"{file}: {error.strerror}") from error


def document_in(file: Path) -> Schedule:
    """Return NBA.com's schedule document in a file. Raises UserError when it is none."""
    from orchestration.nba.document import DocumentError, read_document

    try:
        return read_document(_content(file))
    except DocumentError as error:
        raise UserError(f"{file}: {error}", next_step="give NBA.com's schedule document") from error


def assumptions_in(file: Path) -> list[Assumption]:
    """Return the assumptions in a YAML file. Raises UserError when they cannot be read."""
    from orchestration.planning.calls import read_assumptions

    return read_assumptions(_content(file), str(file))
