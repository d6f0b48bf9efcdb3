"""make docs: docs/orchestration/05-cost.md, from the statements and the configuration. A test keeps it current."""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "plugins")]

from orchestration.audit.statements import SQL_FOLDER, ddl
from orchestration.audit.warehouse import MAX_BYTES_BILLED
from orchestration.config import load
from orchestration.config.settings import Settings
from orchestration.operators.watch import MORNING

SETTINGS = Settings()
PAGE = ROOT / "docs" / "orchestration" / "05-cost.md"
LEAST_MB = 10
"""BigQuery bills at least this much for each table that a query reads."""
DOLLARS_A_TIB, DOLLARS_A_STREAMED_GB = 6.25, 0.05
"""List prices, US, November 2026: on-demand queries, streaming inserts (at least 1 KB a row)."""
CALLS, EXECUTIONS = 218, 22
"""Of the demo's 12-game day."""

PAGE_HOUR, PAGE_OTHERS = 60, 12
"""What a page of the day that is open for an hour asks, whoever else looks: its day once a minute, the plan and the day
beside it every five."""


@dataclass(frozen=True)
class Asked:
    """A statement, how often a day it runs, and the tables that it reads."""

    name: str
    a_day: int
    tables: tuple[str, ...]

    @property
    def gb(self) -> float:
        """Return the GB billed a day."""
        return self.a_day * len(self.tables) * LEAST_MB / 1000


def tables_of(text: str) -> tuple[str, ...]:
    """Return the tables that a statement reads, those behind our views and functions included."""
    made = ddl("views") | ddl("functions") | ddl("reports")
    found: set[str] = set()
    body = re.sub(r"CREATE OR REPLACE [A-Z ]*\{audit\}", "", text)
    for name in re.findall(r"\{audit\}\.(\w+)", body):
        found |= set(tables_of(made[name])) if name in made else {f"{SETTINGS.audit_dataset}.{name}"}
    if "{schedule_table}" in body:
        found.add(SETTINGS.schedule_table)
    return tuple(sorted(found))


def asked() -> list[Asked]:
    """Return what a day asks of BigQuery."""
    config = load(ROOT / "config" / "workflows.yaml").config
    decisions = sum(len(config.ticks_of(name).times) for name in config.enabled)
    cleanups = len(config.cleanup_ticks.times)
    read = {path.stem: path.read_text() for path in (SQL_FOLDER / "queries").glob("*.sql")}
    inputs = tables_of(read["decision_inputs"])
    processed = sorted({s.processed_in for s in config.scrapers.values() if s.traceable})
    log = (config.settings.service_log,) if config.settings.service_log else ()
    lock = datetime.combine(date(2026, 1, 14), config.settings.daily_schedule_lock.generation_time)
    moments = (datetime.combine(lock.date(), wall) for wall in config.cleanup_ticks.times)
    mornings = sum(lock <= moment < lock + MORNING for moment in moments)
    facts = tables_of(read["day_facts"])
    return [
        Asked("decision_inputs (decide)", decisions, inputs),
        Asked("decision_inputs (lock)", 1, inputs),
        Asked("service_log (finish)", EXECUTIONS, log),
        Asked("service_log (cleanup)", cleanups, log),
        Asked("recent_calls", cleanups, tables_of(read["recent_calls"])),
        Asked("recent_executions", cleanups, tables_of(read["recent_executions"])),
        Asked("republished_before", cleanups, tables_of(read["republished_before"])),
        Asked("processed_files (all tables in one)", cleanups, tuple(processed)),
        Asked("day_facts (watch: the day, in the morning two more)", cleanups + 2 * mornings, facts),
        Asked("day_facts (health check, by hand)", 5, facts),
        Asked("day_facts (the page of the day, open for an hour)", PAGE_HOUR + PAGE_OTHERS, facts),
        Asked("decision_inputs (its plan)", PAGE_OTHERS, inputs),
    ]


def page() -> str:
    """Return the page."""
    questions = asked()
    decisions = questions[0].a_day
    of_cleanup = questions[3:8]
    cleanups, cleanup_gb = of_cleanup[0].a_day, sum(question.gb for question in of_cleanup)
    rows = decisions + EXECUTIONS + CALLS + cleanups + 13
    gb = sum(question.gb for question in questions)
    dollars = gb / 1024 * DOLLARS_A_TIB
    streamed = rows * 1024 / 1e9 * DOLLARS_A_STREAMED_GB
    lines = [
        "# What BigQuery costs",
        "",
        "Made by `make docs` from the statements in `include/sql` and from `config/workflows.yaml`; a test keeps it",
        "so.",
        "",
        "Every query filters the partitions of what it reads, so each reads a few MB at most, and BigQuery bills its",
        f"least, {LEAST_MB} MB for each table. None may bill more than {MAX_BYTES_BILLED / 1e9:g} GB",
        "(`maximum_bytes_billed`).",
        "",
        "| statement | a day | tables read | GB billed a day |",
        "|---|---|---|---|",
        *(f"| {q.name} | {q.a_day} | {len(q.tables)} | {q.gb:.2f} |" for q in questions),
        f"| **all** | **{sum(q.a_day for q in questions)}** | | **{gb:.2f}** |",
        "",
        f"At list price (${DOLLARS_A_TIB} a TiB) that is **${dollars:.2f} a day**, ${dollars * 365:.0f} a year. It is",
        f"{gb * 30 / 1024:.1f} TiB a month, of which the first TiB is free.",
        "",
        f"Rows: about {rows} a day on a 12-game night ({decisions} decisions, {CALLS} calls, {EXECUTIONS} executions,",
        f"{cleanups} cleanups, 13 expected runs), streamed for ${streamed * 365:.2f} a year. Kept for 90",
        "days they are well under 100 MB, less than a cent a month.",
        "",
        "## The system before",
        "",
        "| | before | here |",
        "|---|---|---|",
        f"| queries a day for decisions | about 720 | {decisions} |",
        f"| GB a day for cleanup | 207 at its worst | {cleanup_gb:.1f} |",
        f"| dollars a day for cleanup | {207 / 1024 * DOLLARS_A_TIB:.2f} | {cleanup_gb / 1024 * DOLLARS_A_TIB:.2f} |",
        "| load jobs a day for the log | over 1,500, the limit (lesson C7) | 0, rows are streamed |",
        "",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    PAGE.write_text(page())
