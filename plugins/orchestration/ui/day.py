"""The page of a day for one viewer, from the facts of the day. The health check gives the verdict. Pure."""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import replace
from datetime import date, datetime, timedelta

from orchestration.alerts.message import anchor
from orchestration.config import SYSTEM_DAGS, Config
from orchestration.decisions.collected import lacking, successes_of
from orchestration.decisions.model import Decision
from orchestration.health.data import REPUBLISHED, night_is_over, not_in_table, wanted
from orchestration.health.facts import DayFacts
from orchestration.health.findings import GRACE, Finding
from orchestration.health.verdict import assess
from orchestration.nba.eastern import ET, after, et
from orchestration.nba.games import Game
from orchestration.nba.slate import changes
from orchestration.records.tables import CallRecord, DecisionRecord, ExecutionRecord, last_tries
from orchestration.runs.execution import VETOED
from orchestration.ui.model import Advice, Calls, Cleanups, DayPage, GameRow, GameState, Hour, Row, Tick, TickState
from orchestration.ui.visibility import HiddenNames, config_for, facts_for
from orchestration.words import Action, ExecutionStatus, Outcome, plural

HOUR = timedelta(hours=1)
STATUS = {1: "scheduled", 2: "live", 3: "final"}
_ENDED = {Outcome.FAILED: GameState.FAILED, Outcome.NO_DATA: GameState.NO_DATA}
_OF_STATUS = {
    ExecutionStatus.COMPLETED: TickState.COMPLETED,
    ExecutionStatus.PARTIAL: TickState.PARTIAL,
    ExecutionStatus.FAILED: TickState.FAILED,
}
_TRIGGER = re.compile(r"airflow dags trigger (\w+)(?: --conf '(.*)')?")


def day_page(
    config: Config, facts: DayFacts, planned: Sequence[Decision], now: datetime, allowed: Set[str], *, live: bool
) -> DayPage:
    """Return the page of ``facts.day`` as of the aware ``now``, for a viewer who may see the DAGs ``allowed``.

    ``planned``: the planned decisions of the day's ticks after ``now``. ``live``: ``now`` is the current time.
    """
    start, _ = config.day_bounds(facts.day)
    mine = config_for(config, allowed)
    hiding = HiddenNames(config, allowed)
    facts = hiding.of_facts(facts_for(facts.known_at(now), allowed))
    planned = hiding.of_plan(decision for decision in planned if decision.workflow in allowed)
    hours = hours_of(mine, facts, now)
    halt = mine.halt_at(now)
    page = DayPage(
        facts.day,
        et(now),
        live,
        None,
        "You may see no workflow",
        hours,
        rows_of(mine, facts, planned, hours, now),
        halt=None if halt is None else str(halt),
        shadow=config.is_shadow(),
        hidden=len(config.enabled) - len(mine.enabled),
        planned=now < start,
    )
    if not mine.enabled:
        return page
    if page.planned:
        runs = sum(tick.state is TickState.EXPECTED for row in page.rows for tick in row.ticks)
        return replace(page, headline=f"The plan of {facts.day:%a %d %b %Y}: {plural(runs, 'run')} expected")
    health = assess(mine, facts, now)
    scrapers = wanted(mine, facts, critical_only=False)
    hidden = f" (of the {plural(len(mine.enabled), 'workflow')} that you may see)" if page.hidden else ""
    return replace(
        page,
        verdict=health.verdict,
        headline=hiding.text(health.headline) + hidden,
        advice=tuple(_advice(config, finding, allowed, hiding) for finding in health.findings),
        scrapers=scrapers,
        games=_games(mine, facts, scrapers, now),
        cleanups=Cleanups(facts.cleanups, facts.last_cleanup, facts.open_files(now))
        if mine.settings.cleanup_processor.enabled
        else None,
        since_lock=_since_lock(facts, now),
    )


def _advice(config: Config, finding: Finding, allowed: Set[str], hiding: HiddenNames) -> Advice:
    dag, conf = None, None
    if trigger := _TRIGGER.fullmatch(finding.command):
        dag, conf = trigger.group(1), trigger.group(2)
    elif finding.workflow in config.workflows or finding.workflow in SYSTEM_DAGS:
        dag = finding.workflow
    text, command = hiding.text(finding.text), hiding.command(finding.command)
    place = anchor(hiding.text(" ".join(filter(None, (finding.kind, finding.workflow, finding.detail)))))
    shown = dag if dag in allowed else None
    return Advice(finding.verdict, finding.kind, place, text, command, finding.run_id, shown, conf)


def force_conf(target_date: date) -> str:
    """Return the JSON of a forced run for the ET ``target_date``. A forced run ignores the rule of the workflow."""
    return json.dumps({"force": True, "target_date": target_date.isoformat()})


# ---- the timeline: a row for each workflow, a column for each hour


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


def _since_lock(facts: DayFacts, now: datetime) -> tuple[str, ...]:
    since = changes(facts.schedule, facts.day, now)
    return tuple(filter(None, (since.fault if since.vanished else "", since.normal))) if since else ()


def rows_of(
    config: Config, facts: DayFacts, planned: Sequence[Decision], hours: Sequence[Hour], now: datetime
) -> tuple[Row, ...]:
    """Return a row for each enabled workflow. ``planned``: the planned decisions of the ticks after ``now``."""
    calls = _calls_of(facts.calls)
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
            _decided(made, executions.get(made.decision_id), calls.get((name, made.run_id), Calls()), start, now)
            for made in decisions[name]
        ]
        decided = {tick.at for tick in ticks}
        last = max((e.tick for e in facts.executions if e.workflow_name == name), default=None) if ticks else None
        ticks += [
            _undecided(name, at, expected.get((name, at)), plans.get((name, at)), last, start, now)
            for at in config.ticks_of(name).between(facts.since(start, name), end)
            if at not in decided
        ]
        ticks.sort(key=lambda tick: tick.at)
        cells: list[list[Tick]] = [[] for _ in hours]
        for tick in ticks:
            cells[max(0, bisect_right(hours, tick.at, key=lambda hour: hour.start) - 1)].append(tick)
        halt = config.workflows[name].halt
        halted = halt.reason if halt is not None and halt.holds_on(facts.day) else None
        rows.append(Row(name, tuple(ticks), tuple(map(tuple, cells)), halted, config.is_shadow(name)))
    return tuple(rows)


def _calls_of(calls: Iterable[CallRecord]) -> Mapping[tuple[str | None, str], Calls]:
    """Return the calls of each run, by workflow and run id, counted by the outcome of their last try."""
    found: dict[tuple[str | None, str], Counter[Outcome]] = defaultdict(Counter)
    for call in last_tries(calls):
        found[call.workflow, call.dag_run_id][call.status] += 1
    return {key: Calls(**{outcome.value: counted[outcome] for outcome in Outcome}) for key, counted in found.items()}


def _state(decision: DecisionRecord, execution: ExecutionRecord | None, now: datetime) -> TickState:
    """Return the state of a decision as of ``now``."""
    if decision.action is not Action.RUN:
        return TickState.SKIP if decision.action is Action.SKIP else TickState.ABORT
    if execution is None and decision.shadow:
        return TickState.RECORDED
    if execution is None:
        return TickState.RUNNING if now <= after(decision.tick, GRACE) else TickState.UNEXECUTED
    return TickState.VETOED if (execution.error_message or "").startswith(VETOED) else _OF_STATUS[execution.status]


def _decided(
    decision: DecisionRecord, execution: ExecutionRecord | None, calls: Calls, lock: datetime, now: datetime
) -> Tick:
    return Tick(
        decision.workflow_name,
        decision.tick,
        lock,
        _state(decision, execution, now),
        decision.reason,
        decision.next_check_time,
        decision.target_date,
        decision.run_id,
        decision.decision_id,
        calls,
        execution.error_message if execution else None,
    )


def planned_tick(plan: Decision, lock: datetime, state: TickState) -> Tick:
    """Return the tick of a planned decision. ``lock``: the aware start of its orchestration day."""
    return Tick(plan.workflow, plan.tick, lock, state, plan.reason, plan.next_check_time, plan.target_date)


def _undecided(
    name: str,
    moment: datetime,
    expected: str | None,
    plan: Decision | None,
    last: datetime | None,
    lock: datetime,
    now: datetime,
) -> Tick:
    """Return a tick without a decision: coming, late or missing. ``last``: the last tick with an execution."""
    if moment > now:
        would_run = plan.action is Action.RUN if plan is not None else expected is not None
        state = TickState.EXPECTED if would_run else TickState.LATER
    elif after(moment, GRACE) > now or (last is not None and expected is not None and last > moment):
        state = TickState.LATE
    else:
        state = TickState.MISSING
    tick = planned_tick(plan, lock, state) if plan is not None else Tick(name, moment, lock, state, expected or "")
    if state is TickState.MISSING:
        reason = f"Expected: {expected}; no decision was made" if expected else "No decision was made at this tick"
        return replace(tick, reason=reason)
    return (
        replace(tick, reason="Due, but no decision is recorded yet")
        if state is TickState.LATE and not tick.reason
        else tick
    )


# ---- the games: a row for each game, a column for each scraper


def _games(config: Config, facts: DayFacts, scrapers: Sequence[str], now: datetime) -> tuple[GameRow, ...]:
    """Return a row for each game that counts, ordered by tip. Games with an unknown tip come last."""
    successes = successes_of(facts.calls)
    calls: dict[tuple[str, str | date], CallRecord] = {}
    for call in sorted(facts.calls, key=lambda call: (call.tick, call.try_number)):
        calls[call.scraper_name, call.game_id or call.target_date] = call
    last = facts.last_cleanup
    waiting = {(file.scraper_name, file.gcs_path) for file in last.missing_files} if last else set()
    over = night_is_over(config, facts, now)
    absent = not_in_table(config, facts, critical_only=False)

    def state(game: Game, scraper: str, *, lacks: bool) -> GameState:
        call = calls.get((scraper, game.game_id)) or calls.get((scraper, game.date))
        if not lacks:
            late = call is None or after(call.triggered_at, REPUBLISHED) <= now
            if scraper in absent.get(game, ()):
                return GameState.NOT_IN_TABLE if late else GameState.ON_ITS_WAY
            on_its_way = call is not None and (scraper, call.gcs_path) in waiting
            return GameState.ON_ITS_WAY if on_its_way else GameState.COLLECTED
        if now < game.due:
            return GameState.NOT_DUE
        if call is None or call.tick < game.begins:
            return GameState.MISSING if over else GameState.DUE
        return _ENDED.get(call.status, GameState.MISSING)

    rows = []
    for game in facts.schedule.on(facts.day):
        lacks = lacking(config, scrapers, game, successes)
        states = tuple(state(game, scraper, lacks=scraper in lacks) for scraper in scrapers)
        rows.append(GameRow(game, game.status_text or STATUS.get(game.status, ""), states))
    return tuple(rows)
