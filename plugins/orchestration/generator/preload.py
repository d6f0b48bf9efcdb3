"""What every task needs, imported once in the process from which tasks are forked: a fork has it for nothing.

Importing BigQueryHook takes two seconds of CPU, Airflow's own runtime of a task half of one, our modules a tenth.
Nothing here opens a connection. LocalExecutor forks its tasks from the scheduler, in which our plugin imports this
module; a Celery worker imports it itself, where Celery's setting ``imports`` names it (docker-compose.yaml).
"""

from __future__ import annotations

import contextlib
import importlib

from orchestration.assets import table_asset
from orchestration.config import ConfigError
from orchestration.config.last_good import load_or_last_good

MODULES = (
    "airflow.sdk.execution_time.task_runner",
    "airflow.providers.google.cloud.hooks.bigquery",
    "airflow.providers.http.hooks.http",
    "orchestration.generator.dags",
    "orchestration.audit.inputs",
    "orchestration.audit.outbox",
)

for _module in MODULES:
    importlib.import_module(_module)
# Airflow looks through all providers for whose addresses `bigquery://` are: a tenth of a second.
table_asset("a.table", "project")
# A broken file is the DAG processor's to report.
with contextlib.suppress(ConfigError):
    load_or_last_good()
