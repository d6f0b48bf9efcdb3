"""make docs: docs/orchestration/05-cost.md, from the statements and the configuration. A test keeps it current."""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "plugins")]

from orchestration.audit.cost import DOLLARS_A_TIB, LEAST_MB, bill
from orchestration.audit.warehouse import MAX_BYTES_BILLED
from orchestration.config import load

PAGE = ROOT / "docs" / "orchestration" / "05-cost.md"
CALLS, EXECUTIONS, EXPECTED = 218, 22, 13
"""Of the demo's 12-game day."""


def page() -> str:
    """Return the page."""
    config = load(ROOT / "config" / "workflows.yaml").config
    day = bill(config, EXECUTIONS, CALLS, EXPECTED)
    questions = day.asked
    decisions = questions[0].a_day
    cleanups = next(question.a_day for question in questions if question.name == "recent_calls")
    gb, dollars, rows = day.gb, day.queries, day.rows
    lines = [
        "# What BigQuery costs",
        "",
        "`make docs` makes this page from the statements in `include/sql` and `config/workflows.yaml`.",
        "",
        "Every query filters the partitions that it reads, and reads a few MB at most. BigQuery bills at least",
        f"{LEAST_MB} MB for each table. No query may bill more than {MAX_BYTES_BILLED / 1e9:g} GB",
        "(`maximum_bytes_billed`).",
        "",
        "| statement | a day | tables read | GB billed a day |",
        "|---|---|---|---|",
        *(f"| {q.name} | {q.a_day} | {len(q.tables)} | {q.gb:.2f} |" for q in questions),
        f"| **all** | **{sum(q.a_day for q in questions)}** | | **{gb:.2f}** |",
        "",
        f"At list price (${DOLLARS_A_TIB} a TiB) that is **${dollars:.2f} a day**, ${dollars * 365:.0f} a year. It is",
        f"{gb * 30 / 1024:.1f} TiB a month. BigQuery's first TiB of a month is free.",
        "",
        f"A day with a 12-game night has about {rows} rows: {decisions} decisions, {CALLS} calls, {EXECUTIONS}",
        f"executions, {cleanups} cleanups, {EXPECTED} expected runs. Streaming costs ${day.streamed * 365:.2f} a year.",
        "The rows of 90 days are well under 100 MB, less than a cent a month.",
        "",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    PAGE.write_text(page())
