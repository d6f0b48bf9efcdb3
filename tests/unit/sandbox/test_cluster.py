"""The compose file on a machine without containers: the processes have its commands, variables and restarts."""

import json
import re
import sys

import psutil
import pytest
import yaml

from sandbox.cluster import SERVICES as SERVICES_THAT_STAY
from sandbox.cluster import Cluster, ClusterPorts
from sandbox.compose import Compose, ComposeError, interpolated
from sandbox.processes import StackError
from support.worlds import ROOT

SERVICES = yaml.safe_load((ROOT / "docker-compose.yaml").read_text())["services"]
OURS = ("init", "api-server", "scheduler", "dag-processor", "triggerer", "worker")


@pytest.fixture
def cluster(tmp_path, monkeypatch):
    monkeypatch.setattr(Cluster, "database", tmp_path / "postgres")
    return Cluster(tmp_path, ClusterPorts(postgres=5555, redis=6666, api=7777))


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("${A}", "a"),
        ("${B}", ""),
        ("x-${A:-z}-${B:-z}", "x-a-z"),
        ("${B:-}", ""),
        ("${A:?needed}", "a"),
        ('$$A "$$(hostname)"', '$A "$(hostname)"'),
    ],
)
def test_variables_are_filled_in_as_compose_does(text, found):
    assert interpolated(text, {"A": "a"}) == found


def test_a_missing_required_variable_is_named():
    with pytest.raises(ComposeError, match="FERNET_KEY: set FERNET_KEY, see docs"):
        Compose(ROOT, {}, {}).environment("scheduler")


@pytest.mark.parametrize("name", OURS)
def test_a_service_has_the_variables_of_the_file_and_of_the_image(cluster, name):
    given = cluster.compose.environment(name)
    written = {key for key, value in SERVICES[name]["environment"].items() if value is not None}
    assert set(given) >= written | {"AIRFLOW_HOME", "AIRFLOW__CORE__DAGS_FOLDER", "ORCHESTRATION_OUTBOX"}
    assert given["AIRFLOW__CORE__EXECUTOR"] == "CeleryExecutor"
    assert given["AIRFLOW__CORE__DAGS_FOLDER"] == str(ROOT / "dags")
    assert json.loads(given["AIRFLOW__CELERY__EXTRA_CELERY_CONFIG"])["imports"] == ["orchestration.generator.preload"]


def test_an_unset_variable_that_is_passed_on_stays_unset(cluster):
    given = cluster.compose.environment("scheduler")
    assert "AIRFLOW_CONN_SLACK_DEFAULT" not in given
    assert json.loads(given["AIRFLOW_CONN_SCRAPER_SERVICE"])["host"] == "127.0.0.1"


def test_no_address_or_folder_of_a_container_remains(cluster):
    said = [cluster.compose.command(name) for name in (*OURS, "redis")]
    said += [list(cluster.compose.environment(name).values()) for name in (*OURS, "redis", "postgres")]
    text = json.dumps(said)
    assert not re.search(r"/opt/|@postgres|redis:6379|api-server:|\$\{|0\.0\.0\.0", text)
    assert "@127.0.0.1:5555/airflow" in text
    assert "--bind 127.0.0.1 --port 6666" in text
    assert "http://127.0.0.1:7777/execution/" in text


def test_every_cluster_has_its_own_passwords(tmp_path):
    one, other = Cluster(tmp_path / "one"), Cluster(tmp_path / "other")
    assert set(one.passwords.values()).isdisjoint(other.passwords.values())
    assert one.login == ("admin", one.passwords["ADMIN_PASSWORD"])


def test_services_restart_as_the_compose_file_says(cluster):
    ours = [name for name, service in SERVICES.items() if "profiles" not in service]
    assert [name for name in ours if cluster.compose.restarts(name)] == [*SERVICES_THAT_STAY]


@pytest.fixture
def started(cluster):
    yield cluster
    cluster.stop()


def test_an_ended_service_is_restarted_and_an_ended_stand_in_is_an_error(started):
    started._spawn("scheduler", ["true"]).wait()
    started.check()
    assert started.restarts == ["scheduler"]
    started.processes.clear()
    started._spawn("sandbox", ["true"]).wait()
    with pytest.raises(StackError, match="sandbox ended"):
        started.check()


@pytest.mark.parametrize("ending", [lambda c: c.kill("worker-1"), lambda c: c.stop()], ids=["kill", "stop"])
def test_a_killed_service_ends_its_tasks_in_their_own_process_groups(started, ending):
    task = "import subprocess; subprocess.run(['sleep', '1000'], start_new_session=True)"
    worker = started._spawn("worker-1", [sys.executable, "-c", task])
    while not (tasks := psutil.Process(worker.pid).children()):
        assert worker.poll() is None
    ending(started)
    psutil.wait_procs(tasks, timeout=60)
    assert not any(one.is_running() and one.status() != psutil.STATUS_ZOMBIE for one in tasks)
