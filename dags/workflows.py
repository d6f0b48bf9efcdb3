"""The DAGs of ``config/workflows.yaml``: one per enabled workflow, ``schedule_locker``, ``cleanup`` and ``reconcile``.

While the file cannot be used, the DAGs of the last good one stay; its errors show up as the import error of
``workflows_check.py``.
"""

from airflow.sdk import get_parsing_context

from orchestration.generator.in_force import dags_in_force

globals().update(dags_in_force(get_parsing_context().dag_id))
