"""Findings about the record itself: rows that are gone or wait elsewhere, rows of two writers, wrong clocks. Pure.

A row that is gone leaves no trace in its own table. Other rows prove it: an execution and a call name their decision,
an execution counts its calls, and Airflow knows which runs succeeded.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from orchestration.config import LOCKER, Config
from orchestration.health import kinds
from orchestration.health.facts import DayFacts
from orchestration.health.findings import CLEANUP_PATIENCE, GRACE, UNWRITABLE, Finding, finding
from orchestration.nba.eastern import after, clock, from_to
from orchestration.records.tables import (
    CallRecord,
    CleanupRecord,
    DecisionRecord,
    ExecutionRecord,
    ExpectedRun,
    last_tries,
)
from orchestration.words import Action, Surrounding, few, plural

CONTRADICTS = timedelta(minutes=3)
"""Two workers' clocks may differ by this much."""
BY_THE_CLOCK = frozenset({None, "schedule"})
"""``triggered_by`` of runs that no person started. Such a run has one tick and one decision."""
Run = tuple[str, datetime]
"""A workflow and a tick."""


@dataclass(frozen=True)
class Lost:
    """Rows of a table that must have existed: their runs, and what proves them, in words.

    ``between``: the runs with rows on record. Without one between the first and the last lost run, the rows were
    deleted together. ``beside``: further runs at these ticks without a row, which nothing else proves.
    """

    table: str
    runs: frozenset[Run]
    proof: str
    between: frozenset[Run] = frozenset()
    beside: frozenset[Run] = frozenset()

    @property
    def first(self) -> datetime:
        """The tick of the first lost run."""
        return min(tick for _, tick in self.runs)

    @property
    def last(self) -> datetime:
        """The tick of the last lost run."""
        return max(tick for _, tick in self.runs)

    @property
    def together(self) -> bool:
        """Whether rows were deleted. Otherwise they may also wait in the outbox of a worker."""
        if self.first == self.last:
            return len(self.runs | self.beside) > 1 and all(tick != self.first for _, tick in self.between)
        return not any(self.first < tick < self.last for _, tick in self.between)

    def explains(self, tick: datetime) -> bool:
        """Return whether ``tick`` lies in the gap around the deleted rows."""
        ticks = [tick for _, tick in self.between]
        before = max((one for one in ticks if one <= self.first), default=None)
        behind = min((one for one in ticks if one >= self.last), default=None)
        return self.together and (before is None or before < tick) and (behind is None or tick < behind)


def gap(config: Config, facts: DayFacts, now: datetime, table: str) -> Lost | None:
    """Return the lost rows of a table at the aware ``now``, or None.

    A row may wait in the outbox until the first cleanup after its run that found no refusing BigQuery.
    """
    last = facts.last_cleanup
    refused = last is not None and not drained(last)
    since = max((one.cleanup_time for one in facts.cleanups if drained(one)), default=None)

    def settled(tick: datetime) -> bool:
        seen = since is not None and after(tick, GRACE) <= since
        return seen or (not refused and after(tick, CLEANUP_PATIENCE) <= now)

    found = _LOSSES[table](config, facts)
    runs = frozenset(run for run in found.runs if settled(run[1])) if found else frozenset()
    return replace(found, runs=runs) if found and runs else None


def _unrecorded(facts: DayFacts) -> dict[str, list[datetime]]:
    """Return the ticks, by DAG, whose run succeeded in Airflow and left no row, as the last cleanup saw it."""
    last = facts.last_cleanup
    seen = [] if last is None else [one for one in last.seen if one.kind == Surrounding.NO_ROW]
    return {one.about: [datetime.fromisoformat(text) for text in one.text.split()] for one in seen}


def drained(cleanup: CleanupRecord) -> bool:
    """Return whether BigQuery took the rows of the outbox."""
    return not any(one.kind == Surrounding.OUTBOX and not one.text.startswith(UNWRITABLE) for one in cleanup.seen)


def _comparable(facts: DayFacts) -> bool:
    """Return whether rows name their decision. Calls that name none prove nothing."""
    return not facts.calls or any(call.decision_id for call in facts.calls)


def _lock(config: Config, facts: DayFacts) -> Lost | None:
    start, _ = config.day_bounds(facts.day)
    # A lock without a run, as in a halt, has no rows.
    ran = any(one.action is Action.RUN and one.triggered_by in BY_THE_CLOCK for one in facts.decisions)
    if facts.expected or not ran or LOCKER not in _unrecorded(facts):
        return None
    return Lost(ExpectedRun.TABLE, frozenset({(LOCKER, start)}), f"the run of {LOCKER} succeeded")


def _decisions(config: Config, facts: DayFacts) -> Lost | None:
    start, end = config.day_bounds(facts.day)
    ids = {decision.decision_id for decision in facts.decisions}
    made = {(decision.workflow_name, decision.tick) for decision in facts.decisions}
    executed = [(one.decision_id, one.workflow_name, one.tick) for one in facts.executions]
    called = [(one.decision_id, one.workflow or "", one.tick) for one in facts.calls]
    named = {
        id: (name, tick)
        for id, name, tick in (executed + called if _comparable(facts) else ())
        if id and id not in ids and start <= tick < end
    }
    ran = {
        (name, tick) for name, ticks in _unrecorded(facts).items() if name in config.workflows for tick in ticks
    } - made
    runs = {*named.values(), *ran}
    if not runs:
        return None
    proofs = [
        f"executions and calls name {plural(len(named), 'decision')} that no row has" if named else "",
        f"Airflow has {plural(len(ran), 'successful run')} without a decision" if ran else "",
    ]
    proof = ", and ".join(filter(None, proofs))
    ticks = {tick for _, tick in runs}
    silent = {(name, tick) for name in config.enabled for tick in config.ticks_of(name).between(start, end)} - made
    beside = frozenset(run for run in silent if run[1] in ticks)
    return Lost(DecisionRecord.TABLE, frozenset(runs), proof, frozenset(made), beside)


def _executions(_: Config, facts: DayFacts) -> Lost | None:
    """Return the executions of runs that made calls and are over: the workflow went on to a later tick."""
    on_record = {execution.decision_id for execution in facts.executions}
    between = frozenset((execution.workflow_name, execution.tick) for execution in facts.executions)
    latest: dict[str, datetime] = {}
    for name, tick in (*((d.workflow_name, d.tick) for d in facts.decisions), *between):
        latest[name] = max(tick, latest.get(name, tick))
    runs = {
        (call.workflow, call.tick)
        for call in facts.calls
        if call.decision_id
        and call.workflow
        and call.decision_id not in on_record
        and call.tick < latest.get(call.workflow, call.tick)
    }
    if not runs:
        return None
    return Lost(ExecutionRecord.TABLE, frozenset(runs), f"{plural(len(runs), 'run')} made calls", between)


def _calls(_: Config, facts: DayFacts) -> Lost | None:
    made = Counter(call.decision_id for call in last_tries(facts.calls))
    missing = {
        (one.workflow_name, one.tick): one.scrapers_triggered - made[one.decision_id]
        for one in facts.executions
        if one.decision_id and _comparable(facts) and one.scrapers_triggered > made[one.decision_id]
    }
    if not missing:
        return None
    rows = sum(missing.values())
    proof = f"{plural(len(missing), 'execution')} counted {plural(rows, 'call')} that no row has"
    between = frozenset((call.workflow or "", call.tick) for call in facts.calls)
    return Lost(CallRecord.TABLE, frozenset(missing), proof, between)


_LOSSES: dict[str, Callable[[Config, DayFacts], Lost | None]] = {
    ExpectedRun.TABLE: _lock,
    DecisionRecord.TABLE: _decisions,
    ExecutionRecord.TABLE: _executions,
    CallRecord.TABLE: _calls,
}


def lost_rows(config: Config, facts: DayFacts, now: datetime) -> Iterator[Finding]:
    """Yield one finding for each table that lost rows."""
    for one in filter(None, (gap(config, facts, now, table) for table in _LOSSES)):
        gone = one.together or one.table == ExpectedRun.TABLE
        kind = kinds.ROWS_GONE if gone else kinds.ROWS_WAITING
        yield finding(
            kind,
            one.table,
            dataset=config.settings.audit_dataset,
            proof=one.proof,
            when=from_to(one.first, one.last),
            which=_named(one.runs),
            day=facts.day,
        )


def _named(runs: Iterable[Run]) -> str:
    """Return the first runs in words."""
    names = [f"{name} at {clock(tick)}" for name, tick in sorted(runs, key=lambda run: (run[1], run[0]))]
    return few(names, counted=False)


def nothing_recorded(config: Config, facts: DayFacts, now: datetime) -> Iterator[Finding]:
    """Yield a day about which no table says anything, once a tick of it is due."""
    start, end = config.day_bounds(facts.day)
    due = (
        tick for name in config.enabled for tick in config.ticks_of(name).between(start, min(end, after(now, -GRACE)))
    )
    if not facts.recorded and any(due):
        yield finding(kinds.NOTHING_RECORDED, "all", day=facts.day)


def two_writers(facts: DayFacts) -> Iterator[Finding]:
    """Yield decisions and calls that two processes wrote: a second copy of the system writes to the same tables."""
    by_run: dict[Run, dict[str, DecisionRecord]] = defaultdict(dict)
    for decision in facts.decisions:
        if decision.triggered_by in BY_THE_CLOCK:
            by_run[decision.workflow_name, decision.tick][decision.decision_id] = decision
    differing = {run: sorted({one.action for one in made.values()}) for run, made in by_run.items() if len(made) > 1}
    same_id = [(one.workflow_name, one.tick) for one in facts.twice if one.written_to == DecisionRecord.TABLE]
    twice: dict[Run, list[Action]] = {**{run: [] for run in same_id}, **differing}
    if twice:
        name, tick = min(twice, key=lambda run: (run[1], run[0]))
        actions = " and ".join(twice[name, tick])
        yield finding(
            kinds.DECIDED_TWICE,
            "all",
            ticks=plural(len(twice), "tick"),
            example=f"{name} at {clock(tick)} ET" + (f" ({actions})" if actions else ""),
            day=facts.day,
        )
    calls = [one for one in facts.twice if one.written_to == CallRecord.TABLE]
    if calls:
        yield finding(
            kinds.CALLED_TWICE,
            "all",
            since=clock(min(one.tick for one in calls)),
            why=f"{plural(sum(one.ids for one in calls), 'call')} of ours with two run ids of the service",
            day=facts.day,
        )


def contradicting_clocks(facts: DayFacts) -> Iterator[Finding]:
    """Yield times of a run that cannot all be right: a decision before its tick, a call before its decision or after
    its execution was counted.

    A worker that is ahead and runs all tasks of a run leaves no contradiction.
    """
    decided = {one.decision_id: one for one in facts.decisions if one.triggered_by in BY_THE_CLOCK}
    counted = {one.decision_id: one for one in facts.executions if one.decision_id in decided}
    wrong: list[tuple[timedelta, datetime, str]] = []
    for one in decided.values():
        early = one.tick - one.decision_time
        if early > CONTRADICTS:
            where = f"the decision of {one.workflow_name} at {clock(one.tick)} ET"
            wrong.append((early, one.tick, f"{where} was made at {clock(one.decision_time)} ET, before its tick"))
    for call in facts.calls:
        decision = decided.get(call.decision_id or "")
        if decision is None or call.try_number > 1:
            continue
        began, made = call.triggered_at, decision.decision_time
        where = f"a call of {call.workflow} at"
        if made - began > CONTRADICTS:
            says = (
                f"{where} at {clock(call.tick)} ET began at {clock(began)} ET, before its decision of {clock(made)} ET"
            )
            wrong.append((made - began, call.tick, says))
        if (execution := counted.get(decision.decision_id)) is not None:
            ended, then = after(began, timedelta(seconds=call.duration_seconds or 0)), execution.created_at
            if ended - then > CONTRADICTS:
                says = f"ended at {clock(ended)} ET, after it was counted at {clock(then)} ET"
                wrong.append((ended - then, call.tick, f"{where} {clock(call.tick)} ET {says}"))
    if wrong:
        most, _, says = max(wrong)
        yield finding(
            kinds.CLOCKS_CONTRADICT,
            "all",
            detail="rows",
            says=says,
            minutes=round(most.total_seconds() / 60),
            since=clock(min(tick for _, tick, _ in wrong)),
            day=facts.day,
        )
