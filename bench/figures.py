"""Numbers of the bench: measured several times, printed for people, kept as JSON for the report."""

from __future__ import annotations

import json
import os
import statistics
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

RUNS = int(os.environ.get("BENCH_RUNS", "3"))
"""How often everything is measured; the medians are told."""


def median(values: Iterable[float]) -> float:
    """Return the median, with as many digits as a machine that does other things allows."""
    return float(f"{statistics.median(values):.4g}")


def measured(clock: Callable[[], float], work: Callable[[], Any], runs: int = RUNS) -> tuple[float, Any]:
    """Return the median of what ``work`` takes on ``clock`` (seconds), and what it returned last."""
    taken = []
    for _ in range(runs):
        start = clock()
        result = work()
        taken.append(clock() - start)
    return median(taken), result


def keep(figures: dict[str, Any]) -> None:
    """Print the numbers of a part; where BENCH_JSON names a file they are written into it, for the report."""
    print(json.dumps(figures, indent=1))
    if path := os.environ.get("BENCH_JSON"):
        Path(path).write_text(json.dumps(figures, indent=1))
