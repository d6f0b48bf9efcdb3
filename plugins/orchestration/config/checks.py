"""Checks across the file: names that must exist, windows that must contain a tick, circles of dependencies."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta
from graphlib import CycleError, TopologicalSorter

from orchestration.vocabulary.model import CLEANUP_DELAY_MINUTES, SYSTEM_DAGS, Config
from orchestration.vocabulary.scrapers import Scraper, answer_of, divider_of, event_source_of, fan_out_of, parameters_of
from orchestration.vocabulary.source import Path, Problem, Source
from orchestration.vocabulary.templates import problem_with
from orchestration.vocabulary.workflows import TASKS, ExecutionPlan, Workflow
from orchestration.words import FanOut, Mode, clipped, did_you_mean


def errors(config: Config, source: Source) -> Iterator[Problem]:
    """Yield every problem that makes the configuration unusable."""
    yield from _scrapers(config, source)
    for name, workflow in config.workflows.items():
        if name in SYSTEM_DAGS:
            yield source.problem(("workflows", name), f"`{name}` is a DAG of the system. Choose another name")
        yield from _plan(config, source, name, workflow)
        yield from _names(source, name, workflow, config.scrapers)
        yield from _schedule(config, source, name, workflow)
        for index, required in enumerate(workflow.dependencies.requires):
            path = ("workflows", name, "dependencies", "requires", index)
            if required not in config.workflows:
                yield _unknown(source, path, "workflow", required, config.workflows)
            elif workflow.enabled and not config.workflows[required].enabled:
                yield source.problem(path, f"`{required}` is switched off, so `{name}` would wait for ever")
    requires = {n: [r for r in w.dependencies.requires if r in config.workflows] for n, w in config.workflows.items()}
    yield from _cycles(source, requires, "workflows", "dependencies", "requires")
    yield from _cleanup(config, source)
    yield from _two_systems(config, source)


def _unknown(source: Source, path: Path, kind: str, name: str, allowed: Iterable[str]) -> Problem:
    return source.problem(path, f"no {kind} is named `{name}`{did_you_mean(name, allowed)}")


def _scrapers(config: Config, source: Source) -> Iterator[Problem]:
    known = config.scrapers
    for name, scraper in known.items():
        here = ("scrapers", name)
        if scraper.name not in (None, name):
            yield source.problem((*here, "name"), f"`{scraper.name}` must be the same as its key, `{name}`")
        for key in ("depends_on", "dependency_for"):
            for index, other in enumerate(getattr(scraper, key)):
                if other not in known:
                    yield _unknown(source, (*here, key, index), "scraper", other, known)
        fan_out = fan_out_of(name, scraper)
        for parameter, template in parameters_of(name, scraper).items():
            if problem := problem_with(template, fan_out):
                yield source.problem((*here, "parameters", parameter), f"{clipped(template)!r}: {problem}")
        if scraper.pool is not None and scraper.pool not in config.settings.pools:
            pools = config.settings.pools
            yield source.problem(
                (*here, "pool"),
                f"settings.pools has no pool `{scraper.pool}`{did_you_mean(scraper.pool, pools)}",
            )
        if scraper.calls_per_task > 1:
            yield from _several_calls(source, (*here, "calls_per_task"), fan_out, scraper)
        yield from _expects(source, name, scraper, fan_out)
    for name in config.settings.scraper_timeouts.overrides:
        if name not in known:
            yield _unknown(source, ("settings", "scraper_timeouts", "overrides", name), "scraper", name, known)
    depends = {n: [d for d in s.depends_on if d in known] for n, s in known.items()}
    for name, scraper in known.items():
        if fan_out_of(name, scraper) is FanOut.EVENT and event_source_of(scraper) in known:
            depends[name].append(event_source_of(scraper))
    yield from _cycles(source, depends, "scrapers", "depends_on")


def _expects(source: Source, name: str, scraper: Scraper, fan_out: FanOut) -> Iterator[Problem]:
    """Lesson F3: an expectation that cannot be compared with an answer would never be missed."""
    if (expects := scraper.expects) is None:
        return
    here: Path = ("scrapers", name, "expects")
    reads = answer_of(name, scraper)
    for key in ("records_per_game", "games", "changes"):
        if getattr(expects, key) is not None and fan_out is not FanOut.NOTHING:
            instead = ". Write `records`: the least of one answer" if key == "records_per_game" else ""
            message = f"is for a scraper with one answer a date; this one is called for each {fan_out}{instead}"
            yield source.problem((*here, key), message)
    if expects.games is not None and fan_out is FanOut.NOTHING and not (reads.games or reads.games_count):
        message = "nothing says where the answer names its games. Write its key in answer.games or answer.games_count"
        yield source.problem((*here, "games"), message)
    for key in ("records", "records_per_game"):
        if getattr(expects, key) is not None and not reads.counted:
            message = "cannot be compared: answer.records is `none`, so the answer has no count"
            yield source.problem((*here, key), message)


def _several_calls(source: Source, path: Path, fan_out: FanOut, scraper: Scraper) -> Iterator[Problem]:
    if fan_out is FanOut.NOTHING:
        yield source.problem(path, "has no effect: without `for_each` the scraper has one call")
    if scraper.deferrable:
        # A triggerer stages no rows: if it dies, all calls of the batch would be lost and made again.
        message = (
            "cannot be combined with `deferrable: true`, where each call is a task of its own. Remove one of the two"
        )
        yield source.problem(path, message)


def _cycles(source: Source, graph: dict[str, list[str]], *path: str) -> Iterator[Problem]:
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        circle = error.args[1]
        where = (path[0], circle[-1], *path[1:])
        yield source.problem(where, f"a circle of dependencies: {' -> '.join(reversed(circle))}")


def _plan(config: Config, source: Source, name: str, workflow: Workflow) -> Iterator[Problem]:
    here: Path = ("workflows", name, "execution_plan")
    earlier: set[str] = set()
    for step_name, step in workflow.execution_plan.steps.items():
        at_step = (*here, step_name)
        callable_here = earlier | set(step.scrapers)
        for index, scraper in enumerate(step.scrapers):
            key = ("scraper",) if (*at_step, "scraper") in source.places or (*here, "scraper") in source.places else ()
            path = (*at_step, *(key or ("scrapers", index)))
            if scraper not in config.scrapers:
                yield _unknown(source, path, "scraper", scraper, config.scrapers)
                continue
            if scraper in earlier:
                yield source.problem(
                    path, f"`{scraper}` is in this plan twice. Remove one of the two: each call is made once"
                )
            model = config.scrapers[scraper]
            needs = event_source_of(model)
            if fan_out_of(scraper, model) is FanOut.EVENT:
                about = f"`{scraper}` is called for each event of `{needs}`, so"
                if needs not in callable_here:
                    yield source.problem(path, f"{about} `{needs}` must be in this step or an earlier one")
                elif fan_out_of(needs, config.scrapers[needs]) is not FanOut.NOTHING:
                    yield source.problem(path, f"{about} `{needs}` must be one call, without for_each")
            earlier.add(scraper)
        for index, needed in enumerate(step.depends_on):
            if needed not in earlier - set(step.scrapers):
                candidates = earlier - set(step.scrapers)
                message = f"no earlier step calls `{needed}`{did_you_mean(needed, candidates)}"
                yield source.problem((*at_step, "depends_on", index), message)


def _names(source: Source, name: str, workflow: Workflow, scrapers: Mapping[str, Scraper]) -> Iterator[Problem]:
    """Yield the names of steps and scrapers that another task or group of the DAG has too."""
    plan: Path = ("workflows", name, "execution_plan")
    steps = workflow.execution_plan.steps
    called = {scraper for scraper in workflow.execution_plan.scrapers if scraper in scrapers}
    dividers = {divider_of(scraper, scrapers[scraper]) for scraper in called}
    for step_name, step in steps.items():
        if step_name in TASKS:
            yield source.problem(
                (*plan, step_name), f"`{step_name}` is a task of every workflow. Choose another name for the step"
            )
        for task in sorted(dividers & {step_name, *step.scrapers} - {None}, key=str):
            yield source.problem(
                (*plan, step_name), f"`{task}` is also the name of the task that makes batches (calls_per_task)"
            )
        for index, scraper in enumerate(step.scrapers):
            place = (*plan, step_name, "scrapers", index)
            if scraper in TASKS:
                message = f"`{scraper}` is a task of every workflow. A scraper with this name cannot be called"
                yield source.problem(place, message)
            elif scraper in steps:
                yield source.problem(place, f"`{scraper}` is also the name of a step. Choose another name for the step")


def _schedule(config: Config, source: Source, name: str, workflow: Workflow) -> Iterator[Problem]:
    """Lesson T1: windows at 01:00 and 04:00 never ran, because no tick lay in them."""
    first, last = config.settings.first_tick, config.settings.last_tick
    for key, message in workflow.impossible(config.ticks_of(name)):
        path = ("workflows", name, "schedule", key)
        yield source.problem(path, f"{message} (ticks: {first:%H:%M}-{last:%H:%M})")


def refused(config: Config, source: Source) -> Iterator[Problem]:
    """Yield what ``validate`` refuses although it loads: a file in force must not stop with a new release."""
    for name, workflow in config.workflows.items():
        for key, message in workflow.unreachable(config.ticks_of(name)):
            yield source.problem(("workflows", name, "schedule", key), message)


def _cleanup(config: Config, source: Source) -> Iterator[Problem]:
    """Lesson C4: a file that is too young at one run of the cleanup must not be too old at the next."""
    cleanup = config.settings.cleanup_processor
    needed = cleanup.interval_minutes + cleanup.min_file_age_minutes + CLEANUP_DELAY_MINUTES
    if timedelta(hours=cleanup.lookback_hours) < timedelta(minutes=needed):
        path = ("settings", "cleanup_processor", "lookback_hours")
        message = (
            f"{cleanup.lookback_hours:g} h is too short: a file younger than {cleanup.min_file_age_minutes} min at one "
            f"run would be too old at the next. Write at least {needed / 60:.2g} h"
        )
        yield source.problem(path, message)


def _two_systems(config: Config, source: Source) -> Iterator[Problem]:
    """Lesson A9: the other system executes every RUN in its own dataset, even a RUN of ours."""
    settings = config.settings
    if config.is_shadow() and settings.audit_dataset == settings.history:
        message = (
            f"a shadow needs its own dataset: the other system executes every RUN in `{settings.history}`. "
            "Write another dataset in audit_dataset, and the other system's in history_dataset"
        )
        yield source.problem(("settings", "audit_dataset"), message)


def warnings(config: Config, source: Source) -> Iterator[Problem]:
    """Yield every problem that loads but is probably a mistake."""
    yield from refused(config, source)
    used = {scraper for workflow in config.workflows.values() for scraper in workflow.execution_plan.scrapers}
    for scraper in config.scrapers:
        if scraper not in used:
            yield source.problem(("scrapers", scraper), "no workflow calls this scraper")
        for key in {"keeps_paths", "game_column"} & config.scrapers[scraper].model_fields_set:
            if config.scrapers[scraper].processed_in is None:
                yield source.problem(("scrapers", scraper, key), "has no effect without processed_in")
        yield from _answer(config, source, scraper)
        yield from _timeout(config, source, scraper)
    for name, workflow in config.workflows.items():
        for index, other in enumerate(workflow.dependencies.required_for):
            if other not in config.workflows:
                path = ("workflows", name, "dependencies", "required_for", index)
                message = f"is not a workflow{did_you_mean(other, config.workflows)}. Only `requires` has an effect"
                yield source.problem(path, message)
        if config.is_shadow() and workflow.mode is Mode.LIVE and "mode" in workflow.model_fields_set:
            message = "has no effect: the system is a shadow (settings.mode), so no workflow makes calls"
            yield source.problem(("workflows", name, "mode"), message)
        if workflow.reads_yesterday_as_slate:
            yield source.problem(
                ("workflows", name, "schedule", "target_date"),
                "is read as `slate`: before midnight, `yesterday` would be the night before. Write `slate`",
            )
        if workflow.reads_slate_as_yesterday:
            yield source.problem(
                ("workflows", name, "schedule", "target_date"),
                "is read as `yesterday`: in the morning, the games of `slate` are not played yet. Write `yesterday`",
            )
        yield from _critical_after_noncritical(config, source, name, workflow.execution_plan)
        yield from _needs_later_step(config, source, workflow.execution_plan)


def _critical_after_noncritical(config: Config, source: Source, name: str, plan: ExecutionPlan) -> Iterator[Problem]:
    """Yield critical scrapers that are not called if a non-critical scraper fails."""
    for step_name, step in plan.steps.items():
        here: Path = ("workflows", name, "execution_plan", step_name)
        critical = [scraper for scraper in step.scrapers if config.scrapers[scraper].critical]
        for index, needed in enumerate(step.depends_on):
            if critical and not config.scrapers[needed].critical:
                yield source.problem((*here, "depends_on", index), _stops(needed, critical))
        for scraper in critical:
            for index, needed in enumerate(config.scrapers[scraper].depends_on):
                if needed in plan.scrapers and not config.scrapers[needed].critical:
                    yield source.problem(("scrapers", scraper, "depends_on", index), _stops(needed, [scraper]))


def _needs_later_step(config: Config, source: Source, plan: ExecutionPlan) -> Iterator[Problem]:
    """Yield scrapers that depend on a scraper of a later step."""
    called: set[str] = set()
    for step in plan.steps.values():
        called |= set(step.scrapers)
        for scraper in step.scrapers:
            for index, needed in enumerate(config.scrapers[scraper].depends_on):
                if needed in plan.scrapers and needed not in called:
                    message = f"a later step calls `{needed}`, so `{scraper}` does not wait for it"
                    yield source.problem(("scrapers", scraper, "depends_on", index), message)


def _stops(needed: str, critical: list[str]) -> str:
    return f"`{needed}` is not critical, but if it fails, critical scrapers are not called: {', '.join(critical)}"


def _answer(config: Config, source: Source, name: str) -> Iterator[Problem]:
    """Lessons K1 and E10: a success without a count may be empty, and a blocked source is not an empty source."""
    here: Path = ("scrapers", name, "answer")
    if not answer_of(name, config.scrapers[name]).counted:
        message = "without a count, every answer that works is a success, and a source without data is not noticed"
        yield source.problem((*here, "records"), message)
    own = config.scrapers[name].answer
    for index, sign in enumerate(own.no_data if own is not None else ()):
        if sign.error_type is None and sign.text is None and (sign.status in (403, 429) or (sign.status or 0) >= 500):
            message = f"reads every answer with {sign.status} as no_data, whatever the cause. Add error_type or text"
            yield source.problem((*here, "no_data", index), message)


def _timeout(config: Config, source: Source, name: str) -> Iterator[Problem]:
    """Lesson E7: a timeout shorter than the scraper's worst case is raised to it."""
    scraper, timeouts = config.scrapers[name], config.settings.scraper_timeouts
    path: Path
    stated, path = timeouts.default, ("settings", "scraper_timeouts", "default")
    if scraper.timeout_seconds is not None:
        stated, path = scraper.timeout_seconds, ("scrapers", name, "timeout_seconds")
    elif name in timeouts.overrides:
        stated, path = timeouts.overrides[name], ("settings", "scraper_timeouts", "overrides", name)
    worst = scraper.estimated_duration_seconds or 0
    if stated < worst:
        message = f"{stated:g} s is shorter than the worst case of {name}, so {worst:g} s is the timeout"
        yield source.problem(path, message)
