"""From ``workflows.yaml`` to DAGs: one for each enabled workflow, schedule locker, cleanup and reconcile."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from copy import copy
from datetime import UTC, datetime, timedelta
from typing import Any

from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.providers.standard.operators.trigger_dagrun import TriggerDagRunOperator
from airflow.sdk import DAG, Label, MultipleCronTriggerTimetable, Param, TriggerRule

from orchestration.alerts.deadlines import deadline
from orchestration.config import CLEANUP, LOCKER, RECONCILE, Config
from orchestration.decisions.request import CleanupRequest, LockRequest, Parameters, ReconcileRequest, Request
from orchestration.generator.calls import call_tasks
from orchestration.generator.docs import SHADOW_DOC, cleanup_doc, locker_doc, reconcile_doc, workflow_doc
from orchestration.nba.eastern import ET
from orchestration.operators.asset_events import SlateEventsOperator, TableEventsOperator
from orchestration.operators.cleanup import CleanupOperator, DrainOutboxOperator
from orchestration.operators.decide import AbortOperator, DecideOperator
from orchestration.operators.finish import FinishOperator
from orchestration.operators.hold import HoldOperator
from orchestration.operators.lock import CheckTablesOperator, LockOperator
from orchestration.operators.reconcile import FindMakeupsOperator, ReportOpenGamesOperator
from orchestration.operators.retries import TickRetryPolicy
from orchestration.operators.watch import WatchOperator
from orchestration.vocabulary.ticks import Ticks
from orchestration.words import Mode

log = logging.getLogger(__name__)

RECONCILE_TIMEOUT = timedelta(hours=5)
FETCH_POLL_SECONDS = 10
START = datetime(2020, 1, 1, tzinfo=UTC)
"""Before any season that could be replayed; catch-up is off, so nothing runs for it."""


def _form(parameters: type[Parameters], **defaults: Any) -> dict[str, Param]:
    return {name: Param(**arguments) for name, arguments in parameters.form(**defaults).items()}


WORKFLOW_FORM, LOCKER_FORM, CLEANUP_FORM = _form(Request), _form(LockRequest), _form(CleanupRequest)


def build_dags(config: Config, only: str | None = None, failed: dict[str, Exception] | None = None) -> dict[str, DAG]:
    """Return the DAGs of ``config`` by id. ``only`` builds just that one: a task needs no other.

    One that cannot be built takes no other with it: it is left out, and its error put into ``failed``, or logged.
    With ``only`` its error is raised.
    """
    builders: dict[str, Any] = {name: lambda n=name: workflow_dag(config, n) for name in config.enabled}
    if config.settings.daily_schedule_lock.enabled:
        builders[LOCKER] = lambda: locker_dag(config)
    if config.settings.cleanup_processor.enabled:
        builders[CLEANUP] = lambda: cleanup_dag(config)
    builders[RECONCILE] = lambda: reconcile_dag(config)
    if only is not None:
        return {only: builders[only]()} if only in builders else {}
    dags: dict[str, DAG] = {}
    for dag_id, build in builders.items():
        try:
            dags[dag_id] = build()
        except Exception as error:
            if failed is None:
                log.error("The DAG %s cannot be built: %s: %s", dag_id, type(error).__name__, error)
            else:
                failed[dag_id] = error
    return dags


def _dag(config: Config, dag_id: str, ticks: Ticks | None, tags: list[str], doc_md: str, **arguments: Any) -> DAG:
    """Return an empty DAG. Whoever sees it in the UI sees, too, that it is a shadow.

    Only its file's globals make it known: one that is built to be looked at is not in force.
    """
    shadow = config.is_shadow(dag_id)
    return DAG(
        dag_id,
        auto_register=False,
        schedule=None if ticks is None else MultipleCronTriggerTimetable(*ticks.crons(), timezone=ET.key),
        start_date=START,
        catchup=False,
        max_active_runs=1,
        tags=[*tags, Mode.SHADOW.value] if shadow else tags,
        doc_md=f"{SHADOW_DOC}\n\n{doc_md}" if shadow else doc_md,
        **arguments,
    )


def _with_form(dag: DAG, params: Mapping[str, Param]) -> DAG:
    """Return the DAG with the parameters of its trigger form.

    Given to the DAG before its tasks, Airflow would check them for each DAG and copy them into each task: half of the
    time that building takes. A task that runs is given those of its DAG in any case.
    """
    dag.params.update({name: copy(param) for name, param in params.items()})
    return dag


def _patient(config: Config) -> dict[str, Any]:
    """Return the arguments of a task that waits for what it must know."""
    return {"retries": config.settings.decide_retries.max_retries, "retry_policy": TickRetryPolicy()}


def workflow_dag(config: Config, name: str) -> DAG:
    """Return the DAG of one workflow: decide, then hold, the steps' calls and finish; or skip; or abort."""
    workflow = config.workflows[name]
    tags = [f"priority:{workflow.priority.value}", f"type:{workflow.decision_type}", "nba", *workflow.tags]
    with _dag(
        config,
        name,
        config.ticks_of(name),
        description=workflow.description,
        doc_md=workflow_doc(config, name),
        tags=tags,
        default_args={"owner": workflow.owner},
        deadline=deadline(name, config.deadline_minutes(name)),
    ) as dag:
        decide = DecideOperator(task_id="decide", workflow=name, **_patient(config))
        hold = HoldOperator(task_id="hold", workflow=name)
        skip = EmptyOperator(task_id="skip")
        abort = AbortOperator(task_id="abort", workflow=name)
        finish = FinishOperator(task_id="finish", workflow=name, trigger_rule=TriggerRule.ALL_DONE)
        decide >> Label("RUN") >> hold
        decide >> Label("RUN and SKIP: a shadow calls nothing" if config.is_shadow(name) else "SKIP") >> skip
        decide >> Label("ABORT") >> abort
        after: list[Any] = [finish]
        if tables := config.tables_of(name):
            arguments = {"workflow": name, "tables": tables, "trigger_rule": TriggerRule.ALL_DONE}
            after.append(TableEventsOperator(task_id="tell_tables", **arguments))
        # A direct edge, so that the branch skips these themselves on SKIP and ABORT: their rule alone would run them.
        decide >> after
        for task in call_tasks(config, name, hold):
            task >> after
        hold >> after
    return _with_form(dag, WORKFLOW_FORM)


def locker_dag(config: Config) -> DAG:
    """Return the DAG that locks the day's expected runs at 05:00 ET, and checks what the configuration refers to."""
    with _dag(
        config,
        LOCKER,
        config.lock_ticks,
        description="Locks what should run today",
        doc_md=locker_doc(config),
        tags=["nba", "system"],
        default_args={"owner": "data-platform"},
    ) as dag:
        LockOperator(task_id="lock", **_patient(config))
        CheckTablesOperator(task_id="check_tables")
    return _with_form(dag, LOCKER_FORM)


def cleanup_dag(config: Config) -> DAG:
    """Return the DAG that drains the outbox, republishes lost messages and watches over all others."""
    with _dag(
        config,
        CLEANUP,
        config.cleanup_ticks,
        description="Drains the outbox, republishes the messages of lost files, and watches over everything else",
        doc_md=cleanup_doc(config),
        tags=["nba", "system"],
        default_args={"owner": "data-platform"},
    ) as dag:
        drain = DrainOutboxOperator(task_id="drain_outbox")
        # What could not be drained is no reason not to look for lost files, nor is anything a reason not to watch.
        republish = CleanupOperator(task_id="republish_lost_files", trigger_rule=TriggerRule.ALL_DONE)
        drain >> republish >> WatchOperator(task_id="watch", trigger_rule=TriggerRule.ALL_DONE)
        # Beside the watchdog: a task that is red for what it found can tell Airflow of no event.
        republish >> SlateEventsOperator(task_id="tell_slates", trigger_rule=TriggerRule.ALL_DONE)
    return _with_form(dag, CLEANUP_FORM)


def reconcile_dag(config: Config) -> DAG:
    """Return the DAG that fetches anew what is missing of the last days: at its times, and when somebody asks."""
    settings, ticks = config.settings.reconcile, config.reconcile_ticks
    with _dag(
        config,
        RECONCILE,
        ticks if ticks.times else None,
        description="Fetches anew what late sources, outages and vanished files left open",
        doc_md=reconcile_doc(config),
        tags=["nba", "system"],
        default_args={"owner": "data-platform"},
        # Runs of one workflow come one after the other; what is stuck behind them must not stop the next look.
        dagrun_timeout=RECONCILE_TIMEOUT,
    ) as dag:
        find = FindMakeupsOperator(task_id="find", **_patient(config))
        fetch = TriggerDagRunOperator.partial(
            task_id="fetch",
            skip_when_already_exists=True,
            # What would wait for somebody to unpause it is said at once.
            fail_when_dag_is_paused=True,
            wait_for_completion=True,
            deferrable=True,
            allowed_states=["success", "failed"],
            failed_states=[],
            poke_interval=FETCH_POLL_SECONDS,
            map_index_template="{{ task.trigger_run_id }}",
        ).expand_kwargs(find.output)
        fetch >> ReportOpenGamesOperator(task_id="tell_open", trigger_rule=TriggerRule.ALL_DONE)
    return _with_form(dag, _form(ReconcileRequest, days=settings.days, max_runs=settings.max_runs))
