"""``compare``: the work of another system beside our decisions, tick by tick."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from datetime import UTC, date, datetime, timedelta
from itertools import groupby
from typing import Annotated, Any

import typer

from orchestration.audit.statements import with_identifiers
from orchestration.audit.warehouse import Warehouse
from orchestration.cli.app import SET_UP, AsJson, AsOf, Day, command, days_option
from orchestration.cli.screen import grid, show, show_object, wrapped
from orchestration.config import Config, load
from orchestration.errors import UserError
from orchestration.health.findings import GRACE
from orchestration.nba.eastern import after, clock, et, et_date
from orchestration.planning.other_system import comparison
from orchestration.planning.other_system.comparison import DIFFERENT, Comparison, DifferenceKind, counts, only_one_has
from orchestration.planning.other_system.rows import read_two_systems
from orchestration.vocabulary.settings import DATASET, SYSTEM_BEFORE
from orchestration.words import ExitCode, clipped, plural


def _dataset(text: str) -> str:
    if not re.fullmatch(DATASET, text):
        raise typer.BadParameter(
            f"'{clipped(text)}' is not the name of a dataset. Use letters, digits and underscores."
        )
    return text


@command(
    "compare", SET_UP, f"--with {SYSTEM_BEFORE} --date 2026-01-14", f"--with {SYSTEM_BEFORE} --date 2026-01-18 --days 7"
)
def compare(
    dataset: Annotated[str, typer.Option("--with", parser=_dataset, metavar="DATASET", help="The other dataset.")],
    day: Day = None,
    days: Annotated[int, days_option(31, "Number of days up to the date.")] = 1,
    as_of: AsOf = None,
    as_json: AsJson = False,
) -> int:
    """Show where another system and this one differ, and why.

    It compares tick by tick. It leaves out a tick whose execution may still run.
    """
    config, now = load().config, as_of or datetime.now(UTC)
    last = day or config.current_day(now)
    first = last - timedelta(days=days - 1)
    until = min(config.day_bounds(last)[1], after(now, -GRACE))
    ours, theirs = read_two_systems(config, _rows(config, dataset, first, last, now), until)
    span = f"{first:%a %d %b %Y}" + ("" if first == last else f" to {last:%a %d %b %Y}")
    if not ours:
        raise UserError(
            f"there is no decision of this system in {config.settings.audit_dataset} on {span}",
            next_step="bin/orchestration/quick_health_check.sh",
        )
    found = [one for one in comparison.compare(ours, theirs) if one.tick < until]
    differing = [one for one in found if one.kind in DIFFERENT]
    numbers, (only_ours, only_theirs) = counts(found), only_one_has(ours, theirs)
    if as_json:
        show_object(
            {
                "first_date": first,
                "last_date": last,
                "ours": config.settings.audit_dataset,
                "theirs": dataset,
                "counts": numbers,
                "only_ours": only_ours,
                "only_theirs": only_theirs,
                "differences": [asdict(one) for one in differing],
            }
        )
        return ExitCode.FOUND if differing else ExitCode.WELL
    kinds = [kind for kind in DifferenceKind if numbers[kind] or kind is DifferenceKind.SAME]
    print(wrapped(f"{span}: {dataset} beside {config.settings.audit_dataset}"))
    print(wrapped(f"{plural(len(found), 'tick')}: {', '.join(f'{numbers[kind]} {_word(kind)}' for kind in kinds)}"))
    for who, names in (("we", only_ours), ("they", only_theirs)):
        if names:
            print(wrapped(f"not compared, only {who} have: {', '.join(names)}"))
    if not theirs:
        print(wrapped(f"{dataset} has no decision and no execution on these days."))
    _print(differing)
    return ExitCode.FOUND if differing else ExitCode.WELL


def _rows(config: Config, dataset: str, first: date, last: date, now: datetime) -> list[dict[str, Any]]:
    start = config.day_bounds(first)[0].astimezone(UTC)
    until = min(config.day_bounds(last)[1], now).astimezone(UTC)
    return Warehouse(config.settings).query(
        with_identifiers("two_systems", dataset=dataset),
        {
            "start": start,
            "until": until,
            "start_date": start.date(),
            "until_date": until.date(),
            # A run with a wrong date asks for games of the night before or after.
            "first_date": first - timedelta(days=2),
            "last_date": last + timedelta(days=2),
        },
    )


def _print(differing: Sequence[Comparison]) -> None:
    """Print the first difference of each day, workflow and kind, with the number of differences."""
    day: date | None = None
    for group in _alike(differing):
        first, last = group[0], group[-1]
        if et_date(first.tick) != day:
            day = et_date(first.tick)
            print(f"{et(first.tick):%a %d %b %Y}")
        more = f", {len(group)} times until {clock(last.tick)}" if len(group) > 1 else ""
        head, both = grid(6, 12, 0), grid(7, 5, 0)
        head.add_row(clock(first.tick), _word(first.kind), f"{first.workflow}{more}")
        for who, text in (("they", first.theirs), ("we", first.ours), ("why", first.why)):
            if text:
                both.add_row("", who, text)
        show(head, both)


def _alike(differing: Iterable[Comparison]) -> Iterator[list[Comparison]]:
    """Yield the differences of one workflow, kind and ET day together, in the order of their first ticks."""

    def key(one: Comparison) -> tuple[date, str, str]:
        return et_date(one.tick), one.workflow, one.kind.value

    groups = [list(group) for _, group in groupby(sorted(differing, key=key), key=key)]
    yield from sorted(groups, key=lambda group: (group[0].tick.timestamp(), group[0].workflow))


def _word(kind: DifferenceKind) -> str:
    return kind.value.replace("_", " ")
