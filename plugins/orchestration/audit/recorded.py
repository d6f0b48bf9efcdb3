"""The recorded past, read in one round trip: what was decided, and what was known when."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from orchestration.audit.inputs import by_kind, moment, schedule_from, schedule_window
from orchestration.audit.statements import statement
from orchestration.audit.warehouse import Warehouse
from orchestration.config import Config
from orchestration.decisions.model import History, PastCall, PastExecution
from orchestration.planning.others import past_calls, past_executions, read_calls, read_executions
from orchestration.planning.what_if.backtest import Past, Recorded, Version
from orchestration.words import Action, AlertLevel, ExecutionStatus, Outcome


def recorded_past(warehouse: Warehouse, config: Config, start: datetime, end: datetime) -> Past:
    """Return what is on record of the ticks from ``start`` to before ``end`` (aware), and of what they look back to.

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
    theirs = [row for row in facts["their_execution"] if row["workflow"] in config.workflows]
    executions = read_executions(theirs, calls)
    return Past(
        schedule,
        tuple(
            Recorded(
                row["workflow"],
                moment(row["tick"]),
                Action(row["action"]),
                row["rule"],
                row["reason"],
                AlertLevel(row.get("alert_level") or AlertLevel.NONE),
                date.fromisoformat(row["target_date"]),
                frozenset(row.get("games") or ()),
                tuple(row.get("scrapers") or ()),
                _made(row["made"]),
                row.get("triggered_by") or "",
            )
            for row in facts["decision"]
        ),
        (
            *(
                Version(
                    row["id"],
                    _made(row["made"]),
                    PastExecution(
                        row["workflow"],
                        moment(row["tick"]),
                        date.fromisoformat(row["target_date"]),
                        ExecutionStatus(row["status"]),
                        int(row["with_records"]),
                    ),
                )
                for row in facts["execution_version"]
            ),
            *(
                Version(
                    row["id"],
                    _made(row["made"]),
                    PastCall(
                        row["scraper"],
                        moment(row["tick"]),
                        date.fromisoformat(row["target_date"]),
                        Outcome(row["outcome"]),
                        row.get("game_id"),
                    ),
                    bool(row["killed"]),
                )
                for row in facts["call_version"]
            ),
        ),
        History(tuple(past_executions(config, executions)), tuple(past_calls(config, calls, set(config.scrapers)))),
    )


def _made(micros: int) -> datetime:
    return datetime.fromtimestamp(0, UTC) + timedelta(microseconds=int(micros))
