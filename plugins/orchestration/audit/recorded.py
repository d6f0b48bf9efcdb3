"""The recorded past for a backtest, read in one round trip: decisions, and each version of the rows that they used."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from orchestration.audit.inputs import by_kind, schedule_from, schedule_window
from orchestration.audit.statements import statement
from orchestration.audit.warehouse import Warehouse
from orchestration.config import Config
from orchestration.decisions.model import History
from orchestration.planning.other_system.rows import past_calls, past_executions, read_calls, read_executions
from orchestration.planning.what_if.backtest import Past
from orchestration.records.tables import CallRecord, DecisionRecord, ExecutionRecord


def recorded_past(warehouse: Warehouse, config: Config, start: datetime, end: datetime) -> Past:
    """Return the record of the ticks from ``start`` to before ``end`` (aware), and of the time that they look back to.

    Raises WarehouseError when BigQuery does not answer.
    """
    first = start - timedelta(hours=max((config.look_back_hours(name) for name in config.workflows), default=0))
    facts = by_kind(
        warehouse.query(
            statement("recorded_past"),
            {
                **schedule_window(start, (end - start).days),
                "history_from": first.astimezone(UTC),
                "history_from_date": first.astimezone(UTC).date(),
                "until": end.astimezone(UTC),
                "until_date": end.astimezone(UTC).date(),
            },
        )
    )
    schedule = schedule_from(facts)
    calls = read_calls(config, facts["their_call"], {game.code: game.game_id for game in schedule.games})
    executions = read_executions(facts["their_execution"], calls)
    theirs = [execution for execution in executions if execution.workflow_name in config.workflows]
    return Past(
        schedule,
        tuple(map(DecisionRecord.read, facts["decision"])),
        (*map(ExecutionRecord.read, facts["execution_version"]), *map(CallRecord.read, facts["call_version"])),
        History(tuple(past_executions(config, theirs)), tuple(past_calls(calls, config.scrapers))),
    )
