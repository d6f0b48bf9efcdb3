"""The page of a day for one viewer, from the facts of the day. The verdict is that of the health check. Pure."""

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
    seen = et(now)
    start, _ = config.day_bounds(facts.day)
    mine = config_for(config, allowed)
    hidden = len(config.enabled) - len(mine.enabled)
    hiding = HiddenNames(config, allowed)
    facts = hiding.of_facts(facts_for(facts.known_at(now), allowed))
    planned = hiding.of_plan(decision for decision in planned if decision.workflow in allowed)
    hours = hours_of(mine, facts, now)
    ahead = now < start
    page = DayPage(
        facts.day,
        seen,
        live,
        None,
        "",
        (),
        hours,
        rows_of(mine, facts, planned, hours, now),
        halt=_halt(mine, now),
        shadow=config.is_shadow(),
        hidden=hidden,
        planned=ahead,
    )
    if not mine.enabled:
        return replace(page, headline="You may see no workflow")
    if ahead:
        runs = sum(tick.state is TickState.EXPECTED for row in page.rows for tick in row.ticks)
        return replace(page, headline=f"The plan of {facts.day:%a %d %b %Y}: {plural(runs, 'run')} expected")
    health = assess(mine, facts, now)
    headline = hiding.text(health.headline)
    if hidden:
        headline += f" (of the {plural(len(mine.enabled), 'workflow')} that you may see)"
    return replace(
        page,
        verdict=health.verdict,
        headline=headline,
        advice=tuple(_advice(config, finding, allowed, hiding) for finding in health.findings),
        scrapers=scrapers_of(mine, facts),
        games=games_of(mine, facts, now),
        cleanups=_cleanups(facts) if mine.settings.cleanup_processor.enabled else None,
    )


def _advice(config: Config, finding: Finding, allowed: Set[str], hiding: HiddenNames) -> Advice:
    dag, conf = None, None
    if trigger := _TRIGGER.fullmatch(finding.command):
        dag, conf = trigger.group(1), trigger.group(2)
    elif finding.workflow in config.workflows or finding.workflow in SYSTEM_DAGS:
        dag = finding.workflow
    if dag not in allowed:
        dag = None
    return Advice(
        finding.verdict,
        finding.kind,
        hiding.text(finding.text),
        hiding.command(finding.command),
        dag,
        finding.run_id,
        conf,
    )


def _halt(config: Config, now: datetime) -> str | None:
    halt = config.halt_at(now)
    return None if halt is None else str(halt)


def _cleanups(facts: DayFacts) -> Cleanups:
    last = facts.last_cleanup
    if last is None:
        return Cleanups()
    return Cleanups(
        len(facts.cleanups),
        last.cleanup_time,
        last.files_checked,
        last.missing_files_found,
        sum(cleanup.republished_count for cleanup in facts.cleanups),
        last.errors,
        tuple((file.scraper_name, file.gcs_path, file.age_minutes) for file in last.missing_files),
    )


def scrapers_of(config: Config, facts: DayFacts) -> tuple[str, ...]:
    """Return the scrapers that must have the games of the day, in the order of the columns."""
    return wanted(config, facts, critical_only=False)


def games_of(config: Config, facts: DayFacts, now: datetime) -> tuple[GameRow, ...]:
    """Return a row for each game that counts, ordered by tip; unknown tips come last."""
    scrapers = scrapers_of(config, facts)
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


def force_conf(target_date: str, games: Sequence[str] = ()) -> str:
    """Return the JSON of a forced run, which ignores the rule of the workflow."""
    conf: dict[str, object] = {"force": True, "target_date": target_date}
    if games:
        conf["games"] = list(games)
    return json.dumps(conf)
