"""Findings about answers: those that hold too little, and those that hold the same as before (lesson F3). Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from orchestration.config import Config
from orchestration.decisions.collected import lacking, successes_of
from orchestration.health import data, kinds
from orchestration.health.facts import DayFacts
from orchestration.health.findings import Finding, finding
from orchestration.nba.eastern import clock
from orchestration.records.tables import CallRecord, last_tries
from orchestration.words import Outcome


def partial_answers(config: Config, facts: DayFacts, now: datetime) -> Iterator[Finding]:
    """Yield the scrapers whose last answer about a game, a date or an item was partial (lesson F3)."""
    last: dict[tuple[str, str | None], CallRecord] = {}
    for call in sorted(last_tries(facts.calls), key=lambda call: call.tick):
        if call.status is Outcome.SUCCESS and call.target_date == facts.day:
            last[call.scraper_name, call.game_id or call.label] = call
    about_games, successes = data.wanted(config, facts, critical_only=False), successes_of(facts.calls)

    def matters(call: CallRecord) -> bool:
        """Return whether the answer was about a game that was due and is still not collected, or about no game."""
        games = [g for g in facts.schedule.on(facts.day) if call.game_id in (None, g.game_id) and g.due <= call.tick]
        if call.scraper_name not in about_games:
            return not _may_be_postponed(config, facts, call)
        return any(lacking(config, [call.scraper_name], game, successes) for game in games)

    short: dict[str, list[CallRecord]] = {}
    for call in last.values():
        if call.shortfall is not None and matters(call):
            short.setdefault(call.scraper_name, []).append(call)
    again = next((tick for tick in data.reconciles(config, facts.day) if tick > now), None)
    for scraper, calls in sorted(short.items()):
        latest = calls[-1]
        count, of = len(calls), sum(call.scraper_name == scraper for call in last.values())
        item = f" ({latest.label.removeprefix(scraper).strip()})" if latest.label and latest.label != scraper else ""
        collects = scraper in about_games
        yield finding(
            kinds.ANSWER_PARTIAL,
            scraper,
            run_id=latest.dag_run_id,
            caller=latest.workflow,
            scraper=scraper,
            at=clock(latest.tick),
            calls="" if of == 1 else f" in {count} of {of} calls, for example",
            short=f"{latest.shortfall}{item}",
            lost="What is missing is not collected" if collects else "The rest is missing until a whole answer comes",
            again=f". reconcile fetches it again at {clock(again)} ET" if collects and again is not None else "",
            day=facts.day,
        )


def _may_be_postponed(config: Config, facts: DayFacts, call: CallRecord) -> bool:
    """Return whether a postponement that we do not know yet may explain why an answer before the games lacks games.

    The slate has lost games since, or the answer is newer than the schedule and the first one that lacks them.
    """
    model = config.scrapers.get(call.scraper_name)
    if model is None or model.expects is None or model.expects.games is None:
        return False
    slate = {game.game_id for game in facts.schedule.on(facts.day)}
    if len(slate) < (call.games_expected or 0) or (call.missing_games and not slate & set(call.missing_games)):
        return True
    refreshed = facts.schedule.refreshed_at
    again = any(c.scraper_name == call.scraper_name and c.shortfall and c.tick < call.tick for c in facts.calls)
    return not again and (refreshed is None or refreshed < call.tick)


def unchanged_answers(config: Config, facts: DayFacts) -> Iterator[Finding]:
    """Yield the scrapers that change daily and returned the content or the file of an earlier day."""
    for scraper, model in config.scrapers.items():
        if model.expects is None or model.expects.changes is None:
            continue
        calls = [
            c for c in facts.calls if c.scraper_name == scraper and c.answered_whole and c.target_date == facts.day
        ]
        before = [f for f in facts.asked if f.scraper_name == scraper and f.found and f.target_date < facts.day]
        if not calls or not before:
            continue
        call, old = max(calls, key=lambda c: c.tick), max(before, key=lambda f: (f.target_date, f.tick))
        if call.content_hash is not None and old.last_content is not None:
            same, what = call.content_hash == old.last_content, "content"
        else:
            same, what = call.gcs_path is not None and call.gcs_path == old.last_file, "file"
        if same:
            at, day = clock(call.tick), facts.day
            yield finding(
                kinds.ANSWER_UNCHANGED, scraper, scraper=scraper, at=at, what=what, before=old.target_date, day=day
            )
