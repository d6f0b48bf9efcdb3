"""The scraper service over HTTP, and the world's own pages: its clock, its troubles and its counts."""

from __future__ import annotations

import contextlib
import json
import logging
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from google.api_core.exceptions import AlreadyExists, GoogleAPIError
from google.cloud import pubsub_v1

from sandbox.dialect.base import Answer, Dialect, Failure, ServiceCall, unknown
from sandbox.phase2 import Phase2
from sandbox.pubsub import PubSub
from sandbox.scrapers import SCRAPERS, Finding, UnknownParameters, file_path
from sandbox.service_log import ServiceLog
from sandbox.world import Troubles, World

log = logging.getLogger(__name__)

HANG_SECONDS = 10.0
"""How long a call with a timeout hangs: longer than the demo's connection waits."""
THREADS = 8
"""Calls in progress at once. Further calls wait."""
STORAGE = "/storage/v1/b/"
"""The path of Cloud Storage's API, which answers for the world's files."""


@dataclass
class Service:
    """The state behind the HTTP handlers."""

    world: World
    files: Path
    project: str
    pubsub: PubSub
    phase2: Phase2
    dialect: Dialect
    log: ServiceLog | None = None
    hang: float = HANG_SECONDS
    counts: Counter[str] = field(default_factory=Counter)
    attempts: Counter[tuple[str, datetime]] = field(default_factory=Counter)
    lock: threading.Lock = field(default_factory=threading.Lock)
    threads: threading.BoundedSemaphore = field(default_factory=lambda: threading.BoundedSemaphore(THREADS))
    stamps: set[datetime] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.publisher = pubsub_v1.PublisherClient()
        self.topic = self.publisher.topic_path(self.project, self.dialect.topic)

    def scrape(self, request: dict[str, Any]) -> Answer:
        """Return status, body and headers of one call. Status 0: hang up without an answer."""
        if self.world.troubles.down:
            return 0, {}, {}
        name = request.get("scraper")
        if name not in self.dialect.scrapers or name in self.world.troubles.unknown:
            return unknown(self.dialect, name)
        with self.threads:
            return self._scrape(str(name), request)

    def _scrape(self, name: str, request: dict[str, Any]) -> Answer:
        parameters = {k: v for k, v in request.items() if k not in ("scraper", "workflow", "source")}
        workflow, source = request.get("workflow"), request.get("source")
        key = json.dumps([name, parameters, workflow], sort_keys=True)
        setting = self.world.clock.setting()
        with self.lock:
            self.attempts[key, setting] += 1
            attempt = self.attempts[key, setting]
            self.counts["calls"] += 1
        run_id = self.dialect.run_id(self.world.dice("run", key, setting, attempt).getrandbits(128))
        call = ServiceCall(name, run_id, parameters, workflow, source, self.world.clock.now())
        result = self.dialect.judge(call, self._try(call, key, attempt))
        path = self._hand_off(call, result, key) if isinstance(result, Finding) and result.record_count else None
        row = self.dialect.log_row(call, result, path, self.world.clock.now())
        if row is not None and self.log is not None:
            self.log.write(row, late=self.dialect.batches and self.world.late(key))
        if isinstance(result, Failure) and result.kind == "timeout":
            time.sleep(self.hang)
            return 0, {}, {}
        troubles = self.world.troubles
        time.sleep(troubles.slow if name in (troubles.slow_only or (name,)) else 0)
        return self.dialect.answer(call, result, path)

    def _try(self, call: ServiceCall, key: str, attempt: int) -> Finding | Failure:
        """Return the scraper's finding or its failure."""
        troubles = self.world.troubles
        if call.name in troubles.blocked:
            return Failure("blocked", "the source answers: 403 Forbidden")
        if (fault := self.world.fault(key, attempt)) is not None:
            with self.lock:
                self.counts[f"fault:{fault}"] += 1
            return Failure(fault, "rate limited" if fault == "rate_limited" else "upstream broke off")
        dice = self.world.dice("half", sorted(call.parameters.items()))
        if call.name in troubles.half_empty and dice.random() < 0.5:
            return Finding()
        try:
            return SCRAPERS[call.name].find(self.world, call.parameters).troubled(call.name, troubles)
        except UnknownParameters as error:
            return Failure("parameters", str(error))

    def _hand_off(self, call: ServiceCall, finding: Finding, key: str) -> str:
        """Write the file, publish its message unless the world loses it, and return the file's path."""
        scraper = SCRAPERS[call.name]
        path = file_path(scraper, finding, self._stamp())
        local = self.files / path.removeprefix("gs://")
        local.parent.mkdir(parents=True, exist_ok=True)
        local.write_text(json.dumps({"rows": finding.rows}))
        # Only messages that a reader can miss are lost.
        if scraper.table and scraper.keeps_paths and self.world.loses(key):
            with self.lock:
                self.counts["lost"] += 1
            return path
        body = self.dialect.message(call, finding, path, self.world.clock.now())
        attributes = {name: str(body[name]) for name in ("scraper_name", "status", "execution_id", "workflow")}
        try:
            for _ in range(2 if self.world.troubles.twice else 1):
                self.publisher.publish(self.topic, json.dumps(body).encode(), **attributes).result(timeout=10)
        except GoogleAPIError:
            # The file exists, so the cleanup can republish the message.
            log.exception("The message about %s was not published", path)
            with self.lock:
                self.counts["unpublished"] += 1
        return path

    def move(self, moment: datetime) -> None:
        """Write the waiting rows of the log, then set the world's clock."""
        self.settle()
        self.world.clock.set(moment)

    def settle(self) -> None:
        """Write all waiting rows of the service's log."""
        if self.log is not None:
            self.log.flush()

    def trouble(self, troubles: Troubles) -> None:
        """Begin these troubles and end all others."""
        self.world.troubles = troubles
        self.phase2.dead.set() if troubles.phase2_dead else self.phase2.dead.clear()
        self.phase2.writes = not troubles.writes_nothing
        if troubles.topic_gone:
            self.publisher.delete_topic(request={"topic": self.topic})
            return
        with contextlib.suppress(AlreadyExists):
            self.publisher.create_topic(request={"name": self.topic})

    def listing(self) -> dict[str, Any]:
        """Return the service's list of its scrapers."""
        said = self.dialect.listing()
        gone = self.world.troubles.unknown
        there = [one for one in said["scrapers"] if (one["name"] if isinstance(one, dict) else one) not in gone]
        return {**said, "scrapers": there}

    def stored(self, path: str) -> tuple[int, dict[str, Any]]:
        """Return Cloud Storage's answer about an object: GET /storage/v1/b/<bucket>/o/<object>."""
        bucket, _, name = urlsplit(path).path.removeprefix(STORAGE).partition("/o/")
        if (self.files / bucket / unquote(name)).is_file():
            return 200, {"kind": "storage#object", "bucket": bucket, "name": unquote(name)}
        return 404, {"error": {"code": 404, "message": f"No such object: {bucket}/{unquote(name)}"}}

    def _stamp(self) -> datetime:
        """Return a moment for the name of a file. No other file has it."""
        with self.lock:
            moment = self.world.clock.now()
            while moment in self.stamps:
                moment = moment.replace(microsecond=(moment.microsecond + 1) % 1_000_000)
            self.stamps.add(moment)
            return moment

    def state(self) -> dict[str, Any]:
        """Return the world's time and its counts."""
        with self.lock:
            counts = dict(self.counts)
        return {
            "now": self.world.clock.now().isoformat(),
            "backlog": self.pubsub.backlog(self.phase2.subscription),
            "processed": self.phase2.processed,
            "recovered": self.phase2.recovered,
            "unreadable": self.phase2.unreadable,
            "log_rows_waiting": self.log.waiting if self.log is not None else 0,
            **counts,
        }


def http_server(service: Service, port: int, host: str = "127.0.0.1") -> ThreadingHTTPServer:
    """Return the HTTP server on ``host``:``port``. Raises OSError if the port is in use."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            """Answer /health, /scrapers, /world and the paths of Cloud Storage."""
            match self.path:
                case "/health" | "/scrapers" if service.world.troubles.down:
                    self._answer(0, {})
                case "/health":
                    self._answer(200, {"status": "healthy"})
                case "/scrapers":
                    self._answer(200, service.listing())
                case "/world":
                    self._answer(200, service.state())
                case path if path.startswith(STORAGE):
                    self._answer(*service.stored(path))
                case _:
                    self._answer(404, {"error": f"no such page: {self.path}"})

        def do_POST(self) -> None:
            """Answer /scrape, /world/clock, /world/settle and /world/troubles."""
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            try:
                request = json.loads(body or "{}")
            except ValueError:
                request = None
            if not isinstance(request, dict):
                self._answer(*unknown(service.dialect, "the request is not a JSON object"))
                return
            if self.path == "/scrape":
                self._answer(*service.scrape(request))
            elif self.path == "/world/troubles":
                service.trouble(Troubles(**request))
                self._answer(200, service.state())
            elif self.path == "/world/clock":
                service.move(datetime.fromisoformat(request["now"]).astimezone(UTC))
                self._answer(200, service.state())
            elif self.path == "/world/settle":
                service.settle()
                self._answer(200, service.state())
            else:
                self._answer(404, {"error": f"no such page: {self.path}"})

        def _answer(self, status: int, body: dict[str, Any], headers: dict[str, str] | None = None) -> None:
            if status == 0:
                self.close_connection = True
                return
            content = json.dumps(body).encode()
            broken = service.world.troubles.cut and self.path == "/scrape"
            self.close_connection |= broken
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            for name, value in (headers or {}).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content[: len(content) // 2] if broken else content)

        def log_message(self, format: str, *args: Any) -> None:
            """Write no access log: the audit tables hold all calls."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 128

        def handle_error(self, request: Any, client_address: Any) -> None:
            # A caller that gives up is normal here.
            log.info("A caller closed its connection")

    return Server((host, port), Handler)
