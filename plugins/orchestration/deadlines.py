"""Where release 1.0.0 had the deadlines: Airflow's database keeps this address for the runs that it began.

Their deadlines are evaluated, and told, under whatever release follows.
"""

from orchestration.alerts.deadlines import RunQueued, missed

__all__ = ["RunQueued", "missed"]
