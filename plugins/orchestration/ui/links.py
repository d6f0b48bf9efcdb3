"""The buttons of a call in Airflow's UI. The API server makes them on demand, so they cost a call nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from airflow.configuration import conf
from airflow.sdk import BaseOperatorLink

from orchestration.operators.scrape import ScrapeOperator
from orchestration.operators.scrape_batch import ScrapeBatchOperator

if TYPE_CHECKING:
    from airflow.sdk import BaseOperator
    from airflow.sdk.types import TaskInstanceKey

PREFIX = "/orchestration"
"""The path of our pages on the API server."""


class _CallLink(BaseOperatorLink):
    operators = [ScrapeOperator, ScrapeBatchOperator]  # noqa: RUF012
    page = ""

    def get_link(self, operator: BaseOperator, *, ti_key: TaskInstanceKey) -> str:
        """Return the address of the page about this call."""
        base = (conf.get("api", "base_url", fallback=None) or "").rstrip("/")
        names: dict[str, Any] = {"run_id": ti_key.run_id, "task_id": ti_key.task_id, "map_index": ti_key.map_index}
        return f"{base}{PREFIX}/dags/{ti_key.dag_id}/{self.page}?{urlencode(names)}"


class LogRowLink(_CallLink):
    """The button to the rows of the call in ``scraper_execution_log``, one row for each try."""

    name = "Log row"
    page = "call"


class FileLink(_CallLink):
    """The button to the file of the call in the Google Cloud console."""

    name = "File"
    page = "file"
