"""``python -m orchestration``: the command line under the scripts in ``bin/orchestration``."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import Any

import typer
from typer.completion import completion_init  # type: ignore[attr-defined]
from typer.main import get_command

from orchestration.cli.app import COMPLETE, Misuse, app
from orchestration.cli.screen import show_object, unknown
from orchestration.errors import UserError
from orchestration.services.errors import in_short
from orchestration.words import ExitCode, Verdict

PROGRAM = "python -m orchestration"
SCRIPT = "ORCHESTRATION_SCRIPT"
"""Each script sets this environment variable to its own name."""
DEBUG = "ORCHESTRATION_DEBUG"
INTERRUPTED = 130
VERDICTS = ("health", "status", "timeline", "missing", "failures", "reconcile", "compare", "diff", "backtest")
"""The exit code of these commands is a verdict. Without an answer it is never 0."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code (``words.ExitCode``). Print an error in two lines, without a traceback.

    ``ORCHESTRATION_DEBUG=1`` raises an error in our own code.
    """
    given = list(sys.argv[1:] if arguments is None else arguments)
    name = next((one for one in given if not one.startswith("-")), "orchestration")
    if hasattr(sys.stdout, "reconfigure"):
        # Replace a character that the terminal cannot show.
        sys.stdout.reconfigure(errors="replace")
    script = os.environ.pop(SCRIPT, None)
    try:
        code = _run(given, script)
        sys.stdout.flush()
        return code
    except typer.Exit as ended:
        return ended.exit_code
    except BrokenPipeError:
        # The reader of our output (head, less) has closed the pipe. The interpreter must not flush into it again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ExitCode.UNKNOWN if name in VERDICTS else ExitCode.WELL
    except KeyboardInterrupt:
        return INTERRUPTED
    except typer.TyperException as error:
        context = getattr(error, "ctx", None)
        reason, next_step, code = error.format_message(), context and f"{context.command_path} --help", ExitCode.USAGE
    except UserError as error:
        code = ExitCode.USAGE if isinstance(error, Misuse) else ExitCode.UNKNOWN
        reason, next_step = str(error), error.next_step
    except Exception as error:
        if os.environ.get(DEBUG):
            raise
        reason, next_step, code = f"{name} itself failed: {in_short(error)}", f"{DEBUG}=1 shows where", ExitCode.UNKNOWN
    next_step = next_step or f"{script or f'{PROGRAM} {name}'} --help"
    if "--json" in given:
        show_object(unknown(reason, next_step))
    elif reason:
        # The health check prints UNKNOWN where it prints its other verdicts.
        verdict = name == "health" and code is ExitCode.UNKNOWN
        head, out = (Verdict.UNKNOWN.value, sys.stdout) if verdict else (name, sys.stderr)
        print(f"{head}: {reason}\n  next: {next_step}", file=out)
    # Without a reason the command is missing, and Typer has printed the help.
    return code


def _run(given: list[str], script: str | None) -> int:
    """Run a command. A script has one command, and its messages carry the script's name."""
    entry: Any = get_command(app)
    program = script or PROGRAM
    if script:
        name, *given = given
        entry = entry.get_command(None, name)
    if COMPLETE in os.environ:
        # This call prints the completions for the shell and exits.
        completion_init()
        entry.main(given, program, COMPLETE)
    with entry.make_context(program, given) as context:
        return int(entry.invoke(context) or ExitCode.WELL)
