"""make docs: docs/orchestration/03-bigquery-schemas.md, from the statements in include/sql, docs/examples/queries.sql,
and the schema of a scraper's answer, from its models. Tests keep all three current.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "plugins")]

from orchestration.audit.setup import description_of
from orchestration.audit.statements import ddl
from orchestration.services.contract import answer_schema_text

PAGE = ROOT / "docs" / "orchestration" / "03-bigquery-schemas.md"
ANSWER = PAGE.with_name("scraper-answer.schema.json")
QUERIES = ROOT / "docs" / "examples" / "queries.sql"
REPORTS = (
    "Table functions: `SELECT * FROM nba_orchestration.name(arguments)`. Both dates are included. They are ET dates of "
    "days from lock to lock, unless the report says otherwise."
)
DATES = " ET dates of days from lock to lock, both included."
"""The end of most reports' descriptions. The page says it once."""
COLUMN = re.compile(r'^  (\w+) ([A-Z].*?)( NOT NULL)? OPTIONS\(description="(.*)"\)', re.MULTILINE)
PARTS = {"partitioned by": r"^PARTITION BY (.+)$", "clustered by": r"^CLUSTER BY (.+)$"}
EXPIRY = re.compile(r"partition_expiration_days=(\d+)")
SIGNATURE = re.compile(r"FUNCTION \{audit\}\.\w+\(\s*(.+?)\s*\)", re.DOTALL)

HEAD = """# The BigQuery schemas

`make docs` makes this page from `include/sql`. `python -m orchestration init` creates everything in the dataset
`nba_orchestration` (`settings.audit_dataset`). It refuses
[tables of another system](06-production.md#beside-the-tables-of-another-system), unless you adopt them.

* **Read the views**: they keep one row per id. Tables only grow: a corrected row has the same id and a later
  `created_at`.
* Filter by the day of the partition. Times are UTC, dates are ET dates.
* Another system may write to the same tables. Its rows have no `dag_id`. Views and reports show only our rows.
* A decision, its execution and the execution's calls share `decision_id`. `slot_time` is the tick.

[docs/examples/queries.sql](../examples/queries.sql) has queries for frequent questions, with answers.
"""
RELIABLE = "How reliable is each source, and how many hours after midnight (ET) of its date does it usually publish"
FOUND = "When was each injury report first found"
SOON = "Were deadlines met, and how many minutes after the final whistle (150 after the tip) were box scores in"
EXAMPLES = {
    "Is the night in, per game and scraper": (
        "SELECT *\nFROM nba_orchestration.game_completeness(DATE '2026-01-14', DATE '2026-01-14')"
    ),
    "What ran on a day, and why": (
        "SELECT slot_time, workflow_name, action, reason\n"
        "FROM nba_orchestration.v_workflow_decisions\n"
        "WHERE DATE(decision_time) BETWEEN '2026-01-14' AND '2026-01-15' AND action != 'SKIP'\n"
        "ORDER BY slot_time"
    ),
    "Which calls failed, and with which error": (
        "SELECT triggered_at, label, try_number, error_type, error_message\n"
        "FROM nba_orchestration.v_scraper_runs\n"
        "WHERE DATE(triggered_at) BETWEEN '2026-01-14' AND '2026-01-15' AND status = 'failed'\n"
        "ORDER BY triggered_at"
    ),
    "Which runs missed their deadline this week": (
        "SELECT workflow_name, slot_time, status, duration_seconds\n"
        "FROM nba_orchestration.v_workflow_executions\n"
        "WHERE DATE(execution_time) BETWEEN '2026-01-08' AND '2026-01-15' AND deadline_missed"
    ),
    "How reliable is each scraper over seven days": (
        "SELECT *\nFROM nba_orchestration.scraper_success_rates(DATE '2026-01-08', DATE '2026-01-14')"
    ),
    RELIABLE: (
        "SELECT week, scraper_name, calls, no_data, failed, median_seconds, usual_hour\n"
        "FROM nba_orchestration.source_reliability(DATE '2026-01-12', DATE '2026-01-18')\n"
        "ORDER BY week, scraper_name"
    ),
    FOUND: (
        "SELECT first_time.target_date, first_time.found_at\n"
        "FROM nba_orchestration.source_reliability(DATE '2026-01-12', DATE '2026-01-18'), UNNEST(found) AS first_time\n"
        "WHERE scraper_name = 'nbac_injury_report'\n"
        "ORDER BY first_time.target_date"
    ),
    SOON: (
        "SELECT date, executions, deadlines_met, games, collected, median_minutes, slowest_minutes\n"
        "FROM nba_orchestration.sla(DATE '2026-01-12', DATE '2026-01-15', 'nbac_team_boxscore', 150)\n"
        "ORDER BY date"
    ),
    "Which files were sent again": (
        "SELECT cleanup_time, missing.scraper_name, missing.gcs_path, missing.age_minutes\n"
        "FROM nba_orchestration.v_cleanup_operations, UNNEST(missing_files) AS missing\n"
        "WHERE DATE(cleanup_time) BETWEEN '2026-01-14' AND '2026-01-15' AND missing.republished"
    ),
}
ANSWERS = {
    RELIABLE: """week        scraper_name        calls  no_data  failed  median_seconds  usual_hour
2026-01-12  br_season_roster    7      0        1       8.25            6.0
2026-01-12  nbac_injury_report  45     38       0       2.6             13.0
2026-01-12  nbac_team_boxscore  28     0        0       2.375           22.0""",
    FOUND: """target_date  found_at
2026-01-12   2026-01-12 13:05:00
2026-01-13   2026-01-13 14:05:00
2026-01-14   2026-01-14 13:05:00
2026-01-15   2026-01-15 14:05:00
2026-01-16   2026-01-16 13:05:00
2026-01-17   2026-01-17 14:05:00
2026-01-18   2026-01-18 13:05:00""",
    SOON: """date        executions  deadlines_met  games  collected  median_minutes  slowest_minutes
2026-01-12  4           1.0            4      4          155.0           245
2026-01-13  4           1.0            4      4          155.0           245
2026-01-14  4           0.75           4      4          155.0           725
2026-01-15  4           1.0            4      4          155.0           245""",
}
"""What the reports return for an invented week. A test runs them."""


def page() -> str:
    """Return the page."""
    parts = [HEAD, "## Tables\n"]
    tables = ddl("tables")
    columns = {name: COLUMN.findall(statement) for name, statement in tables.items()}
    shared = [column for column in next(iter(columns.values())) if all(column in other for other in columns.values())]
    parts += ["Every table also has these columns:\n", *_rows(shared), ""]
    for name, statement in tables.items():
        facts = [f"{what} `{found[1]}`" for what, rule in PARTS.items() if (found := re.search(rule, statement, re.M))]
        if expiry := EXPIRY.search(statement):
            facts.append(f"kept for {expiry[1]} days")
        sentence = ", ".join(facts)
        parts.append(f"### {name}\n\n{description_of(statement)} {sentence[0].upper()}{sentence[1:]}.\n")
        parts += [*_rows(column for column in columns[name] if column not in shared), ""]
    parts.append("## Views\n")
    parts += [f"* `{name}`: {text.splitlines()[0].removeprefix('-- ')}" for name, text in ddl("views").items()]
    parts.append(f"\n## Reports\n\n{REPORTS}\n")
    parts += _reports()
    parts.append(
        "\nReports and our own queries share the functions in `include/sql/functions`; each file describes itself."
    )
    return "\n".join(parts) + "\n"


def queries() -> str:
    """Return the example queries, each below its question and above its answer for an invented week."""
    parts = ["-- Example queries. `make docs` makes this file. The answers are those of an invented week."]
    for question, query in EXAMPLES.items():
        answer = "".join(f"-- {line}\n" for line in ANSWERS.get(question, "").splitlines())
        parts.append(f"-- {question}?\n{query};\n{answer}".rstrip())
    return "\n\n".join(parts) + "\n"


def _rows(columns: Iterable[tuple[str, str, str, str]]) -> Iterator[str]:
    for column, kind, required, meaning in columns:
        yield f"* `{column} {kind}{required}`: {meaning}"


def _reports() -> Iterator[str]:
    for name, text in ddl("reports").items():
        arguments = SIGNATURE.search(text)
        assert arguments is not None, name
        yield f"* `{name}({' '.join(arguments[1].split())})`: {description_of(text).removesuffix(DATES)}"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    QUERIES.write_text(queries(), encoding="utf-8")
    ANSWER.write_text(answer_schema_text(), encoding="utf-8")
    print(f"{PAGE.relative_to(ROOT)}, {QUERIES.name} and {ANSWER.name} written")
