"""What ``diff`` found: as text, as Markdown for a pull request, and as JSON."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

from orchestration.audit.cost import Bill
from orchestration.cli.screen import grid, rendered, wrapped
from orchestration.nba.eastern import day_and_time
from orchestration.planning.what_if.changes import ChangeKind, Changes, GameChange, WorkflowChange, calls_of, runs_of
from orchestration.words import few, plural

MOST_KEYS = 20
MOST_TIMES = 6
IN_WORDS = {
    ChangeKind.RUN_GAINED: "run gained",
    ChangeKind.RUN_LOST: "run lost",
    ChangeKind.OTHER_CALLS: "run with other calls",
    ChangeKind.ALERT_GAINED: "alert gained",
    ChangeKind.ALERT_LOST: "alert lost",
    ChangeKind.ALERT_MOVED: "alert at another time",
}
MODEL = (
    "Assumed: a box score is published 3.5 h after the tip, a discovered file at noon, everything else at once. "
    "No call fails."
)


@dataclass(frozen=True)
class Difference:
    """Two configurations, the source of the games, the changes, and the bill of an average day."""

    old: str
    new: str
    whose: str
    first: date
    last: date
    changes: Changes
    before: Bill
    after: Bill

    @property
    def title(self) -> str:
        """Name the configurations and the games on one line."""
        span = f"{self.first:%a %d %b %Y} to {self.last:%a %d %b %Y}"
        return f"{self.old} -> {self.new}, over {self.whose}: {span}, {plural(self.changes.old.days, 'day')}"

    @property
    def games(self) -> list[GameChange]:
        """Return the change of all critical scrapers together, then each scraper whose figures differ from it."""
        found = self.changes.games
        return [game for game in found if game is found[0] or game.figures != found[0].figures]

    def a_day(self) -> list[tuple[str, str, str]]:
        """Return the figures of an average day, before and after, as texts."""
        old, new = self.changes.old, self.changes.new
        return [
            ("runs", f"{len(runs_of(old)) / old.days:.1f}", f"{len(runs_of(new)) / new.days:.1f}"),
            ("calls", f"{calls_of(old) / old.days:.1f}", f"{calls_of(new) / new.days:.1f}"),
            ("GB of BigQuery", f"{self.before.gb:.2f}", f"{self.after.gb:.2f}"),
            ("dollars", f"{self.before.dollars:.4f}", f"{self.after.dollars:.4f}"),
        ]


def counts(change: WorkflowChange) -> str:
    """Return the number of changes of each kind: ``165 runs gained, 165 runs lost``."""
    found = []
    for kind, ticks in change.ticks.items():
        first, _, rest = IN_WORDS[kind].partition(" ")
        found.append(f"{plural(len(ticks), first)} {rest}")
    return ", ".join(found) or "the same runs"


def deadlines(change: WorkflowChange) -> str:
    """Return how the deadlines of a workflow's runs move, or an empty text."""
    before, after = change.before, change.after
    if not change.deadlines_moved:
        return ""
    text = "deadlines: "
    was, now = before.deadline_minutes, after.deadline_minutes
    if was is not None and now is not None and was != now:
        text += f"{was:g} -> {now:g} min after the tick; "
    walls = {w: (before.deadlines.get(w, 0), after.deadlines.get(w, 0)) for w in before.deadlines | after.deadlines}
    moved = sorted((wall, old, new) for wall, (old, new) in walls.items() if old != new)
    return text + few([f"by {wall} ET {old} -> {new}" for wall, old, new in moved], MOST_TIMES)


def games(change: GameChange) -> str:
    """Return in words how many games a scraper collects at another time."""
    parts = [f"{change.earlier} earlier", f"{change.later} later"]
    parts += [f"{change.never} never"] if change.never else []
    parts += [f"{change.newly} newly collected"] if change.newly else []
    average = f", {abs(change.hours):.1f} h {'later' if change.hours > 0 else 'earlier'} on average"
    before, after = change.by_reconcile
    made_up = f"; by reconcile {before} -> {after}" if before != after else ""
    return ", ".join(parts) + (average if change.earlier or change.later else "") + made_up


def first_game(change: GameChange) -> str:
    """Return the first game that changes, with the ticks that collect it before and after."""
    ticks = " -> ".join("never" if tick is None else day_and_time(tick) for tick in (change.before, change.after))
    return f"first {change.game} of {change.day}: {ticks}"


def as_text(found: Difference) -> Iterator[str]:
    """Yield everything in lines that fit 80 columns."""
    changes = found.changes
    yield wrapped(found.title)
    yield wrapped(MODEL)
    if not changes:
        yield f"Nothing changes.{_though(changes)}"
        return
    yield from ("", f"{plural(len(changes.keys), 'key')} changed")
    for line in _keys(changes):
        yield wrapped(line, 2)
    yield ""
    average = grid(20, -10, -10)
    average.add_row("a day, on average", "before", "after")
    for name, before, after in found.a_day():
        average.add_row(f"  {name}", before, after)
    yield rendered(average).rstrip()
    for change in changes.workflows:
        calls = f"{change.before.calls} -> {change.after.calls} calls"
        yield from ("", wrapped(f"{change.workflow}: {counts(change)}; {calls}"))
        if moved := deadlines(change):
            yield wrapped(moved, 2)
        for first in change.firsts:
            yield f"  first {IN_WORDS[first.kind]}, {day_and_time(first.tick)}"
            yield wrapped(f"before: {first.before}", 4)
            yield wrapped(f"after:  {first.after}", 4)
    if changes.games:
        yield from ("", f"{plural(len(changes.old.games), 'game')}, collected by")
    for game in found.games:
        yield wrapped(f"{game.what}: {games(game)}", 2)
        yield wrapped(first_game(game), 4)


def _though(changes: Changes) -> str:
    """Name the changed keys that have no effect."""
    return f" Without effect: {'; '.join(map(str, changes.keys))}." if changes.keys else ""


def _keys(changes: Changes) -> Iterator[str]:
    """Yield the changed keys, and mark those whose effect no season shows."""
    for key in changes.keys[:MOST_KEYS]:
        yield str(key) if key.shown else f"{key} (no season shows its effect)"
    if len(changes.keys) > MOST_KEYS:
        yield f"and {len(changes.keys) - MOST_KEYS} more"


def _cell(text: str) -> str:
    """Return a text with all Markdown escaped and with real arrows, for a table or a list."""
    text = text.replace("\n", " ").replace("->", "→")
    return "".join(f"\\{letter}" if letter in "\\`*_[]<>|#" else letter for letter in text)


def as_markdown(found: Difference) -> Iterator[str]:
    """Yield everything as GitHub's Markdown: a summary, with the details folded."""
    changes = found.changes
    yield from ("### What this change of the configuration changes", "", f"{_cell(found.title)}.", "")
    if not changes:
        yield f"**Nothing.**{_though(changes)}"
        return
    for line in _keys(changes):
        yield f"- {_cell(line)}"
    yield from ("", "| a day, on average | before | after |", "|---|---:|---:|")
    for figures in found.a_day():
        yield f"| {' | '.join(figures)} |"
    if changes.workflows:
        yield from ("", "| workflow | changes | calls | deadlines |", "|---|---|---:|---|")
    for change in changes.workflows:
        moved = _cell(deadlines(change).removeprefix("deadlines: "))
        calls = f"{change.before.calls} → {change.after.calls}"
        yield f"| {_cell(change.workflow)} | {counts(change)} | {calls} | {moved} |"
    if changes.games:
        yield from ("", f"| {plural(len(changes.old.games), 'game')}, collected by | | first |", "|---|---|---|")
    for game in found.games:
        row = game.what, games(game), first_game(game).removeprefix("first ")
        yield f"| {' | '.join(map(_cell, row))} |"
    if changes.workflows:
        yield from ("", "<details><summary>The first tick of each kind, with both reasons</summary>", "")
        for change in changes.workflows:
            for first_ in change.firsts:
                yield f"- **{_cell(change.workflow)}**, first {IN_WORDS[first_.kind]}, {day_and_time(first_.tick)}"
                yield f"  - before: {_cell(first_.before)}"
                yield f"  - after: {_cell(first_.after)}"
        yield from ("", "</details>")
    yield from ("", f"<sub>{MODEL} Dollars are BigQuery's list price.</sub>")


def as_object(found: Difference) -> dict[str, Any]:
    """Return everything for one JSON object."""
    changes = found.changes
    return {
        "old": found.old,
        "new": found.new,
        "schedule": found.whose,
        "from": found.first,
        "to": found.last,
        "changed": bool(changes),
        "keys": [{**asdict(key), "shown": key.shown} for key in changes.keys],
        "a_day": {name: {"before": float(b), "after": float(a)} for name, b, a in found.a_day()},
        "workflows": [_workflow(change) for change in changes.workflows],
        "games": [asdict(game) for game in changes.games],
    }


def _workflow(change: WorkflowChange) -> dict[str, Any]:
    """Return a change, in which the name of each kind is the key of its ticks."""
    fields = asdict(change)
    return {**fields.pop("ticks"), **fields}
