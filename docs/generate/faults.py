"""make docs: docs/orchestration/15-seeded-faults.md, every fault that can be seeded and how soon people are told.

The minutes are what tests/system/test_faults.py measures, and it compares them; a test keeps the page current.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "plugins"), str(ROOT / "include")]

from sandbox.faults import FAULTS

PAGE = ROOT / "docs" / "orchestration" / "15-seeded-faults.md"
HOLD = 5
"""Minutes from a tick to its calls (settings.execution_delay_minutes)."""

HEAD = """# Seeded faults, and how soon people are told

Made by `make docs`; the numbers are measured by `tests/system/test_faults.py` and `test_simulated_days.py`, which play
each fault over the real stand-ins, hour by hour, and fail where a number is another. Each is a switch of the demo:
`make demo DEMO_FAULT=dag_paused`.

`met` is the ET hour at which the fault begins, or at which something of ours first meets it: the calls of a tick are
made {hold} minutes after it. Minutes count from there to the first alert about it. What a run finds itself is told at
once: an ABORT after its tries again (3 minutes), a failed execution when its calls are over. Everything else the hourly
cleanup at 20 past finds, or its watchdog. A file counts as lost when it is half an hour old: {longest} minutes is the
longest that it takes here.

| `DEMO_FAULT` | what happens | met | minutes | first alert | health check's first line | part of the status |
|---|---|---|---|---|---|---|
"""
TAIL = """
Where two happen at once the first line names both, the nearer cause first: BigQuery, Airflow, our rules, the service,
a source, the handoff.

* `scheduler_down`: nothing inside Airflow runs, so that nothing in it can tell anybody; the rule
  `AirflowSchedulerSilent` in `deploy/prometheus/alerts.yaml` does. When the scheduler is back the watchdog says what
  was missed.
* `messages_twice`: harmless, and so nothing is raised. Nothing of ours counts messages; Phase 2's tables may hold rows
  twice, as Pub/Sub allows.
* `phase2_dead` and `phase2_writes_nothing` look alike from here, since the backlog of a subscription is Pub/Sub's own
  knowledge: the alert names both.
* `source_silent`: on the first day it is said as `props_empty`; from the third on the line says since when.
* `triggerer_dead`: Airflow takes a component for dead after 30 s of the wall clock, in which the demo plays some hours:
  there it is found that much later in the day.
* `clock_off`: the worker that runs the cleanup is compared with BigQuery's clock.
"""


@dataclass(frozen=True)
class Told:
    """How a fault is told. ``words`` stand in the alert, ``first_line`` begins the health check after its verdict.

    ``met`` is an hour of the day (ET), where that is not the fault's beginning.
    """

    kind: str
    minutes: int
    words: str
    first_line: str
    part: str
    met: float | None = None


CUT = "Answers of the scraper service break off in the middle"
PHASE2 = "Phase 2 does not deliver"
BLOCKED = "The source nba_com blocks us or answers nonsense"
SAID: dict[str, Told] = {
    "locker_off": Told("not_locked", 20, "The locker did not lock", "The locker did not lock", "locker"),
    "scheduler_down": Told(
        "AirflowSchedulerSilent", 15, "", "No workflow made a decision from 14:00 to 16:00 ET", "decisions"
    ),
    "service_down": Told("service_down", 20, "is unreachable", "The scraper service is unreachable", "calls"),
    "source_blocked": Told("execution_failed", 6, "blocks us", BLOCKED, "calls"),
    "props_empty": Told(
        "mostly_no_data", 20, "found no data", "12 of 12 calls of oddsa_player_props (betting_lines)", "calls"
    ),
    "phase2_dead": Told("phase2_silent", 75, PHASE2, PHASE2, "handoff", 17 + HOLD / 60),
    "topic_gone": Told("not_published", 75, "not published", "Pub/Sub takes no messages", "handoff", 17 + HOLD / 60),
    "bigquery_down": Told("abort", 3, "BigQuery did not answer", "BigQuery did not answer", "BigQuery"),
    "service_slow": Told("service_slow", 20, "is slow", "The scraper service is slow", "calls"),
    "answers_cut": Told("execution_failed", 6, "breaks off in the middle", CUT, "calls"),
    "source_silent": Told("source_silent", 20, "is silent", "The source odds_api is silent", "calls"),
    "box_scores_late": Told("source_late", 20, "is late", "The source nba_com is late", "box scores"),
    "unknown_scraper": Told(
        "execution_failed", 36, "does not know the scraper", "The scraper service does not know", "calls"
    ),
    "config_broken": Told("config_broken", 50, "is broken", "workflows.yaml is broken", "locker"),
    "config_changed": Told(
        "rules_changed", 50, "post_game_window_1", "workflows.yaml was changed after the lock of 05:00 ET", "locker"
    ),
    "dag_paused": Told("dag_paused", 50, "betting_lines is paused", "The DAG betting_lines is paused", "decisions"),
    "halt_forgotten": Told(
        "halt_forgotten", 20, "still stands in workflows.yaml", "The halt of betting_lines ended on", "locker"
    ),
    "clock_off": Told("clock_off", 20, "10 min ahead", "The clock of", "decisions"),
    "bigquery_forbidden": Told(
        "abort", 3, "a permission is missing", "BigQuery refuses us, a permission is missing", "BigQuery"
    ),
    "bigquery_quota": Told("abort", 3, "a quota is used up", "BigQuery refuses more, a quota is used up", "BigQuery"),
    "streaming_refused": Told(
        "not_drained", 20, "took no rows for workflow_decisions", "BigQuery has taken no rows", "decisions"
    ),
    "table_dropped": Told("unreadable", 20, "BigQuery has no table", "A table is gone", "handoff"),
    "phase2_writes_nothing": Told("phase2_silent", 75, PHASE2, PHASE2, "handoff", 17 + HOLD / 60),
    "messages_twice": Told("", 0, "", "", ""),
    "schedule_frozen": Told("schedule_frozen", 50, "source is frozen", "The schedule's source is frozen", "decisions"),
    "tips_moved": Told("misdated_tips", 30, "do not lie on their game date", "12 of 12 tips of", "decisions"),
    "triggerer_dead": Told("airflow_part_dead", 50, "triggerer is dead", "Airflow's triggerer is dead", "executions"),
    "pool_full": Told("pool_full", 20, "odds_api is full", "The pool odds_api is full", "executions"),
}


def row(name: str, told: Told) -> str:
    """Return a fault's line of the table."""
    hours = FAULTS[name].start if told.met is None else told.met
    minutes = round(hours * 60) % (24 * 60)
    met, says = f"{minutes // 60:02d}:{minutes % 60:02d}", FAULTS[name].text
    if not told.kind:
        return f"| `{name}` | {says} | | | none: it is harmless | | |"
    where = f"`{told.kind}`" + (" (Prometheus)" if not told.words else "")
    return f"| `{name}` | {says} | {met} | {told.minutes} | {where} | … {told.first_line} … | {told.part} |"


def page() -> str:
    """Return the page."""
    longest = max(told.minutes for told in SAID.values())
    head = HEAD.format(hold=HOLD, longest=longest)
    return head + "\n".join(row(name, told) for name, told in SAID.items()) + "\n" + TAIL


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    print(f"{PAGE.relative_to(ROOT)} written")
