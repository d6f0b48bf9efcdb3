"""The timeline of an orchestration day: a row for each workflow, a column for each hour. Pure."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from orchestration.config import Config
from orchestration.decisions.model import Decision
from orchestration.health.facts import DayFacts
from orchestration.health.findings import GRACE
from orchestration.nba.eastern import ET, after
from orchestration.records.tables import CallRecord, DecisionRecord, ExecutionRecord, last_tries
from orchestration.runs.execution import VETOED
from orchestration.ui.model import Calls, Hour, Row, Tick, TickState
from orchestration.words import Action, ExecutionStatus, Outcome

HOUR = timedelta(hours=1)
_OF_STATUS = {
    ExecutionStatus.COMPLETED: TickState.COMPLETED,
    ExecutionStatus.PARTIAL: TickState.PARTIAL,
    ExecutionStatus.FAILED: TickState.FAILED,
}


def hours_of(config: Config, facts: DayFacts, now: datetime) -> tuple[Hour, ...]:
    """Return the 23 to 25 hours of the day. An hour that clocks show twice has its zone in the label."""
    start, end = config.day_bounds(facts.day)
    first = start.replace(minute=0, second=0)
    starts = [after(first, HOUR * n) for n in range(26) if after(first, HOUR * n) < end]
    twice, changes = Counter(start.hour for start in starts), len({start.utcoffset() for start in starts}) > 1
    return tuple(
        Hour(
            start,
            f"{start:%H} {_zone(start)}" if changes and twice[start.hour] > 1 else f"{start:%H}",
            f"{start:%a %d %b %H:%M} {_zone(start)}",
            now=start <= now < after(start, HOUR),
        )
        for start in starts
    )


def _zone(moment: datetime) -> str:
    return moment.astimezone(ET).tzname() or "ET"


def rows_of(
    config: Config, facts: DayFacts, planned: Sequence[Decision], hours: Sequence[Hour], now: datetime
) -> tuple[Row, ...]:
    """Return a row for each enabled workflow. ``planned``: the planned decisions of the ticks after ``now``."""
    calls = calls_of(facts.calls)
    executions = {e.decision_id: e for e in facts.executions}
    plans = {(plan.workflow, plan.tick): plan for plan in planned}
    expected = {(run.workflow_name, run.tick): run.reason or "" for run in facts.expected}
    decisions: dict[str, list[DecisionRecord]] = defaultdict(list)
    for decision in facts.decisions:
        decisions[decision.workflow_name].append(decision)
    start, end = config.day_bounds(facts.day)
    rows = []
    for name in config.enabled:
        ticks = [
            _made(made, executions.get(made.decision_id), calls.get((name, made.run_id), Calls()), start, now)
            for made in decisions[name]
        ]
        decided = {tick.at for tick in ticks}
        last = max((e.tick for e in facts.executions if e.workflow_name == name), default=None) if ticks else None
        ticks += [
            _not_made(name, at, expected.get((name, at)), plans.get((name, at)), last, start, now)
            for at in config.ticks_of(name).between(facts.since(start, name), end)
            if at not in decided
        ]
        ticks.sort(key=lambda tick: tick.at)
        by_hour = _by_hour(ticks, [hour.start for hour in hours])
        rows.append(Row(name, tuple(ticks), by_hour, _halt(config, name, facts), config.is_shadow(name)))
    return tuple(rows)


def _by_hour(ticks: Iterable[Tick], starts: Sequence[datetime]) -> tuple[tuple[Tick, ...], ...]:
    cells: list[list[Tick]] = [[] for _ in starts]
    for tick in ticks:
        cells[max(0, bisect_right(starts, tick.at) - 1)].append(tick)
    return tuple(tuple(cell) for cell in cells)


def _halt(config: Config, name: str, facts: DayFacts) -> str | None:
    halt = config.workflows[name].halt
    return halt.reason if halt is not None and halt.holds_on(facts.day) else None


def calls_of(calls: Iterable[CallRecord]) -> Mapping[tuple[str | None, str], Calls]:
    """Return the calls of each run, by workflow and run id, counted by the outcome of their last try."""
    found: dict[tuple[str | None, str], Counter[Outcome]] = defaultdict(Counter)
    for call in last_tries(calls):
        found[call.workflow, call.dag_run_id][call.status] += 1
    return {
        key: Calls(counted[Outcome.SUCCESS], counted[Outcome.NO_DATA], counted[Outcome.FAILED])
        for key, counted in found.items()
    }


def state_of(decision: DecisionRecord, execution: ExecutionRecord | None, now: datetime) -> TickState:
    """Return the state of a decision as of ``now``."""
    if decision.action is Action.SKIP:
        return TickState.SKIP
    if decision.action is Action.ABORT:
        return TickState.ABORT
    if execution is None and decision.shadow:
        return TickState.RECORDED
    if execution is None:
        return TickState.RUNNING if now <= after(decision.tick, GRACE) else TickState.UNEXECUTED
    if (execution.error_message or "").startswith(VETOED):
        return TickState.VETOED
    return _OF_STATUS[execution.status]


def _offset(moment: datetime, lock: datetime) -> int:
    return int((moment - lock).total_seconds())


def _made(
    decision: DecisionRecord, execution: ExecutionRecord | None, calls: Calls, lock: datetime, now: datetime
) -> Tick:
    return Tick(
        decision.workflow_name,
        decision.tick,
        _offset(decision.tick, lock),
        state_of(decision, execution, now),
        decision.reason,
        decision.next_check_time,
        decision.target_date,
        decision.run_id,
        decision.decision_id,
        calls,
        execution.error_message if execution else None,
    )


def _not_made(
    name: str,
    moment: datetime,
    expected: str | None,
    plan: Decision | None,
    last: datetime | None,
    lock: datetime,
    now: datetime,
) -> Tick:
    """Return a tick without a decision: coming, late or missing. ``last``: the last tick with an execution."""
    reason, next_check, target = expected or "", None, None
    if plan is not None:
        reason, next_check, target = plan.reason, plan.next_check_time, plan.target_date
    if moment > now:
        would_run = plan.action is Action.RUN if plan is not None else expected is not None
        state = TickState.EXPECTED if would_run else TickState.LATER
    elif after(moment, GRACE) > now or (last is not None and expected is not None and last > moment):
        state = TickState.LATE
        reason = reason or "Due, but no decision is recorded yet"
    else:
        state = TickState.MISSING
        reason = f"Expected: {expected}; no decision was made" if expected else "No decision was made at this tick"
    return Tick(name, moment, _offset(moment, lock), state, reason, next_check, target)
