"""The names in a workflow's DAG: its tasks and their groups share one room, in which each name stands once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from orchestration.config.errors import Problem
from orchestration.config.scrapers import Scraper, event_source_of, fan_out_of
from orchestration.config.source import Path, Source
from orchestration.config.workflows import Workflow
from orchestration.words import FanOut

TASKS = ("decide", "hold", "skip", "abort", "finish", "tell_tables")
"""The tasks that every workflow's DAG has beside its calls."""


def divider_of(name: str, scraper: Scraper) -> str | None:
    """Return the task that divides the list which the scraper ``name`` is called for, or None where none is needed.

    The teams are known beforehand, and a list that is called for one by one needs no dividing.
    """
    if scraper.calls_per_task == 1:
        return None
    match fan_out_of(name, scraper):
        case FanOut.GAME:
            return f"games_by_{scraper.calls_per_task}"
        case FanOut.EVENT:
            return f"{event_source_of(scraper)}_by_{scraper.calls_per_task}"
        case _:
            return None


def problems(source: Source, name: str, workflow: Workflow, scrapers: Mapping[str, Scraper]) -> Iterator[Problem]:
    """Yield the names of steps and scrapers that something else in the DAG has too."""
    plan: Path = ("workflows", name, "execution_plan")
    steps = workflow.execution_plan.steps
    called = {scraper for scraper in workflow.execution_plan.scrapers if scraper in scrapers}
    dividers = {divider_of(scraper, scrapers[scraper]) for scraper in called}
    for step_name, step in steps.items():
        if step_name in TASKS:
            yield source.problem(
                (*plan, step_name), f"`{step_name}` is a task of every workflow; name the step otherwise"
            )
        for task in sorted(dividers & {step_name, *step.scrapers} - {None}, key=str):
            yield source.problem((*plan, step_name), f"`{task}` is also the task that divides a list (calls_per_task)")
        for index, scraper in enumerate(step.scrapers):
            place = (*plan, step_name, "scrapers", index)
            if scraper in TASKS:
                message = f"`{scraper}` is a task of every workflow, so no scraper of that name can be called"
                yield source.problem(place, message)
            elif scraper in steps:
                yield source.problem(place, f"`{scraper}` is the name of a step too; name the step otherwise")
