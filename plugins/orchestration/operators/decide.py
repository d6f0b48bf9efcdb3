"""The first tasks of every workflow: the decision RUN, SKIP or ABORT, the pause before the calls, and the ABORT."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, NoReturn

from airflow.providers.standard.operators.hitl import HITLOperator
from airflow.sdk import BranchMixIn, Param
from airflow.sdk.definitions.param import ParamsDict
from airflow.sdk.exceptions import AirflowFailException

from orchestration import __version__
from orchestration.alerts.memory import send_once
from orchestration.alerts.model import alert
from orchestration.audit.inputs import decision_inputs
from orchestration.audit.warehouse import Warehouse, WarehouseError
from orchestration.decisions.engine import aborted, decide, forced
from orchestration.decisions.model import HISTORY_UNREADABLE, NOT_KNOWING, Decision
from orchestration.decisions.request import Request, RequestRefused
from orchestration.decisions.types.freshness import AWAITED
from orchestration.health.incidents import cause_of_rule
from orchestration.health.kinds import ABORT_NOW
from orchestration.health.losses import at_most, lost, loudest_failure, named
from orchestration.health.task_kinds import OF_DECISIONS
from orchestration.nba.eastern import clock as et_clock
from orchestration.nba.eastern import et
from orchestration.nba.slate import SLATE_VANISHED
from orchestration.operators.base import AlertingOperator, AuditedOperator, first_time, request_of, task_key
from orchestration.operators.calls import NO_ITEMS
from orchestration.operators.metrics import DECISIONS
from orchestration.operators.retries import retry_within_tick
from orchestration.records.ids import decision_id
from orchestration.records.tables import DecisionRecord
from orchestration.runs.clock import RunClock
from orchestration.runs.execution import VETOED
from orchestration.services.errors import hide_in_logs, in_short
from orchestration.words import Action, AlertLevel, Mode, loudness

if TYPE_CHECKING:
    from airflow.sdk import Context

DECISION_KEY = "decision"
"""The XCom that carries the decision to the rest of the run."""
REFUSED_KEY = "refused"
"""The XCom with the reason why a request was refused. The run then has no decision."""
LOUD = (AlertLevel.WARNING, AlertLevel.CRITICAL)
HOLD, SKIP, ABORT = "hold", "skip", "abort"
PASSING = (HISTORY_UNREADABLE, "schedule_unknown", SLATE_VANISHED)
"""Rules of an ABORT whose cause may end in minutes: BigQuery answers again, or a refresh writes the schedule."""
RUN_NOW, VETO = "Run now", "Veto"
VETO_REASON = "veto_reason"
MADE_A_SHADOW = "No call was made: the workflow became a shadow after its decision"
VETO_KEY = "veto"
"""The XCom with the person, time and reason of a veto. ``finish`` writes it into the execution row."""
_BRANCH = {Action.RUN: HOLD, Action.SKIP: SKIP, Action.ABORT: ABORT}


class DecideOperator(AlertingOperator, BranchMixIn):
    """Applies the workflow's rule at the run's tick and follows its branch.

    One query reads the schedule and the history, and one append writes the decision. If the history cannot be read or
    the schedule is unknown, the task tries again. Its last try decides ABORT, never RUN (lesson K8).

    This task sends the alert of a RUN or SKIP, and ``abort`` sends that of an ABORT. A shadow records a RUN and skips
    it. A shadow alerts only if it cannot decide (lesson A9).
    """

    inherits_from_skipmixin = True
    ui_color = "#fdf3d8"
    # The UI shows these fields, the decision and its reason, in the task's tab Rendered Templates.
    template_fields = ("action", "reason", "target_date", "next_check", "mode")
    overwrite_rtif_after_execution = True
    action = reason = target_date = next_check = mode = ""

    def execute(self, context: Context) -> None:
        """Decide, stage the decision, branch."""
        assert self.workflow is not None
        try:
            request = Request.of(request_of(context), self.config, self.workflow)
            clock = RunClock.of(context)
            decision = request.narrow(self._decide(request, clock))
        except RequestRefused as refused:
            # `abort` fails with the reason. If this task failed, `finish` would run.
            self.action, self.reason = "REFUSED", str(refused)
            context["ti"].xcom_push(REFUSED_KEY, str(refused))
            self.do_branch(context, ABORT)
            return
        if decision.action is Action.ABORT and decision.rule in PASSING:
            retry_within_tick(context, self.config, decision.reason)
        decision_id = self._stage(context, clock, decision)
        DECISIONS.count(workflow=decision.workflow, action=decision.action.value)
        self.log.info("%s %s: %s", decision.workflow, decision.action, decision.reason)
        self.action, self.reason = decision.action.value, decision.reason
        self.target_date = decision.target_date.isoformat()
        self.next_check = f"{et(decision.next_check_time):%a %d %b %H:%M} ET" if decision.next_check_time else ""
        self.mode = (Mode.SHADOW if self.shadow else Mode.LIVE).value
        context["ti"].xcom_push(DECISION_KEY, {"decision_id": decision_id, **decision.to_dict()})
        branch = SKIP if request.dry_run and decision.action is Action.RUN else _BRANCH[decision.action]
        if self.shadow:
            self.log.info("Shadow: the decision is recorded, no scraper is called")
            branch = ABORT if decision.rule in NOT_KNOWING else SKIP
        elif decision.action is not Action.ABORT and decision.alert_level in LOUD:
            self._send_alert(context, decision)
        self.do_branch(context, branch)

    @property
    def shadow(self) -> bool:
        """Whether the workflow decides and records only."""
        return self.config.is_shadow(self.workflow)

    def _send_alert(self, context: Context, decision: Decision) -> None:
        """Send the alert of the decision. A failure to send it does not stop the run."""
        try:
            one = alert(
                OF_DECISIONS[decision.rule],
                decision.workflow,
                # A RUN makes up for it by itself. What it does not collect is alerted when its night is over.
                level=at_most(decision.alert_level, is_lost=decision.action is not Action.RUN),
                run_id=context["ti"].run_id,
                day=self.config.current_day(decision.tick),
                reason=decision.reason,
            )
            send_once(context, self.config, [one], self.log)
        except Exception:
            self.log.exception("The alert was not sent: %s", decision.reason)

    def _decide(self, request: Request, clock: RunClock) -> Decision:
        assert self.workflow is not None
        config = self.config
        try:
            schedule, history = decision_inputs(
                Warehouse(config.settings), config, [self.workflow], clock.tick, about=request.target_date
            )
            if request.force:
                decision = forced(
                    self.workflow, config, clock.tick, schedule, clock.triggered_by, request, history.answers
                )
            else:
                decision = decide(self.workflow, config, clock.tick, schedule, history)
            request.check_games(schedule, decision.target_date, config, self.workflow)
            return decision
        except RequestRefused:
            raise
        except WarehouseError as error:
            return aborted(self.workflow, config, clock.tick, HISTORY_UNREADABLE, str(error))
        except Exception as error:
            hide_in_logs(error)
            self.log.exception("The decision failed and is recorded as ABORT")
            reason = f"Internal error: {in_short(error)}"
            return aborted(self.workflow, config, clock.tick, "internal_error", reason)

    def _stage(self, context: Context, clock: RunClock, decision: Decision) -> str:
        key = task_key(context)
        row = DecisionRecord(
            decision_id=decision_id(key.dag_id, key.run_id),
            decision_time=first_time(context, clock.now()),
            workflow_name=decision.workflow,
            action=decision.action,
            reason=decision.reason,
            context={"rule": decision.rule, **({"mode": Mode.SHADOW} if self.shadow else {}), **decision.context},
            scrapers_triggered=list(decision.scrapers),
            target_games=[game.game_id for game in decision.games],
            next_check_time=decision.next_check_time,
            priority=decision.priority,
            alert_level=decision.alert_level,
            controller_version=__version__,
            environment=self.config.environment,
            triggered_by=clock.triggered_by,
            slot_time=decision.tick,
            rule=decision.rule,
            target_date=decision.target_date,
            created_at=clock.wall(),
            **key.columns(),
        )
        self.stage([row])
        return row.decision_id


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


class AbortOperator(AlertingOperator):
    """Fails the run with the reason of its ABORT, or of a refused request."""

    ui_color = "#f8d7da"

    def execute(self, context: Context) -> NoReturn:
        """Send the alert of the ABORT and fail without retries. A refused request fails without an alert."""
        if refused := context["ti"].xcom_pull(task_ids="decide", key=REFUSED_KEY):
            raise AirflowFailException(refused)
        decision: dict[str, Any] = context["ti"].xcom_pull(task_ids="decide", key=DECISION_KEY)
        tick = datetime.fromisoformat(decision["tick"])
        config, name, rule = self.config, decision["workflow"], decision["rule"]
        cause, level, runs = cause_of_rule(rule), AlertLevel(decision["alert_level"]), named(name, [tick])
        # An ABORT of the same day by another rule is another alert.
        one = alert(
            ABORT_NOW,
            name,
            level=max(level, loudest_failure(config), key=loudness) if cause else level,
            run_id=context["ti"].run_id,
            day=config.current_day(tick),
            detail=rule,
            cause=cause,
            hits=runs,
            losses=runs if lost(config, name, tick) else (),
            at=f"{et(tick):%H:%M}",
            reason=decision["reason"],
        )
        send_once(context, config, [one], self.log)
        raise AirflowFailException(f"ABORT {decision['workflow']}: {decision['reason']}")
