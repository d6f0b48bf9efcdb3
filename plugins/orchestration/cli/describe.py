"""``describe``: what a workflow's part of the YAML means, in sentences, and when it is asked next."""

from __future__ import annotations

import sys
import textwrap
from datetime import datetime

from orchestration.config import Config, load
from orchestration.config.errors import clipped, did_you_mean
from orchestration.decisions.case import day as moment_text
from orchestration.planning.description import described

WIDTH = 79
TICKS = 5


def run_describe(workflow: str | None, file: str | None, now: datetime) -> int:
    """Print one workflow in sentences, or all, with the next ticks after the aware ``now``. Returns 0, or 1."""
    config = load(file).config
    if workflow is not None and workflow not in config.workflows:
        near = did_you_mean(workflow, config.workflows)
        there = ", ".join(config.workflows)
        print(f"describe: no workflow is named {clipped(workflow)}{near}; there are {there}", file=sys.stderr)
        return 1
    for number, name in enumerate([workflow] if workflow else config.workflows):
        model = config.workflows[name]
        head = f"{name} ({model.decision_type}, {model.priority.value})"
        print("\n" * (number > 0) + textwrap.fill(f"{head}: {model.description}".rstrip(": "), WIDTH))
        sentences = [sentence.replace("`", "").replace("**", "") for sentence in described(config, name)]
        if model.enabled:
            sentences.append(f"Next asked: {', '.join(map(moment_text, _next(config, name, now)))}.")
        for sentence in sentences:
            print(textwrap.fill(sentence, WIDTH, initial_indent="  ", subsequent_indent="    "))
    return 0


def _next(config: Config, name: str, now: datetime) -> list[datetime]:
    found: list[datetime] = []
    while len(found) < TICKS:
        found.append(config.ticks_of(name).next_after(found[-1] if found else now))
    return found
