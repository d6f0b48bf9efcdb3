"""The embedded stack: BigQuery emulator, sandbox world, Airflow. Everything listens on 127.0.0.1 only."""

from __future__ import annotations

import contextlib
import json
import os
import shlex
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from types import MappingProxyType
from typing import IO

import psutil
import requests

ROOT = Path(__file__).resolve().parents[2]
PROJECT = "local"
CALL_TIMEOUT_SECONDS = 8
"""Timeout of the demo's connection. A call that hangs in the world hangs longer."""

LONGEST_SECONDS = 300
"""Time limit for a command or a start. It is long because a busy machine is slow, not broken."""

Process = subprocess.Popen[bytes]


class StackError(Exception):
    """The stack cannot start, or a part of it has ended. The text is one line for a person."""


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
class Stack:
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
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
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

    def kill(self, name: str) -> None:
        """Kill one process and its process group, as a fault."""
        process = self.processes.pop(name)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(timeout=10)

    def restart(self, name: str) -> None:
        """Start a killed process again, as its supervisor would."""
        command, more = self.commands[name]
        self._spawn(name, command, more)

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

    def _spawn(self, name: str, command: list[str], more: Mapping[str, str] = MappingProxyType({})) -> Process:
        """Start a process, with the variables ``more`` in addition to the stack's."""
        self.commands[name] = command, more
        log = self._log(name).open("ab")
        self.logs.append(log)
        process = subprocess.Popen(
            command,
            env={**self.env, **more},
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        self.processes[name] = process
        return process

    def _run(
        self,
        name: str,
        command: list[str],
        more: Mapping[str, str] = MappingProxyType({}),
        *,
        may_fail: bool = False,
    ) -> None:
        with self._log(name).open("wb") as log:
            done = subprocess.run(
                command,
                env={**self.env, **more},
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                timeout=LONGEST_SECONDS,
                check=False,
            )
        if done.returncode != 0:
            text = f"{name} failed; see {self._log(name)}"
            if not may_fail:
                raise StackError(text)
            self.report(text)

    def await_sandbox(self) -> None:
        """Wait until the scraper service answers."""
        self._await("sandbox", f"http://127.0.0.1:{self.ports.scrapers}/health")

    def _await(self, name: str, url: str) -> None:
        deadline = time.monotonic() + LONGEST_SECONDS
        while time.monotonic() < deadline:
            self.check()
            with contextlib.suppress(requests.RequestException):
                if requests.get(url, timeout=10).status_code < 500:
                    return
            time.sleep(0.2)
        raise StackError(f"{name} did not answer within {LONGEST_SECONDS} s; see {self._log(name)}")

    def check(self) -> None:
        """Raise StackError if a process has ended."""
        for name, process in list(self.processes.items()):
            if name != "airflow-db" and process.poll() is not None:
                self._ended(name, process.returncode)

    def _ended(self, name: str, code: int) -> None:
        raise StackError(f"{name} ended with code {code}{self._last_line(name)}")

    def _log(self, name: str) -> Path:
        return self.home / f"{name}.log"

    def _last_line(self, name: str) -> str:
        """Return the last line of a process's log and the log's path, as the end of a sentence."""
        log = self._log(name)
        lines = [line.strip() for line in log.read_text(errors="replace").splitlines() if line.strip()]
        return f"{f': {lines[-1]}' if lines else ''}; see {log}"

    def memory(self) -> int:
        """Return the bytes that all processes of the stack use. Shared pages count once."""
        total = 0
        for process in list(self.processes.values()):
            with contextlib.suppress(psutil.Error):
                parent = psutil.Process(process.pid)
                for one in [parent, *parent.children(recursive=True)]:
                    with contextlib.suppress(psutil.Error):
                        info = one.memory_full_info()
                        total += getattr(info, "pss", info.rss)
        return total

    def stop(self) -> None:
        """Stop every process and its process group."""
        signalled = (signal.SIGTERM, 8.0), (signal.SIGKILL, 5.0)
        for number, patience in signalled:
            for process in list(self.processes.values()):
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.killpg(process.pid, number)
            deadline = time.monotonic() + patience
            for process in list(self.processes.values()):
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(timeout=max(0.1, deadline - time.monotonic()))
        self.processes.clear()
        for log in self.logs:
            log.close()
        self.logs.clear()
