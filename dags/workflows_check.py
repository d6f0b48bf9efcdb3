"""Shows what is wrong with ``config/workflows.yaml`` as an Airflow import error. It defines no DAG.

A file that raises takes its DAGs with it; this one has none, so that those of the last good configuration stay.
"""

from orchestration.config import load

load()
