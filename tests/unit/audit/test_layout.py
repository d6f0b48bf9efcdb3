"""How a table is partitioned, from BigQuery's description of it."""

from types import SimpleNamespace

import pytest
from google.cloud.bigquery import Table

from orchestration.audit.statements import Partition
from orchestration.audit.warehouse import Warehouse, WarehouseError

COLUMNS = {"game_date": "DATE", "tip": "DATETIME", "processed_at": "TIMESTAMP", "number": "INTEGER"}


def layout(**described):
    """The layout of a table that BigQuery describes so."""
    fields = [{"name": name, "type": kind} for name, kind in COLUMNS.items()]
    reference = {"projectId": "p", "datasetId": "d", "tableId": "t"}
    table = Table.from_api_repr({"tableReference": reference, "schema": {"fields": fields}, **described})
    warehouse = Warehouse()
    warehouse._client = SimpleNamespace(project="p", get_table=lambda *_, **__: table)
    return warehouse.layout("d.t")


@pytest.mark.parametrize("unit", ["HOUR", "DAY", "MONTH", "YEAR"])
@pytest.mark.parametrize(
    ("column", "kind"), [("game_date", "date"), ("tip", "datetime"), ("processed_at", "timestamp")]
)
def test_a_column_of_time_is_asked_by_its_type(column, kind, unit):
    found = layout(timePartitioning={"type": unit, "field": column}, requirePartitionFilter=True)
    assert found.partition == Partition(kind, column, unit)
    assert found.columns == COLUMNS


@pytest.mark.parametrize("unit", ["HOUR", "DAY", "MONTH", "YEAR"])
def test_the_time_of_loading_is_a_column_without_a_name_in_the_schema(unit):
    found = layout(timePartitioning={"type": unit}, requirePartitionFilter=True)
    assert found.partition == Partition("ingestion", "_PARTITIONTIME", unit)


def test_a_range_of_numbers_is_named_and_read_whole():
    by_number = {"field": "number", "range": {"start": "0", "end": "100", "interval": "10"}}
    assert layout(rangePartitioning=by_number).partition == Partition("integer", "number")


def test_a_table_without_partitions_has_none():
    assert layout().partition == Partition()


def test_a_partition_of_an_unknown_type_is_an_error_of_its_table():
    with pytest.raises(WarehouseError, match=r"d\.t is partitioned by number, a INTEGER column"):
        layout(timePartitioning={"type": "DAY", "field": "number"})
