"""The DAGs of ``config/workflows.yaml``: one per enabled workflow, ``schedule_locker`` and ``cleanup``.

A configuration that cannot be used raises ConfigError here, and its text is Airflow's import error.
"""

from airflow.sdk import get_parsing_context

from orchestration.config import load
from orchestration.dag_factory import build_dags

globals().update(build_dags(load().config, only=get_parsing_context().dag_id))
