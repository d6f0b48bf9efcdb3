"""The embedded stack: BigQuery emulator, sandbox world, Airflow. Everything listens on 127.0.0.1 only."""

from __future__ import annotations

import contextlib
import json
import os
import shlex
import socket
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import IO

from sandbox.processes import LONGEST_SECONDS, ROOT, Process, Processes, StackError

PROJECT = "local"
CALL_TIMEOUT_SECONDS = 8
"""Timeout of the demo's connection. A call that hangs in the world hangs longer."""


def is_free(port: int) -> bool:
    """Return whether a server can listen on this port of 127.0.0.1."""
    with contextlib.closing(socket.socket()) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


@dataclass(frozen=True)
class Ports:
    """The ports of a stack. An environment variable can change each of them."""

    api: int = int(os.environ.get("DEMO_UI_PORT", "8080"))
    execution: int = int(os.environ.get("DEMO_EXECUTION_PORT", "8081"))
    bigquery: int = int(os.environ.get("DEMO_BIGQUERY_PORT", "9050"))
    bigquery_grpc: int = int(os.environ.get("DEMO_BIGQUERY_GRPC_PORT", "9060"))
    scrapers: int = int(os.environ.get("DEMO_SCRAPERS_PORT", "8090"))
    pubsub: int = int(os.environ.get("DEMO_PUBSUB_PORT", "8085"))

    def check_free(self) -> None:
        """Raise StackError if a port is in use. The text names the variable that changes the port."""
        for name, port in vars(self).items():
            if not is_free(port):
                variable = "DEMO_UI_PORT" if name == "api" else f"DEMO_{name.upper()}_PORT"
                raise StackError(
                    f"port {port} is in use, perhaps by another demo. Stop it, or set {variable} to a free port"
                )


@dataclass
class Stack(Processes):
    """The processes of one stack, with their files under ``home``. As a context manager it starts and stops them."""

    home: Path
    ports: Ports = field(default_factory=Ports)
    seed: int = 1
    day: date = date(2026, 1, 14)
    games: int = 12
    faults: float = 0.02
    lost: float = 0.03
    dialect: str = "real"
    log_table: str | None = None
    """The service's own log (``dataset.table``), created if missing. Without it the log is our own table of calls."""
    on_schedule: bool = False
    """Whether the scheduler starts runs by the wall clock. The demo starts them itself, tick by tick."""
    report: Callable[[str], None] = print
    settings: Mapping[str, str] = field(default_factory=dict)
    """Environment variables that override the stack's own."""
    commands: dict[str, tuple[list[str], Mapping[str, str]]] = field(default_factory=dict)
    processes: dict[str, Process] = field(default_factory=dict)
    logs: list[IO[bytes]] = field(default_factory=list)

    @property
    def env(self) -> dict[str, str]:
        """The environment of every process."""
        return {**os.environ, **self.own_env}

    @property
    def own_env(self) -> dict[str, str]:
        """The variables that the stack sets: connections, endpoints and Airflow's configuration."""
        return {**self.world_env, **self.airflow_env, **self.settings}

    @property
    def world_env(self) -> dict[str, str]:
        """The addresses of the stand-ins."""
        ports = self.ports
        google = {"conn_type": "google_cloud_platform", "extra": {"is_anonymous": True, "project": PROJECT}}
        service = {
            "conn_type": "http",
            "schema": "http",
            "host": "127.0.0.1",
            "port": ports.scrapers,
            "extra": {"timeout": CALL_TIMEOUT_SECONDS},
        }
        return {
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}",
            "PYTHONPATH": f"{ROOT / 'plugins'}{os.pathsep}{ROOT / 'include'}",
            "PYTHONWARNINGS": "ignore",
            "BIGQUERY_EMULATOR_HOST": f"http://127.0.0.1:{ports.bigquery}",
            "PUBSUB_EMULATOR_HOST": f"127.0.0.1:{ports.pubsub}",
            "STORAGE_EMULATOR_HOST": f"http://127.0.0.1:{ports.scrapers}",
            "GRPC_VERBOSITY": "ERROR",
            "AIRFLOW_CONN_GOOGLE_CLOUD_DEFAULT": json.dumps(google),
            "AIRFLOW_CONN_SCRAPER_SERVICE": json.dumps(service),
        }

    @property
    def airflow_env(self) -> dict[str, str]:
        """Airflow's own configuration."""
        ports, airflow = self.ports, self.home / "airflow"
        return {
            "ORCHESTRATION_OUTBOX": f"file://{self.outbox}",
            "AIRFLOW_HOME": str(airflow),
            "AIRFLOW__CORE__DAGS_FOLDER": str(ROOT / "dags"),
            "AIRFLOW__CORE__PLUGINS_FOLDER": str(ROOT / "plugins"),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
            "AIRFLOW__CORE__PARALLELISM": "8",
            "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
            "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "True",
            "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"http://127.0.0.1:{ports.execution}/execution/",
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{airflow / 'airflow.db'}?timeout=30",
            "AIRFLOW__API__HOST": "127.0.0.1",
            "AIRFLOW__API__PORT": str(ports.api),
            "AIRFLOW__API__WORKERS": "1",
            "AIRFLOW__API__BASE_URL": f"http://127.0.0.1:{ports.api}",
            "AIRFLOW__SCHEDULER__USE_JOB_SCHEDULE": str(self.on_schedule),
            "AIRFLOW__SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": "0.1",
            "AIRFLOW__SCHEDULER__ENABLE_HEALTH_CHECK": "False",
            "AIRFLOW__WORKERS__MIN_HEARTBEAT_INTERVAL": "1",
            "AIRFLOW__LOGGING__LOGGING_LEVEL": "INFO",
        }

    @property
    def outbox(self) -> Path:
        """The folder of staged rows."""
        return self.home / "outbox"

    def __enter__(self) -> Stack:
        self.home.mkdir(parents=True, exist_ok=True)
        # It holds connections and rows, so other users of this machine have no access.
        self.home.chmod(0o700)
        self.ports.check_free()
        lines = (f"export {name}={shlex.quote(value)}\n" for name, value in sorted(self.own_env.items()))
        (self.home / "env.sh").write_text("".join(lines))
        try:
            self._start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _start_bigquery(self) -> None:
        self._spawn(
            "bigquery",
            [
                *(
                    sys.executable,
                    "-m",
                    "sandbox.bigquery",
                    "start",
                    "--project",
                    PROJECT,
                    "--log-level",
                    "warning",
                    "--persistent",
                ),
                *("--data-dir", str(self.home / "bigquery")),
                *("--rest-port", str(self.ports.bigquery), "--grpc-port", str(self.ports.bigquery_grpc)),
            ],
        )

    def await_bigquery(self) -> None:
        """Wait until the emulator answers."""
        self._await("bigquery", f"http://127.0.0.1:{self.ports.bigquery}/bigquery/v2/projects/{PROJECT}/datasets")

    def _start_sandbox(self) -> None:
        p = self.ports
        self.report("Starting the sandbox world ...")
        self._spawn(
            "sandbox",
            [
                *(sys.executable, "-m", "sandbox", "serve", "--files", str(self.home / "gcs"), "--project", PROJECT),
                *("--port", str(p.scrapers), "--pubsub-port", str(p.pubsub)),
                *("--seed", str(self.seed), "--day", self.day.isoformat(), "--games", str(self.games)),
                *("--faults", str(self.faults), "--lost", str(self.lost), "--dialect", self.dialect),
                *(("--log-table", self.log_table) if self.log_table else ()),
            ],
        )

    def _start(self) -> None:
        p = self.ports
        self.report("Starting the BigQuery emulator ...")
        self._start_bigquery()
        # Airflow's database is created while the emulator starts. Both take a few seconds.
        migration = self._spawn("airflow-db", ["airflow", "db", "migrate"])
        self.await_bigquery()
        self._start_sandbox()
        if migration.wait(timeout=LONGEST_SECONDS) != 0:
            raise StackError(f"Airflow's database could not be created{self._last_line('airflow-db')}")
        del self.processes["airflow-db"]
        self.report("Starting Airflow ...")
        # We start the components of `airflow standalone` one by one, because its log servers listen on every address.
        # The public API and the tasks' API run in two servers. The public API writes its audit log on the event
        # loop. In a shared process, that write would block the loop while a task's request holds SQLite's lock.
        self._spawn("api-server", ["airflow", "api-server", "--apps", "core"])
        self._spawn("execution-api", ["airflow", "api-server", "--apps", "execution", "--port", str(p.execution)])
        self._spawn("dag-processor", ["airflow", "dag-processor"])
        self._spawn("triggerer", ["airflow", "triggerer", "--skip-serve-logs"])
        self.await_sandbox()
        # The service of November 2025 lacks a scraper of our file. init reports that and creates everything else.
        self._run("init", [sys.executable, "-m", "orchestration", "init"], may_fail=self.dialect == "november")
        self._await("api-server", f"{self.url}/api/v2/monitor/health")
        self._await("execution-api", f"http://127.0.0.1:{p.execution}/execution/health/ping")
        self._spawn("scheduler", ["airflow", "scheduler", "--skip-serve-logs"])

    @property
    def url(self) -> str:
        """The address of Airflow's UI."""
        return f"http://127.0.0.1:{self.ports.api}"

    @property
    def login(self) -> tuple[str, str] | None:
        """Name and password for the UI and its API, or None if they need no login."""
        return None

    def await_sandbox(self) -> None:
        """Wait until the scraper service answers."""
        self._await("sandbox", f"http://127.0.0.1:{self.ports.scrapers}/health")
