"""The assets with which other teams schedule their DAGs."""

import subprocess
import sys

import pytest
from airflow.providers.google.assets.bigquery import create_asset
from airflow.sdk import Asset

from orchestration.assets import (
    LINES_COLLECTED,
    OF_A_CALL,
    OF_SLATES,
    SLATE_COMPLETE,
    SLATE_SCHEDULED,
    event_of_call,
    table_alias,
    table_asset,
)
from orchestration.records.tables import CallRecord
from support.rows import call
from support.worlds import ROOT, old, ours


@pytest.mark.parametrize("config", [ours(), old()], ids=["ours", "of November 2025"])
def test_a_table_is_the_same_asset_as_in_the_google_provider(config):
    for table in {scraper.processed_in for scraper in config.scrapers.values()} - {None}:
        dataset, name = table.split(".")
        theirs = create_asset(project_id="my-project", dataset_id=dataset, table_id=name)
        assert table_asset(table, "my-project") == theirs
        assert theirs.uri == f"bigquery://my-project/{dataset}/{name}"
        assert table_alias(table).name == table


def test_the_assets_of_slates_are_found_by_name():
    for asset in OF_SLATES:
        assert (Asset(asset.name).name, Asset(asset.name).uri) == (asset.name, asset.uri)
    assert [asset.name for asset in OF_SLATES] == ["slate_scheduled", "lines_collected", "slate_complete"]
    assert OF_SLATES == (SLATE_SCHEDULED, LINES_COLLECTED, SLATE_COMPLETE)


def test_an_event_has_all_columns_of_the_list_with_null_for_missing_values():
    row = call("nbac_team_boxscore", "22:00", "success", 1, "0022500001", record_count=2)
    said = event_of_call({name: value for name, value in row.to_json().items() if value is not None})
    assert set(said) == set(OF_A_CALL) <= set(CallRecord.model_fields)
    assert (said["target_date"], said["game_id"], said["record_count"]) == ("2026-01-14", "0022500001", 2)
    assert (said["gcs_path"], said["dag_run_id"]) == (None, "22:00")


def test_a_dag_file_that_imports_the_assets_loads_no_google_library_and_no_configuration():
    code = (
        "import runpy, sys; found = runpy.run_path('docs/examples/after_the_slate.py'); "
        "print([m for m in sys.modules if m.startswith(('google.cloud.bigquery', 'google.api_core', "
        "'airflow.providers.google.cloud', 'orchestration.config', 'pandas', 'grpc'))])"
    )
    env = {"PYTHONPATH": "plugins", "PATH": "/usr/bin", "AIRFLOW_HOME": "/tmp/orchestration-parse"}
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code], cwd=ROOT, env=env, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip().splitlines()[-1] == "[]"
