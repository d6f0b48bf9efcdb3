"""The Airflow assets that whoever builds on this system can start a DAG with: tables, and what a slate has come to.

``from orchestration.assets import SLATE_COMPLETE`` and ``schedule=[SLATE_COMPLETE]``. All events come through aliases:
Airflow adds an event to a plain outlet whenever its task succeeds, to an alias only what the task says, and as often as
it says something.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from airflow.sdk import Asset, AssetAlias

SLATE_SCHEDULED = Asset("slate_scheduled", group="slates")
"""A slate is locked: which games are played is known, and what is expected to run for them."""
LINES_COLLECTED = Asset("lines_collected", group="slates")
"""Every ``game_aware`` workflow has collected for the slate, for the first time."""
SLATE_COMPLETE = Asset("slate_complete", group="slates")
"""Every game of the slate is final, collected and in its tables, or the morning came first."""
OF_SLATES = (SLATE_SCHEDULED, LINES_COLLECTED, SLATE_COMPLETE)
SLATES = AssetAlias("slates", group="slates")
"""Through it come the events of all three."""

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
"""The columns of ``scraper_execution_log`` that a table's event carries. ``dag_run_id`` is Airflow's run, ``run_id``
the service's; ``gcs_path`` is null where the service names the file only in its own log, under its ``run_id``."""


def table_alias(table: str) -> AssetAlias:
    """Return the alias of a table (``dataset.table``), as Phase 2 leaves data in it: the same in every project."""
    return AssetAlias(table, group="tables")


def table_asset(table: str, project: str) -> Asset:
    """Return the asset of a table (``dataset.table``) of a Google project. Its name is its URI."""
    dataset, _, name = table.partition(".")
    return Asset(f"bigquery://{project}/{dataset}/{name}")


def event_of_call(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the event of a call says, from the call's row as JSON."""
    return {column: row.get(column) for column in OF_A_CALL}
