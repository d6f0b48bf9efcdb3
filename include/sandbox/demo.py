"""`make demo`: plays one game day through the real scheduler, tick by tick."""

from __future__ import annotations

import os
import shutil
import signal
import sys
import time
import traceback
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from functools import partial

from rich.console import Console

from orchestration.words import ExitCode
from sandbox.day import OURS, Day, deployed_in, moments
from sandbox.dialect import DIALECTS
from sandbox.faults import FAULTS, Fault
from sandbox.processes import ROOT, StackError
from sandbox.stack import Stack

DEFAULT_DAY = date(2026, 1, 14)
INTERRUPTED = 130
"""The exit code after Ctrl-C, as in every shell."""


class WrongSetting(StackError):
    """A variable of the environment has a value that the demo does not know."""


def plain_printer(console: Console) -> Callable[[str], None]:
    """Return a function that prints a text unchanged. Rich would read parts of log lines and paths as markup."""
    return partial(console.print, markup=False, soft_wrap=True)


def options(environment: Mapping[str, str]) -> tuple[date, int, int]:
    """Return day, games and seed from DEMO_DATE, DEMO_GAMES and DEMO_SEED. Raises WrongSetting for invalid values."""
    try:
        day = date.fromisoformat(environment.get("DEMO_DATE", DEFAULT_DAY.isoformat()))
    except ValueError:
        text = environment["DEMO_DATE"]
        raise WrongSetting(f"DEMO_DATE={text} is not a date. Write YYYY-MM-DD, for example 2026-01-14") from None
    numbers = {}
    for name, default in (("DEMO_GAMES", "12"), ("DEMO_SEED", "1")):
        try:
            numbers[name] = int(environment.get(name, default))
        except ValueError:
            raise WrongSetting(f"{name}={environment[name]} is not a whole number") from None
    if not 1 <= numbers["DEMO_GAMES"] <= 15:
        raise WrongSetting(f"DEMO_GAMES={numbers['DEMO_GAMES']} is out of range. A day has 1 to 15 games")
    return day, numbers["DEMO_GAMES"], numbers["DEMO_SEED"]


def chosen_fault(environment: Mapping[str, str]) -> Fault | None:
    """Return the fault that DEMO_FAULT names, or None. Raises WrongSetting for an unknown name."""
    name = environment.get("DEMO_FAULT", "")
    if name and name not in FAULTS:
        raise WrongSetting(f"DEMO_FAULT={name} is unknown. Choose one of {', '.join(FAULTS)}")
    return FAULTS.get(name)


def chosen_dialect(environment: Mapping[str, str]) -> str:
    """Return the dialect that DEMO_DIALECT names, by default ``real``. Raises WrongSetting for an unknown name."""
    name = environment.get("DEMO_DIALECT") or "real"
    if name not in DIALECTS:
        raise WrongSetting(f"DEMO_DIALECT={name} is unknown. Choose one of {', '.join(DIALECTS)}")
    return name


def run(kind: type[Stack] = Stack, folder: str = ".demo") -> int:
    """Play the day, and return the exit code of the health check.

    The stack stays up until Ctrl-C. With DEMO_EXIT=1 it stops after the day.
    """
    return exit_code("demo", partial(_play, kind, folder))


def _play(kind: type[Stack], folder: str, console: Console) -> int:
    day, games, seed = options(os.environ)
    fault, dialect = chosen_fault(os.environ), chosen_dialect(os.environ)
    home = ROOT / folder
    own = {"ORCHESTRATION_CONFIG": str(deployed_in(home))} if fault is not None and fault.deployed else {}
    stack = kind(home, seed=seed, day=day, games=games, dialect=dialect, report=plain_printer(console), settings=own)
    # Checked before the folder is deleted: another demo may be running in it.
    stack.ports.check_free()
    shutil.rmtree(home, ignore_errors=True)
    if own:
        home.mkdir(parents=True)
        shutil.copy(OURS, deployed_in(home))
    began = time.monotonic()
    with stack:
        player = Day(stack, console, fault)
        timeline = moments(day)
        player.api.await_dags({dag_id for dag_ids in timeline.values() for dag_id in dag_ids})
        ready = time.monotonic()
        console.print(f"Ready after {ready - began:.0f} s. Playing {day:%a %d %b %Y}, {games} games, seed {seed}.")
        if dialect != "real":
            console.print(f"Dialect of the scraper service: {dialect}.")
        if fault is not None:
            console.print(f"Fault: {fault.text}.")
        player.play(timeline)
        code = player.summary(day, max(timeline) + timedelta(minutes=5), time.monotonic() - ready)
        login = "no login" if stack.login is None else "user {}, password {}".format(*stack.login)
        console.print(f"Airflow UI: {stack.url} ({login}; it listens on 127.0.0.1 only)")
        console.print(f"The day: {stack.url}/plugin/orchestration/orchestration/day?day={day}", soft_wrap=True)
        if os.environ.get("DEMO_EXIT") != "1":
            console.print(f"To use airflow and bin/orchestration in another shell: source {folder}/env.sh")
            console.print("Everything runs until Ctrl-C.")
            wait(stack)
        return code


def up() -> int:
    """Run the stack by the wall clock until Ctrl-C, and return an exit code."""
    code = exit_code("up", _run_by_the_clock)
    return ExitCode.WELL if code == INTERRUPTED else code


def _run_by_the_clock(console: Console) -> int:
    _, games, seed = options(os.environ)
    dialect, today, report = chosen_dialect(os.environ), datetime.now(UTC).date(), plain_printer(console)
    up = Stack(ROOT / ".up", seed=seed, day=today, games=games, dialect=dialect, on_schedule=True, report=report)
    with up as stack:
        console.print(f"The stack runs by the wall clock. Airflow UI: {stack.url}. Ctrl-C stops everything.")
        wait(stack)
    return ExitCode.WELL


def exit_code(name: str, command: Callable[[Console], int]) -> int:
    """Run a command and return its exit code.

    A day that a broken stack cut short is neither healthy nor unhealthy: the code is ExitCode.UNKNOWN.
    """
    console = Console()
    # Without these two, a background job of a shell would ignore Ctrl-C, and SIGTERM would leave the processes running.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        return command(console)
    except KeyboardInterrupt:
        return INTERRUPTED
    except StackError as error:
        console.print(f"{name}: {error}", style="red", markup=False, soft_wrap=True)
        return ExitCode.USAGE if isinstance(error, WrongSetting) else ExitCode.UNKNOWN
    except Exception:
        traceback.print_exc()
        return ExitCode.UNKNOWN


def wait(stack: Stack) -> None:
    """Wait for Ctrl-C. Raises StackError if a process ends."""
    while True:
        stack.check()
        time.sleep(1)
