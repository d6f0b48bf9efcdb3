"""The plan of a day: every decision, tick by tick, if the calls succeed. ``plan`` shows it and the locker locks it.

The same engine decides at run time; there is no second copy of the rules (DESIGN section 5).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from orchestration.config import Config
from orchestration.decisions.engine import decide
from orchestration.decisions.model import Decision, History
from orchestration.nba.games import Schedule
from orchestration.planning.calls import Assumption, assumed_calls
from orchestration.records.tables import CallRecord, ExecutionRecord
from orchestration.runs.execution import CallEnd, status_of
from orchestration.words import Action, Outcome

_RULES = {"decision_type", "schedule", "execution_plan", "dependencies", "game_types"}
"""The keys that say when and for what a workflow runs. A halt is left out, because ``health`` reports halts."""
_DIGITS = 12


def plan(
    config: Config,
    start: datetime,
    end: datetime,
    schedule: Schedule,
    history: History,
    assumptions: Sequence[Assumption] = (),
) -> Iterator[Decision]:
    """Yield every enabled workflow's decision at every tick with ``start`` <= tick < ``end``, in order.

    The plan assumes that every RUN succeeds, that a game's data is available once the game is due, and that a schedule
    known at ``start`` stays known. ``assumptions`` name the calls that end differently.
    """
    known = schedule.unknown_because(start, config.settings.schedule_max_age_hours) is None
    look_back = timedelta(hours=max((config.look_back_hours(name) for name in config.enabled), default=0))
    moments: dict[datetime, list[str]] = {}
    for name in config.enabled:
        for tick in config.ticks_of(name).between(start, end):
            moments.setdefault(tick, []).append(name)
    for tick in sorted(moments):
        seen = schedule.seen_at(tick) if known else schedule
        decisions = [decide(name, config, tick, seen, history) for name in moments[tick]]
        yield from decisions
        for decision in decisions:
            if decision.action is Action.RUN:
                history = history.plus(*_assumed(config, decision, assumptions))
        noted = (decision.as_past for decision in decisions)
        history = _recent(history, tick - look_back).plus(decisions=noted)


def _recent(history: History, oldest: datetime) -> History:
    """Drop the rows older than any look-back, once a day. A decision at run time does not see them either."""
    if not history.decisions or history.decisions[0].tick > oldest - timedelta(days=1):
        return history
    return History(
        tuple(e for e in history.executions if e.tick > oldest),
        tuple(c for c in history.calls if c.tick > oldest),
        tuple(d for d in history.decisions if d.tick > oldest),
    )


def _assumed(
    config: Config, decision: Decision, assumptions: Sequence[Assumption]
) -> tuple[list[ExecutionRecord], list[CallRecord]]:
    calls: list[CallRecord] = []
    ends: list[CallEnd] = []
    for number, (call, outcome) in enumerate(assumed_calls(config, decision, assumptions)):
        ends.append(CallEnd(call.scraper, number, outcome, call.label))
        if outcome is not None:
            calls.append(call.record(decision, outcome))
    execution = ExecutionRecord.known(
        workflow_name=decision.workflow,
        slot_time=decision.tick,
        target_date=decision.target_date,
        status=status_of(ends, config.critical_scrapers(decision.workflow)),
        scrapers_succeeded=sum(call.status is Outcome.SUCCESS for call in calls),
        scrapers_no_data=0,
    )
    return [execution], calls


def rules_digest(config: Config, name: str) -> str:
    """Return the digest of the rules and ticks of the workflow ``name``. Another digest means that they have changed.

    Defaults are left out, so that a release with a new key changes no digest.
    """
    rules = config.workflows[name].model_dump(mode="json", include=_RULES, exclude_defaults=True)
    text = json.dumps([rules, config.ticks_of(name).crons()], sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:_DIGITS]
