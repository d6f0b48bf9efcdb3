"""The entry for Airflow's plugin manager."""

from orchestration.plugin import OrchestrationPlugin

__all__ = ["OrchestrationPlugin"]
