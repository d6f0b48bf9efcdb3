"""The DAGs of ``config/workflows.yaml``: one per enabled workflow, ``schedule_locker``, ``cleanup`` and ``reconcile``.

If the file has errors, the DAGs of the last good file stay. The errors show as the import error of
``workflows_check.py``.
"""

from airflow.sdk import get_parsing_context

from orchestration.generator.in_force import dags_in_force

globals().update(dags_in_force(get_parsing_context().dag_id))
