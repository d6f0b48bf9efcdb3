"""The DAGs and plugins that Airflow finds in the repository, and the version of the package."""

import re
import tomllib
from pathlib import Path

from airflow.utils.file import list_py_file_paths

from orchestration import __version__
from support.worlds import ROOT

DAG_FILES = {ROOT / "dags" / name for name in ("workflows.py", "workflows_check.py")}


def found(folder):
    """Return the Python files that Airflow would load from ``folder``."""
    return {Path(path) for path in list_py_file_paths(folder, safe_mode=False)}


def test_airflow_finds_the_same_dags_in_the_repository_and_in_its_dags_folder():
    assert found(ROOT / "dags") == DAG_FILES
    assert found(ROOT) == DAG_FILES


def test_airflow_finds_a_dag_file_in_its_own_folder(tmp_path):
    (tmp_path / ".airflowignore").write_text((ROOT / ".airflowignore").read_text())
    for path in ("dags/nba/more.py", "dags/plugins/more.py", "plugins/nba/dags/no.py", "tests/no.py", "no.py"):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).touch()
    assert found(tmp_path) == {tmp_path / "dags/nba/more.py", tmp_path / "dags/plugins/more.py"}


def test_airflow_finds_one_plugin():
    assert found(ROOT / "plugins") == {ROOT / "plugins" / "orchestration_plugin.py"}


def test_the_version_is_in_the_package_and_in_the_changelog():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    assert "version" not in project["project"]
    assert project["tool"]["setuptools"]["dynamic"]["version"] == {"attr": "orchestration.__version__"}
    released = re.findall(r"^## \[(\d[\w.]*)\]", (ROOT / "CHANGELOG.md").read_text(), re.M)
    assert released[0] == __version__
