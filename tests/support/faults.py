"""A scraper service that breaks the contract in every way, for real: each path is a fault."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
from collections.abc import Iterator

OK = json.dumps(
    {"status": "success", "message": "ok", "scraper": "x", "run_id": "r", "data_summary": {"rowCount": 1}}
).encode()


def http(status: str, body: bytes, *headers: str, length: int | None = None) -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body) if length is None else length}", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


FAULTS: dict[str, bytes] = {
    "fine": http("200 OK", OK),
    "html": http("200 OK", b"<html>maintenance</html>"),
    "empty": http("200 OK", b""),
    "no count": http("200 OK", OK.replace(b'"rowCount": 1', b'"rows": 1')),
    "cut": http("200 OK", OK[:40], length=len(OK)),
    "not utf-8": http("200 OK", b"\xff\xfe\x00{"),
    "unknown": http("400 Bad Request", b'{"error": "unknown scraper", "available_scrapers": ["a"]}'),
    "blocked": http("403 Forbidden", b"go away"),
    "limited": http("429 Too Many Requests", b"{}", "Retry-After: 3"),
    "broken": http("500 Internal Server Error", b'{"status": "error", "message": "boom", "error_type": "KeyError"}'),
    "broken without cause": http("500 Internal Server Error", b""),
    "redirect": http("302 Found", b"", "Location: http://127.0.0.1:9/"),
    "garbage": b"hello there, this is not HTTP\r\n\r\n",
    "large": http("200 OK", b'{"x": "' + b"y" * 50_000_000 + b'"}'),
    "closes": b"",
}


class FaultyService:
    """Answers every connection with the fault that is set; ``hangs`` never answers, ``drips`` a byte at a time."""

    def __init__(self) -> None:
        self.fault = "fine"
        self.stopping = threading.Event()
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]

    @contextlib.contextmanager
    def serving(self) -> Iterator[FaultyService]:
        threading.Thread(target=self._serve, daemon=True).start()
        try:
            yield self
        finally:
            self.stopping.set()
            self.socket.close()

    def _serve(self) -> None:
        while not self.stopping.is_set():
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            threading.Thread(target=self._answer, args=(connection,), daemon=True).start()

    def _answer(self, connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            connection.recv(65536)
            if self.fault == "hangs":
                self.stopping.wait(30)
            elif self.fault == "drips":
                for byte in FAULTS["fine"] * 100:
                    connection.sendall(bytes([byte]))
                    if self.stopping.wait(0.05):
                        return
            else:
                connection.sendall(FAULTS[self.fault])
