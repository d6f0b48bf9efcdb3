"""make docs: docs/orchestration/15-seeded-faults.md, every fault of the demo and the minutes to its first alert.

tests/system/test_faults.py measures the minutes and compares them. A test keeps the page current.
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

HEAD = """# Seeded faults, and the minutes to their first alert

Each fault is a switch of the demo: `make demo DEMO_FAULT=dag_paused`. `make docs` makes this page.
`tests/system/test_faults.py` and `test_simulated_days.py` play each fault, hour by hour, and fail if a number differs.

In brackets are the ET time at which the fault begins or a run first meets it, the minutes from then to the first alert,
and the kind of this alert. The longest time is {longest} minutes. After what happens comes the beginning of the health
check's first line.

A run makes its calls {hold} minutes after its tick. It alerts at once about its own faults: about an ABORT after 3
minutes of retries, about a failed execution when its calls are over. The hourly cleanup at 20 past finds the other
faults. A file counts as lost after half an hour.

"""
TAIL = """
If two faults happen at once, the first line names both, in this order: BigQuery, Airflow, our rules, the service, a
source, the handoff.

* `scheduler_down`: nothing inside Airflow runs, so the rule `AirflowSchedulerSilent` in `deploy/prometheus/alerts.yaml`
  alerts instead. When the scheduler is back, the watchdog names the missed ticks.
* `messages_twice`: Pub/Sub may deliver a message twice, so Phase 2's tables may hold rows twice.
* `props_dry` and `props_half`: one dry tick may be chance, so `met` is the second, at 17:00. A workflow with one tick a
  day is named after its first dry tick.
* `no_injury_report`: `met` is `expected_by` of `injury_discovery`.
* `phase2_dead` and `phase2_writes_nothing` look the same to us, because only Pub/Sub knows the backlog of a
  subscription. The alert names both.
* `phase2_pauses`: when Phase 2 is back, the first line names the files that never arrived, until each is closed.
* `source_silent`: on the first day the finding is the same as for `props_empty`. From the third day on, the first line
  says since when the source is silent.
* `triggerer_dead`: Airflow declares a component dead after 30 s of the wall clock. The demo plays some hours in that
  time, so it finds the fault some hours later in its day.
* `slate_deleted`, `two_games_deleted`: the first line names each vanished game. A game that moved to another date or is
  postponed, and a tip that moved, are said as normal. Games that are back end the finding.
* `clock_off`: the cleanup compares its worker's clock with BigQuery's. The times of a run's rows show that the clock of
  another worker is wrong.
* `outbox_stranded`: a row has time until the first cleanup after its run. A row that no other row names is not missed.
"""


@dataclass(frozen=True)
class FirstAlert:
    """The first alert about a fault, ``minutes`` after a run met the fault.

    The alert contains ``words``. ``first_line`` begins the health check's first line after the verdict. ``met``: the ET
    hour at which a run first meets the fault. None: when the fault begins.
    """

    kind: str
    minutes: int
    words: str
    first_line: str
    part: str
    met: float | None = None


DRY = "oddsa_player_props (betting_lines) has found too little since 15:00 ET"
CUT = "Answers of the scraper service break off in the middle"
PHASE2 = "Phase 2 does not deliver"
MANY_MISSING = "files had not reached their tables of Phase 2"
BLOCKED = "The source nba_com blocks us or answers nonsense"
FIRST_ALERTS: dict[str, FirstAlert] = {
    "locker_off": FirstAlert("not_locked", 20, "The locker did not lock", "The locker did not lock", "locker"),
    "scheduler_down": FirstAlert(
        "AirflowSchedulerSilent", 15, "", "No workflow made a decision from 14:00 to 16:00 ET", "decisions"
    ),
    "service_down": FirstAlert("service_down", 20, "is unreachable", "The scraper service is unreachable", "calls"),
    "source_blocked": FirstAlert("execution_failed", 6, "blocks us", BLOCKED, "calls"),
    "props_empty": FirstAlert(
        "mostly_no_data", 20, "found no data", "12 of 12 calls of oddsa_player_props (betting_lines)", "calls"
    ),
    "props_halved": FirstAlert(
        "answer_partial",
        20,
        "21 records, usually 42",
        "oddsa_player_props (betting_lines) returned too little at 15:00 ET in 12 of 12 calls",
        "calls",
        15,
    ),
    "box_scores_halved": FirstAlert(
        "answer_partial",
        20,
        "at least 16 a game expected",
        "nbac_player_boxscore (post_game_window_2) returned too little at 01:00 ET",
        "calls",
        25,
    ),
    "box_scores_short": FirstAlert(
        "answer_partial",
        20,
        "games, missing CHI@SAS",
        "nbac_player_boxscore (post_game_window_2) returned too little at 01:00 ET",
        "calls",
        25,
    ),
    "props_dry": FirstAlert("source_dry", 15, "has found too little", DRY, "calls", 17 + HOLD / 60),
    "props_half": FirstAlert("source_dry", 15, "has found too little", DRY, "calls", 17 + HOLD / 60),
    "rosters_empty": FirstAlert(
        "mostly_no_data", 15, "found no data", "30 of 30 calls of br_season_roster", "calls", 6 + HOLD / 60
    ),
    "no_injury_report": FirstAlert(
        "not_found", 20, "has found nothing of", "injury_discovery has found nothing of nbac_injury_report", "calls", 17
    ),
    "phase2_dead": FirstAlert("many_missing", 75, MANY_MISSING, PHASE2, "handoff", 17 + HOLD / 60),
    "topic_gone": FirstAlert(
        "not_published", 75, "not published", "Pub/Sub takes no messages", "handoff", 17 + HOLD / 60
    ),
    "bigquery_down": FirstAlert("abort", 3, "BigQuery did not answer", "BigQuery did not answer", "BigQuery"),
    "service_slow": FirstAlert("service_slow", 20, "is slow", "The scraper service is slow", "calls"),
    "scraper_slow": FirstAlert("scraper_slow", 20, "is slow", "oddsa_player_props is slow", "calls"),
    "answers_cut": FirstAlert("execution_failed", 6, "breaks off in the middle", CUT, "calls"),
    "source_silent": FirstAlert("source_silent", 20, "is silent", "The source odds_api is silent", "calls"),
    "box_scores_late": FirstAlert("source_late", 20, "is late", "The source nba_com is late", "box scores"),
    "unknown_scraper": FirstAlert(
        "execution_failed", 36, "does not know the scraper", "The scraper service does not know", "calls"
    ),
    "config_broken": FirstAlert("config_broken", 50, "is broken", "workflows.yaml is broken", "locker"),
    "config_changed": FirstAlert(
        "rules_changed", 50, "post_game_window_1", "workflows.yaml was changed after the lock of 05:00 ET", "locker"
    ),
    "window_disabled": FirstAlert(
        "rules_changed", 50, "is switched off", "workflows.yaml was changed after the lock of 05:00 ET", "locker"
    ),
    "parameters_changed": FirstAlert(
        "rules_changed", 50, "other parameters", "workflows.yaml was changed after the lock of 05:00 ET", "locker"
    ),
    "dag_paused": FirstAlert(
        "dag_paused", 50, "betting_lines is paused", "The DAG betting_lines is paused", "decisions"
    ),
    "halt_forgotten": FirstAlert(
        "halt_forgotten", 20, "still stands in workflows.yaml", "The halt of betting_lines ended on", "locker"
    ),
    "clock_off": FirstAlert("clock_off", 20, "10 min ahead", "The clock of", "decisions"),
    "bigquery_forbidden": FirstAlert(
        "abort", 3, "a permission is missing", "BigQuery refuses access, a permission is missing", "BigQuery"
    ),
    "bigquery_quota": FirstAlert(
        "abort", 3, "a quota is used up", "BigQuery refuses more work, a quota is used up", "BigQuery"
    ),
    "streaming_refused": FirstAlert(
        "not_drained", 20, "took no rows for workflow_decisions", "BigQuery has taken no rows", "decisions"
    ),
    "table_dropped": FirstAlert("unreadable", 20, "BigQuery has no table", "A table is gone", "handoff"),
    "record_emptied": FirstAlert(
        "rows_gone", 20, "Rows are gone from", "Rows are gone from nba_orchestration.workflow_decisions", "decisions"
    ),
    "second_copy": FirstAlert("decided_twice", 20, "two decisions", "A second copy of this system", "decisions"),
    "outbox_stranded": FirstAlert(
        "rows_waiting",
        75,
        "Rows are not in",
        "Rows are not in nba_orchestration.scraper_execution_log",
        "decisions",
        13 + HOLD / 60,
    ),
    "phase2_writes_nothing": FirstAlert("many_missing", 75, MANY_MISSING, PHASE2, "handoff", 17 + HOLD / 60),
    "phase2_pauses": FirstAlert("many_missing", 75, MANY_MISSING, PHASE2, "handoff", 15 + HOLD / 60),
    "game_ids_wrong": FirstAlert(
        "games_not_in_table", 50, "are not in nba_raw.nbac_team_boxscore", "11 of 12 games of", "box scores"
    ),
    "messages_twice": FirstAlert("", 0, "", "", ""),
    "schedule_frozen": FirstAlert(
        "schedule_frozen", 50, "source is frozen", "The schedule's source is frozen", "decisions"
    ),
    "tips_moved": FirstAlert("misdated_tips", 30, "are not on their game date", "12 of 12 tips of", "decisions"),
    "slate_deleted": FirstAlert(
        "slate_vanished", 10, "vanished from the schedule", "All 12 games of the slate locked at 05:00 ET", "decisions"
    ),
    "two_games_deleted": FirstAlert(
        "slate_vanished", 10, "vanished from the schedule", "2 of 12 games of the slate locked at 05:00 ET", "decisions"
    ),
    "deleted_before_lock": FirstAlert(
        "slate_missing", 50, "has no game on", "The schedule has no game on Wed 14 Jan 2026", "decisions"
    ),
    "slate_postponed": FirstAlert(
        "slate_postponed", 10, "postponed at once", "All games of 2026-01-14 are postponed at once", "decisions"
    ),
    "partly_locked": FirstAlert("partly_locked", 20, "is not whole", "The lock of 05:00 ET is not whole", "locker"),
    "lock_deleted": FirstAlert(
        "not_locked", 20, "The locker did not lock", "The locker did not lock 2026-01-14, although", "locker"
    ),
    "triggerer_dead": FirstAlert(
        "airflow_part_dead", 50, "triggerer is dead", "Airflow's triggerer is dead", "executions"
    ),
    "pool_full": FirstAlert("pool_full", 20, "odds_api is full", "The pool odds_api is full", "executions"),
}


def row(name: str, alert: FirstAlert) -> str:
    """Return a fault's entry."""
    hours = FAULTS[name].start if alert.met is None else alert.met
    minutes = round(hours * 60) % (24 * 60)
    met, says = f"{minutes // 60:02d}:{minutes % 60:02d}", FAULTS[name].text
    if not alert.kind:
        return f"* `{name}` (no alert, because it is harmless): {says}"
    where = f"`{alert.kind}`" + (" (Prometheus)" if not alert.words else "")
    return f"* `{name}` ({met}, {alert.minutes} min, {where}): {says}. *{alert.first_line}…*"


def page() -> str:
    """Return the page."""
    longest = max(alert.minutes for alert in FIRST_ALERTS.values())
    head = HEAD.format(hold=HOLD, longest=longest)
    return head + "\n".join(row(name, alert) for name, alert in FIRST_ALERTS.items()) + "\n" + TAIL


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    print(f"{PAGE.relative_to(ROOT)} written")
