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
    def build_on(event: dict[str, Any]) -> str:
        """Return a summary of one slate, without its missing games. Your work goes here."""
        missing = {game["game_id"]: game for game in event["missing"]}
        whole = event["games"] - len(missing)
        get_current_context()["slate"] = text = f"{event['target_date']}: {whole} of {event['games']} games"
        for game in missing.values():
            over = "" if game["final"] else "not final; "
            log.warning(
                "%s: %slacks %s, in no table: %s", game["label"], over, game["not_collected"], game["not_in_table"]
            )
        return text

    build_on.expand(event=slates())


after_the_slate()
