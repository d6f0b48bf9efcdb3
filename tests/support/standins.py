"""The stand-ins of the integration tests: the BigQuery emulator and the sandbox world, over real protocols."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import requests

from orchestration.audit.setup import init
from orchestration.audit.statements import ddl
from orchestration.audit.warehouse import Warehouse
from sandbox.bigquery_faults import TROUBLES
from sandbox.service import HANG_SECONDS
from support.ports import free_ports

ROOT = Path(__file__).resolve().parents[2]
PROJECT = "local"
PATIENCE_SECONDS = 300
"""The limit of every wait. It is long because a busy machine is slow, not broken."""


class GoogleStandIns:
    """Starts both stand-ins, and sets this process's connections and endpoints to them."""

    def __init__(
        self,
        faults: float = 0,
        lost: float = 0,
        late: float = 0,
        dialect: str = "real",
        log_table: str | None = None,
        hang: float = HANG_SECONDS,
    ) -> None:
        self.world = [
            "--faults",
            str(faults),
            "--lost",
            str(lost),
            "--late",
            str(late),
            "--dialect",
            dialect,
            "--hang",
            str(hang),
        ]
        self.world += ["--log-table", log_table] if log_table else []
        self.bigquery, self.grpc, self.scrapers, self.pubsub = free_ports(4)
        self.folder = Path(tempfile.mkdtemp(prefix="orchestration-standins-"))
        self.processes: dict[str, subprocess.Popen[bytes]] = {}

    def __enter__(self) -> GoogleStandIns:
        self.before = dict(os.environ)
        google = {"conn_type": "google_cloud_platform", "extra": {"is_anonymous": True, "project": PROJECT}}
        service = {"conn_type": "http", "host": "127.0.0.1", "port": self.scrapers, "extra": {"timeout": 60}}
        os.environ.update(
            BIGQUERY_EMULATOR_HOST=f"http://127.0.0.1:{self.bigquery}",
            PUBSUB_EMULATOR_HOST=f"127.0.0.1:{self.pubsub}",
            STORAGE_EMULATOR_HOST=f"http://127.0.0.1:{self.scrapers}",
            AIRFLOW_CONN_GOOGLE_CLOUD_DEFAULT=json.dumps(google),
            AIRFLOW_CONN_SCRAPER_SERVICE=json.dumps(service),
            PYTHONPATH=f"{ROOT / 'plugins'}:{ROOT / 'include'}",
        )
        try:
            self._start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def _start(self) -> None:
        self.start_bigquery()
        command = [sys.executable, "-m", "sandbox", "serve", "--files", str(self.folder / "gcs"), *self.world]
        command += ["--port", str(self.scrapers), "--pubsub-port", str(self.pubsub)]
        self._spawn("sandbox", command)
        self._await(f"http://127.0.0.1:{self.scrapers}/health")
        init(Warehouse())

    def __exit__(self, *_: object) -> None:
        for process in self.processes.values():
            process.kill()
            process.wait()
        # Other stand-ins may be running. Afterwards this process uses them again.
        os.environ.clear()
        os.environ.update(self.before)

    def start_bigquery(self) -> None:
        command = [
            sys.executable,
            "-m",
            "sandbox.bigquery",
            "start",
            "--project",
            PROJECT,
            "--log-level",
            "error",
            "--persistent",
        ]
        command += ["--data-dir", str(self.folder / "bigquery"), "--rest-port", str(self.bigquery)]
        self._spawn("bigquery", [*command, "--grpc-port", str(self.grpc)])
        self._await(f"http://127.0.0.1:{self.bigquery}/bigquery/v2/projects/{PROJECT}/datasets")

    def stop_bigquery(self) -> None:
        process = self.processes.pop("bigquery")
        process.kill()
        process.wait()

    def set_clock(self, moment: datetime) -> None:
        url = f"http://127.0.0.1:{self.scrapers}/world/clock"
        requests.post(url, json={"now": moment.isoformat()}, timeout=PATIENCE_SECONDS).raise_for_status()

    def trouble(self, **troubles: object) -> None:
        """Begin these troubles of the world, and end all others."""
        url = f"http://127.0.0.1:{self.scrapers}/world/troubles"
        requests.post(url, json=troubles, timeout=PATIENCE_SECONDS).raise_for_status()

    def refuse(self, **troubles: object) -> None:
        """Set the faults of BigQuery (:mod:`sandbox.bigquery_faults`), and end all others."""
        url = f"http://127.0.0.1:{self.bigquery}{TROUBLES}"
        requests.post(url, json=troubles, timeout=60).raise_for_status()

    def settle(self) -> dict[str, int]:
        """Wait until Phase 2 has processed all messages. Return the world's counts."""

        def state() -> dict[str, int]:
            found: dict[str, int] = requests.get(
                f"http://127.0.0.1:{self.scrapers}/world", timeout=PATIENCE_SECONDS
            ).json()
            return found

        self.wait(lambda: not state()["backlog"], "Phase 2 to come to rest")
        return state()

    def files(self) -> dict[str, str]:
        """Return the files of all calls by run id, from the service's own log."""
        requests.post(
            f"http://127.0.0.1:{self.scrapers}/world/settle", json={}, timeout=PATIENCE_SECONDS
        ).raise_for_status()
        sql = "SELECT execution_id, gcs_path FROM {service_log} WHERE DATE(triggered_at) > '2025-10-01' AND {not_ours}"
        return {row["execution_id"]: row["gcs_path"] for row in Warehouse().query(sql)}

    def wait(self, done: Callable[[], object], what: str) -> None:
        """Wait until ``done`` is true. Raises AssertionError if a process ends or the limit is over."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not done():
            ended = [name for name, process in self.processes.items() if process.poll() is not None]
            if ended or time.monotonic() > deadline:
                logs = "\n".join(path.read_text()[-2000:] for path in self.folder.glob("*.log"))
                raise AssertionError(f"waited for {what}; ended: {', '.join(ended) or 'nothing'}\n{logs}")
            time.sleep(0.05)

    def empty(self) -> None:
        """Empty every table."""
        warehouse = Warehouse()
        for table in ddl("tables"):
            warehouse.query(f"TRUNCATE TABLE nba_orchestration.{table}")
        for table in ("nbac_schedule", "nbac_team_boxscore", "nbac_player_list_current"):
            warehouse.query(f"TRUNCATE TABLE nba_raw.{table}")

    def _spawn(self, name: str, command: list[str]) -> None:
        log = (self.folder / f"{name}.log").open("ab")
        self.processes[name] = subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL)

    def _await(self, url: str) -> None:
        def answers() -> bool:
            with contextlib.suppress(requests.RequestException):
                return requests.get(url, timeout=PATIENCE_SECONDS).status_code < 500
            return False

        self.wait(answers, f"{url} to answer")
