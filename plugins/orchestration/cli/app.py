"""The base of the command line: the Typer app, and the options that several commands share."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Collection
from datetime import date, datetime
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command_from_info

from orchestration.config import load
from orchestration.decisions.request import FIRST_YEAR, LAST_YEAR
from orchestration.errors import UserError
from orchestration.nba.document import DocumentError, read_document
from orchestration.nba.eastern import require_aware
from orchestration.nba.games import Schedule
from orchestration.planning.calls import Assumption, read_assumptions
from orchestration.words import ExitCode, clipped, did_you_mean

LAST_NIGHT, PLAN = "Last night", "Plan and explain"
SET_UP, EDITORS = "Set up and take over", "For editors"
COMMANDS_OF = {
    "health": ("health",),
    "status": ("status",),
    "reports": ("timeline", "missing", "failures", "reconcile"),
    "plan": ("plan", "explain", "describe"),
    "diff": ("diff", "backtest"),
    "setup": ("init", "validate", "schema"),
    "alerts": ("alerts",),
    "old_file": ("import",),
    "check_scraper": ("check-scraper",),
    "compare": ("compare",),
}
MODULES = {name: module for module, names in COMMANDS_OF.items() for name in names}
"""The module that defines each command. Each help panel lists its commands in this order."""
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
"""The script in ``bin/orchestration`` that runs each command."""
COMPLETE = "_ORCHESTRATION_COMPLETE"
"""The environment variable in which a shell asks for completions."""
_MEANINGS = [f"{code.value} {code.meaning}" for code in ExitCode]
CODES = f"Exit codes: {', '.join(_MEANINGS[:2])},\n {', '.join(_MEANINGS[2:])}."

D = TypeVar("D", date, datetime)
F = TypeVar("F", bound=Callable[..., int])


class _PlainHelp:
    """Shows the option ``--help`` without its type."""

    def get_help_option(self, ctx: Any) -> Any:
        option = super().get_help_option(ctx)  # type: ignore[misc]
        if option is not None:
            option.metavar = ""
        return option


class _Command(_PlainHelp, TyperCommand):
    """A command whose help ends with examples. The examples start with the name that the user typed."""

    def format_help(self, ctx: Any, formatter: Any) -> None:
        examples, self.epilog = self.epilog or "", None
        super().format_help(ctx, formatter)
        # Typer would break an example over two lines.
        print(" Examples:")
        for example in examples.split("\n"):
            print(f"   {ctx.command_path} {example}".rstrip())
        print(f"\n {CODES}")
        self.epilog = examples


class _Commands(_PlainHelp, TyperGroup):
    """Imports the module of a command when the command is used, so that the health check loads no other command."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        # Typer suggests the nearest of these names for a mistyped command.
        self.commands.update(dict.fromkeys(MODULES))  # type: ignore[arg-type]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        if cmd_name in MODULES and self.commands[cmd_name] is None:
            import_module(f"orchestration.cli.{MODULES[cmd_name]}")
            info = next(one for one in app.registered_commands if one.name == cmd_name)
            self.commands[cmd_name] = get_command_from_info(
                info, pretty_exceptions_short=False, rich_markup_mode="rich"
            )
        return self.commands.get(cmd_name)


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
    """Register a function as a command. The function's docstring is the help, its result the exit code."""

    def register(function: F) -> F:
        paragraphs = [" ".join(one.split()) for one in (function.__doc__ or "").split("\n\n")]
        text, epilog = "\n\n".join(paragraphs), "\n".join(examples)
        registered = app.command(
            name, cls=_Command, context_settings=HELP, rich_help_panel=panel, help=text, epilog=epilog
        )
        return registered(function)

    return register


def _flag(name: str, what: str) -> Any:
    """Return an option that runs the function of its name in ``cli.setup`` and exits."""

    def run(wanted: bool) -> None:
        if wanted:
            getattr(import_module("orchestration.cli.setup"), name.removeprefix("--").replace("-", "_"))()
            raise typer.Exit

    return typer.Option(name, callback=run, is_eager=True, metavar="", help=what)


@app.callback()
def _root(
    version: Annotated[bool, _flag("--version", "Show the version and exit.")] = False,
    install_completion: Annotated[
        bool, _flag("--install-completion", "Complete the scripts in this shell with Tab.")
    ] = False,
    show_completion: Annotated[bool, _flag("--show-completion", "Print the completion for this shell.")] = False,
) -> None:
    """Decide when the NBA scrapers run, run them, and prove what happened."""


def _read_as(read: Callable[[str], D], what: str) -> Callable[[str], D]:
    """Return the parser of an option for a date or time. ``what`` says in the error what a valid value is."""

    def parse(text: str) -> D:
        with contextlib.suppress(ValueError):
            if FIRST_YEAR <= (found := read(text)).year <= LAST_YEAR:
                return found
        raise typer.BadParameter(f"'{clipped(text)}' is not {what}.")

    return parse


_day = _read_as(date.fromisoformat, "a date. Write YYYY-MM-DD, for example 2026-01-14")
_moment = _read_as(
    lambda text: require_aware(datetime.fromisoformat(text)), "a time with a zone, for example 2026-01-14T19:00-05:00"
)


class Misuse(UserError):
    """The user called the command wrongly: exit code 64."""


def check_name(what: str, name: str, known: Collection[str]) -> None:
    """Raise Misuse for an unknown workflow or scraper, with the nearest known name."""
    if name not in known:
        near = did_you_mean(name, known)
        raise Misuse(f"no {what} is named {clipped(name)}{near}", next_step=f"choose from {', '.join(known)}")


def _names(section: str) -> Callable[[str], list[str]]:
    """Return the shell completion for the names in a section of workflows.yaml. A broken file completes nothing."""

    def names(incomplete: str) -> list[str]:
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
    """Return NBA.com's schedule document in a file. Raises UserError for any other content."""
    try:
        return read_document(_content(file))
    except DocumentError as error:
        raise UserError(f"{file}: {error}", next_step="give NBA.com's schedule document") from error


def assumptions_in(file: Path) -> list[Assumption]:
    """Return the assumptions in a YAML file. Raises UserError when the file cannot be read."""
    return read_assumptions(_content(file), str(file))
