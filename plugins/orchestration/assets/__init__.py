"""The Airflow assets with which other teams can start their DAGs: tables, and the progress of a slate.

``from orchestration.assets import SLATE_COMPLETE`` and ``schedule=[SLATE_COMPLETE]``. All events come through aliases:
Airflow adds an event to a plain outlet at each success of its task, but to an alias only the events that the task adds.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from airflow.sdk import Asset, AssetAlias

SLATE_SCHEDULED = Asset("slate_scheduled", group="slates")
"""The slate is locked: its games and their expected runs are known."""
LINES_COLLECTED = Asset("lines_collected", group="slates")
"""Every ``game_aware`` workflow has collected for the slate, for the first time."""
SLATE_COMPLETE = Asset("slate_complete", group="slates")
"""Every game of the slate is final, collected and in its tables, or the morning has come."""
OF_SLATES = (SLATE_SCHEDULED, LINES_COLLECTED, SLATE_COMPLETE)
SLATES = AssetAlias("slates", group="slates")
"""The alias through which the events of all three assets come."""

OF_A_CALL = (
    "target_date",
    "game_id",
    "record_count",
    "gcs_path",
    "dag_run_id",
    "run_id",
    "scraper_name",
    "workflow",
    "label",
)
"""The columns of ``scraper_execution_log`` in the event of a table. ``dag_run_id`` is Airflow's run, ``run_id`` the
service's. ``gcs_path`` is null if only the service's log names the file, under its ``run_id``."""


def table_alias(table: str) -> AssetAlias:
    """Return the alias of a table (``dataset.table``). It is the same in every Google project."""
    return AssetAlias(table, group="tables")


def table_asset(table: str, project: str) -> Asset:
    """Return the asset of a table (``dataset.table``) in a Google project. Its name is its URI."""
    dataset, _, name = table.partition(".")
    return Asset(f"bigquery://{project}/{dataset}/{name}")


def event_of_call(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return the extra of a call's event, from the call's row as JSON."""
    return {column: row.get(column) for column in OF_A_CALL}
