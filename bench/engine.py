"""make bench: the speed of the pure engine."""

from __future__ import annotations

import sys
import time
from copy import deepcopy
from datetime import date, timedelta
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / folder) for folder in ("plugins", "tests", "bench")]

import yaml
from figures import RUNS, keep, measured

from orchestration.config import load, loads
from orchestration.decisions.engine import decide
from orchestration.decisions.model import History
from orchestration.nba.document import read_document
from orchestration.nba.games import Schedule
from orchestration.planning.day import plan
from support.seasons import OPENING, document

FINALS = date(2026, 6, 16)
"""With this last day the season has 230 game days, as many as a season with playoffs."""


def main() -> None:
    """Measure, and print medians in CPU seconds."""
    clock = time.process_time
    config = load(ROOT / "config" / "workflows.yaml").config
    loading, _ = measured(clock, lambda: load(ROOT / "config" / "workflows.yaml"))
    text = document(last=FINALS)
    reading, read = measured(clock, lambda: read_document(text))
    start, end = config.day_bounds(OPENING)[0], config.day_bounds(FINALS)[1]
    schedule = Schedule(read.games, start)
    planning, decisions = measured(clock, lambda: list(plan(config, start, end, schedule, History())))
    deciding, _ = measured(clock, lambda: [decide(d.workflow, config, d.tick, schedule, History()) for d in decisions])
    one_day = config.day_bounds(OPENING + timedelta(days=30))
    a_day, _ = measured(clock, lambda: list(plan(config, *one_day, schedule, History())))
    data = yaml.safe_load((ROOT / "config" / "workflows.yaml").read_text())
    model = data["workflows"]["betting_lines"]
    data["workflows"] |= {f"betting_{number}": deepcopy(model) for number in range(1000 - len(data["workflows"]))}
    large = yaml.safe_dump(data, default_flow_style=False)
    validating, _ = measured(clock, lambda: loads(large))
    keep(
        {
            "runs": RUNS,
            "load config/workflows.yaml, CPU s": loading,
            "read a season's schedule document, CPU s": reading,
            "games of the document": len(read.games),
            "plan one day, CPU s": a_day,
            f"plan a season ({len({game.date for game in read.games})} game days), CPU s": planning,
            "decisions of the season": len(decisions),
            "decisions a second, planning included": round(len(decisions) / planning),
            "decisions a second, the engine alone": round(len(decisions) / deciding),
            "validate a file of 1,000 workflows, CPU s": validating,
        }
    )


if __name__ == "__main__":
    main()
