"""The pause between decision and calls, in which a person can veto; then the games are handed to the calls."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from orchestration.operators.base import AuditedOperator
from orchestration.operators.decide import DECISION_KEY
from orchestration.run_clock import RunClock

if TYPE_CHECKING:
    from airflow.sdk import Context


class HoldOperator(AuditedOperator):
    """Waits until ``execution_delay_minutes`` after the tick without a worker slot, then returns the target games.

    Only scheduled runs wait: a manual or replayed run has somebody who has just asked for it.
    """

    def execute(self, context: Context) -> list[dict[str, str]]:
        """Wait if there is something to wait for, and return the games of the decision."""
        clock = RunClock.of(context)
        ready = clock.tick + timedelta(minutes=self.config.settings.execution_delay_minutes)
        if clock.scheduled and ready > datetime.now(UTC):
            from airflow.providers.standard.triggers.temporal import DateTimeTrigger

            self.log.info("Holding until %s; mark this task failed to veto the run", ready)
            self.defer(trigger=DateTimeTrigger(ready), method_name="ready")
        return self.ready(context)

    def ready(self, context: Context, event: Any = None) -> list[dict[str, str]]:
        """Return the target games, over which the per-game calls are mapped."""
        games: list[dict[str, str]] = context["ti"].xcom_pull(task_ids="decide", key=DECISION_KEY)["target_games"]
        return games
