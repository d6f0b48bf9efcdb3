"""Whether a failed run loses data, or something makes up for it by itself: the next tick, a window or reconcile. Pure.

Only a loss is CRITICAL. The workflow's ``alerts`` are the loudest level that a user wants.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, time, timedelta

from orchestration.config import Config
from orchestration.decisions.types.game_aware import GameAwareWorkflow
from orchestration.decisions.types.game_aware_yesterday import AfterGamesWorkflow
from orchestration.nba.eastern import after, at, clock
from orchestration.words import AlertLevel, loudness

FEW = 0.1
"""Up to this share of a run's calls, the loss is no page: one call of thirty."""
IN_A_ROW = 3
"""After this many failures in a row, nobody expects the next run to succeed."""
_MOMENT = timedelta(seconds=1)


def lost(config: Config, workflow: str, tick: datetime, *, share: float = 1.0, before: int = 0) -> bool:
    """Return whether nobody makes up by itself for the failed run of ``workflow`` at the aware ``tick``.

    ``share``: the share of its calls that failed. ``before``: how many runs failed just before it.
    """
    if share <= FEW:
        return False
    model = config.workflows.get(workflow)
    if isinstance(model, AfterGamesWorkflow) and config.reconcile_ticks.times:
        # The finding `games_incomplete` says when the last reconcile was in vain.
        return False
    if before + 1 >= IN_A_ROW or model is None or workflow not in config.enabled:
        return True
    end = config.day_bounds(config.current_day(tick))[1]
    if isinstance(model, GameAwareWorkflow):
        end = min(end, after(at(config.current_day(tick), time(model.schedule.business_hours.end)), _MOMENT))
    return not list(config.ticks_of(workflow).between(after(tick, _MOMENT), end))


def named(workflow: str, ticks: Collection[datetime]) -> tuple[str, ...]:
    """Return the names of runs, such as ``betting_lines 15:00``."""
    return tuple(f"{workflow} {clock(tick)}" for tick in sorted(ticks))


def at_most(level: AlertLevel, *, is_lost: bool) -> AlertLevel:
    """Return the level of a failure: that of the user if data is lost, else at most WARNING."""
    return level if is_lost else min(level, AlertLevel.WARNING, key=loudness)


def loudest_failure(config: Config) -> AlertLevel:
    """Return the loudest ``alerts.failure`` of the workflows that make calls: for a cause that all of them share."""
    levels = [w.alerts.failure for name, w in config.enabled.items() if not config.is_shadow(name)]
    return max(levels, key=loudness, default=AlertLevel.WARNING)
