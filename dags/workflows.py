"""The DAGs of ``config/workflows.yaml``: one per enabled workflow, ``schedule_locker`` and ``cleanup``.

While the file cannot be used, the DAGs of the last good one stay; its errors show up as the import error of
``workflows_check.py``.
"""

from airflow.sdk import get_parsing_context

from orchestration.config.last_good import load_or_last_good
from orchestration.generator.dags import build_dags

globals().update(build_dags(load_or_last_good().config, only=get_parsing_context().dag_id))
