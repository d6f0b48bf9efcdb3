"""Alerts about rows and logs that cannot be read."""

from types import SimpleNamespace

from orchestration.audit.warehouse import WarehouseError
from orchestration.cleanup.reading import correct
from support.worlds import changed, et


def keys(config, rows):
    warehouse = SimpleNamespace(query=lambda sql, parameters: rows)
    return [alert.key for alert in correct(warehouse, config, {}, et("12:00")).alerts]


def test_a_row_that_cannot_be_read_is_left_out_and_named():
    assert keys(changed(), [{"execution_id": "x", "outcome": "?"}]) == ["row_unreadable cleanup"]


def test_a_log_that_cannot_be_read_is_named(monkeypatch):
    def refused(*_):
        raise WarehouseError("permission denied")

    monkeypatch.setattr("orchestration.cleanup.reading.corrections", refused)
    assert keys(changed(), []) == ["log_unreadable service_log"]
