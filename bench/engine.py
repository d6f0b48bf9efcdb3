"""make bench: how fast the pure engine is. Run it on a quiet machine."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from copy import deepcopy
from datetime import date, timedelta
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "plugins"), str(ROOT / "tests")]

import yaml

from orchestration.config import load, loads
from orchestration.decisions.engine import decide
from orchestration.decisions.model import History
from orchestration.nba.document import read_document
from orchestration.nba.games import Schedule
from orchestration.planning.day import day_bounds, plan
from support.seasons import OPENING, document

FINALS = date(2026, 6, 16)
"""With this last day the season has 230 game days, as many as with its playoffs."""


def timed(what: str, work: Callable[[], Any], runs: int = 3) -> tuple[float, Any]:
    """Print and return the best of ``runs`` times, in seconds, and the last result."""
    best = float("inf")
    for _ in range(runs):
        start = time.perf_counter()
        result = work()
        best = min(best, time.perf_counter() - start)
    print(f"{what:55} {best:8.3f} s")
    return best, result


def main() -> None:
    """Print the figures."""
    config = load(ROOT / "config" / "workflows.yaml").config
    timed("load config/workflows.yaml", lambda: load(ROOT / "config" / "workflows.yaml"))
    text = document(last=FINALS)
    _, read = timed("read a season's schedule document (1,230 games)", lambda: read_document(text))
    game_days = len({game.date for game in read.games})
    start, end = day_bounds(config, OPENING)[0], day_bounds(config, FINALS)[1]
    schedule = Schedule(read.games, start)
    seconds, decisions = timed(
        f"plan a season ({game_days} game days, every tick, all workflows)",
        lambda: list(plan(config, start, end, schedule, History())),
        runs=2,
    )
    print(f"{'decisions per second, planning included':55} {len(decisions) / seconds:8,.0f}")
    seconds, _ = timed(
        f"decide {len(decisions):,} times, without history",
        lambda: [decide(d.workflow, config, d.tick, schedule, History()) for d in decisions],
        runs=2,
    )
    print(f"{'decisions per second, the engine alone':55} {len(decisions) / seconds:8,.0f}")
    one_day = day_bounds(config, OPENING + timedelta(days=30))
    timed("plan one day", lambda: list(plan(config, *one_day, schedule, History())))
    data = yaml.safe_load((ROOT / "config" / "workflows.yaml").read_text())
    model = data["workflows"]["betting_lines"]
    data["workflows"] |= {f"betting_{number}": deepcopy(model) for number in range(1000 - len(data["workflows"]))}
    large = yaml.safe_dump(data, default_flow_style=False)
    timed(f"validate a file of 1,000 workflows ({len(large) / 1e6:.1f} MB)", lambda: loads(large))


if __name__ == "__main__":
    main()
