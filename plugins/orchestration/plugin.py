"""The Airflow plugin: a listener that loads the Google client once per scheduler, not once per task."""

from __future__ import annotations

import importlib
import logging
import sys
from typing import Any

from airflow.listeners import hookimpl
from airflow.plugins_manager import AirflowPlugin

log = logging.getLogger(__name__)

HOOKS = ("airflow.providers.google.cloud.hooks.bigquery", "airflow.providers.http.hooks.http")


class PreloadHooks:
    """Imports the hooks' modules in the process that LocalExecutor forks its tasks from.

    Every task appends its audit row through BigQueryHook, and importing that takes two seconds of CPU; a fork has it
    for nothing. Importing opens no connection. Elsewhere a task imports what it needs itself.
    """

    @hookimpl  # type: ignore[untyped-decorator]
    def on_starting(self, component: Any) -> None:
        """Load the hooks when a scheduler starts."""
        # The job does not know its own type yet at this point, but its process was started as what it is.
        if type(component).__name__ == "Job" and sys.argv[1:2] == ["scheduler"]:
            for module in HOOKS:
                importlib.import_module(module)
            log.info("Preloaded %s", ", ".join(HOOKS))


class OrchestrationPlugin(AirflowPlugin):
    """What this package adds to Airflow itself."""

    name = "orchestration"
    listeners = [PreloadHooks()]  # noqa: RUF012
