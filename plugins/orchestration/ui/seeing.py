"""Who sees what of a day, and when: facts as they were known at a moment, and only of what a viewer may see. Pure."""

from __future__ import annotations

from collections.abc import Set
from dataclasses import replace
from datetime import datetime

from orchestration.config.model import CLEANUP, Config
from orchestration.health.facts import DayFacts


def known_at(facts: DayFacts, moment: datetime) -> DayFacts:
    """Return what of ``facts`` was known at the aware ``moment``.

    The schedule is today's: a refresh overwrites what was known before.
    """
    return replace(
        facts,
        decisions=tuple(d for d in facts.decisions if (d.at or d.tick) <= moment),
        executions=tuple(e for e in facts.executions if (e.ended or e.tick) <= moment),
        calls=tuple(c for c in facts.calls if (c.at or c.tick) <= moment),
        cleanups=tuple(c for c in facts.cleanups if c.at <= moment),
    )


def config_for(config: Config, allowed: Set[str]) -> Config:
    """Return the configuration as if there were only the DAGs ``allowed``.

    What a viewer may not see never reaches the engine, so that no verdict, cause or command can name it.
    """
    workflows = {name: workflow for name, workflow in config.workflows.items() if name in allowed}
    settings = config.settings
    if CLEANUP not in allowed:
        off = settings.cleanup_processor.model_copy(update={"enabled": False})
        settings = settings.model_copy(update={"cleanup_processor": off})
    return Config.model_construct(
        version=config.version,
        environment=config.environment,
        scrapers=config.scrapers,
        workflows=workflows,
        settings=settings,
    )


def facts_for(facts: DayFacts, allowed: Set[str]) -> DayFacts:
    """Return the facts about the DAGs ``allowed``. The schedule is everybody's."""
    return replace(
        facts,
        expected=tuple(run for run in facts.expected if run.workflow in allowed),
        decisions=tuple(d for d in facts.decisions if d.workflow in allowed),
        executions=tuple(e for e in facts.executions if e.workflow in allowed),
        calls=tuple(c for c in facts.calls if c.workflow in allowed),
        cleanups=facts.cleanups if CLEANUP in allowed else (),
    )
