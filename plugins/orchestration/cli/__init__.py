"""``python -m orchestration``: the command line under the scripts in ``bin/orchestration``."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import typer
from typer.completion import completion_init  # type: ignore[attr-defined]
from typer.main import get_command

from orchestration.cli.app import COMPLETE, Misuse, app
from orchestration.errors import UserError
from orchestration.services.errors import in_short
from orchestration.words import ExitCode, Verdict

PROGRAM = "python -m orchestration"
SCRIPT = "ORCHESTRATION_SCRIPT"
"""The name of the script that runs a command, set by the script."""
DEBUG = "ORCHESTRATION_DEBUG"
INTERRUPTED = 130
VERDICTS = ("health", "status", "timeline", "missing", "failures", "reconcile", "compare", "diff", "backtest")
"""The commands whose exit code says what they found. Without an answer it is never 0."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code (``words.ExitCode``). An error ends in two lines, not in a traceback.

    With ``ORCHESTRATION_DEBUG=1`` an error in our own code is raised.
    """
    given = list(sys.argv[1:] if arguments is None else arguments)
    name = next((one for one in given if not one.startswith("-")), "orchestration")
    if hasattr(sys.stdout, "reconfigure"):
        # A terminal that cannot show a character shows another one.
        sys.stdout.reconfigure(errors="replace")
    script = os.environ.pop(SCRIPT, None)
    say = _Ending(name, f"{script or f'{PROGRAM} {name}'} --help", as_json="--json" in given)
    try:
        code = _run(given, script)
        sys.stdout.flush()
        return code
    except typer.Exit as ended:
        return ended.exit_code
    except BrokenPipeError:
        # The reader of our output (head, less) has seen enough. The interpreter must not flush it again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ExitCode.UNKNOWN if name in VERDICTS else ExitCode.WELL
    except KeyboardInterrupt:
        return INTERRUPTED
    except typer.TyperException as error:
        context = getattr(error, "ctx", None)
        return say(error.format_message(), f"{context.command_path} --help" if context else "", ExitCode.USAGE)
    except UserError as error:
        return say(str(error), error.next_step, ExitCode.USAGE if isinstance(error, Misuse) else ExitCode.UNKNOWN)
    except Exception as error:
        if os.environ.get(DEBUG):
            raise
        return say(f"{name} itself failed: {in_short(error)}", f"{DEBUG}=1 shows where", ExitCode.UNKNOWN)


def _run(given: list[str], script: str | None) -> int:
    """Run a command of the program, or the one command of a script under the script's name."""
    entry: Any = get_command(app)
    program = script or PROGRAM
    if script:
        name, *given = given
        entry = entry.get_command(None, name)
    if COMPLETE in os.environ:
        # Answers the shell that completes a line, and exits.
        completion_init()
        entry.main(given, program, COMPLETE)
    with entry.make_context(program, given) as context:
        return int(entry.invoke(context) or ExitCode.WELL)


@dataclass(frozen=True)
class _Ending:
    """Prints why a command has no answer: the one place for it. Returns the exit code."""

    command: str
    usual_next_step: str
    as_json: bool

    def __call__(self, reason: str, next_step: str, code: ExitCode) -> int:
        next_step = next_step or self.usual_next_step
        if self.as_json:
            from orchestration.cli.screen import show_object, unknown

            show_object(unknown(reason, next_step))
            return code
        if not reason:
            # Called without a command, the program has printed its help.
            return code
        # The health check prints its verdict where it prints all others.
        verdict = self.command == "health" and code is ExitCode.UNKNOWN
        head, out = (Verdict.UNKNOWN.value, sys.stdout) if verdict else (self.command, sys.stderr)
        print(f"{head}: {reason}\n  next: {next_step}", file=out)
        return code
