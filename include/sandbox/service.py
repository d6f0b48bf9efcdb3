"""The scraper service over HTTP, and the world's own door: its clock and what it has counted."""

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
from uuid import UUID

from google.api_core.exceptions import AlreadyExists, GoogleAPIError
from google.cloud import pubsub_v1

from sandbox.phase2 import TOPIC, Phase2, iso
from sandbox.pubsub import PubSub
from sandbox.scrapers import SCRAPERS, Finding, Scraper, UnknownParameters, file_path
from sandbox.world import Troubles, World

log = logging.getLogger(__name__)

HANG_SECONDS = 6.0
"""How long a call hangs that times out: longer than the demo's connection waits."""
RETRY_AFTER_SECONDS = 2
STORAGE = "/storage/v1/b/"
"""Where Cloud Storage's API has its buckets; the world's files answer there too."""


@dataclass
class Service:
    """The state behind the handlers."""

    world: World
    files: Path
    project: str
    pubsub: PubSub
    phase2: Phase2
    counts: Counter[str] = field(default_factory=Counter)
    attempts: Counter[tuple[str, datetime]] = field(default_factory=Counter)
    lock: threading.Lock = field(default_factory=threading.Lock)
    stamps: set[datetime] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.publisher = pubsub_v1.PublisherClient()
        self.topic = self.publisher.topic_path(self.project, TOPIC)

    def scrape(self, request: dict[str, Any]) -> tuple[int, dict[str, Any], dict[str, str]]:
        """Return status, body and headers of one call. Status 0: hang up without an answer."""
        if self.world.troubles.down:
            return 0, {}, {}
        name = request.get("scraper")
        scraper = SCRAPERS.get(str(name))
        if scraper is None:
            return 400, {"error": f"unknown scraper {name!r}", "available_scrapers": sorted(SCRAPERS)}, {}
        parameters = {k: v for k, v in request.items() if k not in ("scraper", "workflow", "source")}
        key = json.dumps([name, parameters, request.get("workflow")], sort_keys=True)
        setting = self.world.clock.setting()
        with self.lock:
            self.attempts[key, setting] += 1
            attempt = self.attempts[key, setting]
            self.counts["calls"] += 1
        run_id = str(UUID(int=self.world.dice("run", key, setting, attempt).getrandbits(128), version=4))
        answer = {"scraper": name, "run_id": run_id}
        if name in self.world.troubles.blocked:
            return 403, {"status": "error", "message": "the source answers: 403 Forbidden", **answer}, {}
        if (fault := self.world.fault(key, attempt)) is not None:
            with self.lock:
                self.counts[f"fault:{fault}"] += 1
            return self._fault(fault, answer)
        try:
            finding = scraper.find(self.world, parameters)
        except UnknownParameters as error:
            return 500, {"status": "error", "message": str(error), "error_type": "ValueError", **answer}, {}
        if name in self.world.troubles.empty:
            finding = Finding()
        summary: dict[str, Any] = {"rowCount": finding.record_count, **finding.summary}
        if finding.record_count:
            summary["gcs_path"] = self._hand_off(str(name), scraper, finding, run_id, str(request.get("workflow")), key)
        message = f"{name}: {finding.record_count} records"
        return 200, {"status": "success", "message": message, "data_summary": summary, **answer}, {}

    def _fault(self, fault: str, answer: dict[str, Any]) -> tuple[int, dict[str, Any], dict[str, str]]:
        if fault == "timeout":
            time.sleep(HANG_SECONDS)
            return 0, {}, {}
        if fault == "rate_limited":
            return (
                429,
                {"status": "error", "message": "rate limited", **answer},
                {"Retry-After": str(RETRY_AFTER_SECONDS)},
            )
        return 500, {"status": "error", "message": "upstream broke off", "error_type": "UpstreamError", **answer}, {}

    def _hand_off(self, name: str, scraper: Scraper, finding: Finding, run_id: str, workflow: str, key: str) -> str:
        """Write the file and publish its message, unless the world loses it; return the path."""
        path = file_path(scraper, finding, self._stamp())
        local = self.files / path.removeprefix("gs://")
        local.parent.mkdir(parents=True, exist_ok=True)
        local.write_text(json.dumps({"rows": finding.rows}))
        if self.world.loses(key):
            with self.lock:
                self.counts["lost"] += 1
            return path
        body = {
            "name": name,
            "scraper_name": name,
            "execution_id": run_id,
            "status": "success",
            "gcs_path": path,
            "record_count": finding.record_count,
            "duration_seconds": 0.1,
            "timestamp": iso(self.world.clock.now()),
            "workflow": workflow,
            "error_message": None,
            "metadata": {},
        }
        attributes = {"scraper_name": name, "status": "success", "execution_id": run_id, "workflow": workflow}
        try:
            self.publisher.publish(self.topic, json.dumps(body).encode(), **attributes).result(timeout=10)
        except GoogleAPIError:
            # A scraper's file is there all the same: that is what the cleanup is for.
            log.exception("The message of %s could not be published", path)
            with self.lock:
                self.counts["unpublished"] += 1
        return path

    def trouble(self, troubles: Troubles) -> None:
        """Let these troubles begin, and all others end."""
        self.world.troubles = troubles
        self.phase2.dead.set() if troubles.phase2_dead else self.phase2.dead.clear()
        if troubles.topic_gone:
            self.publisher.delete_topic(request={"topic": self.topic})
            return
        with contextlib.suppress(AlreadyExists):
            self.publisher.create_topic(request={"name": self.topic})

    def stored(self, path: str) -> tuple[int, dict[str, Any]]:
        """Return what Cloud Storage's API says of an object: GET /storage/v1/b/<bucket>/o/<object>."""
        bucket, _, name = urlsplit(path).path.removeprefix(STORAGE).partition("/o/")
        if (self.files / bucket / unquote(name)).is_file():
            return 200, {"kind": "storage#object", "bucket": bucket, "name": unquote(name)}
        return 404, {"error": {"code": 404, "message": f"No such object: {bucket}/{unquote(name)}"}}

    def _stamp(self) -> datetime:
        """Return a moment for a file's name that no other file has."""
        with self.lock:
            moment = self.world.clock.now()
            while moment in self.stamps:
                moment = moment.replace(microsecond=(moment.microsecond + 1) % 1_000_000)
            self.stamps.add(moment)
            return moment

    def state(self) -> dict[str, Any]:
        """Return what the world has counted."""
        with self.lock:
            counts = dict(self.counts)
        return {
            "now": self.world.clock.now().isoformat(),
            "backlog": self.pubsub.backlog(self.phase2.subscription),
            "processed": self.phase2.processed,
            "recovered": self.phase2.recovered,
            **counts,
        }


def http_server(service: Service, port: int, host: str = "127.0.0.1") -> ThreadingHTTPServer:
    """Return the HTTP server on ``host``:``port``. Raises OSError for a port in use."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            """/health, /scrapers and /world."""
            match self.path:
                case "/health":
                    self._answer(200, {"status": "healthy"})
                case "/scrapers":
                    self._answer(200, {"scrapers": sorted(SCRAPERS)})
                case "/world":
                    self._answer(200, service.state())
                case path if path.startswith(STORAGE):
                    self._answer(*service.stored(path))
                case _:
                    self._answer(404, {"error": f"no such page: {self.path}"})

        def do_POST(self) -> None:
            """/scrape, /world/clock and /world/troubles."""
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            try:
                request = json.loads(body)
            except ValueError:
                self._answer(400, {"error": "the request is not JSON", "available_scrapers": sorted(SCRAPERS)})
                return
            if self.path == "/scrape":
                self._answer(*service.scrape(request))
            elif self.path == "/world/troubles":
                service.trouble(Troubles(**request))
                self._answer(200, service.state())
            elif self.path == "/world/clock":
                service.world.clock.set(datetime.fromisoformat(request["now"]).astimezone(UTC))
                self._answer(200, service.state())
            else:
                self._answer(404, {"error": f"no such page: {self.path}"})

        def _answer(self, status: int, body: dict[str, Any], headers: dict[str, str] | None = None) -> None:
            if status == 0:
                self.close_connection = True
                return
            content = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            for name, value in (headers or {}).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing: the audit trail says it all."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 128

        def handle_error(self, request: Any, client_address: Any) -> None:
            # A caller that gave up waiting is part of the world, not an error of it.
            log.info("A caller went away")

    return Server((host, port), Handler)
