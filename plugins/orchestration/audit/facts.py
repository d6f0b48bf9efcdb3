"""What the audit tables say about one orchestration day, read in one round trip."""

from __future__ import annotations

from datetime import UTC, date, datetime

from orchestration.audit.inputs import by_kind, moment, schedule_from, schedule_window
from orchestration.audit.statements import statement
from orchestration.audit.warehouse import Warehouse
from orchestration.config import Config
from orchestration.health.facts import (
    RECORD,
    BroughtFact,
    CallFact,
    CleanupFact,
    DayFacts,
    DecisionFact,
    ExecutionFact,
    ExpectedFact,
    FirstFact,
    SeenFact,
    WaitingFile,
)
from orchestration.words import Action, ExecutionStatus, Outcome


def day_facts(warehouse: Warehouse, config: Config, day: date, now: datetime) -> DayFacts:
    """Return the facts of the orchestration day ``day`` (ET) as far as they are known at the aware ``now``.

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
                "record_to": end.astimezone(UTC).date(),
                "seen_until": now.astimezone(UTC),
            },
        )
    )
    return DayFacts(
        day=day,
        schedule=schedule_from(rows),
        expected=tuple(
            ExpectedFact(
                r["workflow"],
                moment(r["tick"]),
                r.get("reason") or "",
                _moment(r.get("locked_at")),
                r.get("rules"),
                bool(r.get("forced")),
            )
            for r in rows["expected"]
        ),
        decisions=tuple(
            DecisionFact(
                r["decision_id"],
                r["workflow"],
                moment(r["tick"]),
                Action(r["action"]),
                r["rule"],
                r["reason"],
                r.get("run_id"),
                bool(r.get("shadow")),
                date.fromisoformat(r["target_date"]) if r.get("target_date") else None,
                _moment(r.get("next_check")),
                _moment(r.get("at_second")),
            )
            for r in rows["decision"]
        ),
        executions=tuple(
            ExecutionFact(
                r.get("decision_id"),
                r["workflow"],
                moment(r["tick"]),
                date.fromisoformat(r["target_date"]),
                ExecutionStatus(r["status"]),
                int(r["calls"]),
                int(r["no_data"]),
                r.get("error"),
                bool(r.get("deadline_missed")),
                r.get("run_id"),
                _moment(r.get("ended")),
            )
            for r in rows["execution"]
        ),
        calls=tuple(
            CallFact(
                r["scraper"],
                r["workflow"],
                moment(r["tick"]),
                date.fromisoformat(r["target_date"]),
                Outcome(r["outcome"]),
                r.get("game_id"),
                r.get("error_type"),
                int(r["map_index"]),
                int(r["try_number"]),
                r.get("label") or "",
                r.get("error"),
                r.get("run_id"),
                r.get("gcs_path"),
                _moment(r.get("at_second")),
                r.get("call_index"),
                r.get("seconds"),
                r.get("timeout_seconds"),
            )
            for r in rows["call"]
        ),
        cleanups=tuple(
            CleanupFact(
                moment(r["at_second"]),
                int(r["checked"]),
                int(r["missing"]),
                int(r["republished"]),
                tuple(r["errors"] or ()),
                int(r["oldest_missing"] or 0),
                tuple(
                    WaitingFile(f.get("scraper_name") or "", f.get("gcs_path") or "", int(f.get("age_minutes") or 0))
                    for f in r.get("waiting") or ()
                ),
                tuple(SeenFact(s["kind"], s["about"], s["text"]) for s in r.get("seen") or ()),
            )
            for r in rows["cleanup"]
        ),
        first=tuple(FirstFact(r["workflow"], moment(r["tick"]), moment(r["made_at"])) for r in rows["first"]),
        brought=tuple(
            BroughtFact(r["scraper"], date.fromisoformat(r["date"]), _moment(r.get("last"))) for r in rows["brought"]
        ),
    )


def _moment(seconds: float | None) -> datetime | None:
    return None if seconds is None else moment(seconds)
