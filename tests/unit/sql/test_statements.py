"""Every statement, as text: partitions filtered, no clock read, nothing put together."""

import re
from datetime import time

import pytest
import sqlglot
from pydantic import ValidationError
from sqlglot import exp

from orchestration.audit.statements import SQL_FOLDER, ddl, filled, with_identifiers
from orchestration.vocabulary.settings import DailyScheduleLock, Settings
from support.worlds import ROOT

PARTITIONED = {
    "nbac_schedule": "game_date",
    "daily_expected_schedule": "date",
    "workflow_decisions": "decision_time",
    "workflow_executions": "execution_time",
    "scraper_execution_log": "triggered_at",
    "cleanup_operations": "cleanup_time",
    "v_expected_schedule": "date",
    "v_workflow_decisions": "decision_time",
    "v_workflow_executions": "execution_time",
    "v_scraper_runs": "triggered_at",
    "v_cleanup_operations": "cleanup_time",
}
EVERY = sorted(SQL_FOLDER.rglob("*.sql"))
QUERIES = sorted((SQL_FOLDER / "queries").glob("*.sql"))
VIEWS = sorted((SQL_FOLDER / "views").glob("*.sql"))
READERS = [
    *QUERIES,
    *sorted((SQL_FOLDER / "reports").glob("*.sql")),
    *(path for path in sorted((SQL_FOLDER / "functions").glob("*.sql")) if path.stem != "day_of"),
]
OF_A_TABLE = {
    "table",
    "partition",
    "partition_column",
    "granularity",
    "time_column",
    "newest_column",
    "game_column",
    "dataset",
}
OTHERS = Settings(
    audit_dataset="their_dataset",
    schedule_table="phase_2.games_of_the_season",
    service_log="phase_1.runs",
    daily_schedule_lock=DailyScheduleLock(generation_time=time(4, 30)),
)


def body(path):
    """The SELECT of a statement, parsed."""
    names = r"\{(table|partition|partition_column|time_column|newest_column|game_column)\}"
    text = re.sub(names, "some.thing", filled(path.read_text(), Settings()))
    text = text.replace("{dataset}", "theirs")
    created = re.split(r"\) AS\n", text, maxsplit=1) if "TABLE FUNCTION" in text else [text]
    return sqlglot.parse_one(created[-1], dialect="bigquery")


@pytest.mark.lesson("C6")
@pytest.mark.parametrize("path", READERS, ids=lambda p: f"{p.parent.name}/{p.stem}")
def test_every_statement_filters_the_partition_of_every_partitioned_table(path):
    for table in body(path).find_all(exp.Table):
        column = PARTITIONED.get(table.name)
        if column is not None:
            where = table.find_ancestor(exp.Select).args.get("where")
            assert where is not None, f"{path.stem}: {table.name} is read whole"
            assert column in {found.name for found in where.find_all(exp.Column)}, f"{path.stem}: {table.name}"


FUNCTIONS = {path.stem for folder in ("functions", "reports") for path in (SQL_FOLDER / folder).glob("*.sql")}


@pytest.mark.lesson("C6")
@pytest.mark.parametrize("path", READERS, ids=lambda p: f"{p.parent.name}/{p.stem}")
def test_the_dates_of_a_query_reach_the_partitions_behind_every_function(path):
    """A function's filter is on its arguments: they must be known before the first row is read."""
    text = path.read_text()
    own = re.search(r"TABLE FUNCTION \{audit\}\.\w+\((.*?)\) AS\n", text, re.DOTALL)
    names = {part.split()[0] for part in own[1].split(",")} if own else set()
    for name, arguments in re.findall(r"(?:FROM|JOIN) \{audit\}\.(\w+)\((.*?)\)", text):
        assert name in FUNCTIONS
        for argument in arguments.split(","):
            assert argument.strip() in names or argument.strip().startswith("@"), f"{path.stem}: {name}({arguments})"


def test_a_function_is_created_after_the_functions_that_it_uses():
    made = []
    for folder in ("functions", "reports"):
        for name, text in ddl(folder).items():
            assert set(re.findall(r"\{audit\}\.(\w+)\(", text)) - {name} <= set(made), name
            made.append(name)


@pytest.mark.parametrize("path", EVERY, ids=lambda p: p.stem)
def test_no_statement_reads_a_clock(path):
    assert not re.search(r"CURRENT_(DATE|TIMESTAMP|TIME)|SESSION_USER", path.read_text(), re.IGNORECASE)


@pytest.mark.parametrize("path", EVERY, ids=lambda p: p.stem)
def test_every_statement_follows_the_settings(path):
    text = filled(path.read_text(), OTHERS)
    assert not re.search(r"nba_orchestration|nba_raw|nbac_schedule\b", text)
    assert set(re.findall(r"\{(\w+)\}", text)) <= OF_A_TABLE


def test_no_name_of_a_table_stands_outside_of_the_settings():
    package = ROOT / "plugins" / "orchestration"
    for path in [*package.rglob("*.py"), *package.rglob("*.html")]:
        if path.name != "settings.py":
            assert not re.search(r"\bnba_orchestration\b|\bnba_raw\.", path.read_text()), path


def test_the_lock_and_the_schedule_are_read_in_one_place():
    holding = {word: {p.stem for p in EVERY if word in p.read_text()} for word in ("lock_minutes", "schedule_table")}
    assert holding == {"lock_minutes": {"day_of"}, "schedule_table": {"games", "known_schedule"}}
    assert "INTERVAL 270 MINUTE" in filled(ddl("functions")["day_of"], OTHERS)
    for path in EVERY:
        assert "INTERVAL 5 HOUR" not in path.read_text(), path


@pytest.mark.parametrize("path", VIEWS, ids=lambda p: p.stem)
def test_every_view_has_a_description_shows_ours_only_and_keeps_the_partition_within_reach(path):
    assert 'OPTIONS(description="' in path.read_text()
    view = body(path)
    window = next(view.find_all(exp.Window))
    assert PARTITIONED[path.stem] in {column.name for column in window.args["partition_by"][0].find_all(exp.Column)}
    [table] = [found for found in view.find_all(exp.Table) if found.name in PARTITIONED and found.name != path.stem]
    assert "dag_id" in {column.name for column in table.find_ancestor(exp.Select).args["where"].find_all(exp.Column)}


@pytest.mark.parametrize("name", ["a.b; DROP TABLE c", "a.b.c", "a b", "`a`", "", "a.b--"])
def test_only_a_plain_name_can_become_part_of_a_statement(name):
    with pytest.raises(ValueError, match="is not a table or column name"):
        with_identifiers("processed_files", table=name)
    with pytest.raises(ValidationError):
        Settings(schedule_table=name)
    with pytest.raises(ValidationError):
        Settings(audit_dataset=name)


@pytest.mark.parametrize("name", ["goog-topic", "GOOGLE", "ab", "1st", "a topic", "a/b", "t\n", "x" * 256, ""])
def test_a_topic_is_named_as_pub_sub_allows(name):
    with pytest.raises(ValidationError):
        Settings(topic=name)


@pytest.mark.parametrize("path", ["", "/scrape", "scrape/", "http://elsewhere/scrape", "scrape?x=1", "../scrape"])
def test_the_endpoint_is_a_path_below_the_connections_address(path):
    with pytest.raises(ValidationError):
        Settings(endpoint=path)
    assert Settings(endpoint="v2/scrape").endpoint == "v2/scrape"


def test_no_python_file_holds_a_statement_of_its_own():
    package = ROOT / "plugins" / "orchestration"
    for path in package.rglob("*.py"):
        assert not re.search(r"\bSELECT\b.*\bFROM\b", path.read_text()), path
