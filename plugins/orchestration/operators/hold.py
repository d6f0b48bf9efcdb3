"""The pause between decision and calls, in which a person can veto the run. It returns the games of the calls."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from airflow.providers.standard.operators.hitl import HITLOperator
from airflow.sdk import Param
from airflow.sdk.definitions.param import ParamsDict
from airflow.sdk.exceptions import AirflowFailException

from orchestration.decisions.types.freshness import AWAITED
from orchestration.nba.eastern import clock as et_clock
from orchestration.operators.base import AuditedOperator
from orchestration.operators.calls import NO_ITEMS
from orchestration.operators.decide import DECISION_KEY
from orchestration.runs.clock import RunClock
from orchestration.runs.execution import VETOED

if TYPE_CHECKING:
    from airflow.sdk import Context

RUN_NOW, VETO = "Run now", "Veto"
VETO_REASON = "veto_reason"
MADE_A_SHADOW = "No call was made: the workflow became a shadow after its decision"
VETO_KEY = "veto"
"""The XCom with the person, time and reason of a veto. ``finish`` writes it into the execution row."""


class HoldOperator(AuditedOperator, HITLOperator):
    """Waits until ``execution_delay_minutes`` after the tick, then returns the target games.

    During the wait the UI asks for input (Required Actions): a person can veto the run, with a reason, or start it at
    once. Without an answer the run starts. The wait takes no worker slot and no triggerer. Only scheduled runs wait:
    a person has just started a manual or replayed run. The refresh of an unknown schedule does not wait either, because
    other decisions of the tick wait for that refresh.
    """

    def __init__(self, *, params: ParamsDict | None = None, **arguments: Any) -> None:
        asked = ParamsDict() if params is None else params
        # A required reason would keep "Run now" greyed out, so null is allowed.
        about = {"title": "Reason", "description": "Why the run is vetoed. It is kept in the audit."}
        asked[VETO_REASON] = Param(None, type=["null", "string"], source="task", **about)
        super().__init__(subject="Run?", options=[RUN_NOW, VETO], defaults=RUN_NOW, params=asked, **arguments)

    def execute(self, context: Context) -> list[Any]:
        """Ask and wait if time is left, then return the games of the decision."""
        clock = RunClock.of(context)
        ready = clock.tick + timedelta(minutes=self.config.settings.execution_delay_minutes)
        remaining = ready - datetime.now(UTC)
        decision = self._decision(context)
        if clock.scheduled and remaining > timedelta() and not decision["context"].get(AWAITED):
            self.subject = f"{decision['workflow']} runs at {et_clock(ready)} ET unless a person vetoes it"
            self.body = f"{decision['reason']}\n\nScrapers: {', '.join(decision['scrapers'])}"
            self.response_timeout = remaining
            super().execute(context)
        return self._games(context)

    def execute_complete(self, context: Context, event: dict[str, Any]) -> list[Any]:
        """Read the answer: fail on a veto, else return the games."""
        answer = super().execute_complete(context, event)
        if VETO in answer["chosen_options"]:
            user, reason = answer["responded_by_user"] or {}, (answer["params_input"].get(VETO_REASON) or "").strip()
            who, at = user.get("name") or user.get("id") or "somebody", et_clock(answer["responded_at"])
            said = f"{VETOED} {who} at {at} ET: {reason or 'no reason given'}"
            context["ti"].xcom_push(VETO_KEY, said)
            raise AirflowFailException(said)
        return self._games(context)

    def _decision(self, context: Context) -> dict[str, Any]:
        decision: dict[str, Any] = context["ti"].xcom_pull(task_ids="decide", key=DECISION_KEY)
        return decision

    def _games(self, context: Context) -> list[Any]:
        """Return the target games, over which the per-game calls are mapped. Fails in a shadow."""
        if self.config.is_shadow(self.workflow):
            context["ti"].xcom_push(VETO_KEY, MADE_A_SHADOW)
            raise AirflowFailException(MADE_A_SHADOW)
        return self._decision(context)["target_games"] or NO_ITEMS
