"""Repeats measurements, prints their numbers, and keeps them as JSON for the report."""

from __future__ import annotations

import json
import os
import statistics
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

RUNS = int(os.environ.get("BENCH_RUNS", "3"))
"""How often each part is measured. The report shows medians."""


def median(values: Iterable[float]) -> float:
    """Return the median with four digits. More would be noise on a machine with other work."""
    return float(f"{statistics.median(values):.4g}")


def measured(clock: Callable[[], float], work: Callable[[], Any], runs: int = RUNS) -> tuple[float, Any]:
    """Return the median duration of ``work`` on ``clock``, in seconds, and its last result."""
    taken = []
    for _ in range(runs):
        start = clock()
        result = work()
        taken.append(clock() - start)
    return median(taken), result


def keep(figures: dict[str, Any]) -> None:
    """Print the numbers of a part. If BENCH_JSON names a file, write them into it for the report."""
    print(json.dumps(figures, indent=1))
    if path := os.environ.get("BENCH_JSON"):
        Path(path).write_text(json.dumps(figures, indent=1))
