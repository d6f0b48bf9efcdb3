"""Environment variables: empty ones count as unset, and AIRFLOW_HOME is read as Airflow reads it."""

import os
from pathlib import Path

import pytest
from airflow.configuration import get_airflow_home

from orchestration.audit.outbox import outbox_url
from orchestration.config import airflow_home, config_path
from support.worlds import ROOT


@pytest.mark.parametrize("home", ["/opt/airflow", "~/flows", "$WHERE/flows", "${WHERE}", "$OUTER", "~", "", "flows"])
def test_airflow_home_is_read_as_airflow_reads_it(home, monkeypatch):
    monkeypatch.setenv("HOME", "/home/ann")
    monkeypatch.setenv("WHERE", "/var/lib")
    monkeypatch.setenv("OUTER", "~/in$WHERE")
    monkeypatch.setenv("AIRFLOW_HOME", home)
    assert str(airflow_home()) == os.path.abspath(get_airflow_home())


def test_airflow_home_defaults_to_airflow_in_the_home_of_the_user(monkeypatch):
    monkeypatch.setenv("HOME", "/home/ann")
    monkeypatch.delenv("AIRFLOW_HOME")
    assert airflow_home() == Path("/home/ann/airflow")
    assert outbox_url() == "file:///home/ann/airflow/outbox"


def test_a_variable_that_contains_itself_does_not_loop(monkeypatch):
    monkeypatch.setenv("WHERE", "$WHERE/deeper")
    monkeypatch.setenv("AIRFLOW_HOME", "$WHERE")
    assert airflow_home().is_absolute()


def test_an_empty_variable_counts_as_unset(monkeypatch):
    monkeypatch.setenv("AIRFLOW_HOME", "/opt/airflow")
    monkeypatch.setenv("ORCHESTRATION_CONFIG", "")
    monkeypatch.setenv("ORCHESTRATION_OUTBOX", "")
    assert config_path() == ROOT / "config" / "workflows.yaml"
    assert outbox_url() == "file:///opt/airflow/outbox"


@pytest.mark.parametrize("quote", ['"', "'"])
def test_quotes_that_an_env_file_leaves_in_are_removed(quote, monkeypatch):
    monkeypatch.setenv("ORCHESTRATION_OUTBOX", f"{quote}file:///var/outbox{quote}")
    assert outbox_url() == "file:///var/outbox"
    monkeypatch.setenv("ORCHESTRATION_CONFIG", f" {quote}/etc/workflows.yaml{quote} ")
    assert config_path() == Path("/etc/workflows.yaml")
