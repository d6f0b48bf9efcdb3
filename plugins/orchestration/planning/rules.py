"""A digest of a workflow's rules, which tells whether a day was locked by others. Pure."""

from __future__ import annotations

import hashlib
import json

from orchestration.config.model import Config

RULES = {"decision_type", "schedule", "execution_plan", "dependencies", "game_types"}
"""What of a workflow says when it runs, and for what. A halt is not among it: it is said by itself."""
LENGTH = 12


def rules_of(config: Config, name: str) -> str:
    """Return the digest of what says when the workflow ``name`` runs: its rules and its ticks.

    Defaults are left out, so that a release which adds a key changes no digest.
    """
    rules = config.workflows[name].model_dump(mode="json", include=RULES, exclude_defaults=True)
    text = json.dumps([rules, config.ticks_of(name).crons()], sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:LENGTH]
