"""Both sides of a comparison, from the rows of one query. Pure."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from orchestration.config import Config
from orchestration.nba.eastern import et
from orchestration.planning.other_system.comparison import Ours, Theirs
from orchestration.planning.others import TheirExecution, read_calls, read_executions
from orchestration.words import Action


@dataclass(frozen=True)
class Sides:
    """What we decided, and what they decided and did."""

    ours: list[Ours]
    theirs: list[Theirs]


def both_sides(config: Config, rows: Iterable[Mapping[str, Any]], until: datetime) -> Sides:
    """Return both sides from the rows of ``queries/two_systems.sql``, as far as the aware ``until``."""
    facts: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        facts[row["kind"]].append(json.loads(row["payload"]))
    game_ids = {str(row["code"]): str(row["id"]) for row in facts["game"]}
    calls = read_calls(config, facts["their_call"], game_ids)
    executions = read_executions(facts["their_execution"], calls)
    return Sides(_ours(config, facts["decision"], until), _theirs(config, facts["their_decision"], executions))


def _ours(config: Config, rows: Iterable[Mapping[str, Any]], until: datetime) -> list[Ours]:
    """Return our decisions, and a gap for each tick after the first one that has none."""
    found: dict[tuple[str, datetime], Ours] = {}
    for row in rows:
        name, tick = row["workflow"], _moment(row["tick"])
        found[name, tick] = Ours(
            workflow=name,
            tick=tick,
            action=Action(row["action"]),
            target_date=date.fromisoformat(row["target_date"]),
            games=frozenset(row.get("games") or ()),
            reason=row["reason"],
            rule=row.get("rule") or "",
            per_game=name in config.workflows and bool(config.per_game_scrapers(name)),
        )
    first = min((tick for _, tick in found), default=until)
    for name in {name for name, _ in found if name in config.enabled}:
        for tick in config.ticks_of(name).between(first, max(first, until)):
            found.setdefault((name, tick), Ours(name, tick, None, None))
    return list(found.values())


def _theirs(
    config: Config, decisions: Iterable[Mapping[str, Any]], executions: Iterable[TheirExecution]
) -> list[Theirs]:
    """Return their executions, and those decisions of theirs that nobody executed."""
    executions = list(executions)
    executed = {one.decision_id for one in executions}
    found = [_run(config, one) for one in executions]
    found += [
        Theirs(
            row["workflow"],
            _moment(row["at_second"]),
            executed=False,
            action=str(row["action"]),
            reason=row.get("reason") or "",
        )
        for row in decisions
        if row["decision_id"] not in executed
    ]
    return found


def _run(config: Config, one: TheirExecution) -> Theirs:
    """Return an execution with the dates that its calls name, and the games of its per-game calls."""
    per_game = config.per_game_scrapers(one.workflow) if one.workflow in config.workflows else ()
    return Theirs(
        one.workflow,
        one.at,
        frozenset(call.about for call in one.calls if call.about is not None),
        frozenset(call.game_id for call in one.calls if call.game_id and call.scraper in per_game),
        status=one.status,
    )


def _moment(seconds: float) -> datetime:
    return et(datetime.fromtimestamp(seconds, UTC))
