"""The part of a day that a viewer may see: configuration, facts and texts without hidden DAGs. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Set
from dataclasses import replace

from orchestration.config import CLEANUP, SYSTEM_DAGS, Config
from orchestration.decisions.model import Decision
from orchestration.health.facts import DayFacts
from orchestration.records.tables import CallRecord

HIDDEN = "(a DAG that you may not see)"


def config_for(config: Config, allowed: Set[str]) -> Config:
    """Return the configuration with only the DAGs ``allowed``.

    Hidden DAGs never reach the engine, so that no verdict, cause or command can name them.
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
    """Replaces the names of DAGs that are not ``allowed`` in texts."""

    def __init__(self, config: Config, allowed: Set[str]) -> None:
        hidden = sorted({*config.workflows, *SYSTEM_DAGS} - allowed, key=len, reverse=True)
        self._names = re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, hidden))})(?!\w)") if hidden else None

    def text(self, text: str) -> str:
        """Return a text, for example a reason, without hidden names."""
        return text if self._names is None else self._names.sub(HIDDEN, text)

    def command(self, text: str) -> str:
        """Return the command, or an empty text if it contains a hidden name."""
        return text if self.text(text) == text else ""

    def of_plan(self, decisions: Iterable[Decision]) -> list[Decision]:
        """Return the planned decisions with hidden names replaced in their reasons."""
        return [replace(decision, reason=self.text(decision.reason)) for decision in decisions]

    def of_facts(self, facts: DayFacts) -> DayFacts:
        """Return the facts with hidden names replaced in their texts."""
        if self._names is None:
            return facts
        return replace(
            facts,
            expected=tuple(run.model_copy(update={"reason": self.text(run.reason or "")}) for run in facts.expected),
            decisions=tuple(d.model_copy(update={"reason": self.text(d.reason)}) for d in facts.decisions),
            executions=tuple(
                e.model_copy(update={"error_message": self.text(e.error_message)}) if e.error_message else e
                for e in facts.executions
            ),
        )


def facts_for(facts: DayFacts, allowed: Set[str]) -> DayFacts:
    """Return the facts about the DAGs ``allowed``.

    Every viewer may see the schedule and whether a scraper has a game. So the calls of hidden workflows stay, but
    without workflow, label, error and run.
    """
    return replace(
        facts,
        expected=tuple(run for run in facts.expected if run.workflow_name in allowed),
        decisions=tuple(d for d in facts.decisions if d.workflow_name in allowed),
        executions=tuple(e for e in facts.executions if e.workflow_name in allowed),
        calls=tuple(c if c.workflow in allowed else _anonymous(c) for c in facts.calls),
        cleanups=facts.cleanups if CLEANUP in allowed else (),
        cleanup_before=facts.cleanup_before if CLEANUP in allowed else None,
        first=tuple(fact for fact in facts.first if fact.workflow_name in allowed),
    )


def _anonymous(call: CallRecord) -> CallRecord:
    hidden = {"workflow": "", "label": "", "error_message": None, "error_type": None, "dag_run_id": ""}
    return call.model_copy(update=hidden)
