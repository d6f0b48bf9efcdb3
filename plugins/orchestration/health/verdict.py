"""From the facts of a day to findings and a verdict. What is not due yet is not missing (DESIGN section 9)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from itertools import groupby

from orchestration.config.model import Config
from orchestration.config.workflows import GameAwareWorkflow, PostGameWorkflow
from orchestration.health.facts import DayFacts, DecisionFact
from orchestration.nba.eastern import after, at, clock
from orchestration.nba.games import Game
from orchestration.planning.day import day_bounds
from orchestration.words import Action, ExecutionStatus, Outcome, Verdict

GRACE = timedelta(minutes=45)
"""From a tick until its execution must be over: the hold, the calls and their retries."""
LOCK_GRACE = timedelta(minutes=30)
"""From the lock's tick until the day must be locked."""
CLEANUP_KINDS = frozenset({"no_cleanup", "files_missing", "cleanup_says"})
"""Findings about the cleanup, which raises its own alerts."""
NO_DATA_SUSPICIOUS = 0.8
"""Share of no_data among a game day's betting calls that is an alarm (lesson K2)."""
CLEANUP_PATIENCE = timedelta(hours=2, minutes=30)


@dataclass(frozen=True)
class Finding:
    """One thing that is not as it should be, with the first command to type. ``kind`` and ``workflow`` name it."""

    verdict: Verdict
    kind: str
    workflow: str
    text: str
    command: str


@dataclass(frozen=True)
class Health:
    """The verdict and what led to it, worst first. ``collected`` and ``games``: games with all box scores."""

    verdict: Verdict
    findings: tuple[Finding, ...]
    games: int
    collected: int
    due: int

    @property
    def headline(self) -> str:
        """One line: the verdict and the most likely cause."""
        if self.findings:
            return f"{self.verdict.value}: {self.findings[0].text}"
        if self.verdict is Verdict.NO_GAMES:
            return f"{self.verdict.value}: no game that counts, and everything else is in order"
        return f"{self.verdict.value}: box scores of {self.collected} of {self.due} games that are due are in"


def assess(config: Config, facts: DayFacts, now: datetime) -> Health:
    """Return the health of ``facts.day`` as seen at the aware ``now``."""
    games = facts.schedule.on(facts.day)
    findings = [
        *_schedule(config, facts, now),
        *_lock(config, facts, now),
        *_ticks(config, facts, now),
        *_expected(config, facts, now),
        *_decisions(config, facts, now),
        *_executions(config, facts),
        *_games(config, facts, games, now),
        *_no_data(config, facts),
        *_cleanup(config, facts, now),
    ]
    order = (Verdict.UNHEALTHY, Verdict.DEGRADED)
    findings.sort(key=lambda finding: order.index(finding.verdict))
    verdict = findings[0].verdict if findings else Verdict.HEALTHY if games else Verdict.NO_GAMES
    due = [game for game in games if game.due <= now]
    collected = [game for game in games if not _missing_scrapers(config, facts, game, critical_only=True)]
    return Health(verdict, tuple(findings), len(games), len(collected), len(due))


def _bad(kind: str, workflow: str, text: str, command: str) -> Finding:
    return Finding(Verdict.UNHEALTHY, kind, workflow, text, command)


def _worse(kind: str, workflow: str, text: str, command: str) -> Finding:
    return Finding(Verdict.DEGRADED, kind, workflow, text, command)


def _runs_of(dag_id: str) -> str:
    return f"airflow dags list-runs {dag_id}"


def _schedule(config: Config, facts: DayFacts, now: datetime) -> Iterator[Finding]:
    _, end = day_bounds(config, facts.day)
    if reason := facts.schedule.unknown_because(min(now, end), config.settings.schedule_max_age_hours):
        text = f"the schedule is unknown: {reason}"
        yield _bad("schedule_unknown", "schedule_dependency", text, _runs_of("schedule_dependency"))


def _lock(config: Config, facts: DayFacts, now: datetime) -> Iterator[Finding]:
    start, _ = day_bounds(config, facts.day)
    if config.settings.daily_schedule_lock.enabled and not facts.expected and now >= after(start, LOCK_GRACE):
        text = f"the locker did not lock {facts.day}"
        yield _worse("not_locked", "schedule_locker", text, _runs_of("schedule_locker"))


def _ticks(config: Config, facts: DayFacts, now: datetime) -> Iterator[Finding]:
    """Ticks without a decision: a DAG that is paused, a scheduler that was down (lessons T1, K10)."""
    start, end = day_bounds(config, facts.day)
    made = {(decision.workflow, decision.tick) for decision in facts.decisions}
    due_until = min(end, after(now, -GRACE))
    missing = {
        name: [tick for tick in config.ticks_of(name).between(start, due_until) if (name, tick) not in made]
        for name in config.enabled
    }
    silent = {name: ticks for name, ticks in missing.items() if ticks}
    if not silent:
        return
    total = sum(len(ticks) for ticks in silent.values())
    first = min(tick for ticks in silent.values() for tick in ticks)
    if len(silent) == len(config.enabled):
        yield _bad(
            "missing_ticks",
            "all",
            f"{total} ticks of all workflows have no decision, the first at {clock(first)} ET; was the scheduler down?",
            "airflow jobs check --job-type SchedulerJob",
        )
    else:
        names = ", ".join(sorted(silent))
        yield _bad(
            "missing_ticks",
            names,
            f"{total} ticks without a decision in {names}, the first at {clock(first)} ET; is the DAG paused?",
            "airflow dags list --columns dag_id,is_paused",
        )


def _expected(config: Config, facts: DayFacts, now: datetime) -> Iterator[Finding]:
    """Expected runs whose tick brought no decision: not due yet, late (a later tick made up for it), or missed."""
    decided = {(decision.workflow, decision.tick) for decision in facts.decisions}
    missed: dict[str, list[datetime]] = {}
    for run in facts.expected:
        due = run.workflow in config.enabled and after(run.tick, GRACE) <= now
        late = any(e.workflow == run.workflow and e.tick > run.tick for e in facts.executions)
        if due and not late and (run.workflow, run.tick) not in decided:
            missed.setdefault(run.workflow, []).append(run.tick)
    for workflow, ticks in sorted(missed.items()):
        times = ", ".join(clock(tick) for tick in sorted(ticks))
        text = f"{workflow} was expected to run at {times} ET and did not: missed"
        yield _bad("expected_missed", workflow, text, _runs_of(workflow))


def _decisions(config: Config, facts: DayFacts, now: datetime) -> Iterator[Finding]:
    executed = {execution.decision_id for execution in facts.executions}
    for decision in facts.decisions:
        if decision.action is Action.RUN and decision.decision_id not in executed and after(decision.tick, GRACE) < now:
            yield _bad(
                "run_without_execution",
                decision.workflow,
                f"RUN without execution: {decision.workflow} at {clock(decision.tick)} ET",
                _runs_of(decision.workflow),
            )
    aborts = sorted((d for d in facts.decisions if d.action is Action.ABORT), key=lambda d: (d.workflow, d.tick))
    for workflow, group in groupby(aborts, key=lambda decision: decision.workflow):
        found = list(group)
        if not _made_up_for(config, facts, found[-1]):
            times = f" ({len(found)} times)" if len(found) > 1 else ""
            text = f"ABORT: {workflow} at {clock(found[-1].tick)} ET{times}: {found[-1].reason}"
            yield _bad("abort", workflow, text, _runs_of(workflow))


def _made_up_for(config: Config, facts: DayFacts, abort: DecisionFact) -> bool:
    """An ABORT heals when the same workflow completed later in the day."""
    return any(
        e.workflow == abort.workflow and e.tick > abort.tick and e.status is ExecutionStatus.COMPLETED
        for e in facts.executions
    )


def _executions(config: Config, facts: DayFacts) -> Iterator[Finding]:
    """Executions that failed wholly or in part, unless a later one for the same date completed."""
    for execution in facts.executions:
        healed = any(
            other.workflow == execution.workflow
            and other.target_date == execution.target_date
            and other.tick > execution.tick
            and other.status is ExecutionStatus.COMPLETED
            for other in facts.executions
        )
        if execution.status is ExecutionStatus.COMPLETED or healed:
            continue
        why = execution.error or "no call was made"
        text = f"{execution.workflow} at {clock(execution.tick)} ET {execution.status.value}: {why}"
        command = _runs_of(execution.workflow)
        level = _bad if execution.status is ExecutionStatus.FAILED else _worse
        yield level(f"execution_{execution.status.value}", execution.workflow, text, command)


def _missing_scrapers(config: Config, facts: DayFacts, game: Game, *, critical_only: bool) -> list[str]:
    """Return the per-game scrapers of the post-game windows that have not brought this game (lesson K6)."""
    wanted = {
        scraper
        for name, workflow in config.enabled.items()
        if isinstance(workflow, PostGameWorkflow)
        for scraper in config.per_game_scrapers(name)
        if config.scrapers[scraper].critical or not critical_only
    }
    got = {c.scraper for c in facts.calls if c.game_id == game.game_id and c.outcome is Outcome.SUCCESS}
    return sorted(wanted - got)


def _games(config: Config, facts: DayFacts, games: tuple[Game, ...], now: datetime) -> Iterator[Finding]:
    """Expected against received, per game, once the last window of the night is over."""
    windows = [w.schedule.fixed_time for w in config.enabled.values() if isinstance(w, PostGameWorkflow)]
    if not windows or not games:
        return
    noon = time(12)
    night = [at(facts.day + timedelta(days=1 if wall < noon else 0), wall) for wall in windows]
    if now < after(max(night), GRACE):
        return
    lacking = {game: _missing_scrapers(config, facts, game, critical_only=False) for game in games}
    lacking = {game: scrapers for game, scrapers in lacking.items() if scrapers}
    if not lacking:
        return
    critical = [game for game in lacking if _missing_scrapers(config, facts, game, critical_only=True)]
    game, scrapers = next(iter(lacking.items()))
    text = f"{len(lacking)} of {len(games)} games are incomplete; {game.label} lacks {', '.join(scrapers)}"
    window = next(name for name, w in config.enabled.items() if scrapers[0] in w.execution_plan.scrapers)
    conf = json.dumps({"force": True, "target_date": facts.day.isoformat()})
    command = f"airflow dags trigger {window} --conf '{conf}'"
    yield (_bad if critical else _worse)("games_incomplete", window, text, command)


def _no_data(config: Config, facts: DayFacts) -> Iterator[Finding]:
    """Mostly no_data before the games of a game day is suspicious (lesson K2)."""
    for name, workflow in config.enabled.items():
        executions = [e for e in facts.executions if e.workflow == name]
        calls = sum(e.calls for e in executions)
        empty = sum(e.no_data for e in executions)
        if isinstance(workflow, GameAwareWorkflow) and calls >= 5 and empty / calls >= NO_DATA_SUSPICIOUS:
            text = f"{name}: {empty} of {calls} calls found no data on a game day"
            yield _worse("mostly_no_data", name, text, _runs_of(name))


def _cleanup(config: Config, facts: DayFacts, now: datetime) -> Iterator[Finding]:
    if not config.settings.cleanup_processor.enabled:
        return
    start, end = day_bounds(config, facts.day)
    due = config.cleanup_ticks.between(start, min(end, after(now, -GRACE)))
    last = max(facts.cleanups, key=lambda cleanup: cleanup.at, default=None)
    if due and (last is None or last.at < due[-1] - CLEANUP_PATIENCE):
        since = "today" if last is None else f"since {clock(last.at)} ET"
        yield _worse("no_cleanup", "cleanup", f"no cleanup {since}", _runs_of("cleanup"))
    if last is not None and last.missing:
        text = f"{last.missing} of {last.checked} files had not reached their table at {clock(last.at)} ET"
        yield _worse("files_missing", "cleanup", f"{text}; {last.republished} republished then", _runs_of("cleanup"))
    elif last is not None and last.errors:
        text = f"the cleanup at {clock(last.at)} ET says: {last.errors[0]}"
        yield _worse("cleanup_says", "cleanup", text, _runs_of("cleanup"))
