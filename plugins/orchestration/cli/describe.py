"""``describe``: what a workflow's part of the YAML means, in sentences, and when it is asked next."""

from __future__ import annotations

import json
import sys
import textwrap
from datetime import datetime
from typing import Any

from orchestration.config import Config, load
from orchestration.nba.eastern import day_and_time
from orchestration.planning.description import described
from orchestration.words import clipped, did_you_mean

WIDTH = 79
TICKS = 5


def run_describe(workflow: str | None, file: str | None, now: datetime, *, as_json: bool) -> int:
    """Print one workflow in sentences, or all, with the next ticks after the aware ``now``. Returns 0, or 1."""
    config = load(file).config
    if workflow is not None and workflow not in config.workflows:
        near = did_you_mean(workflow, config.workflows)
        there = ", ".join(config.workflows)
        print(f"describe: no workflow is named {clipped(workflow)}{near}; there are {there}", file=sys.stderr)
        return 1
    names = [workflow] if workflow else list(config.workflows)
    if as_json:
        print(json.dumps([_as_json(config, name, now) for name in names], indent=1, ensure_ascii=False))
        return 0
    for number, name in enumerate(names):
        model = config.workflows[name]
        head = f"{name} ({model.decision_type}, {model.priority.value})"
        print("\n" * (number > 0) + textwrap.fill(f"{head}: {model.description}".rstrip(": "), WIDTH))
        sentences = _sentences(config, name)
        if model.enabled:
            sentences.append(f"Next asked: {', '.join(map(day_and_time, _next(config, name, now)))}.")
        for sentence in sentences:
            print(textwrap.fill(sentence, WIDTH, initial_indent="  ", subsequent_indent="    "))
    return 0


def _as_json(config: Config, name: str, now: datetime) -> dict[str, Any]:
    model = config.workflows[name]
    return {
        "workflow": name,
        "decision_type": model.decision_type,
        "priority": model.priority.value,
        "description": model.description,
        "enabled": model.enabled,
        "sentences": _sentences(config, name),
        "next_asked": [tick.isoformat() for tick in _next(config, name, now)] if model.enabled else [],
    }


def _sentences(config: Config, name: str) -> list[str]:
    return [sentence.replace("`", "").replace("**", "") for sentence in described(config, name)]


def _next(config: Config, name: str, now: datetime) -> list[datetime]:
    found: list[datetime] = []
    while len(found) < TICKS:
        found.append(config.ticks_of(name).next_after(found[-1] if found else now))
    return found
