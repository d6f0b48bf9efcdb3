"""``python -m orchestration``: the one command line under the scripts in ``bin/orchestration``."""

from __future__ import annotations

import argparse
import contextlib
import os
import re
import sys
from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import NoReturn

from orchestration.config import ConfigError
from orchestration.decisions.request import FIRST_YEAR, LAST_YEAR
from orchestration.nba.eastern import require_aware
from orchestration.services.errors import in_short
from orchestration.vocabulary.settings import DATASET
from orchestration.words import Verdict

MOST_RUNS = 1000
DEBUG = "ORCHESTRATION_DEBUG"


CRASHED, UNKNOWN = 70, Verdict.UNKNOWN.exit_code
"""What a fault of our own exits with: never a verdict. 70 is sysexits' word for an internal error."""
VERDICTS = ("health", "status", "timeline", "missing", "failures", "reconcile", "compare")
"""Commands whose exit code says what they found: what keeps them from finding it is UNKNOWN."""


CANNOT_TELL = {"diff": 2, "backtest": 2}
"""Commands of which 0 and 1 are an answer too, with the code of what keeps them from one."""


class _Parser(argparse.ArgumentParser):
    """Called wrongly, it exits with UNKNOWN: argparse's own 2 means "unhealthy" where a verdict is asked for."""

    def error(self, message: str) -> NoReturn:
        self.print_usage(sys.stderr)
        self.exit(CANNOT_TELL.get(self.prog.split()[-1], UNKNOWN), f"{self.prog}: error: {message}\n")


def _day(text: str) -> date:
    with contextlib.suppress(ValueError):
        day = date.fromisoformat(text)
        if FIRST_YEAR <= day.year <= LAST_YEAR:
            return day
    raise argparse.ArgumentTypeError(f"{text!r} is no date, such as 2026-01-14")


def _number(text: str) -> int:
    if text.isascii() and text.isdigit() and 1 <= int(text[:9]) <= MOST_RUNS:
        return int(text)
    raise argparse.ArgumentTypeError(f"{text!r} is no number from 1 to {MOST_RUNS}")


def _aware(text: str) -> datetime:
    try:
        moment = require_aware(datetime.fromisoformat(text))
        if not FIRST_YEAR <= moment.year <= LAST_YEAR:
            raise ValueError(text)
        return moment
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no time with a zone, such as 2026-01-14T19:00-05:00") from None


def _dataset(text: str) -> str:
    if not re.fullmatch(DATASET, text):
        raise argparse.ArgumentTypeError(f"{text!r} is not the name of a dataset: letters, digits and underscores")
    return text


def parser() -> argparse.ArgumentParser:
    """Return the parser of all commands."""
    main_parser = _Parser(prog="python -m orchestration", description="Phase 1 orchestration")
    commands = main_parser.add_subparsers(dest="command", required=True)
    setup = commands.add_parser("init", help="create datasets, tables, views and pools; safe to repeat")
    setup.add_argument("--no-pools", action="store_true", help="only BigQuery, where no Airflow database is near")
    setup.add_argument("--adopt", action="store_true", help="add our columns, nullable, to tables of another system")
    health = commands.add_parser(
        "health", help="is everything in? exit 0 healthy or no games, 1 degraded, 2 not, 3 unknown"
    )
    health.add_argument("--date", type=_day, help="ET date; default: the current orchestration day")
    health.add_argument("--as-of", type=_aware, help="look from this moment (with its zone); default: now")
    health.add_argument("--json", action="store_true", help="for machines")
    validate = commands.add_parser("validate", help="check workflows.yaml")
    validate.add_argument("file", nargs="?", help="default: the file in use")
    planning = commands.add_parser("plan", help="what would run on a date and why, tick by tick; touches nothing")
    planning.add_argument("--date", type=_day, required=True, help="ET date; from its lock to the next")
    planning.add_argument("--days", type=int, default=1, choices=range(1, 367), metavar="N", help="so many days")
    planning.add_argument("--workflow", help="only this one")
    planning.add_argument("--assume", metavar="FILE", help="YAML list of outcomes that are no success")
    planning.add_argument("--verbose", "-v", action="store_true", help="show every SKIP with its reason")
    planning.add_argument("--json", action="store_true", help="one object per decision")
    describing = commands.add_parser("describe", help="a workflow, or all, in sentences, with its next five ticks")
    describing.add_argument("workflow", nargs="?", help="default: all")
    describing.add_argument("--config", metavar="FILE", help="another workflows.yaml; default: the file in use")
    describing.add_argument("--as-of", type=_aware, help="look from this moment (with its zone); default: now")
    describing.add_argument("--json", action="store_true", help="for machines")
    differing = commands.add_parser(
        "diff", help="what a change of workflows.yaml changes over a season; exit 0 nothing, 1 something, 2 unknown"
    )
    differing.add_argument("old", help="a file, or one at a git revision: HEAD~1:config/workflows.yaml")
    differing.add_argument("new", help="the same")
    differing.add_argument("--from", dest="first", type=_day, help="first ET date; default: all that is known")
    differing.add_argument("--to", dest="last", type=_day, help="last ET date")
    whose = differing.add_mutually_exclusive_group()
    whose.add_argument(
        "--games", metavar="FILE", help="NBA.com's schedule document; default: the warehouse, else the example"
    )
    whose.add_argument("--example", action="store_true", help="the example season that comes with this program")
    differing.add_argument("--assume", metavar="FILE", help="YAML list of outcomes, in place of what is usual")
    view = differing.add_mutually_exclusive_group()
    for name, what in (("json", "for machines"), ("markdown", "for a pull request")):
        view.add_argument(f"--{name}", dest="view", action="store_const", const=name, default="text", help=what)
    testing = commands.add_parser(
        "backtest", help="decide again what is on record; exit 0 all the same, 1 something is not, 2 unknown"
    )
    testing.add_argument("--from", dest="first", type=_day, required=True, help="first ET date, from its lock")
    testing.add_argument("--to", dest="last", type=_day, required=True, help="last ET date, to the next lock")
    testing.add_argument("--config", metavar="FILE", help="another workflows.yaml; default: the file in use")
    testing.add_argument("--json", action="store_true", help="for machines")
    explaining = commands.add_parser("explain", help="every check of one decision, passed or not")
    explaining.add_argument("--workflow", required=True)
    explaining.add_argument("--at", type=_aware, required=True, help="tick, with its zone: 2026-01-14T13:00-05:00")
    for one in (planning, explaining):
        one.add_argument("--games", metavar="FILE", help="NBA.com's schedule document; default: the warehouse")
        one.add_argument("--config", metavar="FILE", help="another workflows.yaml; default: the file in use")
    reconciling = commands.add_parser(
        "reconcile", help="what to fetch anew of the last days, as commands; 1 if anything"
    )
    reconciling.add_argument("--days", type=int, default=2, choices=range(1, 15), metavar="N", help="so many days back")
    reconciling.add_argument("--max-runs", type=_number, default=5, metavar="N", help="at most so many runs")
    reconciling.add_argument("--as-of", type=_aware, help="look from this moment (with its zone); default: now")
    for name, what in (
        ("status", "part by part, with the next command; exit 0 well, 1 degraded, 2 unhealthy, 3 unknown"),
        ("timeline", "the day's decisions, executions and calls in order"),
        ("missing", "expected runs that are missing or late, RUNs without execution; exit 1 if any is missing"),
        ("failures", "scrapers with failed tries, with a sample of what went wrong; exit 1 if any call failed"),
    ):
        report = commands.add_parser(name, help=what)
        report.add_argument("--date", type=_day, help="ET date; default: the current orchestration day")
        report.add_argument("--as-of", type=_aware, help="look from this moment (with its zone); default: now")
        report.add_argument("--json", action="store_true", help="for machines")
        if name == "failures":
            report.add_argument("--days", type=int, default=7, choices=range(1, 91), metavar="N", help="up to the date")
    checking = commands.add_parser(
        "check-scraper", help="one real call, and what we read from its answer; exit 1 unless it reads as described"
    )
    checking.add_argument("name", help="a scraper of workflows.yaml")
    checking.add_argument("--game", metavar="GAME_ID", help="of a per-game scraper; default: the first near today")
    checking.add_argument("--date", type=_day, help="ET date that the data is about; default: today")
    checking.add_argument("--event", metavar="ID", help="of a per-event scraper; default: its event source is asked")
    checking.add_argument("--json", action="store_true", help="for machines")
    comparing = commands.add_parser(
        "compare", help="what another system did, and what this one decided; exit 0 the same, 1 not, 3 unknown"
    )
    comparing.add_argument("--with", dest="dataset", type=_dataset, required=True, metavar="DATASET", help="its rows")
    comparing.add_argument("--date", type=_day, help="ET date; default: the current orchestration day")
    comparing.add_argument("--days", type=int, default=1, choices=range(1, 32), metavar="N", help="up to the date")
    comparing.add_argument("--as-of", type=_aware, help="look from this moment (with its zone); default: now")
    comparing.add_argument("--json", action="store_true", help="for machines")
    commands.add_parser("schema", help="print the JSON Schema of workflows.yaml, for editors")
    return main_parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code. Whatever happens, it ends with a line that says what, in no traceback.

    What keeps a command with a verdict from one is UNKNOWN; a fault of our own in another is ``CRASHED``.
    """
    options = parser().parse_args(arguments)
    unknown = UNKNOWN if options.command in VERDICTS else CANNOT_TELL.get(options.command)
    if hasattr(sys.stdout, "reconfigure"):
        # A terminal that cannot show a character shows another one.
        sys.stdout.reconfigure(errors="replace")
    try:
        code = _run(options)
        sys.stdout.flush()
        return code
    except ConfigError as error:
        print(error, file=sys.stderr)
        return 1 if unknown is None else unknown
    except BrokenPipeError:
        # Whoever read our output (head, less) has seen enough. The interpreter must not try to flush it once more.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return unknown or 0
    except KeyboardInterrupt:
        return 130
    except Exception as error:
        if os.environ.get(DEBUG):
            raise
        print(f"{options.command}: {in_short(error)}\n  next: {DEBUG}=1 shows where", file=sys.stderr)
        return CRASHED if unknown is None else unknown


def _run(options: argparse.Namespace) -> int:
    match options.command:
        case "init":
            from orchestration.cli.setup import run_init

            return run_init(pools=not options.no_pools, adopt=options.adopt)
        case "health":
            from orchestration.cli.health import run_health

            return run_health(options.date, options.as_of, as_json=options.json)
        case "plan":
            from orchestration.cli.plan import Sources, run_plan

            sources = Sources(options.config, options.games, options.assume)
            return run_plan(
                options.date,
                options.days,
                sources,
                as_json=options.json,
                only=options.workflow,
                verbose=options.verbose,
            )
        case "backtest":
            from orchestration.cli.backtest import run_backtest

            return run_backtest(options.first, options.last, options.config, as_json=options.json)
        case "describe":
            from orchestration.cli.describe import run_describe

            now = options.as_of or datetime.now(UTC)
            return run_describe(options.workflow, options.config, now, as_json=options.json)
        case "diff":
            from orchestration.cli.diff import Over, run_diff

            over = Over(options.games, options.example, options.first, options.last)
            return run_diff(options.old, options.new, over, options.assume, options.view)
        case "explain":
            from orchestration.cli.plan import Sources, run_explain

            return run_explain(options.workflow, options.at, Sources(options.config, options.games))
        case "reconcile":
            from orchestration.cli.reconcile import run_reconcile

            return run_reconcile(options.days, options.max_runs, options.as_of)
        case "status":
            from orchestration.cli.status import run_status

            return run_status(options.date, options.as_of, as_json=options.json)
        case "timeline":
            from orchestration.cli.reports import run_timeline

            return run_timeline(options.date, options.as_of, as_json=options.json)
        case "missing":
            from orchestration.cli.reports import run_missing

            return run_missing(options.date, options.as_of, as_json=options.json)
        case "failures":
            from orchestration.cli.reports import run_failures

            return run_failures(options.date, options.days, options.as_of, as_json=options.json)
        case "check-scraper":
            from orchestration.cli.check_scraper import Asked, run_check_scraper

            asked = Asked(options.game, options.date, options.event)
            return run_check_scraper(options.name, asked, as_json=options.json)
        case "compare":
            from orchestration.cli.compare import run_compare

            return run_compare(options.dataset, options.date, options.days, options.as_of, as_json=options.json)
        case "schema":
            from orchestration.config.file import schema_text

            print(schema_text(), end="")
            return 0
        case _:
            from orchestration.cli.setup import run_validate

            return run_validate(options.file)
