"""From ``workflows.yaml`` to DAGs: one for each enabled workflow, schedule locker, cleanup and reconcile."""

from __future__ import annotations

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
from orchestration.operators.cleanup import CleanupOperator, DrainOutboxOperator
from orchestration.operators.decide import AbortOperator, DecideOperator, HoldOperator
from orchestration.operators.finish import FinishOperator, TableEventsOperator
from orchestration.operators.lock import CheckTablesOperator, LockOperator, SlateEventsOperator
from orchestration.operators.reconcile import FindMakeupsOperator, ReportOpenGamesOperator
from orchestration.operators.retries import TickRetryPolicy
from orchestration.operators.watch import WatchOperator
from orchestration.vocabulary.ticks import Ticks
from orchestration.words import Mode

RECONCILE_TIMEOUT = timedelta(hours=5)
FETCH_POLL_SECONDS = 10
START = datetime(2020, 1, 1, tzinfo=UTC)
"""A date before any season that could be replayed. Catch-up is off, so it starts no runs."""
SYSTEM: dict[str, Any] = {"tags": ["nba", "system"], "default_args": {"owner": "data-platform"}}
"""What the DAGs of the system have in common."""


def _form(parameters: type[Parameters], **defaults: Any) -> dict[str, Param]:
    return {name: Param(**arguments) for name, arguments in parameters.form(**defaults).items()}


WORKFLOW_FORM, LOCKER_FORM, CLEANUP_FORM = _form(Request), _form(LockRequest), _form(CleanupRequest)


def build_dags(config: Config, only: str | None = None, failed: dict[str, Exception] | None = None) -> dict[str, DAG]:
    """Return the DAGs of ``config`` by id, or ``only`` one of them, since a task needs no other.

    With ``failed``, a DAG that cannot be built is left out, and ``failed`` receives its error by DAG id. Without
    ``failed``, or with ``only``, the error is raised.
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
                raise
            failed[dag_id] = error
    return dags


def _dag(config: Config, dag_id: str, ticks: Ticks | None, tags: list[str], doc_md: str, **arguments: Any) -> DAG:
    """Return an empty DAG. A shadow shows in its tags and its documentation.

    The DAG does not register itself: Airflow finds it in the globals of its file only.
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

    They are added after the tasks. Airflow would otherwise copy them into each task, which takes half of the building
    time. A running task gets the parameters of its DAG all the same.
    """
    dag.params.update({name: copy(param) for name, param in params.items()})
    return dag


def _tick_retries(config: Config) -> dict[str, Any]:
    """Return the retry arguments of a task that waits within its tick for missing knowledge."""
    return {"retries": config.settings.decide_retries.max_retries, "retry_policy": TickRetryPolicy()}


def workflow_dag(config: Config, name: str) -> DAG:
    """Return the DAG of one workflow: decide, then either hold, calls and finish, or skip, or abort."""
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
        decide = DecideOperator(task_id="decide", workflow=name, **_tick_retries(config))
        hold = HoldOperator(task_id="hold", workflow=name)
        skip = EmptyOperator(task_id="skip")
        abort = AbortOperator(task_id="abort", workflow=name)
        finish = FinishOperator(task_id="finish", workflow=name, trigger_rule=TriggerRule.ALL_DONE)
        decide >> Label("RUN") >> hold
        decide >> Label("RUN and SKIP: a shadow calls no scraper" if config.is_shadow(name) else "SKIP") >> skip
        decide >> Label("ABORT") >> abort
        after: list[Any] = [finish]
        if tables := config.tables_of(name):
            arguments = {"workflow": name, "tables": tables, "trigger_rule": TriggerRule.ALL_DONE}
            after.append(TableEventsOperator(task_id="tell_tables", **arguments))
        # Through these direct edges the branch skips the tasks on SKIP and ABORT; their trigger rule would run them.
        decide >> after
        for task in call_tasks(config, name, hold):
            task >> after
        hold >> after
    return _with_form(dag, WORKFLOW_FORM)


def locker_dag(config: Config) -> DAG:
    """Return the DAG that locks the day's expected runs at 05:00 ET, and checks what the configuration names."""
    with _dag(
        config,
        LOCKER,
        config.lock_ticks,
        description="Locks what should run today",
        doc_md=locker_doc(config),
        **SYSTEM,
    ) as dag:
        LockOperator(task_id="lock", **_tick_retries(config))
        CheckTablesOperator(task_id="check_tables")
    return _with_form(dag, LOCKER_FORM)


def cleanup_dag(config: Config) -> DAG:
    """Return the DAG that drains the outbox, republishes lost messages and watches over all other DAGs."""
    with _dag(
        config,
        CLEANUP,
        config.cleanup_ticks,
        description="Drains the outbox, republishes the messages of lost files and watches all other DAGs",
        doc_md=cleanup_doc(config),
        **SYSTEM,
    ) as dag:
        drain = DrainOutboxOperator(task_id="drain_outbox")
        # Lost files are looked for after a failed drain too, and the watchdog always runs.
        republish = CleanupOperator(task_id="republish_lost_files", trigger_rule=TriggerRule.ALL_DONE)
        drain >> republish >> WatchOperator(task_id="watch", trigger_rule=TriggerRule.ALL_DONE)
        # Beside the watchdog, which fails for its findings: Airflow takes no event from a failed task.
        republish >> SlateEventsOperator(task_id="tell_slates", trigger_rule=TriggerRule.ALL_DONE)
    return _with_form(dag, CLEANUP_FORM)


def reconcile_dag(config: Config) -> DAG:
    """Return the DAG that fetches the missing games of the last days, at its times and by hand."""
    settings, ticks = config.settings.reconcile, config.reconcile_ticks
    with _dag(
        config,
        RECONCILE,
        ticks if ticks.times else None,
        description="Fetches games that late sources, outages or vanished files left missing",
        doc_md=reconcile_doc(config),
        **SYSTEM,
        # Runs of one workflow wait for each other; a stuck one must not stop the next reconcile.
        dagrun_timeout=RECONCILE_TIMEOUT,
    ) as dag:
        find = FindMakeupsOperator(task_id="find", **_tick_retries(config))
        fetch = TriggerDagRunOperator.partial(
            task_id="fetch",
            skip_when_already_exists=True,
            # A run of a paused workflow would wait; this reports it at once.
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
