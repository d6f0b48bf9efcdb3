"""The page of a day for one viewer, from the facts of the day. The health check gives the verdict. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence, Set
from dataclasses import replace
from datetime import date, datetime

from orchestration.config import SYSTEM_DAGS, Config
from orchestration.decisions.collected import lacking, successes_of
from orchestration.decisions.model import Decision
from orchestration.health.data import night_is_over, wanted
from orchestration.health.facts import DayFacts
from orchestration.health.findings import Finding
from orchestration.health.verdict import assess
from orchestration.nba.eastern import et
from orchestration.nba.games import Game
from orchestration.records.tables import CallRecord
from orchestration.ui.model import Advice, Cleanups, DayPage, GameRow, GameState, TickState
from orchestration.ui.timeline import hours_of, rows_of
from orchestration.ui.visibility import HiddenNames, config_for, facts_for
from orchestration.words import Outcome, plural

STATUS = {1: "scheduled", 2: "live", 3: "final"}
_ENDED = {Outcome.FAILED: GameState.FAILED, Outcome.NO_DATA: GameState.NO_DATA}
_TRIGGER = re.compile(r"airflow dags trigger (\w+)(?: --conf '(.*)')?")


def day_page(
    config: Config,
    facts: DayFacts,
    planned: Sequence[Decision],
    now: datetime,
    allowed: Set[str],
    *,
    live: bool,
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
        "",
        (),
        hours,
        rows_of(mine, facts, planned, hours, now),
        halt=None if halt is None else str(halt),
        shadow=config.is_shadow(),
        hidden=len(config.enabled) - len(mine.enabled),
        planned=now < start,
    )
    if not mine.enabled:
        return replace(page, headline="You may see no workflow")
    if page.planned:
        runs = sum(tick.state is TickState.EXPECTED for row in page.rows for tick in row.ticks)
        return replace(page, headline=f"The plan of {facts.day:%a %d %b %Y}: {plural(runs, 'run')} expected")
    health = assess(mine, facts, now)
    scrapers = wanted(mine, facts, critical_only=False)
    headline = hiding.text(health.headline)
    if page.hidden:
        headline += f" (of the {plural(len(mine.enabled), 'workflow')} that you may see)"
    return replace(
        page,
        verdict=health.verdict,
        headline=headline,
        advice=tuple(_advice(config, finding, allowed, hiding) for finding in health.findings),
        scrapers=scrapers,
        games=_games(mine, facts, scrapers, now),
        cleanups=Cleanups(facts.cleanups, facts.last_cleanup) if mine.settings.cleanup_processor.enabled else None,
    )


def _advice(config: Config, finding: Finding, allowed: Set[str], hiding: HiddenNames) -> Advice:
    dag, conf = None, None
    if trigger := _TRIGGER.fullmatch(finding.command):
        dag, conf = trigger.group(1), trigger.group(2)
    elif finding.workflow in config.workflows or finding.workflow in SYSTEM_DAGS:
        dag = finding.workflow
    return Advice(
        finding.verdict,
        finding.kind,
        hiding.text(finding.text),
        hiding.command(finding.command),
        dag if dag in allowed else None,
        finding.run_id,
        conf,
    )


def _games(config: Config, facts: DayFacts, scrapers: Sequence[str], now: datetime) -> tuple[GameRow, ...]:
    """Return a row for each game that counts, ordered by tip. Games with an unknown tip come last."""
    successes = successes_of(facts.calls)
    calls = _last_calls(facts)
    last = facts.last_cleanup
    waiting = {(file.scraper_name, file.gcs_path) for file in last.missing_files} if last else set()
    over = night_is_over(config, facts, now)
    rows = []
    for game in facts.schedule.on(facts.day):
        lacks = lacking(config, scrapers, game, successes)
        states = tuple(_state(game, scraper, scraper in lacks, calls, waiting, now, over=over) for scraper in scrapers)
        rows.append(GameRow(game, game.status_text or STATUS.get(game.status, ""), states))
    return tuple(rows)


def _last_calls(facts: DayFacts) -> Mapping[tuple[str, str | date], CallRecord]:
    """Return the last call of each scraper by game id, or by target date for a call without a game."""
    found: dict[tuple[str, str | date], CallRecord] = {}
    for call in sorted(facts.calls, key=lambda call: (call.tick, call.try_number)):
        found[call.scraper_name, call.game_id or call.target_date] = call
    return found


def _state(
    game: Game,
    scraper: str,
    lacks: bool,
    calls: Mapping[tuple[str, str | date], CallRecord],
    waiting: set[tuple[str, str]],
    now: datetime,
    *,
    over: bool,
) -> GameState:
    call = calls.get((scraper, game.game_id)) or calls.get((scraper, game.date))
    if not lacks:
        on_its_way = call is not None and (scraper, call.gcs_path) in waiting
        return GameState.ON_ITS_WAY if on_its_way else GameState.COLLECTED
    if now < game.due:
        return GameState.NOT_DUE
    if call is None or call.tick < game.begins:
        return GameState.MISSING if over else GameState.DUE
    return _ENDED.get(call.status, GameState.MISSING)


def force_conf(target_date: date) -> str:
    """Return the JSON of a forced run for the ET ``target_date``. A forced run ignores the rule of the workflow."""
    return json.dumps({"force": True, "target_date": target_date.isoformat()})
