"""What all tests share. Airflow's home is a temporary folder, set before anything imports Airflow."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
_HOME = tempfile.mkdtemp(prefix="orchestration-tests-")
os.environ.update(
    AIRFLOW_HOME=_HOME,
    AIRFLOW__CORE__LOAD_EXAMPLES="False",
    AIRFLOW__CORE__DAGS_FOLDER=str(ROOT / "dags"),
    AIRFLOW__CORE__PLUGINS_FOLDER=str(ROOT / "plugins"),
    AIRFLOW__CORE__UNIT_TEST_MODE="False",
)
for _name in ("ORCHESTRATION_CONFIG", "ORCHESTRATION_OUTBOX"):
    os.environ.pop(_name, None)

from orchestration.audit.outbox import Outbox  # noqa: E402
from orchestration.audit.warehouse import Warehouse  # noqa: E402
from standins import GoogleStandIns  # noqa: E402


@pytest.fixture(scope="session")
def google() -> Iterator[GoogleStandIns]:
    """The BigQuery emulator and the sandbox world, for all integration tests; each test cleans what it reads."""
    with GoogleStandIns() as running:
        yield running


@pytest.fixture
def warehouse(google: GoogleStandIns) -> Warehouse:
    """A warehouse with empty tables."""
    google.empty()
    return Warehouse()


@pytest.fixture
def outbox(tmp_path: Path, warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch) -> Outbox:
    """An empty outbox in front of it."""
    monkeypatch.setenv("ORCHESTRATION_OUTBOX", f"file://{tmp_path / 'outbox'}")
    return Outbox(warehouse=warehouse)
