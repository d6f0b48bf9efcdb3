"""From ``workflows.yaml`` to DAGs: one for each enabled workflow, schedule locker, cleanup and reconcile."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from copy import copy
from datetime import UTC, datetime, timedelta
from math import ceil
from typing import Any

from airflow.configuration import conf
from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.providers.standard.operators.trigger_dagrun import TriggerDagRunOperator
from airflow.sdk import DAG, Label, MultipleCronTriggerTimetable, Param, TaskGroup, TriggerRule

from orchestration.alerts.deadlines import deadline
from orchestration.config import CLEANUP, LOCKER, RECONCILE, Config
from orchestration.decisions.request import CleanupRequest, LockRequest, Parameters, ReconcileRequest, Request
from orchestration.generator.docs import SHADOW_DOC, cleanup_doc, locker_doc, reconcile_doc, workflow_doc
from orchestration.nba.eastern import ET
from orchestration.nba.league import TEAMS
from orchestration.operators.base import audited
from orchestration.operators.cleanup import CleanupOperator, DrainOutboxOperator
from orchestration.operators.decide import AbortOperator, DecideOperator, HoldOperator
from orchestration.operators.finish import FinishOperator, TableEventsOperator
from orchestration.operators.lock import CheckTablesOperator, LockOperator, SlateEventsOperator
from orchestration.operators.reconcile import FindMakeupsOperator, ReportOpenGamesOperator
from orchestration.operators.retries import CallRetryPolicy, TickRetryPolicy
from orchestration.operators.scrape import TIMEOUT_GRACE, ScrapeOperator
from orchestration.operators.scrape_batch import DivideOperator, ScrapeBatchOperator
from orchestration.operators.watch import WatchOperator
from orchestration.planning.calls import divided, in_order, needs_of
from orchestration.vocabulary.scrapers import Scraper, divider_of, event_source_of, fan_out_of, is_event_source
from orchestration.vocabulary.ticks import Ticks
from orchestration.words import FanOut, Mode

RECONCILE_TIMEOUT = timedelta(hours=5)
FETCH_POLL_SECONDS = 10
START = datetime(2020, 1, 1, tzinfo=UTC)
"""A date before any season that could be replayed. Catch-up is off, so it starts no runs."""


Form = dict[str, Param]
"""The fields of a DAG's trigger form."""


def _form(parameters: type[Parameters], **defaults: Any) -> Form:
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


@contextmanager
def _dag(
    config: Config,
    dag_id: str,
    ticks: Ticks | None,
    form: Form,
    description: str,
    doc_md: str,
    tags: Iterable[str] = ("nba", "system"),
    owner: str = "data-platform",
    **arguments: Any,
) -> Iterator[DAG]:
    """Open a DAG, for its tasks to be added. A shadow shows in its tags and its documentation."""
    shadow = config.is_shadow(dag_id)
    with DAG(
        dag_id,
        # Airflow finds the DAG in the globals of its file only.
        auto_register=False,
        schedule=None if ticks is None else MultipleCronTriggerTimetable(*ticks.crons(), timezone=ET.key),
        start_date=START,
        catchup=False,
        max_active_runs=1,
        description=description,
        tags=[*tags, *([Mode.SHADOW.value] if shadow else [])],
        doc_md=f"{SHADOW_DOC}\n\n{doc_md}" if shadow else doc_md,
        default_args={"owner": owner},
        **arguments,
    ) as dag:
        yield dag
    # If the form existed before the tasks, Airflow would copy it into each task, which takes half of the building time.
    # A running task still gets the parameters of its DAG.
    dag.params.update({name: copy(param) for name, param in form.items()})


def _tick_retries(config: Config) -> dict[str, Any]:
    """Return the retry arguments of a task that waits within its tick until something is known."""
    return {"retries": config.settings.decide_retries.max_retries, "retry_policy": TickRetryPolicy()}


def workflow_dag(config: Config, name: str) -> DAG:
    """Return the DAG of one workflow: decide, then either hold, calls and finish, or skip, or abort."""
    workflow = config.workflows[name]
    tags = [f"priority:{workflow.priority.value}", f"type:{workflow.decision_type}", "nba", *workflow.tags]
    with _dag(
        config,
        name,
        config.ticks_of(name),
        WORKFLOW_FORM,
        workflow.description,
        workflow_doc(config, name),
        tags,
        workflow.owner,
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
        # With direct edges the branch skips these tasks on SKIP and ABORT. Their trigger rule alone would run them.
        decide >> after
        for task in call_tasks(config, name, hold):
            task >> after
        hold >> after
    return dag


def call_tasks(config: Config, name: str, hold: HoldOperator) -> list[Any]:
    """Return the call tasks of every step, with edges to the tasks that they wait for."""
    tasks: dict[str, Any] = {}
    before: list[Any] = []
    for step_name, step in config.workflows[name].execution_plan.steps.items():
        with TaskGroup(step_name, prefix_group_id=False):
            in_step: list[Any] = []
            for scraper in in_order(config, name, step):
                needs = [tasks[n] for n in needs_of(config, name, scraper) if n in tasks]
                # Without a named dependency, a step waits until the step before has ended, even with failures.
                waits = needs or (in_step[-1:] if step.type == "sequential" and in_step else before)
                rule = TriggerRule.ALL_SUCCESS if needs or not waits else TriggerRule.ALL_DONE_MIN_ONE_SUCCESS
                task = _call(config, name, scraper, hold, tasks, rule)
                hold >> task
                for upstream in waits:
                    upstream >> task
                tasks[scraper] = task
                in_step.append(task)
        before = in_step
    return list(tasks.values())


def _call(
    config: Config, workflow: str, scraper: str, hold: HoldOperator, earlier: dict[str, Any], rule: TriggerRule
) -> Any:
    """Return the task of one scraper: mapped over games, teams or events, or a single one."""
    model, retries = config.scrapers[scraper], config.settings.retries
    fan_out = fan_out_of(scraper, model)
    timeout = config.timeout_seconds(scraper)
    size, at_once = model.calls_per_task, config.at_once(scraper)
    arguments = audited(
        task_id=scraper,
        workflow=workflow,
        scraper=scraper,
        fan_out=fan_out.value,
        timeout_seconds=timeout,
        deferrable=model.deferrable,
        execution_timeout=ceil(size / at_once) * (timedelta(seconds=timeout) + TIMEOUT_GRACE),
        retries=config.retries(scraper),
        retry_policy=CallRetryPolicy(
            retries.first_delay_seconds, retries.max_delay_seconds, config.deadline_minutes(workflow)
        ),
        trigger_rule=rule,
        doc_md=model.description or None,
    )
    if model.pool:
        arguments["pool"] = model.pool
        # In the default pool, which belongs to no source, every task takes one slot.
        arguments["pool_slots"] = at_once
    if fan_out is FanOut.NOTHING:
        most = conf.getint("core", "max_map_length") if _mapped_over(config, workflow, scraper) else None
        return ScrapeOperator(**arguments, returns_events=is_event_source(scraper, config.scrapers), most_events=most)
    # Airflow also renders the template before the call. There is no label then.
    arguments["map_index_template"] = "{{ call_label | default('') }}"
    mapped = (
        ScrapeOperator.partial(**arguments) if size == 1 else ScrapeBatchOperator.partial(**arguments, at_once=at_once)
    )
    if fan_out is FanOut.TEAM:
        teams = [team.tricode for team in TEAMS]
        return mapped.expand(item=teams if size == 1 else divided(teams, size))
    of = hold if fan_out is FanOut.GAME else earlier[event_source_of(model)]
    return mapped.expand(item=_divided(of, scraper, model, earlier).output)


def _mapped_over(config: Config, workflow: str, source: str) -> bool:
    """Return whether a scraper of the workflow has one task for each event of ``source``."""
    called = ((name, config.scrapers[name]) for name in config.workflows[workflow].execution_plan.scrapers)
    return any(
        fan_out_of(name, model) is FanOut.EVENT and event_source_of(model) == source and model.calls_per_task == 1
        for name, model in called
    )


def _divided(of: Any, scraper: str, model: Scraper, dividers: dict[str, Any]) -> Any:
    """Return the task whose list the scraper is mapped over: ``of``, or a task that divides the list of ``of``."""
    task_id = divider_of(scraper, model)
    if task_id is None:
        return of
    if task_id not in dividers:
        dividers[task_id] = DivideOperator(task_id=task_id, of=of.task_id, size=model.calls_per_task)
        of >> dividers[task_id]
    return dividers[task_id]


def locker_dag(config: Config) -> DAG:
    """Return the DAG that locks the day's expected runs, and checks what the configuration names."""
    text = "Locks what should run today"
    with _dag(config, LOCKER, config.lock_ticks, LOCKER_FORM, text, locker_doc(config)) as dag:
        LockOperator(task_id="lock", **_tick_retries(config))
        CheckTablesOperator(task_id="check_tables")
    return dag


def cleanup_dag(config: Config) -> DAG:
    """Return the DAG that drains the outbox, republishes lost messages and watches all other DAGs."""
    text = "Drains the outbox, republishes the messages of lost files and watches all other DAGs"
    with _dag(config, CLEANUP, config.cleanup_ticks, CLEANUP_FORM, text, cleanup_doc(config)) as dag:
        drain = DrainOutboxOperator(task_id="drain_outbox")
        # The cleanup looks for lost files even after a failed drain, and the watchdog always runs.
        republish = CleanupOperator(task_id="republish_lost_files", trigger_rule=TriggerRule.ALL_DONE)
        drain >> republish >> WatchOperator(task_id="watch", trigger_rule=TriggerRule.ALL_DONE)
        # A task of its own: the watchdog fails when it finds something, and Airflow takes no event from a failed task.
        republish >> SlateEventsOperator(task_id="tell_slates", trigger_rule=TriggerRule.ALL_DONE)
    return dag


def reconcile_dag(config: Config) -> DAG:
    """Return the DAG that fetches the missing games of the last days, at its times and by hand."""
    settings, ticks = config.settings.reconcile, config.reconcile_ticks
    with _dag(
        config,
        RECONCILE,
        ticks if ticks.times else None,
        _form(ReconcileRequest, days=settings.days, max_runs=settings.max_runs),
        "Fetches games that late sources, outages or vanished files left missing",
        reconcile_doc(config),
        # Runs of one workflow wait for each other. A stuck run must not stop the next reconcile.
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
    return dag
