"""``health``: the verdict on one screen."""

from __future__ import annotations

import json
import sys
import textwrap
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime

from rich.console import Console
from rich.table import Table

from orchestration.config import Config, ConfigError
from orchestration.config.last_good import in_use
from orchestration.health.facts import DayFacts
from orchestration.health.healed import Healed, healed
from orchestration.health.verdict import Health, assess
from orchestration.nba.eastern import clock, et
from orchestration.services.errors import in_short
from orchestration.words import Action, Outcome, Verdict

WIDTH, INDENT = 79, 12
COLOURS = {Verdict.HEALTHY: "green", Verdict.NO_GAMES: "green", Verdict.DEGRADED: "yellow", Verdict.UNHEALTHY: "red"}


def shadow_note(config: Config, day: date) -> str | None:
    """Return a line that says what here is a shadow, or None."""
    names = [name for name in config.enabled if config.is_shadow(name)]
    if not names:
        return None
    compare = f"compare: bin/orchestration/compare.sh --with {config.settings.history} --date {day}"
    if config.is_shadow():
        return f"SHADOW beside {config.settings.history}: calls and sends nothing\n  {compare}"
    return f"SHADOW, calling nothing: {', '.join(names)}\n  {compare}"


def run_health(day: date | None, as_of: datetime | None, *, as_json: bool) -> int:
    """Print the verdict and return its exit code."""
    from orchestration.audit.facts import day_facts
    from orchestration.audit.warehouse import Warehouse, WarehouseError

    now = as_of or datetime.now(UTC)
    try:
        loaded, problem = in_use()
        config = loaded.config
        day = day or config.current_day(now)
        if day > config.current_day(now):
            return _unknown(day, f"{day} has not begun", "look again when it has", as_json=as_json)
        facts = day_facts(Warehouse(config.settings), config, day, now)
        health = assess(config, replace(facts, broken_config=problem), now)
        past = _healed(config, facts, now)
    except WarehouseError as error:
        return _unknown(day, str(error), "check the connection google_cloud_default", as_json=as_json)
    except ConfigError as error:
        return _unknown(day, str(error), "python -m orchestration validate", as_json=as_json)
    except Exception as error:
        reason = f"the health check itself failed: {in_short(error)}"
        return _unknown(day, reason, "python -m orchestration status", as_json=as_json)
    if as_json:
        print(json.dumps({"mode": config.settings.mode.value, **_json(health, past, facts, now)}, indent=2))
    else:
        _print(health, past, facts, config, now)
    return health.verdict.exit_code


def _healed(config: Config, facts: DayFacts, now: datetime) -> tuple[Healed, ...]:
    """Return what has healed; nothing when that cannot be found out, which must not hide what is wrong now."""
    try:
        return healed(config, facts, now)
    except Exception as error:
        print(f"health: what has healed is not known: {in_short(error)}", file=sys.stderr)
        return ()


def _unknown(day: date | None, reason: str, command: str, *, as_json: bool) -> int:
    if as_json:
        on = None if day is None else day.isoformat()
        print(json.dumps({"date": on, "verdict": Verdict.UNKNOWN.value, "reason": reason}))
    else:
        print(f"{Verdict.UNKNOWN.value}: {reason}\n  next: {command}")
    return Verdict.UNKNOWN.exit_code


def _json(health: Health, past: Sequence[Healed], facts: DayFacts, now: datetime) -> dict[str, object]:
    return {
        "date": facts.day.isoformat(),
        "as_of": et(now).isoformat(),
        "verdict": health.verdict.value,
        "headline": health.headline,
        "games": health.games,
        "games_due": health.due,
        "games_collected": health.collected,
        "findings": [
            {
                "verdict": f.verdict.value,
                "kind": f.kind,
                "workflow": f.workflow,
                "text": f.text,
                "command": f.command,
            }
            for f in health.findings
        ],
        "healed": [
            {
                "kind": was.finding.kind,
                "workflow": was.finding.workflow,
                "text": was.finding.text,
                "first_seen": was.first.isoformat(),
                "last_seen": was.last.isoformat(),
            }
            for was in past
        ],
    }


def _print(health: Health, past: Sequence[Healed], facts: DayFacts, config: Config, now: datetime) -> None:
    console = Console(highlight=False, soft_wrap=True)
    console.print(health.headline, style=f"bold {COLOURS[health.verdict]}", markup=False)
    console.print(f"{facts.day:%a %d %b %Y}, seen at {et(now):%a %d %b %H:%M} ET")
    if note := shadow_note(config, facts.day):
        console.print(note, markup=False)
    for finding in health.findings:
        lines = textwrap.wrap(finding.text, WIDTH - INDENT)
        console.print(f"  {finding.verdict.value:9} " + f"\n{' ' * INDENT}".join(lines), markup=False)
        console.print(f"{' ' * INDENT}next: {finding.command}", markup=False)
    for was in past:
        seen = f"{was.first:%H:%M} to {was.last:%H:%M} ET" if was.last > was.first else f"{was.first:%H:%M} ET"
        lines = textwrap.wrap(f"{was.finding.text} (seen {seen})", WIDTH - INDENT)
        console.print(f"  {'healed':9} " + f"\n{' ' * INDENT}".join(lines), markup=False)
    table = Table("workflow", box=None, padding=(0, 1))
    for heading in ("expected", "RUN", "SKIP", "ABORT", "calls", "empty", "failed", "last"):
        table.add_column(heading, justify="right")
    expected = Counter(run.workflow_name for run in facts.expected)
    for name in config.enabled:
        actions = Counter(d.action for d in facts.decisions if d.workflow_name == name)
        runs = [d.tick for d in facts.decisions if d.workflow_name == name and d.action is Action.RUN]
        outcomes = Counter(call.status for call in facts.calls if call.workflow == name)
        numbers = (
            expected[name],
            actions[Action.RUN],
            actions[Action.SKIP],
            actions[Action.ABORT],
            sum(outcomes.values()),
            outcomes[Outcome.NO_DATA],
            outcomes[Outcome.FAILED],
        )
        table.add_row(name, *(str(number or "-") for number in numbers), clock(max(runs)) if runs else "-")
    console.print(table)
    missing, sent = (sum(getattr(c, what) for c in facts.cleanups) for what in ("missing", "republished"))
    console.print(
        f"box scores {health.collected} of {health.games} games ({health.due} due); cleanups {len(facts.cleanups)}, "
        f"found missing {missing}, republished {sent}"
    )
