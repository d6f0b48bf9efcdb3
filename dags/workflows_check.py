"""Shows what is wrong with ``config/workflows.yaml`` as an Airflow import error. It defines no DAG.

A file that raises takes its DAGs with it; this one has none, so that those of the last good configuration stay.
"""

from orchestration.config import load
from orchestration.config.last_good import is_known_as_good

load()
if not is_known_as_good():
    # Only now: what is known as good needs no Airflow to be looked at.
    from orchestration.generator.in_force import raise_what_is_wrong

    raise_what_is_wrong()
