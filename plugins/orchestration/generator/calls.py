"""The calls of a workflow as tasks: mapped over games, teams or events, with one or several calls in a task."""

from __future__ import annotations

from datetime import timedelta
from math import ceil
from typing import Any

from airflow.configuration import conf
from airflow.sdk import TaskGroup, TriggerRule

from orchestration.config import Config
from orchestration.nba.league import TEAMS
from orchestration.operators.base import audited
from orchestration.operators.decide import HoldOperator
from orchestration.operators.retries import CallRetryPolicy
from orchestration.operators.scrape import TIMEOUT_GRACE, ScrapeOperator
from orchestration.operators.scrape_batch import DivideOperator, ScrapeBatchOperator
from orchestration.planning.calls import divided, in_order, needs_of
from orchestration.vocabulary.scrapers import Scraper, divider_of, event_source_of, fan_out_of, is_event_source
from orchestration.words import FanOut


def call_tasks(config: Config, name: str, hold: HoldOperator) -> list[Any]:
    """Return the call tasks of every step, with edges to the tasks that they wait for."""
    tasks: dict[str, Any] = {}
    before: list[Any] = []
    for step_name, step in config.workflows[name].execution_plan.steps.items():
        with TaskGroup(step_name, prefix_group_id=False):
            in_step: list[Any] = []
            for scraper in in_order(config, name, step):
                needs = [tasks[n] for n in needs_of(config, name, scraper) if n in tasks]
                # Without a named dependency, a step waits for the end of the step before, successful or not.
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
        # The default pool belongs to no source: there every task takes one slot.
        arguments["pool_slots"] = at_once
    if fan_out is FanOut.NOTHING:
        most = conf.getint("core", "max_map_length") if _mapped_over(config, workflow, scraper) else None
        return ScrapeOperator(**arguments, returns_events=is_event_source(scraper, config.scrapers), most_events=most)
    # Airflow also renders the template before the call, when there is no label yet.
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
    """Return the task over whose list the scraper is mapped: ``of``, or a task that divides the list of ``of``."""
    task_id = divider_of(scraper, model)
    if task_id is None:
        return of
    if task_id not in dividers:
        dividers[task_id] = DivideOperator(task_id=task_id, of=of.task_id, size=model.calls_per_task)
        of >> dividers[task_id]
    return dividers[task_id]
