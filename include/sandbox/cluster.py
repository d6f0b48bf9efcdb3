"""The distributed form without containers: the services of docker-compose.yaml as processes on 127.0.0.1.

Commands and environments come from the compose file. Only the parts of a container differ: folders, addresses, a host
name for each worker, and a kill that ends all processes of a service.
"""

from __future__ import annotations

import contextlib
import csv
import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import psutil
from cryptography.fernet import Fernet

from sandbox.compose import Compose
from sandbox.processes import LONGEST_SECONDS, ROOT, StackError
from sandbox.stack import Ports, Stack

SECRETS = ("SECRET_KEY", "JWT_SECRET", "POSTGRES_PASSWORD", "REDIS_PASSWORD", "ADMIN_PASSWORD")
DEBIANS = "usr/lib/postgresql/*/bin"
"""Debian's folder for PostgreSQL's programs, which is not in PATH."""
SERVICES = ("postgres", "redis", "api-server", "scheduler", "dag-processor", "triggerer", "worker")
"""Services of the compose file that keep running. ``init`` ends, and the stand-ins are those of every stack."""
INSTALL = "install them (on Debian: apt-get install postgresql redis-server)"


@dataclass(frozen=True)
class ClusterPorts(Ports):
    """The ports of a stack, of the two databases and of the scheduler's health server."""

    postgres: int = int(os.environ.get("DEMO_POSTGRES_PORT", "5433"))
    redis: int = int(os.environ.get("DEMO_REDIS_PORT", "6380"))
    health: int = int(os.environ.get("DEMO_HEALTH_PORT", "8974"))


def program(name: str) -> str:
    """Return the path of a program of PostgreSQL or Redis. Raises StackError that says how to install it."""
    places = [os.environ.get("PATH", ""), *map(str, Path("/").glob(DEBIANS))]
    found = shutil.which(name, path=os.pathsep.join(places))
    if found is None:
        raise StackError(f"{name} is not installed; {INSTALL}")
    return found


def as_postgres() -> list[str]:
    """Return the prefix of PostgreSQL's commands: as root they must run as the user postgres."""
    return [program("setpriv"), "--reuid=postgres", "--regid=postgres", "--clear-groups"] if os.getuid() == 0 else []


@dataclass
class Cluster(Stack):
    """The services of the compose file, with their files under ``home``."""

    ports: ClusterPorts = field(default_factory=ClusterPorts)
    workers: int = 2
    slots: int = 4
    """Tasks that a worker runs at a time."""
    restarts: list[str] = field(default_factory=list)
    """Services that ended by themselves and were restarted."""

    @cached_property
    def passwords(self) -> dict[str, str]:
        """New secrets for each cluster."""
        return {name: secrets.token_hex(16) for name in SECRETS} | {"FERNET_KEY": Fernet.generate_key().decode()}

    @cached_property
    def database(self) -> Path:
        """PostgreSQL's folder, outside ``home``: its user must reach it and has no access to ``home``."""
        return Path(tempfile.mkdtemp(prefix="nba-postgres-"))

    @cached_property
    def compose(self) -> Compose:
        """The compose file, with the folders and addresses of this machine."""
        ports = self.ports
        variables = {
            **self.world_env,
            **self.passwords,
            "AIRFLOW_URL": self.url,
            "PAUSED_AT_CREATION": "False",
            "WORKER_CONCURRENCY": str(self.slots),
            "PARALLELISM": str(2 * self.workers * self.slots),
        }
        places = {
            "/opt/nba": str(ROOT),
            "/opt/airflow": str(self.home / "airflow"),
            "/opt/venv": sys.prefix,
            "@postgres/": f"@127.0.0.1:{ports.postgres}/",
            "@redis:6379": f"@127.0.0.1:{ports.redis}",
            "//api-server:8080": f"//127.0.0.1:{ports.api}",
            "exec redis-server -": f"exec redis-server - --bind 127.0.0.1 --port {ports.redis} --dir {self.home}",
        }
        return Compose(ROOT, variables, places)

    @property
    def airflow_env(self) -> dict[str, str]:
        """The variables that all Airflow services share, with the addresses of this machine."""
        return {
            **self.compose.environment("scheduler"),
            "PYTHONPATH": self.world_env["PYTHONPATH"],
            "PATH": self.world_env["PATH"],
            "AIRFLOW__API__HOST": "127.0.0.1",
            "AIRFLOW__API__PORT": str(self.ports.api),
            "AIRFLOW__SCHEDULER__SCHEDULER_HEALTH_CHECK_SERVER_HOST": "127.0.0.1",
            "AIRFLOW__SCHEDULER__SCHEDULER_HEALTH_CHECK_SERVER_PORT": str(self.ports.health),
            "AIRFLOW__SCHEDULER__USE_JOB_SCHEDULE": str(self.on_schedule),
        }

    @property
    def outbox(self) -> Path:
        """The folder of staged rows: the volume that all services share."""
        return self.home / "airflow" / "outbox"

    @property
    def login(self) -> tuple[str, str]:
        """Name and password of the first user, which ``init`` creates."""
        return "admin", self.passwords["ADMIN_PASSWORD"]

    def _start(self) -> None:
        self.report("Starting PostgreSQL and Redis ...")
        self._make_database()
        self._spawn("redis", self.compose.command("redis"), self.compose.environment("redis"))
        self._start_postgres()
        self.report("Starting the BigQuery emulator ...")
        self._start_bigquery()
        self.await_database()
        self.await_bigquery()
        self._start_sandbox()
        self.await_sandbox()
        self.report("Starting Airflow ...")
        self._run("init", self.compose.command("init"), self._own("init"))
        for name in ("api-server", "dag-processor", "triggerer"):
            self.start_service(name)
        self._await("api-server", f"{self.url}/api/v2/monitor/health")
        self.start_service("scheduler")
        for number in range(1, self.workers + 1):
            self.start_service("worker", number)

    def start_service(self, service: str, number: int | None = None, **more: str) -> None:
        """Start one process of a service. ``number`` tells several processes of one service apart."""
        name = service if number is None else f"{service}-{number}"
        command = self.compose.command(service)
        if service in ("worker", "triggerer"):
            # Log servers listen on every address. They serve machines that share no folder.
            command.append("--skip-serve-logs")
        if service == "worker":
            command += ["--celery-hostname", name]
        self._spawn(name, command, self._own(service) | more)

    def _own(self, service: str) -> dict[str, str]:
        """Return the variables of a service that differ from those that all services share."""
        common = self.compose.environment("scheduler")
        return {k: v for k, v in self.compose.environment(service).items() if common.get(k) != v}

    def _make_database(self) -> None:
        given = self.compose.environment("postgres")
        if os.getuid() == 0:
            shutil.chown(self.database, "postgres", "postgres")
        password = self.database / "password"
        password.write_text(given["POSTGRES_PASSWORD"])
        if os.getuid() == 0:
            shutil.chown(password, "postgres", "postgres")
        command = [program("initdb"), "--pgdata", str(self.database / "data"), "--username", given["POSTGRES_USER"]]
        command += ["--pwfile", str(password), "--auth", "scram-sha-256", "--encoding", "UTF8", "--locale", "C"]
        self._run("initdb", [*as_postgres(), *command, "--no-sync"])
        password.unlink()

    def _start_postgres(self) -> None:
        settings = {
            "listen_addresses": "127.0.0.1",
            "port": self.ports.postgres,
            "unix_socket_directories": self.database,
            # Nobody needs its data after a power cut.
            "fsync": "off",
        }
        options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        self._spawn("postgres", [*as_postgres(), program("postgres"), "-D", str(self.database / "data"), *options])

    def await_database(self) -> None:
        """Wait until PostgreSQL answers, and create Airflow's database, as the image does."""
        name = self.compose.environment("postgres")["POSTGRES_DB"]
        deadline = time.monotonic() + LONGEST_SECONDS
        while (done := self._of_postgres("createdb", "--maintenance-db", "template1", name)).returncode != 0:
            self.check()
            if time.monotonic() > deadline:
                raise StackError(f"PostgreSQL did not answer within {LONGEST_SECONDS} s: {done.stderr}")
            time.sleep(0.2)

    def ask(self, sql: str) -> list[list[str]]:
        """Return the rows of a query on Airflow's database, as text."""
        name = self.compose.environment("postgres")["POSTGRES_DB"]
        done = self._of_postgres("psql", "--dbname", name, "--csv", "--tuples-only", "-c", sql)
        done.check_returncode()
        return list(csv.reader(done.stdout.splitlines()))

    def _of_postgres(self, name: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run one of PostgreSQL's client programs."""
        given = self.compose.environment("postgres")
        where = ["--host", "127.0.0.1", "--port", str(self.ports.postgres), "--username", given["POSTGRES_USER"]]
        env = {**self.env, "PGPASSWORD": given["POSTGRES_PASSWORD"]}
        return subprocess.run([program(name), *where, *arguments], env=env, capture_output=True, text=True, check=False)

    def waiting(self) -> int:
        """Return the number of tasks in Redis that no worker has taken yet."""
        command = [program("redis-cli"), "-h", "127.0.0.1", "-p", str(self.ports.redis), "llen", "default"]
        env = {**self.env, "REDISCLI_AUTH": self.passwords["REDIS_PASSWORD"]}
        return int(subprocess.run(command, env=env, capture_output=True, text=True, check=True).stdout)

    def _ended(self, name: str, code: int) -> None:
        """Restart a service that the compose file restarts. Raises StackError for others."""
        service = name.rstrip("-0123456789")
        if service not in SERVICES or not self.compose.restarts(service):
            super()._ended(name, code)
        self.restarts.append(name)
        self.restart(name)

    def kill(self, name: str) -> None:
        """Kill all processes of a service at once, as the end of a container does."""
        process = self.processes.pop(name)
        _kill(family(process.pid))
        process.wait(timeout=10)

    def stop(self) -> None:
        """Stop every process, including the tasks, and remove PostgreSQL's folder."""
        started = [one for process in self.processes.values() for one in family(process.pid)]
        super().stop()
        _kill(started)
        shutil.rmtree(self.database, ignore_errors=True)


def family(pid: int) -> list[psutil.Process]:
    """Return a process and all its descendants: a task has its own process group."""
    with contextlib.suppress(psutil.NoSuchProcess):
        parent = psutil.Process(pid)
        return [parent, *parent.children(recursive=True)]
    return []


def _kill(processes: list[psutil.Process]) -> None:
    for one in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            one.send_signal(signal.SIGKILL)
