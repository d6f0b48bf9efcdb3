"""Every statement, through Google's own analyzer: names, types and grouping as BigQuery has them."""

import re

import pytest
from zetasql.core.exceptions import ZetaSQLError

from orchestration.audit.statements import SQL_FOLDER, Partition, ddl, filled, statement, with_identifiers
from orchestration.vocabulary.settings import Settings
from support.analyzer import Google
from support.generators import generator
from support.old_system import KEPT

PARAMETERS = {
    "first_date": "DATE", "last_date": "DATE", "oldest_date": "DATE", "day": "DATE", "next_day": "DATE",
    "schedule_from": "DATE", "schedule_to": "DATE", "history_from_date": "DATE", "tick_date": "DATE",
    "record_from": "DATE", "record_to": "DATE", "seen_date": "DATE", "answers_from_date": "DATE",
    "learned_from": "DATE",
    "start_date": "DATE", "history_from": "TIMESTAMP", "tick": "TIMESTAMP", "seen_at": "TIMESTAMP",
    "oldest": "TIMESTAMP", "youngest": "TIMESTAMP", "start": "TIMESTAMP", "until": "TIMESTAMP",
    "seen_until": "TIMESTAMP", "before": "TIMESTAMP", "lock": "TIMESTAMP", "workflows": "ARRAY<STRING>",
    "until_date": "DATE", "scrapers": "ARRAY<STRING>", "paths": "ARRAY<STRING>", "run_ids": "ARRAY<STRING>",
    "games": "ARRAY<STRING>",
    "workflow": "STRING", "dag_id": "STRING", "run_id": "STRING", "task_id": "STRING", "map_index": "INT64",
    "call_index": "INT64", "untold": "STRING",
}  # fmt: skip
SCHEDULE = {
    "game_id": "STRING", "game_code": "STRING", "season_year": "INT64", "game_date": "DATE",
    "game_date_est": "TIMESTAMP", "game_status": "INT64", "game_status_text": "STRING",
    "home_team_tricode": "STRING", "away_team_tricode": "STRING", "data_source": "STRING",
    "source_file_path": "STRING", "processed_at": "TIMESTAMP",
}  # fmt: skip
THEIRS = {
    f"theirs.{table}": {
        name: kind for name, kind, *_ in (column.split() for column in text.split(", ")) if "STRUCT" not in kind
    }
    for table, text in KEPT.items()
}
"""The old system's tables: its columns and no other."""
FILES = {"source_file_path": "STRING", "processed_at": "TIMESTAMP", "game_date": "DATE", "game_id": "STRING"}
OLD_LOG = "phase_1.scraper_execution_log"
SERVICE_LOG = {
    "execution_id": "STRING", "scraper_name": "STRING", "status": "STRING", "triggered_at": "TIMESTAMP",
    "gcs_path": "STRING", "data_summary": "STRING", "error_type": "STRING", "error_message": "STRING",
    "retry_count": "INT64", "run_id": "STRING", "created_at": "TIMESTAMP",
}  # fmt: skip
CREATED = [(folder, name) for folder in ("tables", "views", "functions", "reports") for name in ddl(folder)]
QUERIES = sorted((SQL_FOLDER / "queries").glob("*.sql"))
schemas = generator("schemas")


@pytest.fixture(scope="module")
def known():
    """An analyzer with everything that init creates, beside tables of Phase 2, and what it said of each."""
    google, said = Google(), {}
    google.add_table("nba_raw.nbac_schedule", SCHEDULE)
    google.add_table("nba_raw.any_table", FILES)
    for table, columns in THEIRS.items():
        google.add_table(table, columns)
    for folder, name in CREATED:
        try:
            google.create(filled(ddl(folder)[name], Settings()))
        except ZetaSQLError as error:
            said[name] = error
    return google, said


@pytest.fixture
def google(known):
    return known[0]


def query(name, partition=Partition("date", "game_date"), table="nba_raw.any_table"):  # noqa: B008  it is a value
    names = {
        "table": table,
        "time_column": "processed_at",
        "newest_column": "processed_at",
        "game_column": "game_id",
        "dataset": "theirs",
    }
    return filled(with_identifiers(name, partition, **names), Settings())


PARTITIONS = {
    **{f"DATE by {unit}": ("date", "DATE", unit) for unit in ("DAY", "MONTH", "YEAR")},
    **{
        f"{kind} by {unit}": (kind.lower(), kind, unit)
        for kind in ("DATETIME", "TIMESTAMP")
        for unit in ("HOUR", "DAY", "MONTH", "YEAR")
    },
    **{f"ingestion by {unit}": ("ingestion", "TIMESTAMP", unit) for unit in ("HOUR", "DAY", "MONTH", "YEAR")},
    "integer": ("integer", "INT64", "DAY"),
    "none": ("none", None, "DAY"),
}
"""For each kind of partition: its statement, the type of its column, and its granularity."""


@pytest.mark.parametrize("named", PARTITIONS)
def test_every_kind_of_partition_is_asked_with_the_type_of_its_column(named):
    kind, column, unit = PARTITIONS[named]
    google = Google()
    google.create(filled(ddl("functions")["bare_path"], Settings()))
    google.create(filled(ddl("functions")["inner_path"], Settings()))
    google.add_table("nba_raw.a_table", FILES | ({"its_column": column} if column else {}))
    partition = Partition(kind, "its_column", unit) if column else Partition()
    text = query("processed_files", partition, "nba_raw.a_table")
    google.analyze(text, PARAMETERS)
    assert ("its_column" in text) == bool(column)


@pytest.mark.parametrize(("folder", "name"), CREATED, ids=lambda part: part)
def test_what_init_creates(folder, name, known):
    _, said = known
    assert said.get(name) is None


@pytest.mark.parametrize("path", QUERIES, ids=lambda p: p.stem)
def test_what_is_asked(path, google):
    google.analyze(query(path.stem), PARAMETERS)


def test_of_a_log_that_is_the_services_alone_only_its_own_columns_are_asked_for():
    google = Google()
    google.add_table("phase_1.runs", SERVICE_LOG)
    settings = Settings(service_log="phase_1.runs")
    google.analyze(filled(statement("service_log"), settings), PARAMETERS)
    text = filled(statement("service_log"), Settings(audit_dataset="phase_1", service_log=OLD_LOG))
    google.add_table(OLD_LOG, SERVICE_LOG)
    with pytest.raises(ZetaSQLError, match="Unrecognized name: dag_id"):
        google.analyze(text, PARAMETERS)


@pytest.mark.parametrize("question", schemas.EXAMPLES)
def test_what_the_documentation_asks(question, google):
    google.analyze(schemas.EXAMPLES[question])


@pytest.mark.lesson("A9")
def test_the_history_may_lie_in_a_dataset_of_another_system_with_its_own_columns_only(google):
    text = (SQL_FOLDER / "queries" / "decision_inputs.sql").read_text()
    google.analyze(filled(text, Settings(history_dataset="theirs")), PARAMETERS)


def test_a_schedule_whose_game_ids_are_numbers_and_a_log_whose_json_is_text_are_as_good():
    google = Google()
    google.add_table("nba_raw.nbac_schedule", SCHEDULE | {"game_id": "INT64"})
    for folder, name in CREATED:
        text = re.sub(r"^(  (?:opts|data_summary|context)) JSON", r"\1 STRING", ddl(folder)[name], flags=re.MULTILINE)
        google.create(filled(text, Settings()))
    google.analyze(query("decision_inputs"), PARAMETERS)
    google.analyze(query("day_facts"), PARAMETERS)


@pytest.mark.parametrize(
    ("statement", "why"),
    [
        (  # init failed with this on BigQuery, while emulator and parser were content
            "SELECT calls.scraper_name, COUNT(*) AS calls FROM nba_orchestration.v_scraper_runs AS calls "
            "GROUP BY calls.scraper_name",
            "Column calls contains an aggregation function, which is not allowed in GROUP BY",
        ),
        ("SELECT slot FROM nba_orchestration.v_workflow_decisions", "Unrecognized name: slot"),
        ("SELECT 1 FROM nba_orchestration.v_workflow_decisions WHERE slot_time = target_date", "No matching signature"),
        ("SELECT reason, COUNT(*) FROM nba_orchestration.v_workflow_decisions", "neither grouped nor aggregated"),
        ("SELECT 1 FROM nba_orchestration.v_decisions", "Table not found"),
        ("SELECT * FROM nba_orchestration.games(DATE '2026-01-14')", "games"),
        ("SELECT * FROM nba_orchestration.games(1, 2)", "games"),
        ("SELECT game FROM nba_orchestration.games(DATE '2026-01-14', DATE '2026-01-14')", "Unrecognized name: game"),
        ("SELECT nba_orchestration.day_of(20260114)", "No matching signature"),
        ("SELECT @nobody", "nobody"),
        ("SELECT CAST(1 AS INT32)", "INT32"),
        (
            "SELECT 1 AS kind, 'x' AS payload UNION ALL SELECT kind, payload "
            "FROM nba_orchestration.known_schedule(@day, @day)",
            "incompatible types",
        ),
    ],
)
def test_what_bigquery_refuses_is_refused_here_too(statement, why, google):
    with pytest.raises(ZetaSQLError, match=re.escape(why)):
        google.analyze(statement, PARAMETERS)


@pytest.mark.lesson("A6")
def test_without_our_columns_in_a_table_no_view_can_be_made():
    google = Google()
    google.create("CREATE TABLE nba_orchestration.workflow_decisions (decision_id STRING, decision_time TIMESTAMP)")
    with pytest.raises(ZetaSQLError, match="Unrecognized name: dag_id"):
        google.create(filled(ddl("views")["v_workflow_decisions"], Settings()))
