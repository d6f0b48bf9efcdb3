"""Buttons on a call's page. The API server makes them when somebody looks: a call itself pays nothing for them."""

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
"""Where the API server has our pages."""


class _CallLink(BaseOperatorLink):
    operators = [ScrapeOperator, ScrapeBatchOperator]  # noqa: RUF012
    page = ""

    def get_link(self, operator: BaseOperator, *, ti_key: TaskInstanceKey) -> str:
        """Return the page about this call."""
        base = (conf.get("api", "base_url", fallback=None) or "").rstrip("/")
        names: dict[str, Any] = {"run_id": ti_key.run_id, "task_id": ti_key.task_id, "map_index": ti_key.map_index}
        return f"{base}{PREFIX}/dags/{ti_key.dag_id}/{self.page}?{urlencode(names)}"


class LogRowLink(_CallLink):
    """To the call's rows in ``scraper_execution_log``, one for each try."""

    name = "Log row"
    page = "call"


class FileLink(_CallLink):
    """To the file that the call brought, in the Google Cloud console."""

    name = "File"
    page = "file"
