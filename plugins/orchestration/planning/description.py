"""A workflow in sentences: what its part of the YAML means. Pure.

Airflow's page of the DAG and ``describe`` show the same sentences. They contain no dates, because Airflow takes a
changed text as a new version of the DAG.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from statistics import median

from orchestration.config import Config
from orchestration.decisions.whole import ENOUGH_SUCCESSES, PastAnswers, learned
from orchestration.nba.games import COUNTED_BY_DEFAULT
from orchestration.planning.calls import in_order, needs_of
from orchestration.vocabulary.scrapers import fan_out_of
from orchestration.words import AlertLevel, FanOut, loudness, plural


def described(config: Config, name: str) -> list[str]:
    """Return what the workflow ``name`` does, one sentence an item. Names are in backquotes."""
    return list(_sentences(config, name))


def _sentences(config: Config, name: str) -> Iterator[str]:
    workflow = config.workflows[name]
    if not workflow.enabled:
        yield "**The workflow is switched off**: it has no DAG."
    for whose, halt in (("Everything", config.settings.halt), ("The workflow", workflow.halt)):
        if halt is not None:
            until = f" until {halt.until}" if halt.until else ""
            yield f"**{whose} is halted{until}** ({halt.reason}): every tick is a SKIP."
    if config.is_shadow(name):
        yield "**The workflow is a shadow**: decisions are recorded, and no call is made."
    yield workflow.in_words(config.settings)
    yield f"Its ticks are {_ticks(config, name)} (ET)."
    if set(workflow.game_types) != set(COUNTED_BY_DEFAULT):
        yield f"Only these game types count: {', '.join(kind.value for kind in workflow.game_types)}."
    if requires := workflow.dependencies.requires:
        yield f"It waits for {_listed(requires)}, which must be done for the same slate or have nothing to do."
    yield from _calls(config, name)
    yield from _expects(config, name)
    if tables := config.tables_of(name):
        yield f"A call that returns records creates an event of its table's asset: {_listed(tables)}."
    yield f"A run must end within {config.deadline_minutes(name):g} min after it was queued."
    if config.critical_scrapers(name):
        yield "A failed critical call makes the run failed; any other failed call makes it partial."
    level = max(AlertLevel.WARNING, workflow.alerts.failure, key=loudness)
    yield f"If it should have run and could not (ABORT), an alert of level {level.value} is sent."


def _ticks(config: Config, name: str) -> str:
    regular = config.regular_ticks.times
    every = config.settings.controller_interval_minutes
    own = [f"{wall:%H:%M}" for wall in config.ticks_of(name).times if wall not in regular]
    steps = "hourly" if every == 60 else f"every {every} min"
    return f"{steps} from {regular[0]:%H:%M} to {regular[-1]:%H:%M}" + (f", and at {', '.join(own)}" if own else "")


def _calls(config: Config, name: str) -> Iterator[str]:
    """Yield a sentence for each step of a run, and one for the hold before them."""
    hold = config.settings.execution_delay_minutes
    wait = f"waits {hold:g} min, during which a person can veto it, and then " if hold else ""
    steps = config.workflows[name].execution_plan.steps
    for number, step in enumerate(steps.values()):
        calls = "; ".join(_call(config, name, scraper) for scraper in in_order(config, name, step))
        if number == 0:
            yield f"A run {wait}calls: {calls}."
        elif step.depends_on:
            yield f"After the success of {_listed(step.depends_on)}, it calls: {calls}."
        else:
            yield f"When these calls have ended, it calls: {calls}."


def _call(config: Config, name: str, scraper: str) -> str:
    """Return a scraper in words, for example: `x` for each game after `y` (critical)."""
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


def _expects(config: Config, name: str) -> Iterator[str]:
    """Yield what a good answer of each scraper holds, where the YAML says it."""
    for scraper in config.workflows[name].execution_plan.scrapers:
        if (expects := config.scrapers[scraper].expects) is None:
            continue
        parts = [f"at least {plural(expects.records.min, 'record')}"] if expects.records else []
        if (least := expects.records_per_game) is not None:
            parts.append(f"at least {plural(least.min, 'record')} for each game")
        parts += ["every game of the slate"] if expects.games else []
        if parts:
            yield f"A whole answer of `{scraper}` holds {' and '.join(parts)}; a smaller one is partial."
        if expects.changes is not None:
            yield f"The answers of `{scraper}` change daily."


def usual_in_words(config: Config, name: str, past: Sequence[PastAnswers]) -> Iterator[str]:
    """Yield what was learned about the answers of each scraper that does not say how many records it expects."""
    for scraper in config.workflows[name].execution_plan.scrapers:
        model = config.scrapers[scraper]
        if model.expects is not None and model.expects.counts_records:
            continue
        own = [one for one in past if one.scraper_name == scraper]
        sizes = [size for one in own for size in one.games if size > 0]
        for games, when in ((round(median(sizes)) if sizes else 1, "with games"), (0, "without games")):
            usual = learned(own, scraper, fan_out_of(scraper, model), games)
            answers = sum(len(one.counts) for one in own if one.game_day in (None, games > 0))
            if usual is not None:
                unit = "records for each game" if usual.per_game else "records"
                yield (
                    f"`{scraper}` usually returns {usual.median:.4g} {unit} on days {when} "
                    f"({usual.answers} answers); below {usual.limit:.4g} an answer is partial."
                )
            elif games or answers:
                few = f"{answers} of {ENOUGH_SUCCESSES}"
                yield f"`{scraper}` has too few answers on days {when} to learn what is usual: {few}."


def _listed(names: tuple[str, ...] | list[str]) -> str:
    quoted = [f"`{name}`" for name in names]
    return quoted[0] if len(quoted) == 1 else f"{', '.join(quoted[:-1])} and {quoted[-1]}"
