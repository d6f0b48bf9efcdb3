"""``diff`` and ``backtest``: what another configuration changes, over a season or on the recorded past."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import typer

from orchestration.audit.cost import Bill, bill
from orchestration.audit.facts import day_facts
from orchestration.audit.inputs import by_kind, schedule_from
from orchestration.audit.recorded import recorded_past
from orchestration.audit.statements import statement
from orchestration.audit.warehouse import Warehouse
from orchestration.cli.app import PLAN, AsJson, ConfigFile, Misuse, a_day, a_file, assumptions_in, command, document_in
from orchestration.cli.diff_views import Difference, as_markdown, as_object, as_text
from orchestration.cli.screen import grid, show, show_object, wrapped
from orchestration.config import Config, load, loads, read
from orchestration.errors import UserError
from orchestration.health.surroundings import changed_rules, since_lock_before
from orchestration.nba.document import example_season
from orchestration.nba.eastern import day_and_time, et, et_date
from orchestration.nba.games import GameType, Schedule
from orchestration.nba.league import season_of
from orchestration.planning.calls import Assumption
from orchestration.planning.what_if.backtest import Redecision, decide_again, left_out, within
from orchestration.planning.what_if.changes import calls_of, compare_seasons, runs_of
from orchestration.planning.what_if.simulation import SimulatedSeason, published_at_noon, simulate
from orchestration.records.tables import DecisionRecord
from orchestration.words import AlertLevel, ExitCode, clipped, did_you_mean, plural

MOST_DAYS = 400
MOST_RECORDED_DAYS = 31
MOST_SHOWN = 20
SHOWN_KEYS = ("action", "rule", "reason", "alert_level", "target_date", "target_games", "scrapers")


@command(
    "diff",
    PLAN,
    "HEAD:config/workflows.yaml config/workflows.yaml",
    "--since-lock",
)
def diff(
    old: Annotated[
        str, typer.Argument(metavar="OLD", help="A file, or a file in git: HEAD~1:config/workflows.yaml")
    ] = "",
    new: Annotated[str, typer.Argument(metavar="NEW", help="A file, or a file in git.")] = "",
    first: Annotated[date | None, a_day("--from", what="First ET date. Default: the first known.")] = None,
    last: Annotated[date | None, a_day("--to", what="Last ET date. Default: the last known.")] = None,
    games: Annotated[
        Path | None, a_file("--games", what="NBA.com's schedule document. Default: the warehouse, else the example.")
    ] = None,
    example: Annotated[bool, typer.Option("--example", metavar="", help="Use the built-in example season.")] = False,
    assume: Annotated[
        Path | None, a_file("--assume", what="YAML list of outcomes, in place of the usual ones.")
    ] = None,
    since_lock: Annotated[
        bool,
        typer.Option("--since-lock", metavar="", help="What the lock before expected and nobody expects now."),
    ] = False,
    day: Annotated[date | None, a_day("--date", what="ET date of the lock for --since-lock. Default: today.")] = None,
    as_json: AsJson = False,
    markdown: Annotated[
        bool, typer.Option("--markdown", metavar="", help="Print Markdown, for a pull request.")
    ] = False,
) -> int:
    """Show what a change of workflows.yaml changes in a season.

    It decides the same games with both files. It shows the runs, calls, games, deadlines and alerts that change.
    """
    if since_lock:
        if old or new:
            raise Misuse("--since-lock takes no files", next_step="leave them out")
        return _since_lock(load().config, day, as_json)
    if not (old and new):
        raise Misuse("diff needs two files", next_step="give OLD and NEW, or --since-lock")
    for one, other, names in ((games, example, "--games and --example"), (as_json, markdown, "--json and --markdown")):
        if one and other:
            raise Misuse(f"{names} exclude each other", next_step="give one of them")
    before, after = (loads(_content(name), name).config for name in (old, new))
    assumptions: Sequence[Assumption] = assumptions_in(assume) if assume else published_at_noon(before, after)
    schedule, whose = _schedule(after, games, first, last, example=example)
    first, last = _days(schedule, whose, first, last)
    _note_halts(before, after)
    start, end = before.day_bounds(first)[0], before.day_bounds(last)[1]
    seasons = [simulate(one, start, end, replace(schedule, reach=None), assumptions) for one in (before, after)]
    changes = compare_seasons(*seasons)
    difference = Difference(old, new, whose, first, last, changes, _bill(seasons[0]), _bill(seasons[1]))
    if as_json:
        show_object(as_object(difference))
    else:
        print("\n".join((as_markdown if markdown else as_text)(difference)))
    return ExitCode.FOUND if changes else ExitCode.WELL


@command("backtest", PLAN, "--from 2026-01-14 --to 2026-01-20")
def backtest(
    first: Annotated[date, a_day("--from", what="First ET date. A day lasts from its lock to the next lock.")],
    last: Annotated[date, a_day("--to", what="Last ET date.")],
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> int:
    """Repeat the recorded decisions and show what differs.

    It decides every recorded tick again, with the data that was known at that tick.
    """
    if not 0 <= (last - first).days < MOST_RECORDED_DAYS:
        raise Misuse(f"from {first} to {last} must be 1 to {MOST_RECORDED_DAYS} days")
    conf = load(config).config
    start, end = conf.day_bounds(first)[0], conf.day_bounds(last)[1]
    past = recorded_past(Warehouse(conf.settings), conf, start, end)
    here = within(past.decisions, start, end)
    if not here:
        raise UserError(f"there is no decision on record in {conf.settings.audit_dataset} from {first} to {last}")
    if not (again := list(decide_again(conf, past, start, end))):
        why = ", ".join(f"{count} {why}" for why, count in _left_out(here).items())
        raise UserError(f"none of the decisions from {first} to {last} can be made again: {why}")
    other = [one for one in again if one.differs]
    if as_json:
        counts = {"decisions": len(here), "left_out": _left_out(here), "same": len(again) - len(other)}
        show_object({**counts, "other": [_object(one) for one in other]})
    else:
        _print(here, again, other)
    return ExitCode.FOUND if other else ExitCode.WELL


def _since_lock(config: Config, day: date | None, as_json: bool) -> int:
    """Print what differs between the lock before, the lock of the day and the file in use."""
    now = et(datetime.now(UTC))
    facts = day_facts(Warehouse(config.settings), config, day or config.current_day(now), now)
    found = [
        {"workflow": name, "lock": before.isoformat(), "change": what}
        for name, before, what in since_lock_before(config, facts)
    ]
    found += [
        {"workflow": one.workflow, "lock": facts.day.isoformat(), "change": one.text}
        for one in changed_rules(config, facts, now)
    ]
    if as_json:
        show_object({"date": facts.day.isoformat(), "changes": found})
    elif not found:
        print("Nothing that the lock before expected is missing now, and no rule or parameter has changed.")
    for one in () if as_json else found:
        print(wrapped(f"since the lock of {one['lock']}: {one['workflow']}: {one['change']}"))
    return ExitCode.FOUND if found else ExitCode.WELL


def _note_halts(before: Config, after: Config) -> None:
    """Print the workflows that are halted in both configurations. They never run, so they show no change."""
    if before.settings.halt is not None and after.settings.halt is not None:
        print("note: everything is halted in both (settings.halt)", file=sys.stderr)
    halted = [name for name, w in after.workflows.items() if w.halt and before.workflows.get(name, w).halt]
    if halted:
        print(f"note: halted in both: {', '.join(halted)}", file=sys.stderr)


def _bill(season: SimulatedSeason) -> Bill:
    """Return the bill of an average day. It counts every run as an expected run."""
    runs = len(runs_of(season)) / season.days
    return bill(season.config, executions=runs, calls=calls_of(season) / season.days, expected=runs)


def _content(name: str) -> bytes:
    """Return the content of a file, or of a file in git: ``HEAD~1:config/workflows.yaml``. Raises UserError."""
    path = Path(name)
    if path.exists():
        return read(path)
    revision, colon, inside = name.partition(":")
    if not colon:
        near = did_you_mean(path.name, (p.name for p in path.parent.glob("*") if p.is_file()))
        hint = f"give a file, or a file in git: {'HEAD' if near else clipped(name)}:config/workflows.yaml"
        raise UserError(f"there is no file {clipped(name)}{near}", next_step=hint)
    if _git("rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}") is None:
        names = (_git("for-each-ref", "--format=%(refname:short)") or b"").decode(errors="replace").split()
        near = did_you_mean(revision, [*names, "HEAD"])
        raise UserError(f"there is no file {clipped(name)}, and git knows no revision {clipped(revision)!r} here{near}")
    content = _git("cat-file", "blob", name)
    if content is None:
        files = (_git("ls-tree", "-r", "--name-only", "--full-tree", revision) or b"").decode(errors="replace")
        near = did_you_mean(inside, files.splitlines())
        raise UserError(f"revision {clipped(revision)} has no file {clipped(inside)!r}{near}")
    return content


def _git(*arguments: str) -> bytes | None:
    """Return what git prints, or None when git refuses."""
    try:
        done = subprocess.run(["git", *arguments], capture_output=True, check=False)
    except OSError as error:
        raise UserError(f"git cannot be run: {error.strerror}", next_step="give two files") from error
    return done.stdout if done.returncode == 0 else None


def _schedule(
    config: Config, games: Path | None, first: date | None, last: date | None, *, example: bool
) -> tuple[Schedule, str]:
    """Return the schedule, and its source in words. Without ``games`` and ``example`` it is the warehouse's."""
    if games is not None:
        return document_in(games).seen_at(datetime.now(UTC)), str(games)
    if not example:
        try:
            return _of_warehouse(config, first, last), f"{config.settings.schedule_table} in the warehouse"
        except (UserError, ImportError) as error:
            print(f"note: the example season instead of the warehouse's schedule: {error}", file=sys.stderr)
    return example_season(), "the example season"


def _of_warehouse(config: Config, first: date | None, last: date | None) -> Schedule:
    """Return the warehouse's games from ``first`` to ``last``, by default of the current season.

    Raises WarehouseError, UserError without a game, and ImportError without the Google provider.
    """
    season = season_of(et_date(datetime.now(UTC)))
    start = first or date(season.start_year, 10, 1)
    end = last or min(date(season.end_year, 6, 30), start + timedelta(days=MOST_DAYS - 1))
    rows = Warehouse(config.settings).query(statement("known_schedule"), {"schedule_from": start, "schedule_to": end})
    schedule = schedule_from(by_kind(rows))
    days = [game.date for game in schedule.games]
    if not days:
        raise UserError(f"it has no game from {start} to {end}")
    return replace(schedule, reach=(first or min(days), last or max(days)))


def _days(schedule: Schedule, whose: str, first: date | None, last: date | None) -> tuple[date, date]:
    """Return the first and last ET date to play, by default all dates of the schedule."""
    if schedule.reach is None:
        raise UserError(f"{whose} has no game")
    first, last = first or schedule.reach[0], last or schedule.reach[1]
    if first > last:
        raise Misuse(f"--from {first} is after --to {last}")
    if first < schedule.reach[0] or last > schedule.reach[1]:
        known = f"{whose} reaches from {schedule.reach[0]} to {schedule.reach[1]}"
        text = f"{known}, so the games from {first} to {last} are unknown"
        raise UserError(text, next_step="give a schedule with --games FILE")
    if (last - first).days >= MOST_DAYS:
        raise Misuse(f"from {first} to {last} are more than {MOST_DAYS} days", next_step="give --from and --to")
    if not any(schedule.on(first + timedelta(days=n), GameType) for n in range((last - first).days + 1)):
        print(f"note: {whose} has no game from {first} to {last}", file=sys.stderr)
    return first, last


def _left_out(decisions: Sequence[DecisionRecord]) -> dict[str, int]:
    """Return how many decisions cannot be made again, by reason."""
    return dict(Counter(why for one in decisions if (why := left_out(one))))


def _print(here: Sequence[DecisionRecord], again: Sequence[Redecision], other: Sequence[Redecision]) -> None:
    left_out = "".join(f", {count} left out ({why})" for why, count in _left_out(here).items())
    found = f"{plural(len(here), 'decision')} on record: {len(again) - len(other)} the same, {len(other)} not{left_out}"
    print(wrapped(found, hanging=0))
    for one in other[:MOST_SHOWN]:
        print(f"{day_and_time(one.then.tick)} {one.then.workflow_name}: other {', '.join(one.differs)}")
        now = "not in the file, or off" if one.again is None else f"{one.again.action.value} {one.again.reason}"
        sides = grid(1, 5, 0)
        sides.add_row("", "then:", f"{one.then.action.value} {one.then.reason}")
        sides.add_row("", "now:", now)
        show(sides)
    if len(other) > MOST_SHOWN:
        print(f"and {len(other) - MOST_SHOWN} more; --json has all")


def _object(one: Redecision) -> dict[str, Any]:
    then, again = one.then, one.again
    return {
        "workflow": then.workflow_name,
        "tick": then.tick,
        "differs": one.differs,
        "then": {
            "action": then.action,
            "rule": then.rule,
            "reason": then.reason,
            "alert_level": then.alert_level or AlertLevel.NONE,
            "target_date": then.target_date,
            "target_games": sorted(then.target_games),
            "scrapers": then.scrapers_triggered,
        },
        "now": None if again is None else {key: value for key, value in again.to_dict().items() if key in SHOWN_KEYS},
    }
