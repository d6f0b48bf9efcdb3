"""An example: a DAG that starts when a slate is complete, not by the clock.

Copy it into the folder of your DAGs. ``orchestration`` can be imported wherever Airflow loads this project as a plugin;
elsewhere ``Asset("slate_complete")`` is the same asset.
"""

from __future__ import annotations

import logging
from typing import Any

from airflow.sdk import dag, get_current_context, task

from orchestration.assets import SLATE_COMPLETE

log = logging.getLogger(__name__)


@dag(schedule=[SLATE_COMPLETE], tags=["nba", "example"])
def after_the_slate() -> None:
    """Run once for each complete slate; Airflow starts one run for two slates of the same hour."""

    @task
    def slates() -> list[dict[str, Any]]:
        """Return the content of the events that started this run, one per slate; empty for a manual run."""
        events = get_current_context()["triggering_asset_events"].get(SLATE_COMPLETE, [])
        return [event.extra for event in events]

    @task(map_index_template="{{ slate }}")
    def build_on(said: dict[str, Any]) -> str:
        """Return a summary of one slate, without its missing games. Your work goes here."""
        missing = {lack["game_id"]: lack for lack in said["missing"]}
        whole = said["games"] - len(missing)
        get_current_context()["slate"] = text = f"{said['target_date']}: {whole} of {said['games']} games"
        for lack in missing.values():
            over = "" if lack["final"] else "not final; "
            log.warning(
                "%s: %slacks %s, in no table: %s", lack["label"], over, lack["not_collected"], lack["not_in_table"]
            )
        return text

    build_on.expand(said=slates())


after_the_slate()
