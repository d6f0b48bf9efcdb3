"""What should have run: the lock, the ticks, the expected runs, the decisions, the executions. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from itertools import groupby

from orchestration.config import Config
from orchestration.decisions.collected import lacking, scrapers_about_games, successes_of
from orchestration.decisions.model import NOT_KNOWING
from orchestration.decisions.types.game_aware_yesterday import PostGameWorkflow
from orchestration.health import kinds
from orchestration.health.facts import DayFacts, ours
from orchestration.health.findings import CLEANUP_PATIENCE, GRACE, Finding, finding
from orchestration.nba.eastern import after, clock
from orchestration.records.tables import DecisionRecord, ExecutionRecord
from orchestration.runs.execution import VETOED
from orchestration.words import Action, ExecutionStatus

LOCK_GRACE = timedelta(minutes=15)
"""From the lock's tick until the day must be locked."""
BLIND = "blind"
"""How the cleanup's alert begins when paths of files are not known (lesson A2)."""


def schedule_known(config: Config, facts: DayFacts, now: datetime) -> Iterator[Finding]:
    """The schedule that every game-aware decision rests on."""
    _, end = config.day_bounds(facts.day)
    if reason := facts.schedule.unknown_because(min(now, end), config.settings.schedule_max_age_hours):
        yield finding(kinds.SCHEDULE_UNKNOWN, "schedule_dependency", why=reason)


def locked(config: Config, facts: DayFacts, now: datetime) -> Iterator[Finding]:
    """The morning's lock, unless the system was switched on after it."""
    start, _ = config.day_bounds(facts.day)
    if not config.settings.daily_schedule_lock.enabled or facts.since(start) > start:
        return
    if not facts.expected and now >= after(start, LOCK_GRACE):
        yield finding(kinds.NOT_LOCKED, "schedule_locker", day=facts.day)


def ticked(config: Config, facts: DayFacts, now: datetime) -> Iterator[Finding]:
    """Ticks without a decision: a DAG that is paused, a scheduler that was down (lessons T1, K10)."""
    start, end = config.day_bounds(facts.day)
    made = {(decision.workflow_name, decision.tick) for decision in facts.decisions}
    due_until = min(end, after(now, -GRACE))
    missing = {
        name: [
            tick
            for tick in config.ticks_of(name).between(facts.since(start, name), due_until)
            if (name, tick) not in made
        ]
        for name in config.enabled
    }
    silent = {name: ticks for name, ticks in missing.items() if ticks}
    if silent and len(silent) == len(config.enabled):
        moments = sorted({tick for ticks in silent.values() for tick in ticks})
        total = sum(len(ticks) for ticks in silent.values())
        first, last = clock(moments[0]), clock(moments[-1])
        yield finding(kinds.ALL_TICKS_MISSING, "all", first=first, last=last, count=total)
        return
    for name, ticks in sorted(silent.items()):
        yield finding(kinds.TICKS_MISSING, name, count=len(ticks), first=clock(ticks[0]))


def happened(config: Config, facts: DayFacts, now: datetime) -> Iterator[Finding]:
    """Expected runs whose tick brought no decision: not due yet, late (a later tick made up for it), or missed."""
    start, _ = config.day_bounds(facts.day)
    decided = {(decision.workflow_name, decision.tick) for decision in facts.decisions}
    missed: dict[str, list[datetime]] = {}
    for run in facts.expected:
        there = run.workflow_name in config.enabled and run.tick >= facts.since(start, run.workflow_name)
        due = there and after(run.tick, GRACE) <= now
        late = any(e.workflow_name == run.workflow_name and e.tick > run.tick for e in facts.executions)
        if due and not late and (run.workflow_name, run.tick) not in decided:
            missed.setdefault(run.workflow_name, []).append(run.tick)
    for workflow, ticks in sorted(missed.items()):
        times = ", ".join(clock(tick) for tick in sorted(ticks))
        yield finding(kinds.EXPECTED_MISSED, workflow, times=times, day=facts.day)


def unexecuted(facts: DayFacts, now: datetime, grace: timedelta = GRACE) -> list[DecisionRecord]:
    """Return the RUN decisions that nobody has executed at the aware ``now``, though their ``grace`` is over."""
    executed = {execution.decision_id for execution in facts.executions}
    runs = [d for d in facts.decisions if d.action is Action.RUN and ours(d) and d.decision_id not in executed]
    return [decision for decision in runs if after(decision.tick, grace) < now]


def decided(config: Config, facts: DayFacts, now: datetime) -> Iterator[Finding]:
    """RUN decisions that nobody executed (lesson K10), and ABORTs that nothing made up for."""
    for decision in unexecuted(facts, now):
        at, run_id = clock(decision.tick), decision.run_id
        yield finding(kinds.RUN_WITHOUT_EXECUTION, decision.workflow_name, run_id=run_id, at=at)
    # By rule too: while one stands, another must not seem to be over.
    aborts = sorted(standing_aborts(config, facts), key=lambda decision: (decision.workflow_name, decision.rule))
    for (workflow, rule), group in groupby(aborts, key=lambda decision: (decision.workflow_name, decision.rule)):
        found = list(group)
        last, times = found[-1], f" ({len(found)} times)" if len(found) > 1 else ""
        yield finding(
            kinds.ABORT,
            workflow,
            run_id=last.run_id,
            detail=rule,
            at=clock(last.tick),
            times=times,
            reason=last.reason,
            day=facts.day,
        )


def standing_aborts(config: Config, facts: DayFacts) -> list[DecisionRecord]:
    """Return the ABORTs that nothing made up for, by workflow and tick."""
    aborts = [d for d in facts.decisions if d.action is Action.ABORT and ours(d) and not _made_up_for(config, facts, d)]
    return sorted(aborts, key=lambda decision: (decision.workflow_name, decision.tick))


def _brought(config: Config, facts: DayFacts, name: str, target_date: date) -> bool:
    """Return whether all that this post-game window brings is in for the day's games: by others, or by reconcile."""
    workflow = config.workflows.get(name)
    if not isinstance(workflow, PostGameWorkflow) or target_date != facts.day:
        return False
    games, successes = facts.schedule.on(facts.day, workflow.game_types), successes_of(facts.calls)
    scrapers = scrapers_about_games(config, name, critical_only=False)
    return bool(games and scrapers) and not any(lacking(config, scrapers, game, successes) for game in games)


def _made_up_for(config: Config, facts: DayFacts, abort: DecisionRecord) -> bool:
    """An ABORT is over when the workflow completed later, or could decide again and nothing was expected of it.

    That of a post-game window is over as well when its data is in.
    """
    name, tick = abort.workflow_name, abort.tick
    if any(
        e.workflow_name == name and e.tick > tick and e.status is ExecutionStatus.COMPLETED for e in facts.executions
    ):
        return True
    if _brought(config, facts, name, facts.day):
        return True
    if abort.rule not in NOT_KNOWING or any(run.workflow_name == name and run.tick == tick for run in facts.expected):
        return False
    return any(d.workflow_name == name and d.tick > tick and d.action is not Action.ABORT for d in facts.decisions)


def standing_failures(config: Config, facts: DayFacts) -> list[ExecutionRecord]:
    """Return the executions that failed wholly or in part, unless a later one for the same date completed.

    That of a post-game window is made up for as well when its data is in.
    """
    return [
        execution
        for execution in facts.executions
        if execution.status is not ExecutionStatus.COMPLETED
        and not _brought(config, facts, execution.workflow_name, execution.target_date)
        and not any(
            other.workflow_name == execution.workflow_name
            and other.target_date == execution.target_date
            and other.tick > execution.tick
            and other.status is ExecutionStatus.COMPLETED
            for other in facts.executions
        )
    ]


def executed(config: Config, facts: DayFacts) -> Iterator[Finding]:
    """Executions that failed and were not made up for."""
    for execution in standing_failures(config, facts):
        why = execution.error_message or "no call was made"
        if why.startswith(VETOED):
            kind = kinds.VETOED
        elif execution.deadline_missed and not execution.scrapers_triggered:
            kind = kinds.DEADLINE_MISSED
        elif execution.status is ExecutionStatus.FAILED:
            kind = kinds.EXECUTION_FAILED
        else:
            kind = kinds.EXECUTION_PARTIAL
        yield finding(
            kind,
            execution.workflow_name,
            run_id=execution.run_id,
            at=clock(execution.tick),
            status=execution.status.value,
            why=why,
            day=facts.day,
        )


def cleaned(config: Config, facts: DayFacts, now: datetime) -> Iterator[Finding]:
    """The cleanup: whether it looks, and what it says. Lost messages that it has just sent again are no news."""
    if not config.settings.cleanup_processor.enabled:
        return
    start, end = config.day_bounds(facts.day)
    due = config.cleanup_ticks.between(facts.since(start), min(end, after(now, -GRACE)))
    last = facts.last_cleanup
    if due and (last is None or last.cleanup_time < due[-1] - CLEANUP_PATIENCE):
        since = "today" if last is None else f"since {clock(last.cleanup_time)} ET"
        yield finding(kinds.NO_CLEANUP, "cleanup", since=since)
    if last is None:
        return
    at, day = clock(last.cleanup_time), facts.day
    blind = [error for error in last.errors if error.startswith(BLIND)]
    if blind:
        yield finding(kinds.CLEANUP_BLIND, "cleanup", at=at, why=blind[0], day=day)
    others = [error for error in last.errors if error not in blind]
    if last.missing_files_found > last.republished_count:
        missing, sent = last.missing_files_found, last.republished_count
        yield finding(
            kinds.FILES_MISSING, "cleanup", missing=missing, files=last.files_checked, republished=sent, at=at, day=day
        )
    elif others:
        yield finding(kinds.CLEANUP_SAYS, "cleanup", at=at, why=others[0], day=day)
