"""The distributed form for tests, and the faults that a test can play on it."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import requests
from rich.console import Console

from sandbox.cluster import Cluster, ClusterPorts, family, program
from sandbox.processes import StackError
from support.days import PlayedDay
from support.ports import free_ports
from support.standins import PATIENCE_SECONDS
from support.worlds import et

PORTS = ("api", "execution", "bigquery", "bigquery_grpc", "scrapers", "pubsub", "postgres", "redis", "health")
DISK_BYTES = 65_536
SLOW_SECONDS = 2
AWAY_SECONDS = 30
"""How long a database is down: long enough for every client to notice."""


def cluster(home: Path, **world: Any) -> Cluster:
    """Return a cluster on free ports. Skips the test, naming the missing package, if a program is not installed."""
    if find_spec("airflow.providers.celery") is None:
        pytest.skip("Celery's packages are not installed: make .venv/.distributed")
    try:
        for name in ("initdb", "redis-server"):
            program(name)
    except StackError as missing:
        pytest.skip(str(missing))
    return Cluster(home, ClusterPorts(**dict(zip(PORTS, free_ports(len(PORTS)), strict=True))), **world)


class ClusteredDay(PlayedDay):
    """A day on a cluster whose services may be down for a while."""

    stack: Cluster

    def busy(self) -> bool:
        """Return whether runs are in progress or Airflow does not answer. Rows may stay staged until the cleanup."""
        with contextlib.suppress(requests.RequestException):
            return bool(self.api.unfinished())
        return True

    def wait_for_runs(self) -> None:
        self.wait_for(lambda: not self.busy(), "the runs to end")

    def calls_made(self) -> int:
        """Return the number of calls that the scraper service has received."""
        return int(requests.get(self.world, timeout=PATIENCE_SECONDS).json()["calls"])

    def tries(self) -> dict[tuple[str, str, int, int], str]:
        """Return every try of every call that Airflow knows, with its final state."""
        columns = "run_id, task_id, map_index, try_number, state"
        where = "WHERE operator LIKE 'Scrape%'"
        asked = f"SELECT {columns} FROM task_instance {where} UNION SELECT {columns} FROM task_instance_history {where}"
        found = self.stack.ask(asked)
        made = {(run, task, int(index), int(number)): state for run, task, index, number, state in found}
        return {key: state for key, state in made.items() if state not in ("skipped", "upstream_failed", "removed")}


@contextlib.contextmanager
def played(home: Path, timeline: Mapping[str, list[str]], **world: Any) -> Iterator[ClusteredDay]:
    """Start a cluster under ``home``, play ``timeline`` (ET times of the day: DAGs) on it, and hand over the day."""
    with cluster(home, **world) as stack:
        day = ClusteredDay(stack, Console(quiet=True))
        day.api.await_dags({dag for dags in timeline.values() for dag in dags}, PATIENCE_SECONDS)
        day.play({et(moment).astimezone(UTC): dags for moment, dags in timeline.items()})
        yield day


# ---- faults: each one is played while calls are made, and restarts what a container runtime would restart ----


def worker_killed(day: ClusteredDay) -> None:
    """Kill a worker that runs a task, and all its tasks."""
    names = [name for name in day.stack.processes if name.startswith("worker")]

    def at_work() -> list[str]:
        # The main process forks child processes, and these fork the tasks.
        main = {name: family(day.stack.processes[name].pid)[0] for name in names}
        return [name for name, one in main.items() if any(fork.children() for fork in one.children())]

    day.wait_for(at_work, "a worker to have a task")
    name = at_work()[0] if at_work() else names[0]
    day.stack.kill(name)
    day.stack.restart(name)


def scheduler_killed(day: ClusteredDay) -> None:
    """Kill the only scheduler, and restart it."""
    day.stack.kill("scheduler")
    day.stack.restart("scheduler")


def one_of_two_schedulers_killed(day: ClusteredDay) -> None:
    """Kill one of two schedulers for good. The other one takes over its runs."""
    port = str(free_ports(1)[0])
    day.stack.start_service("scheduler", 2, AIRFLOW__SCHEDULER__SCHEDULER_HEALTH_CHECK_SERVER_PORT=port)
    day.stack.kill("scheduler")


def redis_restarted(day: ClusteredDay) -> None:
    """Stop Redis, which saves its data, and restart it."""
    (day.stack.home / "dump.rdb").unlink(missing_ok=True)
    end(day, "redis")
    assert (day.stack.home / "dump.rdb").exists()
    day.stack.restart("redis")


def redis_lost_its_data(day: ClusteredDay) -> None:
    """Kill Redis while tasks wait in it, and restart Redis without its data. The workers stand still until the kill."""
    workers = [family(process.pid)[0] for name, process in day.stack.processes.items() if name.startswith("worker")]
    for worker in workers:
        worker.suspend()
    day.wait_for(day.stack.waiting, "a task in Redis")
    day.stack.kill("redis")
    for worker in workers:
        worker.resume()
    (day.stack.home / "dump.rdb").unlink(missing_ok=True)
    day.stack.restart("redis")


def postgres_away(day: ClusteredDay) -> None:
    """Kill PostgreSQL for half a minute. Services that end meanwhile are restarted, as containers are."""
    day.stack.kill("postgres")
    watched(day, AWAY_SECONDS)
    day.stack.restart("postgres")


def bigquery_away(day: ClusteredDay) -> None:
    """Kill BigQuery for half a minute."""
    day.stack.kill("bigquery")
    watched(day, AWAY_SECONDS)
    day.stack.restart("bigquery")
    day.stack.await_bigquery()


def everything_restarted(day: ClusteredDay) -> None:
    """Restart every Airflow service in order, one by one, as a deployment does."""
    others = ("postgres", "redis", "bigquery", "sandbox")
    for name in [name for name in day.stack.processes if name not in others]:
        end(day, name)
        day.stack.restart(name)


def outbox_full(day: ClusteredDay) -> None:
    """Fill the disk of a worker's outbox while no other worker runs."""
    with small_disk(day) as disk:
        with contextlib.suppress(OSError):
            (disk / "full").write_bytes(bytes(DISK_BYTES + 1))
        only_worker_stages_on(day, disk, "No space left on device")


def outbox_read_only(day: ClusteredDay) -> None:
    """Make the disk of a worker's outbox read-only, as after disk errors, while no other worker runs."""
    with small_disk(day) as disk:
        subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
        only_worker_stages_on(day, disk, "Read-only file system")


FAULTS: dict[str, Callable[[ClusteredDay], None]] = {
    fault.__name__: fault
    for fault in (
        worker_killed,
        scheduler_killed,
        one_of_two_schedulers_killed,
        redis_restarted,
        redis_lost_its_data,
        postgres_away,
        bigquery_away,
        outbox_full,
        outbox_read_only,
        everything_restarted,
    )
}


@contextlib.contextmanager
def small_disk(day: ClusteredDay) -> Iterator[Path]:
    """A small separate disk. Only root can create it, so the test is skipped for other users."""
    disk = day.stack.home / "disk"
    disk.mkdir(exist_ok=True)
    command = ["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "tmpfs", str(disk)]
    made = subprocess.run(command, capture_output=True, text=True, check=False)
    if made.returncode != 0:
        pytest.skip(f"only root can make a small disk: {made.stderr.strip()}")
    try:
        yield disk
    finally:
        subprocess.run(["umount", "--lazy", str(disk)], check=True)


def only_worker_stages_on(day: ClusteredDay, disk: Path, error: str) -> None:
    """Replace both workers by one whose outbox is on ``disk``. Wait for the runs, then start both workers again."""
    # Slow answers keep some calls for the one worker.
    troubles(day, slow=SLOW_SECONDS)
    end(day, "worker-1", "worker-2")
    troubles(day)
    day.stack.start_service("worker", 1, ORCHESTRATION_OUTBOX=f"file://{disk}/outbox")
    day.wait_for_runs()
    assert list(disk.glob("outbox/**/*.json")) == []
    assert any(error in log.read_text() for log in (day.stack.home / "airflow" / "logs").rglob("*.log"))
    end(day, "worker-1")
    for number in (1, 2):
        day.stack.start_service("worker", number)


def troubles(day: ClusteredDay, **what: float) -> None:
    """Begin these troubles of the world, and end all others."""
    requests.post(f"{day.world}/troubles", json=what, timeout=PATIENCE_SECONDS).raise_for_status()


def end(day: ClusteredDay, *names: str) -> None:
    """Send SIGTERM to all of these services, and wait until they have ended."""
    ending = [day.stack.processes.pop(name) for name in names]
    for process in ending:
        process.send_signal(signal.SIGTERM)
    for process in ending:
        process.wait(timeout=PATIENCE_SECONDS)


def watched(day: ClusteredDay, seconds: float) -> None:
    """Wait, and restart services that end meanwhile."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        day.stack.check()
        time.sleep(0.5)
