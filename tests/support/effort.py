"""The number of random cases of a test: four times as many in the drills as before a commit."""

from __future__ import annotations

import os

TIMES = int(os.environ.get("EFFORT", "1"))


def examples(count: int) -> int:
    """Return the number of random cases. ``count`` is the number before a commit."""
    return count * TIMES
