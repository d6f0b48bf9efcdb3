"""docker-compose.yaml, the Dockerfile and the Helm values agree with each other and with the documentation."""

import re
import shutil
import subprocess

import pytest
import yaml

from support.worlds import ROOT

TEXT = (ROOT / "docker-compose.yaml").read_text()
SERVICES = yaml.safe_load(TEXT)["services"]
AIRFLOW = ("api-server", "scheduler", "dag-processor", "triggerer", "worker")
SECRETS = ("FERNET_KEY", "SECRET_KEY", "JWT_SECRET", "POSTGRES_PASSWORD", "REDIS_PASSWORD", "ADMIN_PASSWORD")
DOCKERFILE = (ROOT / "Dockerfile").read_text()
PAGE = (ROOT / "docs" / "orchestration" / "06-production.md").read_text()


def test_every_component_of_airflow_is_there_with_its_database_and_broker():
    assert {*AIRFLOW, "init", "postgres", "redis"} == {n for n, s in SERVICES.items() if "profiles" not in s}


@pytest.mark.parametrize("name", [name for name in SERVICES if name not in ("init", "world")])
def test_every_running_service_has_a_health_check(name):
    assert SERVICES[name]["healthcheck"]["test"]


@pytest.mark.parametrize("name", AIRFLOW)
def test_airflow_starts_after_init_and_restarts_after_a_crash(name):
    assert SERVICES[name]["depends_on"] == {"init": {"condition": "service_completed_successfully"}}
    assert SERVICES[name]["restart"] == "unless-stopped"


@pytest.mark.parametrize("secret", SECRETS)
def test_a_secret_has_no_default_and_its_absence_is_an_error(secret):
    uses = re.findall(rf"(?<!\$)\$\{{{secret}([^}}]*)\}}", TEXT)
    assert any(use.startswith(":?") for use in uses)
    assert all(use == "" or use.startswith(":?") for use in uses)
    assert f"`{secret}`" in PAGE


def test_nothing_else_looks_like_a_secret():
    assigned = re.findall(r"^\s+(\w*(?:PASSWORD|SECRET|KEY|TOKEN)\w*): *(.+)$", TEXT, re.MULTILINE)
    assert assigned
    assert all("${" in value for _, value in assigned)


def test_the_ui_is_published_only_on_localhost_by_default():
    published = {name: s["ports"] for name, s in SERVICES.items() if "ports" in s}
    monitoring = {"prometheus": 9090, "alertmanager": 9093, "grafana": 3000}
    assert published == {
        "api-server": ["${AIRFLOW_BIND:-127.0.0.1:8080}:8080"],
        **{name: [f"${{MONITORING_BIND:-127.0.0.1}}:{port}:{port}"] for name, port in monitoring.items()},
    }


def test_every_variable_is_documented():
    names = set(re.findall(r"(?<!\$)\$\{(\w+)", TEXT)) | set(re.findall(r"^    ([A-Z_]+):$", TEXT, re.MULTILINE))
    assert [name for name in sorted(names) if f"`{name}`" not in PAGE] == []


def test_the_sandbox_is_optional():
    assert {n for n, s in SERVICES.items() if s.get("profiles") == ["sandbox"]} == {"bigquery", "world"}


def test_monitoring_is_optional_pinned_and_mounts_existing_files():
    monitoring = {n: s for n, s in SERVICES.items() if s.get("profiles") == ["monitoring"]}
    assert monitoring.keys() == {"statsd-exporter", "prometheus", "alertmanager", "grafana"}
    for service in monitoring.values():
        assert re.fullmatch(r"[\w/-]+:v?\d+\.\d+\.\d+", service["image"])
        mounted = [volume.split(":")[0] for volume in service["volumes"] if volume.startswith("./")]
        assert [path for path in mounted if not (ROOT / path).exists()] == []
    host = SERVICES["scheduler"]["environment"]["AIRFLOW__METRICS__STATSD_HOST"]
    assert host == "${STATSD_HOST:-statsd-exporter}"


def test_helm_has_the_mapping_of_the_metrics_and_reads_the_alerts_secrets():
    folder = ROOT / "deploy"
    values = yaml.safe_load((folder / "helm" / "values.yaml").read_text())
    mapping = yaml.safe_load((folder / "prometheus" / "statsd-mapping.yaml").read_text())
    assert values["statsd"]["overrideMappings"] == mapping["mappings"]
    monitoring = yaml.safe_load((folder / "helm" / "monitoring.yaml").read_text())
    [secret] = monitoring["alertmanager"]["alertmanagerSpec"]["secrets"]
    assert f"/etc/alertmanager/secrets/{secret}/" in (folder / "prometheus" / "alertmanager.yaml").read_text()


def test_the_image_copies_existing_files_and_installs_locked_packages():
    for line in re.findall(r"^COPY (.+)$", DOCKERFILE, re.MULTILINE):
        *sources, _ = line.split()
        assert all((ROOT / source).exists() for source in sources), line
    for line in re.findall(r"uv pip install .+$", DOCKERFILE, re.MULTILINE):
        assert "--require-hashes" in line
    uv = re.search(r"^UV_VERSION := (.+)$", (ROOT / "Makefile").read_text(), re.MULTILINE)[1]
    assert f"uv=={uv}" in DOCKERFILE


def test_compose_builds_every_target_of_the_dockerfile():
    targets = set(re.findall(r"^FROM \S+ AS (\w+)$", DOCKERFILE, re.MULTILINE))
    built = {s["build"]["target"] for s in SERVICES.values() if "build" in s}
    assert targets == built


def test_the_locked_versions_of_all_forms_agree():
    locks = [ROOT / f"requirements{suffix}.lock" for suffix in ("", "-sandbox", "-dev", "-distributed")]
    versions = [dict(re.findall(r"^([\w.-]+)==(\S+)", lock.read_text(), re.MULTILINE)) for lock in locks]
    for other in versions[1:]:
        assert {n: v for n, v in other.items() if versions[0].get(n, v) != v} == {}


def seconds(section, *names):
    """Return the sum of Airflow options that the file sets, in seconds."""
    given = SERVICES["scheduler"]["environment"]
    return sum(float(given[f"AIRFLOW__{section}__{name}"]) for name in names)


MOST = 180 - 30
"""Seconds that a fault may delay a tick, less the time to restart a scheduler or a task."""


def test_a_killed_worker_is_noticed_in_time_and_a_minute_without_database_kills_no_task():
    longest_wait = seconds("WORKERS", "EXECUTION_API_RETRY_WAIT_MAX")
    assert 60 + longest_wait <= seconds("SCHEDULER", "TASK_INSTANCE_HEARTBEAT_TIMEOUT") <= MOST
    # Each wait is random between one second and the longest.
    assert seconds("WORKERS", "EXECUTION_API_RETRIES") * (1 + longest_wait) / 2 >= 60


def test_a_killed_scheduler_is_noticed_in_time():
    assert seconds("SCHEDULER", "SCHEDULER_HEALTH_CHECK_THRESHOLD", "ORPHANED_TASKS_CHECK_INTERVAL") <= MOST


def test_tasks_that_redis_lost_are_sent_again_in_time():
    assert seconds("SCHEDULER", "TASK_QUEUED_TIMEOUT", "TASK_QUEUED_TIMEOUT_CHECK_INTERVAL") <= MOST


def test_every_setting_about_faults_is_on_the_production_page():
    given = SERVICES["scheduler"]["environment"]
    names = [n for n in given if n.startswith(("AIRFLOW__SCHEDULER__", "AIRFLOW__WORKERS__")) and given[n].isdecimal()]
    assert len(names) == 9
    assert [
        name for name in names if f"`{name}` {given[name]}" not in PAGE and f"`{name}` ({given[name]})" not in PAGE
    ] == []


def test_helm_and_compose_have_the_same_values():
    values = yaml.safe_load((ROOT / "deploy" / "helm" / "values.yaml").read_text())
    given = SERVICES["scheduler"]["environment"]
    ours = {entry["name"]: entry["value"] for entry in values["env"]}
    # A pod starts more slowly than a fork.
    longer = {"AIRFLOW__SCHEDULER__TASK_QUEUED_TIMEOUT"}
    assert all(float(ours[name]) > float(given[name]) for name in longer)
    shared = set(ours) & set(given)
    assert len(shared) > 5
    assert {name: ours[name] for name in shared - longer} == {name: given[name] for name in shared - longer}
    folders = {name: value for name, value in ours.items() if name.endswith("_FOLDER")}
    assert len(folders) == 2
    assert all(f"{name}={value}" in DOCKERFILE for name, value in folders.items())


def compose():
    """Return this machine's command for docker compose, or None."""
    for command in (["docker", "compose"], ["docker-compose"]):
        if shutil.which(command[0]) and not subprocess.run([*command, "version"], capture_output=True).returncode:
            return command
    return None


COMPOSE = compose()


@pytest.mark.skipif(COMPOSE is None, reason="no docker compose on this machine")
@pytest.mark.parametrize(
    "profile", [[], ["--profile", "sandbox"], ["--profile", "monitoring"]], ids=["google", "sandbox", "monitoring"]
)
def test_docker_compose_accepts_the_file(tmp_path, profile):
    values = tmp_path / "env"
    values.write_text("".join(f"{secret}=x\n" for secret in SECRETS))
    command = [*COMPOSE, "--env-file", str(values), *profile, "config", "--quiet"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    values.write_text("")
    assert subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False).returncode != 0
