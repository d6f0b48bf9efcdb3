"""Shows the errors of ``config/workflows.yaml`` as an import error of Airflow. It defines no DAG.

Airflow drops the DAGs of a file that raises. This file has none, so the DAGs of the last good configuration stay.
"""

from orchestration.config import load
from orchestration.config.last_good import is_known_as_good

load()
if not is_known_as_good():
    # A file that is known as good is checked without importing Airflow.
    from orchestration.generator.in_force import raise_what_is_wrong

    raise_what_is_wrong()
