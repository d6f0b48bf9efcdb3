"""``compare``: what another system did and what this one would have done, tick by tick."""

from __future__ import annotations

import json
import sys
import textwrap
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import groupby
from typing import Any

from orchestration.config import Config, load
from orchestration.health.findings import GRACE
from orchestration.nba.eastern import after, clock, et, et_date
from orchestration.planning.other_system.comparison import (
    DIFFERENT,
    Comparison,
    DifferenceKind,
    compare,
    counts,
    only_one_has,
)
from orchestration.planning.sides import Sides, both_sides
from orchestration.words import plural

WIDTH, INDENT = 79, 8
UNKNOWN = 3


@dataclass(frozen=True)
class Span:
    """Orchestration days, from lock to lock, both included."""

    first: date
    last: date

    @property
    def in_words(self) -> str:
        """For people: the first date, or both."""
        return f"{self.first:%a %d %b %Y}" + ("" if self.first == self.last else f" to {self.last:%a %d %b %Y}")


def run_compare(dataset: str, day: date | None, days: int, as_of: datetime | None, *, as_json: bool) -> int:
    """Print every tick at which the two differ, for ``days`` orchestration days up to ``day``.

    Ticks whose executions may not be over yet are left out.

    Returns 0 when nothing differs, 1 when something does, 3 when that cannot be known.
    """
    from orchestration.audit.warehouse import WarehouseError

    config, now = load().config, as_of or datetime.now(UTC)
    last = day or config.current_day(now)
    span = Span(last - timedelta(days=days - 1), last)
    until = min(config.day_bounds(last)[1], after(now, -GRACE))
    try:
        sides = both_sides(config, _rows(config, dataset, span, now), until)
    except WarehouseError as error:
        return _unknown(str(error), "check the connection google_cloud_default, and the name of the dataset")
    if not sides.ours:
        return _unknown(
            f"there is no decision of ours in {config.settings.audit_dataset} on {span.in_words}",
            "is the system running?",
        )
    found = [one for one in compare(sides.ours, sides.theirs) if one.tick < until]
    if as_json:
        print(json.dumps(_json(config, dataset, span, sides, found), indent=2, ensure_ascii=False))
    else:
        for line in _text(config, dataset, span, sides, found):
            print(line)
    return int(any(one.kind in DIFFERENT for one in found))


def _unknown(why: str, command: str) -> int:
    print(f"unknown: {why}\n  next: {command}", file=sys.stderr)
    return UNKNOWN


def _rows(config: Config, dataset: str, span: Span, now: datetime) -> list[dict[str, Any]]:
    from orchestration.audit.statements import with_identifiers
    from orchestration.audit.warehouse import Warehouse

    start = config.day_bounds(span.first)[0].astimezone(UTC)
    until = min(config.day_bounds(span.last)[1], now).astimezone(UTC)
    return Warehouse(config.settings).query(
        with_identifiers("two_systems", dataset=dataset),
        {
            "start": start,
            "until": until,
            "start_date": start.date(),
            "until_date": until.date(),
            # Games of the nights before and after are what a mistaken date is about.
            "first_date": span.first - timedelta(days=2),
            "last_date": span.last + timedelta(days=2),
        },
    )


def _json(config: Config, dataset: str, span: Span, sides: Sides, found: Sequence[Comparison]) -> dict[str, object]:
    only_ours, only_theirs = only_one_has(sides.ours, sides.theirs)
    return {
        "first_date": span.first.isoformat(),
        "last_date": span.last.isoformat(),
        "ours": config.settings.audit_dataset,
        "theirs": dataset,
        "counts": {kind.value: number for kind, number in counts(found).items()},
        "only_ours": only_ours,
        "only_theirs": only_theirs,
        "differences": [
            {
                "tick": one.tick.isoformat(),
                "workflow": one.workflow,
                "kind": one.kind.value,
                "theirs": one.theirs,
                "ours": one.ours,
                "why": one.why,
            }
            for one in found
            if one.kind in DIFFERENT
        ],
    }


def _text(config: Config, dataset: str, span: Span, sides: Sides, found: Sequence[Comparison]) -> Iterator[str]:
    """Yield the counts first, then what differs; the same at one tick after another is shown once."""
    yield from _wrapped(f"{span.in_words}: {dataset} beside {config.settings.audit_dataset}", 2)
    numbers = counts(found)
    said = ", ".join(
        f"{numbers[kind]} {_word(kind)}" for kind in DifferenceKind if numbers[kind] or kind is DifferenceKind.SAME
    )
    yield from _wrapped(f"{plural(len(found), 'tick')}: {said}", 2)
    for who, names in zip(("we", "they"), only_one_has(sides.ours, sides.theirs), strict=True):
        if names:
            yield from _wrapped(f"not compared, only {who} have: {', '.join(names)}", 2)
    if not sides.theirs:
        yield from _wrapped(f"There is no decision and no execution of theirs in {dataset} on these days.", 2)
    differing = [one for one in found if one.kind in DIFFERENT]
    day: date | None = None
    for group in _alike(differing):
        first, ticks = group[0], [one.tick for one in group]
        if et_date(first.tick) != day:
            day = et_date(first.tick)
            yield f"{et(first.tick):%a %d %b %Y}"
        more = f", {len(group)} times until {clock(ticks[-1])}" if len(group) > 1 else ""
        yield f"{clock(first.tick)}  {_word(first.kind):12} {first.workflow}{more}"[:WIDTH]
        yield from _wrapped(f"they  {first.theirs}", 6, INDENT)
        yield from _wrapped(f"we    {first.ours}", 6, INDENT)
        if first.why:
            yield from _wrapped(f"why   {first.why}", 6, INDENT)


def _alike(differing: Iterable[Comparison]) -> Iterator[list[Comparison]]:
    """Yield the differences of a workflow, a kind and an ET day together, in the order of their first ticks."""

    def key(one: Comparison) -> tuple[date, str, str]:
        return et_date(one.tick), one.workflow, one.kind.value

    groups = [list(group) for _, group in groupby(sorted(differing, key=key), key=key)]
    yield from sorted(groups, key=lambda group: (group[0].tick.timestamp(), group[0].workflow))


def _word(kind: DifferenceKind) -> str:
    return kind.value.replace("_", " ")


def _wrapped(text: str, hanging: int, indent: int = 0) -> list[str]:
    spaces = " " * indent
    return textwrap.wrap(text, WIDTH, initial_indent=spaces, subsequent_indent=spaces + " " * hanging) or [""]
