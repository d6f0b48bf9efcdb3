"""Both sides of a comparison, from the rows of one query. Pure."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from orchestration.config import Config
from orchestration.planning.other_system.comparison import Ours, Theirs
from orchestration.planning.others import TheirExecution, read_calls, read_executions
from orchestration.records.base import from_micros
from orchestration.records.tables import DecisionRecord


@dataclass(frozen=True)
class Sides:
    """What we decided, and what they decided and did."""

    ours: list[Ours]
    theirs: list[Theirs]


def both_sides(config: Config, rows: Iterable[Mapping[str, Any]], until: datetime) -> Sides:
    """Return both sides from the rows of ``queries/two_systems.sql``, as far as the aware ``until``."""
    facts: dict[str, list[str]] = defaultdict(list)
    for row in rows:
        facts[row["kind"]].append(row["payload"])
    game_ids = {str(game["game_code"]): str(game["game_id"]) for game in map(json.loads, facts["game"])}
    calls = read_calls(config, facts["their_call"], game_ids)
    executions = read_executions(facts["their_execution"], calls)
    return Sides(_ours(config, facts["decision"], until), _theirs(config, facts["their_decision"], executions))


def _ours(config: Config, rows: Iterable[str], until: datetime) -> list[Ours]:
    """Return our decisions, and a gap for each tick after the first one that has none."""
    found: dict[tuple[str, datetime], Ours] = {}
    for decision in map(DecisionRecord.read, rows):
        name, tick = decision.workflow_name, decision.tick
        per_game = name in config.workflows and bool(config.per_game_scrapers(name))
        found[name, tick] = Ours(name, tick, decision, per_game)
    first = min((tick for _, tick in found), default=until)
    for name in {name for name, _ in found if name in config.enabled}:
        for tick in config.ticks_of(name).between(first, max(first, until)):
            found.setdefault((name, tick), Ours(name, tick))
    return list(found.values())


def _theirs(config: Config, decisions: Iterable[str], executions: Iterable[TheirExecution]) -> list[Theirs]:
    """Return their executions, and those decisions of theirs that nobody executed."""
    executions = list(executions)
    executed = {one.decision_id for one in executions}
    found = [_run(config, one) for one in executions]
    found += [
        Theirs(
            workflow=row["workflow_name"],
            at=from_micros(row["decision_time"]),
            executed=False,
            action=str(row["action"]),
            reason=row.get("reason") or "",
        )
        for row in map(json.loads, decisions)
        if row["decision_id"] not in executed
    ]
    return found


def _run(config: Config, one: TheirExecution) -> Theirs:
    """Return an execution with the dates that its calls name, and the games of its per-game calls."""
    name = one.workflow_name
    per_game = config.per_game_scrapers(name) if name in config.workflows else ()
    return Theirs(
        workflow=name,
        at=one.execution_time,
        dates=frozenset(call.game_date for call in one.calls if call.game_date is not None),
        games=frozenset(call.game_id for call in one.calls if call.game_id and call.scraper_name in per_game),
        status=one.status,
    )
