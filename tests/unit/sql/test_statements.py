"""Every statement, as text: partitions filtered, no clock read, nothing put together."""

import re

import pytest
import sqlglot
from sqlglot import exp

from orchestration.audit.statements import SQL_FOLDER, with_identifiers
from support.worlds import ROOT

PARTITIONED = {
    "nbac_schedule": "game_date",
    "v_expected_schedule": "date",
    "v_workflow_decisions": "decision_time",
    "v_workflow_executions": "execution_time",
    "v_scraper_runs": "triggered_at",
    "v_cleanup_operations": "cleanup_time",
}
REPORTS = sorted((SQL_FOLDER / "reports").glob("*.sql"))
QUERIES = sorted((SQL_FOLDER / "queries").glob("*.sql"))


def parsed(path):
    text = re.sub(r"\{(\w+)\}", lambda m: {"table": "nba_raw.any_table"}.get(m[1], m[1]), path.read_text())
    return sqlglot.parse_one(text, dialect="bigquery")


@pytest.mark.lesson("C6")
@pytest.mark.parametrize("path", QUERIES, ids=lambda p: p.stem)
def test_every_query_filters_the_partition_of_every_partitioned_table(path):
    for table in parsed(path).find_all(exp.Table):
        column = PARTITIONED.get(table.name)
        if column is not None:
            where = table.find_ancestor(exp.Select).args.get("where")
            assert where is not None, f"{path.stem}: {table.name} is read whole"
            assert column in {found.name for found in where.find_all(exp.Column)}, f"{path.stem}: {table.name}"


@pytest.mark.parametrize("path", [*QUERIES, *sorted((SQL_FOLDER / "views").glob("*.sql"))], ids=lambda p: p.stem)
def test_no_statement_reads_a_clock(path):
    assert not re.search(r"CURRENT_(DATE|TIMESTAMP|TIME)|SESSION_USER", path.read_text(), re.IGNORECASE)


@pytest.mark.parametrize("path", sorted((SQL_FOLDER / "views").glob("*.sql")), ids=lambda p: p.stem)
def test_every_view_has_a_description_and_keeps_the_partition_within_reach(path):
    text = path.read_text()
    assert 'OPTIONS(description="' in text
    view = sqlglot.parse_one(text, dialect="bigquery")
    window = next(view.find_all(exp.Window))
    assert PARTITIONED[path.stem] in {column.name for column in window.args["partition_by"][0].find_all(exp.Column)}


def test_both_readers_of_the_schedule_prefer_the_same_source():
    games = [(SQL_FOLDER / "queries" / f"{name}.sql").read_text() for name in ("decision_inputs", "day_facts")]
    chosen = [re.search(r"WITH games AS \(.*?\n\)\n", text, re.DOTALL)[0] for text in games]
    assert chosen[0] == chosen[1]


@pytest.mark.parametrize("name", ["a.b; DROP TABLE c", "a.b.c", "a b", "`a`", "", "a.b--"])
def test_only_a_plain_name_can_become_part_of_a_statement(name):
    with pytest.raises(ValueError, match="is not a table or column name"):
        with_identifiers("processed_files_whole", table=name)


def test_no_python_file_holds_a_statement_of_its_own():
    package = ROOT / "plugins" / "orchestration"
    for path in package.rglob("*.py"):
        assert not re.search(r"\bSELECT\b.*\bFROM\b", path.read_text()), path


def body(path):
    """The SELECT of a table function."""
    return sqlglot.parse_one(path.read_text().split(") AS\n", 1)[1], dialect="bigquery")


@pytest.mark.lesson("C6")
@pytest.mark.parametrize("path", REPORTS, ids=lambda path: path.stem)
def test_every_report_filters_the_partition_of_every_table_and_reads_no_clock(path):
    tables = list(body(path).find_all(exp.Table))
    for table in tables:
        column = PARTITIONED.get(table.name)
        if column is not None:
            where = table.find_ancestor(exp.Select).args.get("where")
            assert where is not None, f"{path.stem}: {table.name} is read whole"
            assert column in {found.name for found in where.find_all(exp.Column)}, f"{path.stem}: {table.name}"
    assert any(table.name in PARTITIONED for table in tables)
    assert not re.search(r"CURRENT_(DATE|TIMESTAMP|TIME)", path.read_text())
