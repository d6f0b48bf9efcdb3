"""``diff``: what a change of the configuration changes over a season."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from orchestration.audit.cost import Bill, bill
from orchestration.cli.diff_views import Difference, as_json, as_markdown, as_text
from orchestration.config import Config, ConfigError, loads, read
from orchestration.nba.document import DocumentError, example_season, read_document
from orchestration.nba.eastern import et_date
from orchestration.nba.games import GameType, Schedule
from orchestration.nba.seasons import season_of
from orchestration.planning.calls import Assumption, read_assumptions
from orchestration.planning.what_if.changes import calls_of, compare_seasons, runs_of
from orchestration.planning.what_if.simulation import SimulatedSeason, published_at_noon, simulate
from orchestration.words import clipped, did_you_mean

UNKNOWN = 2
"""It cannot be told what changes. Not the 3 of the health check: there is no verdict to be taken for it."""
MOST_DAYS = 400
VIEWS = {"text": as_text, "json": as_json, "markdown": as_markdown}


class CannotTell(Exception):
    """Something that the comparison needs cannot be had. Its text says what, and what to do."""


@dataclass(frozen=True)
class Over:
    """Which games: of a document, of the example, of the warehouse; and of which ET dates, both included."""

    games: str | None = None
    example: bool = False
    first: date | None = None
    last: date | None = None


def run_diff(old: str, new: str, over: Over, assume: str | None, view: str) -> int:
    """Print what becomes of a season with ``new`` in place of ``old``: files, or git revisions of one.

    Returns 0 when nothing changes, 1 when something does, 2 when that cannot be told.
    """
    try:
        before, after = (loads(_content(name), name).config for name in (old, new))
        assumptions = _assumptions(assume, before, after)
        schedule, whose = _schedule(over, after)
        first, last = _span(over, schedule, whose)
    except (CannotTell, ConfigError) as error:
        print(f"diff: {error}", file=sys.stderr)
        return UNKNOWN
    _note_halts(before, after)
    start, end = before.day_bounds(first)[0], before.day_bounds(last)[1]
    seasons = [simulate(config, start, end, replace(schedule, reach=None), assumptions) for config in (before, after)]
    changes = compare_seasons(*seasons)
    difference = Difference(old, new, whose, first, last, changes, _bill(seasons[0]), _bill(seasons[1]))
    print(VIEWS[view](difference))
    return int(bool(changes))


def _note_halts(before: Config, after: Config) -> None:
    """Say what is halted on both sides: nothing runs there, so nothing of it can change while the halt is in force."""
    if before.settings.halt is not None and after.settings.halt is not None:
        print("note: everything is halted in both (settings.halt)", file=sys.stderr)
    halted = [name for name, w in after.workflows.items() if w.halt and before.workflows.get(name, w).halt]
    if halted:
        print(f"note: halted in both: {', '.join(halted)}", file=sys.stderr)


def _bill(season: SimulatedSeason) -> Bill:
    """Return the bill of an average day. What the lock expects is what is decided."""
    runs = len(runs_of(season)) / season.days
    return bill(season.config, executions=runs, calls=calls_of(season) / season.days, expected=runs)


def _content(name: str) -> bytes:
    """Return the content of a file, or of a file at a git revision: ``HEAD~1:config/workflows.yaml``."""
    path = Path(name)
    if path.exists():
        return read(path)
    revision, colon, inside = name.partition(":")
    if not colon:
        near = did_you_mean(path.name, (p.name for p in path.parent.glob("*") if p.is_file()))
        hint = "" if near else f"; a git revision is written {clipped(name)}:config/workflows.yaml"
        raise CannotTell(f"there is no file {clipped(name)}{near}{hint}")
    if _git("rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}") is None:
        names = (_git("for-each-ref", "--format=%(refname:short)") or b"").decode(errors="replace").split()
        near = did_you_mean(revision, [*names, "HEAD"])
        raise CannotTell(
            f"there is no file {clipped(name)}, and git knows no revision {clipped(revision)!r} here{near}"
        )
    content = _git("cat-file", "blob", name)
    if content is None:
        files = (_git("ls-tree", "-r", "--name-only", "--full-tree", revision) or b"").decode(errors="replace")
        near = did_you_mean(inside, files.splitlines())
        raise CannotTell(f"revision {clipped(revision)} has no file {clipped(inside)!r}{near}")
    return content


def _git(*arguments: str) -> bytes | None:
    """Return what git says, or None where it refuses."""
    try:
        done = subprocess.run(["git", *arguments], capture_output=True, check=False)
    except OSError as error:
        raise CannotTell(f"git cannot be run: {error.strerror}; give two files") from error
    return done.stdout if done.returncode == 0 else None


def _assumptions(file: str | None, *configs: Config) -> list[Assumption]:
    if file is None:
        return published_at_noon(*configs)
    try:
        return read_assumptions(Path(file).read_bytes(), file)
    except OSError as error:
        raise CannotTell(f"{clipped(file)}: {error.strerror}") from error


def _schedule(over: Over, config: Config) -> tuple[Schedule, str]:
    """Return the schedule, and whose it is in words."""
    if over.games is not None:
        try:
            return read_document(Path(over.games).read_bytes()).schedule(datetime.now(UTC)), over.games
        except OSError as error:
            raise CannotTell(f"{clipped(over.games)}: {error.strerror}") from error
        except DocumentError as error:
            raise CannotTell(f"{clipped(over.games)}: {error}") from error
    if not over.example:
        try:
            found = _of_warehouse(over, config)
        except _NoWarehouse as error:
            print(f"note: the example season instead of the warehouse's schedule: {error}", file=sys.stderr)
        else:
            return found, f"{config.settings.schedule_table} in the warehouse"
    return example_season(), "the example season"


class _NoWarehouse(Exception):
    """There is no schedule to be had from the warehouse."""


def _of_warehouse(over: Over, config: Config) -> Schedule:
    """Return the games of the dates asked for, else of the season that is, as the warehouse has them."""
    try:
        from orchestration.audit.inputs import by_kind, schedule_from
        from orchestration.audit.statements import statement
        from orchestration.audit.warehouse import Warehouse, WarehouseError
    except ImportError as error:
        raise _NoWarehouse(str(error)) from error
    season = season_of(et_date(datetime.now(UTC)))
    first = over.first or date(season.start_year, 10, 1)
    last = over.last or min(date(season.end_year, 6, 30), first + timedelta(days=MOST_DAYS - 1))
    try:
        rows = Warehouse(config.settings).query(
            statement("known_schedule"), {"schedule_from": first, "schedule_to": last}
        )
    except (WarehouseError, ImportError) as error:
        raise _NoWarehouse(str(error)) from error
    schedule = schedule_from(by_kind(rows))
    days = [game.date for game in schedule.games]
    if not days:
        raise _NoWarehouse(f"it has no game from {first} to {last}")
    return replace(schedule, reach=(over.first or min(days), over.last or max(days)))


def _span(over: Over, schedule: Schedule, whose: str) -> tuple[date, date]:
    """Return the first and last ET date: those asked for, else all that the schedule has."""
    if schedule.reach is None:
        raise CannotTell(f"{whose} has no game")
    first, last = over.first or schedule.reach[0], over.last or schedule.reach[1]
    if first > last:
        raise CannotTell(f"--from {first} lies after --to {last}")
    if first < schedule.reach[0] or last > schedule.reach[1]:
        known = f"{whose} reaches from {schedule.reach[0]} to {schedule.reach[1]}"
        raise CannotTell(f"{known}; what is played from {first} to {last} is not known. Give it with --games FILE")
    if (last - first).days >= MOST_DAYS:
        raise CannotTell(f"from {first} to {last} are more than {MOST_DAYS} days; give --from and --to")
    if not any(schedule.on(first + timedelta(days=n), GameType) for n in range((last - first).days + 1)):
        print(f"note: {whose} has no game from {first} to {last}", file=sys.stderr)
    return first, last
