"""A workflow in other words: what its part of the YAML means, in sentences. Pure.

The same text stands on the DAG's page in Airflow and in ``describe``. There are no dates in it: Airflow would take
another text for another version of the DAG.
"""

from __future__ import annotations

from collections.abc import Iterator

from orchestration.config.model import Config
from orchestration.config.scrapers import fan_out_of
from orchestration.nba.games import COUNTED_BY_DEFAULT
from orchestration.planning.calls import in_order, needs_of
from orchestration.words import AlertLevel, FanOut


def described(config: Config, name: str) -> list[str]:
    """Return what the workflow ``name`` does, in sentences; names stand in backquotes."""
    return [
        *_off(config, name),
        config.workflows[name].in_words(config.settings),
        f"It is asked {ticks_in_words(config, name)} (ET).",
        *_games(config, name),
        *_requires(config, name),
        *_calls(config, name),
        *_told(config, name),
        *_ends(config, name),
    ]


def _off(config: Config, name: str) -> Iterator[str]:
    workflow = config.workflows[name]
    if not workflow.enabled:
        yield "**It is switched off**: there is no DAG of it."
    for whose, halt in (("Everything", config.settings.halt), ("It", workflow.halt)):
        if halt is not None:
            until = f" until {halt.until}" if halt.until else ""
            yield f"**{whose} is halted{until}** ({halt.reason}): it is asked, and does not run."
    if config.is_shadow(name):
        yield "**It is a shadow**: it is decided and recorded, and calls nothing."


def ticks_in_words(config: Config, name: str) -> str:
    """Return when the workflow is asked: the regular ticks and its own."""
    regular = config.regular_ticks.times
    every = config.settings.controller_interval_minutes
    own = [f"{wall:%H:%M}" for wall in config.ticks_of(name).times if wall not in regular]
    steps = "hourly" if every == 60 else f"every {every} min"
    return f"{steps} from {regular[0]:%H:%M} to {regular[-1]:%H:%M}" + (f", and at {', '.join(own)}" if own else "")


def _games(config: Config, name: str) -> Iterator[str]:
    """Yield which games count, where that is not what counts by default."""
    types = config.workflows[name].game_types
    if set(types) != set(COUNTED_BY_DEFAULT):
        yield f"Of all games only these count: {', '.join(kind.value for kind in types)}."


def _requires(config: Config, name: str) -> Iterator[str]:
    if requires := config.workflows[name].dependencies.requires:
        yield f"It waits for {_listed(requires)}, to be done for the same slate or to have nothing to do."


def _calls(config: Config, name: str) -> Iterator[str]:
    """Yield a sentence for each step of a run, and one for the hold before them."""
    hold = config.settings.execution_delay_minutes
    wait = f"waits {hold:g} min, in which anybody may veto it, and " if hold else ""
    steps = config.workflows[name].execution_plan.steps
    for number, step in enumerate(steps.values()):
        calls = "; ".join(_call(config, name, scraper) for scraper in in_order(config, name, step))
        if number == 0:
            yield f"A run {wait}calls: {calls}."
        elif step.depends_on:
            yield f"Once {_listed(step.depends_on)} succeeded, it calls: {calls}."
        else:
            yield f"When these are over, it calls: {calls}."


def _call(config: Config, name: str, scraper: str) -> str:
    """Return a scraper in words: ``x`` for each game, after ``y``, (critical)."""
    model = config.scrapers[scraper]
    each = {
        FanOut.GAME: " for each game",
        FanOut.TEAM: " for each of the 30 teams",
        FanOut.EVENT: " for each event",
        FanOut.NOTHING: "",
    }[fan_out_of(scraper, model)]
    step = next(s for s in config.workflows[name].execution_plan.steps.values() if scraper in s.scrapers)
    own = [need for need in needs_of(config, name, scraper) if need not in step.depends_on]
    return f"`{scraper}`{each}{f' after {_listed(own)}' if own else ''}{' (critical)' if model.critical else ''}"


def _told(config: Config, name: str) -> Iterator[str]:
    """Yield who is told of what the calls bring: whoever waits for the assets of their tables."""
    if tables := config.tables_of(name):
        yield f"Each call that brings records is an event of the asset of its table: {_listed(tables)}."


def _ends(config: Config, name: str) -> Iterator[str]:
    workflow = config.workflows[name]
    yield f"It must be over {config.deadline_minutes(name):g} min after it was queued."
    if config.critical_scrapers(name):
        yield "A critical call that fails makes the run a failed one; another makes it partial."
    level = max(AlertLevel.WARNING, workflow.alerts.failure, key=list(AlertLevel).index)
    yield f"If it should have run and could not (ABORT), that is told as {level.value}."


def _listed(names: tuple[str, ...] | list[str]) -> str:
    quoted = [f"`{name}`" for name in names]
    return quoted[0] if len(quoted) == 1 else f"{', '.join(quoted[:-1])} and {quoted[-1]}"
