"""The old system: its tables, and rows in the form of the old system and of the scraper service."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any

from google.cloud.bigquery import AutoRowIDs, SchemaField

from orchestration.audit.statements import ddl
from orchestration.audit.warehouse import Warehouse
from support.standins import PATIENCE_SECONDS

# The columns of the old system's tables: name, type and R for required. Dashboards read them, so they must not change.
KEPT = {
    "daily_expected_schedule": "date DATE R, locked_at TIMESTAMP R, workflow_name STRING R, "
    "expected_run_time TIMESTAMP R, reason STRING, scrapers ARRAY<STRING>, games_today INT64, "
    "priority STRING, schedule_version STRING, "
    "generated_by STRING, environment STRING, created_at TIMESTAMP",
    "workflow_decisions": "decision_id STRING R, decision_time TIMESTAMP R, workflow_name STRING R, action STRING R, "
    "reason STRING R, context JSON, scrapers_triggered ARRAY<STRING>, target_games ARRAY<STRING>, "
    "next_check_time TIMESTAMP, priority STRING, alert_level STRING, controller_version STRING, environment STRING, "
    "triggered_by STRING, created_at TIMESTAMP",
    "workflow_executions": "execution_id STRING R, execution_time TIMESTAMP R, workflow_name STRING R, "
    "decision_id STRING, scrapers_requested ARRAY<STRING>, scrapers_triggered INT64 R, scrapers_succeeded INT64 R, "
    "scrapers_failed INT64 R, scraper_execution_ids ARRAY<STRING>, status STRING R, duration_seconds FLOAT64, "
    "error_message STRING, created_at TIMESTAMP",
    "scraper_execution_log": "execution_id STRING R, scraper_name STRING R, workflow STRING, game_date DATE, "
    "status STRING R, triggered_at TIMESTAMP R, completed_at TIMESTAMP, duration_seconds FLOAT64, source STRING R, "
    "environment STRING, triggered_by STRING, gcs_path STRING, data_summary JSON, error_type STRING, "
    "error_message STRING, retry_count INT64, recovery BOOL, run_id STRING, opts JSON, created_at TIMESTAMP",
    "cleanup_operations": "cleanup_id STRING R, cleanup_time TIMESTAMP R, files_checked INT64 R, "
    "missing_files_found INT64 R, republished_count INT64 R, missing_files ARRAY<STRUCT>, errors ARRAY<STRING>, "
    "duration_seconds FLOAT64, pubsub_enabled BOOL, environment STRING, created_at TIMESTAMP",
}


def shadow_settings(audit: str, history: str, phase_2: str) -> dict[str, str]:
    """Return the settings of a shadow that writes to ``audit`` and reads the datasets ``history`` and ``phase_2``."""
    return {
        "mode": "shadow",
        "audit_dataset": audit,
        "history_dataset": history,
        "schedule_table": f"{phase_2}.nbac_schedule",
    }


class Emulated(Warehouse):
    """A warehouse for a gap of the emulator: its API changes a table's description, but not the table itself."""

    def add_columns(self, table: str, columns: list[SchemaField]) -> None:
        super().add_columns(table, columns)
        for column in columns:
            kind = column.field_type
            if column.fields:
                kind = f"STRUCT<{', '.join(f'{part.name} {part.field_type}' for part in column.fields)}>"
            kind = f"ARRAY<{kind}>" if column.mode == "REPEATED" else kind
            self.query(f"ALTER TABLE {table} ADD COLUMN {column.name} {kind}")


def create_old_tables(warehouse: Warehouse) -> None:
    """Create the old system's five tables in the audit dataset."""
    warehouse.query("CREATE SCHEMA IF NOT EXISTS {audit}")
    for table, text in KEPT.items():
        columns = text.replace(" R", " NOT NULL")
        if table == "cleanup_operations":
            [kind] = re.findall(r"missing_files (ARRAY<STRUCT<.*?>>)", ddl("tables")[table])
            columns = columns.replace("ARRAY<STRUCT>", kind)
        warehouse.query(f"CREATE TABLE {{audit}}.{table} ({columns})")


def write(warehouse: Warehouse, table: str, *rows: dict[str, Any]) -> None:
    """Stream rows into a table of the audit dataset."""
    name = f"{warehouse.client.project}.{warehouse.audit}.{table}"
    errors = warehouse.client.insert_rows_json(
        name, list(rows), row_ids=AutoRowIDs.DISABLED, timeout=PATIENCE_SECONDS, retry=None
    )
    assert errors == []


def stamp(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat()


def logged(run_id: str, scraper: str, at: datetime, status: str = "success", **opts: Any) -> dict[str, Any]:
    """Return the service's own row about a call of any system."""
    return {
        "execution_id": run_id, "run_id": run_id, "scraper_name": scraper, "status": status, "source": "CONTROLLER",
        "triggered_at": stamp(at), "completed_at": stamp(at + timedelta(seconds=9)), "opts": json.dumps(opts),
        "game_date": opts.pop("row_date", None), "created_at": stamp(at),
    }  # fmt: skip


def their_decision(workflow: str, at: datetime, action: str = "RUN") -> dict[str, Any]:
    return {
        "decision_id": f"their {workflow} {at:%d %H:%M}", "decision_time": stamp(at), "workflow_name": workflow,
        "action": action, "reason": "because", "created_at": stamp(at),
    }  # fmt: skip


def their_execution(
    workflow: str, at: datetime, calls: list[str], status: str = "completed", failed: int = 0
) -> dict[str, Any]:
    return {
        "execution_id": f"their {workflow} {at:%d %H:%M}", "execution_time": stamp(at), "workflow_name": workflow,
        "decision_id": f"their {workflow} {at:%d %H:%M}", "scrapers_triggered": len(calls) + failed,
        "scrapers_succeeded": len(calls), "scrapers_failed": failed, "scraper_execution_ids": calls,
        "status": status, "created_at": stamp(at),
    }  # fmt: skip


def their_expected(workflow: str, at: datetime, locked: datetime) -> dict[str, Any]:
    return {
        "date": f"{locked:%Y-%m-%d}", "locked_at": stamp(locked), "workflow_name": workflow,
        "expected_run_time": stamp(at), "created_at": stamp(locked),
    }  # fmt: skip


def their_cleanup(at: datetime) -> dict[str, Any]:
    file = {
        "scraper_name": "nbac_player_boxscore", "gcs_path": "gs://b/theirs.json", "triggered_at": stamp(at),
        "age_minutes": 40, "republished": True,
    }  # fmt: skip
    return {
        "cleanup_id": f"their cleanup {at:%d %H:%M}", "cleanup_time": stamp(at), "files_checked": 5,
        "missing_files_found": 1, "republished_count": 1, "missing_files": [file], "errors": ["theirs"],
        "created_at": stamp(at),
    }  # fmt: skip
