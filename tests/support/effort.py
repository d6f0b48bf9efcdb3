"""How hard the tests try that draw their cases: as often as a commit can wait for, in the drills four times that."""

from __future__ import annotations

import os

TIMES = int(os.environ.get("EFFORT", "1"))


def examples(count: int) -> int:
    """Return how many cases to draw where ``count`` are what a commit can wait for."""
    return count * TIMES
