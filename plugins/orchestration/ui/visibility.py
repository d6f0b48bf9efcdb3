"""Who sees what of a day: only what a viewer may see. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Set
from dataclasses import replace

from orchestration.config import CLEANUP, SYSTEM_DAGS, Config
from orchestration.decisions.model import Decision
from orchestration.health.facts import CallFact, DayFacts

HIDDEN = "(a DAG that you may not see)"


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


class HiddenNames:
    """What a viewer who may see the DAGs ``allowed`` reads in place of the others' names."""

    def __init__(self, config: Config, allowed: Set[str]) -> None:
        hidden = sorted({*config.workflows, *SYSTEM_DAGS} - allowed, key=len, reverse=True)
        self._names = re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, hidden))})(?!\w)") if hidden else None

    def text(self, text: str) -> str:
        """Return a text, such as a reason, without these names."""
        return text if self._names is None else self._names.sub(HIDDEN, text)

    def command(self, text: str) -> str:
        """Return a command, or nothing where it is about one of them."""
        return text if self.text(text) == text else ""

    def of_plan(self, decisions: Iterable[Decision]) -> list[Decision]:
        """Return planned decisions with reasons that name none of them."""
        return [replace(decision, reason=self.text(decision.reason)) for decision in decisions]

    def of_facts(self, facts: DayFacts) -> DayFacts:
        """Return facts with texts that name none of them."""
        if self._names is None:
            return facts
        return replace(
            facts,
            expected=tuple(replace(run, reason=self.text(run.reason)) for run in facts.expected),
            decisions=tuple(replace(d, reason=self.text(d.reason)) for d in facts.decisions),
            executions=tuple(replace(e, error=e.error and self.text(e.error)) for e in facts.executions),
        )


def facts_for(facts: DayFacts, allowed: Set[str]) -> DayFacts:
    """Return the facts about the DAGs ``allowed``.

    The schedule is everybody's, and so is whether a scraper has brought a game: calls of other workflows stay, without
    a word of whose they were.
    """
    return replace(
        facts,
        expected=tuple(run for run in facts.expected if run.workflow in allowed),
        decisions=tuple(d for d in facts.decisions if d.workflow in allowed),
        executions=tuple(e for e in facts.executions if e.workflow in allowed),
        calls=tuple(c if c.workflow in allowed else _nobodys(c) for c in facts.calls),
        cleanups=facts.cleanups if CLEANUP in allowed else (),
        first=tuple(fact for fact in facts.first if fact.workflow in allowed),
    )


def _nobodys(call: CallFact) -> CallFact:
    return replace(call, workflow="", label="", error=None, error_type=None, run_id=None)
