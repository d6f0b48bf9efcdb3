"""``health``: the verdict on one screen."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime

from rich.table import Table
from rich.text import Text

from orchestration.audit.facts import facts_as_of
from orchestration.audit.warehouse import Warehouse
from orchestration.cli.app import LAST_NIGHT, AsJson, AsOf, Day, command
from orchestration.cli.screen import UNLIMITED, grid, show, show_object
from orchestration.config import Config
from orchestration.config.last_good import in_use
from orchestration.errors import UserError
from orchestration.health.facts import DayFacts
from orchestration.health.findings import Finding
from orchestration.health.verdict import Healed, Health, assess, healed
from orchestration.nba.eastern import clock, et
from orchestration.services.errors import in_short
from orchestration.words import Action, Outcome, Verdict

COLOURS = {
    Verdict.HEALTHY: "green", Verdict.NO_GAMES: "green", Verdict.DEGRADED: "yellow", Verdict.UNHEALTHY: "red",
    Verdict.UNKNOWN: "yellow",
}  # fmt: skip


def shadow_note(config: Config, day: date) -> str | None:
    """Return two lines: the workflows in shadow mode, and the command that compares. Return None without any."""
    names = [name for name in config.enabled if config.is_shadow(name)]
    if not names:
        return None
    compare = f"compare: bin/orchestration/compare.sh --with {config.settings.history} --date {day}"
    if config.is_shadow():
        return f"SHADOW beside {config.settings.history}: calls and sends nothing\n  {compare}"
    return f"SHADOW, calling nothing: {', '.join(names)}\n  {compare}"


@command("health", LAST_NIGHT, "", "--date 2026-01-14 --as-of 2026-01-15T07:25-05:00")
def health(day: Day = None, as_of: AsOf = None, as_json: AsJson = False) -> int:
    """Give the verdict on a day: is everything in? Start here.

    Below the verdict: each finding with the command to type next, the findings that are over, and the workflows.
    Without --date it is the current orchestration day, which lasts from one 05:00 ET lock to the next.
    """
    now = as_of or datetime.now(UTC)
    loaded, problem = in_use()
    config = loaded.config
    day = day or config.current_day(now)
    if day > config.current_day(now):
        raise UserError(f"{day} has not begun", next_step="look again when it has begun")
    facts = facts_as_of(Warehouse(config.settings), config, day, as_of)
    seen = assess(config, replace(facts, broken_config=problem), now)
    past = _healed(config, facts, now)
    if as_json:
        show_object({"mode": config.settings.mode.value, **_object(seen, past, facts, now)})
    else:
        _print(seen, past, facts, config, now)
    return seen.verdict.exit_code


def _healed(config: Config, facts: DayFacts, now: datetime) -> tuple[Healed, ...]:
    """Return the findings that are over. An error is printed, and does not hide what is wrong now."""
    try:
        return healed(config, facts, now)
    except Exception as error:
        print(f"health: the findings that are over are unknown: {in_short(error)}", file=sys.stderr)
        return ()


def _object(seen: Health, past: Sequence[Healed], facts: DayFacts, now: datetime) -> dict[str, object]:
    return {
        "date": facts.day,
        "as_of": et(now),
        "verdict": seen.verdict.value,
        "headline": seen.headline,
        "games": seen.games,
        "games_due": seen.due,
        "games_collected": seen.collected,
        "box_scores_stop": dict(seen.stops),
        "findings": [_shown(one, "verdict", "kind", "workflow", "text", "command") for one in seen.findings],
        "healed": [
            {**_shown(was.finding, "kind", "workflow", "text"), "first_seen": was.first, "last_seen": was.last}
            for was in past
        ],
    }


def _shown(finding: Finding, *keys: str) -> dict[str, object]:
    return {key: getattr(finding, key) for key in keys}


def _print(seen: Health, past: Sequence[Healed], facts: DayFacts, config: Config, now: datetime) -> None:
    show(Text(seen.headline, style=f"bold {COLOURS[seen.verdict]}"), width=UNLIMITED)
    print(f"{facts.day:%a %d %b %Y}, seen at {et(now):%a %d %b %H:%M} ET")
    if note := shadow_note(config, facts.day):
        print(note)
    for finding in seen.findings:
        show(_finding(finding.verdict.value, finding.text))
        print(f"            next: {finding.command}")
    for was in past:
        when = f"{was.first:%H:%M} to {was.last:%H:%M} ET" if was.last > was.first else f"{was.first:%H:%M} ET"
        show(_finding("over", f"{was.finding.text} (seen {when})"))
    show(_workflows(facts, config))
    missing = sum(cleanup.missing_files_found for cleanup in facts.cleanups)
    sent = sum(cleanup.republished_count for cleanup in facts.cleanups)
    print(f"box scores {seen.box_scores}; cleanups {len(facts.cleanups)}, found missing {missing}, republished {sent}")


def _finding(word: str, text: str) -> Table:
    line = grid(1, 9, 0)
    line.add_row("", word, text)
    return line


def _workflows(facts: DayFacts, config: Config) -> Table:
    """Return the table of the workflows: the day's decisions and calls, and the ET time of the last RUN."""
    table = Table("workflow", box=None, padding=(0, 1))
    for heading in ("expected", "RUN", "SKIP", "ABORT", "calls", "empty", "failed", "last"):
        table.add_column(heading, justify="right")
    expected = Counter(run.workflow_name for run in facts.expected)
    for name in config.enabled:
        decisions = [decision for decision in facts.decisions if decision.workflow_name == name]
        actions = Counter(decision.action for decision in decisions)
        runs = [decision.tick for decision in decisions if decision.action is Action.RUN]
        outcomes = Counter(call.status for call in facts.calls if call.workflow == name)
        decided = (actions[one] for one in (Action.RUN, Action.SKIP, Action.ABORT))
        numbers = (expected[name], *decided, outcomes.total(), outcomes[Outcome.NO_DATA], outcomes[Outcome.FAILED])
        table.add_row(name, *(str(number or "-") for number in numbers), clock(max(runs)) if runs else "-")
    return table
