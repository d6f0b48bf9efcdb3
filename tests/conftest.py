"""What all tests share. Airflow's home is a temporary folder, set before anything imports Airflow."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

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
