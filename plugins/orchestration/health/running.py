"""Findings about runs: the schedule, ticks, expected runs, decisions, executions. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta
from itertools import groupby

from orchestration.config import Config
from orchestration.decisions.collected import lacking, scrapers_about_games, successes_of
from orchestration.decisions.model import NOT_KNOWING
from orchestration.decisions.types.game_aware_yesterday import PostGameWorkflow
from orchestration.health import kinds, record
from orchestration.health.facts import DayFacts, ours
from orchestration.health.findings import GRACE, Finding, finding
from orchestration.health.incidents import cause_of_calls, cause_of_rule
from orchestration.health.losses import lost, named
from orchestration.nba.eastern import after, clock, from_to
from orchestration.records.tables import DecisionRecord, ExecutionRecord, last_tries
from orchestration.runs.execution import NOBODY, VETOED, for_people
from orchestration.words import Action, ExecutionStatus, Outcome, plural

ENOUGH_CLEANUPS = 3
"""This many cleanups in a time without decisions show that the scheduler ran."""


def unknown_schedule(config: Config, facts: DayFacts, now: datetime) -> Iterator[Finding]:
    """Yield a schedule that is too old or empty for decisions about games."""
    _, end = config.day_bounds(facts.day)
    if reason := facts.schedule.unknown_because(min(now, end), config.settings.schedule_max_age_hours):
        yield finding(kinds.SCHEDULE_UNKNOWN, "schedule_dependency", why=reason)


def undecided(config: Config, facts: DayFacts, now: datetime) -> dict[str, list[datetime]]:
    """Return the ticks that are due and have no decision, by workflow. A workflow without such a tick is left out."""
    start, end = config.day_bounds(facts.day)
    made = {(decision.workflow_name, decision.tick) for decision in facts.decisions}
    due_until = min(end, after(now, -GRACE))
    # Other rows prove these decisions: they were made, and their rows are lost.
    gone = record.gap(config, facts, now, DecisionRecord.TABLE)
    missing = {
        name: [
            tick
            for tick in config.ticks_of(name).between(facts.since(start, name), due_until)
            if (name, tick) not in made
            and not _may_wait(facts, tick)
            and not (gone and ((name, tick) in gone.runs or gone.explains(tick)))
        ]
        for name in config.enabled
    }
    return {name: ticks for name, ticks in missing.items() if ticks}


def _may_wait(facts: DayFacts, tick: datetime) -> bool:
    """Return whether the rows of ``tick`` may wait in the outbox, because BigQuery has taken no rows since."""
    last = facts.last_cleanup
    taken = max((one.cleanup_time for one in facts.cleanups if record.drained(one)), default=None)
    refused = last is not None and not record.drained(last) and tick <= last.cleanup_time
    return refused and (taken is None or taken < after(tick, GRACE))


def missing_ticks(config: Config, facts: DayFacts, now: datetime) -> Iterator[Finding]:
    """Yield ticks without a decision: one finding if every workflow lacks some, else one per workflow (T1, K10)."""
    silent = undecided(config, facts, now)
    if silent and len(silent) == len(config.enabled):
        moments = sorted({tick for ticks in silent.values() for tick in ticks})
        total = sum(len(ticks) for ticks in silent.values())
        when = from_to(moments[0], moments[-1])
        ran = sum(moments[0] <= cleanup.cleanup_time <= moments[-1] for cleanup in facts.cleanups)
        kind = kinds.ALL_TICKS_MISSING if ran < ENOUGH_CLEANUPS else kinds.TICKS_MISSING_BESIDE_CLEANUPS
        count, cleanups = plural(total, "tick"), plural(ran, "cleanup")
        yield finding(kind, "all", when=when, ticks=count, cleanups=cleanups, day=facts.day)
        return
    down = _while_nothing_ran(config, facts, silent, now)
    if moments := sorted({tick for ticks in down.values() for tick in ticks}):
        count = plural(sum(map(len, down.values())), "tick")
        yield finding(kinds.NOTHING_RAN, "all", when=from_to(moments[0], moments[-1]), ticks=count)
    for name, ticks in sorted(silent.items()):
        ticks = [tick for tick in ticks if tick not in down.get(name, ())]
        if not ticks:
            continue
        yield finding(kinds.TICKS_MISSING, name, ticks=plural(len(ticks), "tick"), first=clock(ticks[0]))


def _while_nothing_ran(
    config: Config, facts: DayFacts, silent: Mapping[str, list[datetime]], now: datetime
) -> dict[str, list[datetime]]:
    """Return the silent ticks in times in which nothing at all ran, although two DAGs or more were due.

    At night few workflows have ticks, so not every workflow is silent while the scheduler is down. A tick that another
    DAG outlives by less than GRACE is a matter of its own DAG.
    """
    if not silent:
        return {}
    start, end = config.day_bounds(facts.day)
    until = min(now, end)
    alive = [*(d.decision_time for d in facts.decisions), *(c.triggered_at for c in facts.calls)]
    alive += [cleanup.cleanup_time for cleanup in facts.cleanups]
    due = [(tick, name) for name, ticks in silent.items() for tick in ticks]
    if config.settings.cleanup_processor.enabled:
        due += [(tick, "cleanup") for tick in config.cleanup_ticks.between(facts.since(start), after(until, -GRACE))]
    found: dict[str, list[datetime]] = {}
    for name, ticks in silent.items():
        for tick in ticks:
            since = max((one for one in alive if one <= tick), default=start)
            back = min((one for one in alive if one > tick), default=until)
            first = min(one for of_dag in silent.values() for one in of_dag if since <= one)
            others = {dag for moment, dag in due if since <= moment and after(moment, GRACE) <= back}
            if after(first, GRACE) <= back and len(others) > 1:
                found.setdefault(name, []).append(tick)
    return found


def missed(config: Config, facts: DayFacts, now: datetime) -> dict[str, list[datetime]]:
    """Return the expected runs that are due, have no decision, and were not made up for by a later tick.

    If the lock knows the rules of a workflow that no longer exists, ``changed_rules`` names its runs.
    """
    start, _ = config.day_bounds(facts.day)
    decided = {(decision.workflow_name, decision.tick) for decision in facts.decisions}
    if gone := record.gap(config, facts, now, DecisionRecord.TABLE):
        decided |= gone.runs | {(r.workflow_name, r.tick) for r in facts.expected if gone.explains(r.tick)}
    decided |= {(r.workflow_name, r.tick) for r in facts.expected if _may_wait(facts, r.tick)}
    found: dict[str, list[datetime]] = {}
    for run in facts.expected:
        there = run.workflow_name in config.enabled or run.rules is None
        due = there and run.tick >= facts.since(start, run.workflow_name) and after(run.tick, GRACE) <= now
        made_up = any(e.workflow_name == run.workflow_name and e.tick > run.tick for e in facts.executions)
        if due and not made_up and (run.workflow_name, run.tick) not in decided:
            found.setdefault(run.workflow_name, []).append(run.tick)
    return found


def missed_runs(config: Config, facts: DayFacts, now: datetime) -> Iterator[Finding]:
    """Yield the expected runs of :func:`missed`."""
    for workflow, ticks in sorted(missed(config, facts, now).items()):
        times, runs = ", ".join(clock(tick) for tick in sorted(ticks)), named(workflow, ticks)
        gone = named(workflow, [tick for tick in ticks if lost(config, workflow, tick)])
        yield finding(kinds.EXPECTED_MISSED, workflow, times=times, hits=runs, losses=gone, day=facts.day)


def unexecuted(facts: DayFacts, now: datetime, grace: timedelta = GRACE) -> list[DecisionRecord]:
    """Return the RUN decisions without an execution at the aware ``now``, ``grace`` after their tick."""
    executed = {execution.decision_id for execution in facts.executions}
    runs = [d for d in facts.decisions if d.action is Action.RUN and ours(d) and d.decision_id not in executed]
    return [decision for decision in runs if after(decision.tick, grace) < now]


def runs_and_aborts(config: Config, facts: DayFacts, now: datetime) -> Iterator[Finding]:
    """Yield RUN decisions without an execution (lesson K10), and ABORTs that nothing made up for."""
    gone = record.gap(config, facts, now, ExecutionRecord.TABLE)
    made = Counter(call.decision_id for call in last_tries(facts.calls))
    for decision in unexecuted(facts, now):
        calls = made[decision.decision_id]
        kind = kinds.CALLS_WITHOUT_EXECUTION if calls else kinds.RUN_WITHOUT_EXECUTION
        if gone is None or (decision.workflow_name, decision.tick) not in gone.runs:
            yield finding(
                kind,
                decision.workflow_name,
                run_id=decision.run_id,
                at=clock(decision.tick),
                calls=plural(calls, "call"),
            )
    # One finding per rule: otherwise the all-clear of one rule's ABORT would hide another rule's.
    aborts = sorted(standing_aborts(config, facts), key=lambda decision: (decision.workflow_name, decision.rule))
    for (workflow, rule), group in groupby(aborts, key=lambda decision: (decision.workflow_name, decision.rule)):
        found = list(group)
        last, times = found[-1], f" ({len(found)} ABORTs so far)" if len(found) > 1 else ""
        yield finding(
            kinds.ABORT,
            workflow,
            run_id=last.run_id,
            detail=rule,
            cause=cause_of_rule(rule),
            hits=named(workflow, {one.tick for one in found}),
            losses=named(workflow, {one.tick for one in found if lost(config, workflow, one.tick)}),
            at=clock(last.tick),
            times=times,
            reason=last.reason,
            day=facts.day,
        )


def standing_aborts(config: Config, facts: DayFacts) -> list[DecisionRecord]:
    """Return the ABORTs that nothing made up for, by workflow and tick."""
    aborts = [d for d in facts.decisions if d.action is Action.ABORT and ours(d) and not _made_up_for(config, facts, d)]
    return sorted(aborts, key=lambda decision: (decision.workflow_name, decision.tick))


def _collected(config: Config, facts: DayFacts, name: str, target_date: date) -> bool:
    """Return whether any run has collected all of the day's games for the post-game window ``name``."""
    workflow = config.workflows.get(name)
    if not isinstance(workflow, PostGameWorkflow) or target_date != facts.day:
        return False
    games, successes = facts.schedule.on(facts.day, workflow.game_types), successes_of(facts.calls)
    scrapers = scrapers_about_games(config, name, critical_only=False)
    return bool(games and scrapers) and not any(lacking(config, scrapers, game, successes) for game in games)


def _made_up_for(config: Config, facts: DayFacts, abort: DecisionRecord) -> bool:
    """Return whether the workflow completed later, or its post-game window's data is in.

    An ABORT for lack of knowledge is also over once the workflow decided again, unless its tick was expected to run.
    """
    name, tick = abort.workflow_name, abort.tick
    if any(
        e.workflow_name == name and e.tick > tick and e.status is ExecutionStatus.COMPLETED for e in facts.executions
    ):
        return True
    if _collected(config, facts, name, facts.day):
        return True
    if abort.rule not in NOT_KNOWING or any(run.workflow_name == name and run.tick == tick for run in facts.expected):
        return False
    return any(d.workflow_name == name and d.tick > tick and d.action is not Action.ABORT for d in facts.decisions)


def standing_failures(config: Config, facts: DayFacts) -> list[ExecutionRecord]:
    """Return the executions that failed wholly or in part and that nothing made up for.

    A later completed execution for the same date makes up for one. So does a post-game window's data that is in.
    """
    return [
        execution
        for execution in facts.executions
        if execution.status is not ExecutionStatus.COMPLETED
        and not _collected(config, facts, execution.workflow_name, execution.target_date)
        and not any(
            other.workflow_name == execution.workflow_name
            and other.target_date == execution.target_date
            and other.tick > execution.tick
            and other.status is ExecutionStatus.COMPLETED
            for other in facts.executions
        )
    ]


def failed_executions(config: Config, facts: DayFacts) -> Iterator[Finding]:
    """Yield the executions that failed and were not made up for."""
    in_a_row: Counter[str] = Counter()
    calls = last_tries(facts.calls)
    for execution in sorted(standing_failures(config, facts), key=lambda one: one.tick):
        name, tick = execution.workflow_name, execution.tick
        failed = [c for c in calls if c.status is Outcome.FAILED and (c.workflow, c.tick) == (name, tick)]
        is_lost = lost(config, name, tick, share=failed_share(execution, len(failed)), before=in_a_row[name])
        in_a_row[name] += 1
        why = for_people(execution.error_message or "no call was made")
        if why.startswith(VETOED):
            kind = kinds.VETOED
        elif execution.deadline_missed and not execution.scrapers_triggered:
            # Airflow refuses a deadline's callback the connections in its database. A task may use them.
            kind = kinds.DEADLINE_UNSENT if why.endswith(NOBODY) else kinds.DEADLINE_MISSED
            why = why.removesuffix(NOBODY)
        elif execution.status is ExecutionStatus.FAILED:
            kind = kinds.EXECUTION_FAILED
        else:
            kind = kinds.EXECUTION_PARTIAL
        yield finding(
            kind,
            name,
            run_id=execution.run_id,
            critical=is_lost,
            cause=cause_of_calls(config, [(c.scraper_name, c.error_type) for c in failed]),
            hits=(runs := named(name, [tick])),
            losses=runs if is_lost else (),
            at=clock(tick),
            why=why,
            day=facts.day,
        )


def failed_share(execution: ExecutionRecord, failed: int) -> float:
    """Return the share of an execution's calls that failed. Without a call it is 1."""
    return failed / execution.scrapers_triggered if failed and execution.scrapers_triggered else 1.0
