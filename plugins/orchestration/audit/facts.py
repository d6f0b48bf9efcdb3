"""The records of one orchestration day, read in one round trip, and its games in their tables."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime

from orchestration.audit.inputs import by_kind, schedule_from, schedule_window
from orchestration.audit.statements import statement, with_identifiers
from orchestration.audit.warehouse import Parameter, Warehouse, WarehouseError
from orchestration.config import Config
from orchestration.health.data import wanted
from orchestration.health.facts import LEARNED, RECORD, AskedTick, DayFacts, FirstDecision, LockedBefore, WrittenTwice
from orchestration.records.tables import CallRecord, CleanupRecord, DecisionRecord, ExecutionRecord, ExpectedRun

log = logging.getLogger(__name__)


def day_facts(warehouse: Warehouse, config: Config, day: date, now: datetime) -> DayFacts:
    """Return what is known of the orchestration day ``day`` (ET) at the aware ``now``.

    Raises WarehouseError when BigQuery does not answer.
    """
    start, end = config.day_bounds(day)
    rows = by_kind(
        warehouse.query(
            statement("day_facts"),
            {
                **schedule_window(start),
                "day": day,
                "start": start.astimezone(UTC),
                "start_date": start.astimezone(UTC).date(),
                "until": end.astimezone(UTC),
                "record_from": (start - RECORD).astimezone(UTC).date(),
                "learned_from": (start - LEARNED).astimezone(UTC).date(),
                "record_to": end.astimezone(UTC).date(),
                "seen_until": now.astimezone(UTC),
            },
        )
    )
    facts = DayFacts(
        day=day,
        schedule=schedule_from(rows),
        expected=tuple(map(ExpectedRun.read, rows["expected"])),
        decisions=tuple(map(DecisionRecord.read, rows["decision"])),
        executions=tuple(map(ExecutionRecord.read, rows["execution"])),
        calls=tuple(map(CallRecord.read, rows["call"])),
        cleanups=tuple(map(CleanupRecord.read, rows["cleanup"])),
        cleanup_before=next(map(CleanupRecord.read, rows["cleanup_before"]), None),
        first=tuple(map(FirstDecision.model_validate_json, rows["first"])),
        locked_before=tuple(map(LockedBefore.model_validate_json, rows["locked_before"])),
        asked=tuple(map(AskedTick.model_validate_json, rows["asked"])),
        twice=tuple(map(WrittenTwice.model_validate_json, rows["twice"])),
    )
    return replace(facts, in_tables=_games_in_tables(warehouse, config, facts, now))


def facts_as_of(warehouse: Warehouse, config: Config, day: date, as_of: datetime | None) -> DayFacts:
    """Return :func:`day_facts` now, or without the records that were written after the aware ``as_of``."""
    if as_of is None:
        return day_facts(warehouse, config, day, datetime.now(UTC))
    facts = day_facts(warehouse, config, day, as_of)
    return replace(facts.known_at(as_of), in_tables=facts.in_tables)


def _games_in_tables(warehouse: Warehouse, config: Config, facts: DayFacts, now: datetime) -> dict[str, frozenset[str]]:
    """Return the ids of the due games that the tables of the box scores have, by table, with one query.

    A table that cannot be read is left out: the cleanup alerts it.
    """
    due = [game for game in facts.schedule.on(facts.day) if game.due <= now]
    scrapers = [config.scrapers[name] for name in wanted(config, facts, critical_only=False)]
    columns = {s.processed_in: s.game_column for s in scrapers if s.processed_in and s.game_column}
    if not due or not columns:
        return {}
    forms = {form: game.game_id for game in due for form in (game.game_id, game.game_id.lstrip("0"), game.code)}
    start, _ = config.day_bounds(facts.day)
    parameters: dict[str, Parameter] = {
        "games": sorted(form for form in forms if form),
        "oldest": start.astimezone(UTC),
        "first_date": facts.day,
        "last_date": facts.day + RECORD,
    }
    parts = {}
    for table, column in sorted(columns.items()):
        with _left_out_if_unreadable(table):
            partition = warehouse.layout(table).partition
            parts[table] = with_identifiers("games_in_tables", partition, table=table, game_column=column)
    try:
        rows = warehouse.query("\nUNION ALL\n".join(parts.values()), parameters) if parts else []
        read = set(parts)
    except WarehouseError:
        # One bad table fails the whole query. A query for each table finds the bad one.
        rows, read = [], set()
        for table, text in parts.items():
            with _left_out_if_unreadable(table):
                rows += warehouse.query(text, parameters)
                read.add(table)
    return {
        table: frozenset(forms[row["game"]] for row in rows if row["table_name"] == table) for table in sorted(read)
    }


@contextmanager
def _left_out_if_unreadable(table: str) -> Iterator[None]:
    try:
        yield
    except WarehouseError as error:
        log.warning("The games in %s are not compared, because the table cannot be read: %s", table, error)
