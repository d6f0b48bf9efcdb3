"""What every task needs, imported once in the process from which tasks are forked: a fork has it for nothing.

Importing BigQueryHook takes two seconds of CPU, Airflow's own runtime of a task half of one, our modules a tenth.
Nothing here opens a connection. LocalExecutor forks its tasks from the scheduler, in which our plugin imports this
module; a Celery worker imports it itself, where Celery's setting ``imports`` names it (docker-compose.yaml).
"""

from __future__ import annotations

import importlib

from orchestration.assets import table_asset
from orchestration.generator.in_force import make_ready

MODULES = (
    "airflow.sdk.execution_time.task_runner",
    "airflow.providers.google.cloud.hooks.bigquery",
    "airflow.providers.http.hooks.http",
    "jinja2.ext",
    "orchestration.audit.inputs",
    "orchestration.audit.outbox",
)

for _module in MODULES:
    importlib.import_module(_module)
# Airflow looks through all providers for whose addresses `bigquery://` are: a tenth of a second.
table_asset("a.table", "project")
make_ready()
