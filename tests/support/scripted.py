"""A scraper service with scripted answers, which records its requests."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Request = dict[str, Any]
Answer = Callable[[Request, int], tuple[Any, ...]]
"""The answer to the n-th request for a scraper, n from 1: status, body, and optional headers."""


def found(records: int = 1, **summary: Any) -> tuple[int, dict[str, Any]]:
    return 200, {"status": "success", "message": "ok", "data_summary": {"rowCount": records, **summary}}


class ScriptedService:
    """A service that answers with ``answers[scraper]``, by default with one record."""

    def __init__(self) -> None:
        self.answers: dict[str, Answer] = {}
        self.asked: list[Request] = []
        self.headers: list[dict[str, str]] = []
        self.got: list[str] = []
        """The paths of GET requests."""
        self.stopping = threading.Event()
        self._lock = threading.Lock()
        service = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                with service._lock:
                    service.asked.append(request)
                    service.headers.append(dict(self.headers))
                    number = sum(one["scraper"] == request["scraper"] for one in service.asked)
                status, body, *headers = service.answers.get(request["scraper"], lambda *_: found())(request, number)
                content = json.dumps(body).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(content)))
                for name, value in (headers[0] if headers else {}).items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(content)

            def do_GET(self) -> None:
                service.got.append(self.path)
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 128

            def handle_error(self, *_: object) -> None:
                """Ignore broken connections: the test kills the caller."""

        self.server = Server(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]

    def script(self, **answers: Answer) -> None:
        """Set the answers, and start counting again."""
        with self._lock:
            self.answers = answers
            self.asked.clear()
            self.headers.clear()

    @contextmanager
    def serving(self) -> Iterator[ScriptedService]:
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        try:
            yield self
        finally:
            self.stopping.set()
            self.server.shutdown()
            self.server.server_close()
