"""The address of the deadlines in release 1.0.0. Airflow's database keeps it for the runs that release began.

Later releases evaluate these deadlines and send their alerts.
"""

from orchestration.alerts.deadlines import RunQueued, missed

__all__ = ["RunQueued", "missed"]
