"""Rows for tests: of the audit tables, of the schedule, and files that were lost."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from orchestration.records.ids import TaskKey, row_id
from orchestration.records.tables import CallRecord, DecisionRecord, ExecutionRecord, ExpectedRun
from orchestration.services.files import LostFile
from support.worlds import DAY, et

NOW = datetime(2026, 1, 14, 23, tzinfo=UTC)
KEY = TaskKey("betting_lines", "run", "decide")


def a_decision(**changes):
    values = {
        "decision_id": row_id("decision", KEY),
        "decision_time": NOW,
        "workflow_name": "betting_lines",
        "action": "RUN",
        "reason": "12 games",
        "slot_time": NOW,
        "rule": "run",
        "target_date": DAY,
        "created_at": NOW,
        **KEY.columns(),
    }
    return DecisionRecord(**{**values, **changes})


def decision(workflow, tick, action="RUN", late=timedelta(minutes=1), **more):
    key = TaskKey(workflow, tick, "decide")
    return a_decision(
        decision_id=f"{workflow} {tick}", workflow_name=workflow, action=action, slot_time=et(tick),
        decision_time=et(tick) + late, **{**key.columns(), **more},
    )  # fmt: skip


def execution(workflow, tick, status="completed", late=timedelta(minutes=6)):
    key = TaskKey(workflow, tick, "finish")
    return ExecutionRecord(
        execution_id=row_id("execution", key), execution_time=et(tick) + late, workflow_name=workflow,
        decision_id=f"{workflow} {tick}", scrapers_triggered=1, scrapers_succeeded=1, scrapers_failed=0,
        scrapers_no_data=0, status=status, slot_time=et(tick), target_date=DAY, created_at=et(tick), **key.columns(),
    )  # fmt: skip


def call(scraper, tick, status, number=1, game=None, **more):
    key = TaskKey("post_game_window_1", tick, scraper, 0, number)
    columns = key.columns()
    return CallRecord(
        row_id=row_id("call", key), execution_id=row_id("call", key), run_id="r", scraper_name=scraper,
        workflow="post_game_window_1", game_date=DAY, status=status,
        triggered_at=et(tick) + timedelta(minutes=5 + number), completed_at=et(tick), source="CONTROLLER",
        slot_time=et(tick), target_date=DAY, created_at=et(tick),
        game_id=game, label=f"{scraper} {game}", decision_id=f"post_game_window_1 {tick}", duration_seconds=2.0,
        dag_run_id=columns.pop("run_id"), **columns, **more,
    )  # fmt: skip


def expected(workflow, tick, **more):
    key = TaskKey("schedule_locker", "lock", "lock")
    return ExpectedRun(
        expected_id=row_id("expected", key, workflow, tick), date=DAY, locked_at=et("05:00"), workflow_name=workflow,
        expected_run_time=et(tick), target_date=DAY, created_at=et("05:00"), **key.columns(), **more,
    )  # fmt: skip


def add_schedule(warehouse, *rows, tip="{day} 23:30:00+00"):
    full = []
    for game_id, day, source, processed, text in rows:
        tipped = "NULL" if tip is None else f"TIMESTAMP '{tip.format(day=day)}'"
        full.append(
            f"('{game_id}', '{day:%Y%m%d}/LALBOS', 2025, DATE '{day}', {tipped}, 1, '{text}', "
            f"'BOS', 'LAL', '{source}', 'gs://f', TIMESTAMP '{processed:%Y-%m-%d %H:%M:%S}+00')"
        )
    warehouse.query(f"INSERT INTO {{schedule_table}} VALUES {', '.join(full)}")


PATH_FORMS = (
    "gs://b/x/1.json", "gcs://b/x/1.json", "/gcs/b/x/1.json", "b/x/1.json", "/b/x/1.json", "gs://b//x/1.json",
    "x/1.json", "/x//1.json", " x/1.json ", "https://storage.googleapis.com/b/x/1.json",
    "https://storage.cloud.google.com/b/x/1.json?authuser=0", "https://b.storage.googleapis.com/x%2F1.json",
)  # fmt: skip
"""Forms in which readers and writers note the path of ``lost_file(1)``."""


def lost_file(number=1):
    at = datetime(2026, 1, 15, 0, 20, tzinfo=UTC)
    return LostFile("bdl_box_scores", f"gs://b/x/{number}.json", f"e{number}", "w", 10, at)
