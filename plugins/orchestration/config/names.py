"""The names in a workflow's DAG: its tasks and their groups share one room, in which each name stands once."""

from __future__ import annotations

from collections.abc import Iterator

from orchestration.config.errors import Problem
from orchestration.config.source import Path, Source
from orchestration.config.workflows import Workflow

TASKS = ("decide", "hold", "skip", "abort", "finish")
"""The tasks that every workflow's DAG has beside its calls."""


def problems(source: Source, name: str, workflow: Workflow) -> Iterator[Problem]:
    """Yield the names of steps and scrapers that something else in the DAG has too."""
    plan: Path = ("workflows", name, "execution_plan")
    steps = workflow.execution_plan.steps
    for step_name, step in steps.items():
        if step_name in TASKS:
            yield source.problem(
                (*plan, step_name), f"`{step_name}` is a task of every workflow; name the step otherwise"
            )
        for index, scraper in enumerate(step.scrapers):
            place = (*plan, step_name, "scrapers", index)
            if scraper in TASKS:
                message = f"`{scraper}` is a task of every workflow, so no scraper of that name can be called"
                yield source.problem(place, message)
            elif scraper in steps:
                yield source.problem(place, f"`{scraper}` is the name of a step too; name the step otherwise")
