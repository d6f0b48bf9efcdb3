"""The imports that tasks inherit: they open no connection and print nothing."""

import subprocess
import sys

import yaml

from support.worlds import ROOT

PROGRAM = """
import socket, sys
def refused(*_): raise AssertionError("a connection")
socket.socket.connect = refused
import orchestration.generator.preload
for module in ("airflow.sdk.execution_time.task_runner", "google.cloud.bigquery", "orchestration.operators.scrape"):
    assert module in sys.modules, module
"""


def imported(**more):
    return subprocess.run(
        [sys.executable, "-c", PROGRAM], env=more, cwd=ROOT, capture_output=True, text=True, check=False
    )


def test_a_task_inherits_airflows_runtime_googles_client_and_our_package(tmp_path):
    done = imported(PYTHONPATH=str(ROOT / "plugins"), AIRFLOW_HOME=str(tmp_path))
    assert done.returncode == 0, done.stderr


def test_a_worker_starts_with_a_broken_file(tmp_path):
    broken = tmp_path / "workflows.yaml"
    broken.write_text(yaml.safe_dump({"workflows": 1}))
    done = imported(PYTHONPATH=str(ROOT / "plugins"), AIRFLOW_HOME=str(tmp_path), ORCHESTRATION_CONFIG=str(broken))
    assert done.returncode == 0, done.stderr
