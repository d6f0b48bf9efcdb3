"""make docs: docs/orchestration/03-bigquery-schemas.md, from the statements in include/sql, and the schema of a
scraper's answer, from its models. Tests keep both current.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "plugins")]

from orchestration.audit.setup import description_of
from orchestration.audit.statements import ddl
from orchestration.services.contract import answer_schema_text

PAGE = ROOT / "docs" / "orchestration" / "03-bigquery-schemas.md"
ANSWER = PAGE.with_name("scraper-answer.schema.json")
COLUMN = re.compile(r'^  (\w+) ([A-Z].*?)( NOT NULL)? OPTIONS\(description="(.*)"\)', re.MULTILINE)
PARTS = {"partitioned by": r"^PARTITION BY (.+)$", "clustered by": r"^CLUSTER BY (.+)$"}
EXPIRY = re.compile(r"partition_expiration_days=(\d+)")
SIGNATURE = re.compile(r"FUNCTION \{audit\}\.\w+\(\s*(.+?)\s*\)", re.DOTALL)

HEAD = """# The BigQuery schemas

Made by `make docs` from `include/sql`; a test keeps it so. `python -m orchestration init` creates all of it in the
dataset `nba_orchestration` (`settings.audit_dataset`). It refuses tables with other columns; `init --adopt` adds ours
to those of another system, nullable.

Tables only grow: a corrected row has the id of the first, and a later `created_at`. **Read the views**, which keep one
row per id, and filter the day by which the table is partitioned. Times are UTC, dates are ET dates.

Another system may write to the same tables. Its rows have no `dag_id`; views and reports show ours only.

A decision and its execution share `decision_id`; so do the execution's calls. `slot_time` is the tick. `dag_id`,
`run_id` (of a call: `dag_run_id`), `task_id`, `map_index` and `try_number` lead to Airflow.

## Questions that people ask

{examples}
"""
EXAMPLES = {
    "Is the night in? One row per game and scraper": (
        "SELECT *\nFROM nba_orchestration.game_completeness(DATE '2026-01-14', DATE '2026-01-14')"
    ),
    "What ran on a day, when, and why": (
        "SELECT slot_time, workflow_name, action, reason\n"
        "FROM nba_orchestration.v_workflow_decisions\n"
        "WHERE DATE(decision_time) BETWEEN '2026-01-14' AND '2026-01-15' AND action != 'SKIP'\n"
        "ORDER BY slot_time"
    ),
    "Which calls failed, with what": (
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
    "How reliable is each scraper, over seven days": (
        "SELECT *\nFROM nba_orchestration.scraper_success_rates(DATE '2026-01-08', DATE '2026-01-14')"
    ),
    "Which files were sent again": (
        "SELECT cleanup_time, missing.scraper_name, missing.gcs_path, missing.age_minutes\n"
        "FROM nba_orchestration.v_cleanup_operations, UNNEST(missing_files) AS missing\n"
        "WHERE DATE(cleanup_time) BETWEEN '2026-01-14' AND '2026-01-15' AND missing.republished"
    ),
}


def page() -> str:
    """Return the page."""
    examples = "\n\n".join(f"{question}:\n\n```sql\n{sql}\n```" for question, sql in EXAMPLES.items())
    parts = [HEAD.format(examples=examples), "## Tables\n"]
    for name, statement in ddl("tables").items():
        facts = [f"{what} `{found[1]}`" for what, rule in PARTS.items() if (found := re.search(rule, statement, re.M))]
        if expiry := EXPIRY.search(statement):
            facts.append(f"kept for {expiry[1]} days")
        sentence = ", ".join(facts)
        parts.append(f"### {name}\n\n{description_of(statement)} {sentence[0].upper()}{sentence[1:]}.\n")
        parts.append("| column | type | | meaning |\n|---|---|---|---|")
        for column, kind, required, meaning in COLUMN.findall(statement):
            must = "required" if required else ""
            parts.append(f"| `{column}` | {kind.replace('<', '&lt;').replace('>', '&gt;')} | {must} | {meaning} |")
        parts.append("")
    parts.append("## Views\n\n| view | what |\n|---|---|")
    parts += [f"| `{name}` | {text.splitlines()[0].removeprefix('-- ')} |" for name, text in ddl("views").items()]
    parts.append("\n## Reports\n\nTable functions: `SELECT * FROM nba_orchestration.name(arguments)`.\n")
    parts.append("| report | arguments | one row |\n|---|---|---|")
    parts += _functions("reports")
    parts.append("\n## Functions\n\nWhat the reports and our own queries share.\n")
    parts.append("| function | arguments | what |\n|---|---|---|")
    parts += _functions("functions")
    return "\n".join(parts) + "\n"


def _functions(folder: str) -> Iterator[str]:
    for name, text in ddl(folder).items():
        arguments = SIGNATURE.search(text)
        assert arguments is not None, name
        yield f"| `{name}` | {' '.join(arguments[1].split())} | {description_of(text)} |"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    ANSWER.write_text(answer_schema_text(), encoding="utf-8")
    print(f"{PAGE.relative_to(ROOT)} and {ANSWER.name} written")
