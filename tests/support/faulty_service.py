"""A scraper service whose answers break the contract in every way."""

from __future__ import annotations

import contextlib
import gzip
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


def summary(**values: object) -> bytes:
    return json.dumps({"status": "success", "run_id": "r", "data_summary": values}).encode()


BOMB = gzip.compress(OK[:-1] + b" " * 200_000_000 + b"}")
"""200 KB that expand to 200 MB."""
LATE = "Retry-After: 1764081871000"

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
    "bomb": http("200 OK", BOMB, "Content-Encoding: gzip"),
    "bomb in a bomb": http("200 OK", gzip.compress(BOMB), "Content-Encoding: gzip, gzip"),
    "not gzip": http("200 OK", OK, "Content-Encoding: gzip"),
    "cut gzip": http("200 OK", gzip.compress(OK)[:-12], "Content-Encoding: gzip"),
    "nested": http("200 OK", b"[" * 100_000),
    "late": http("503 Service Unavailable", b"{}", LATE),
    "odd headers": http("500 Internal Server Error", b"{}", "Retry-After: \xb2\xff", "X: \x01\x02"),
    "long header": http("200 OK", OK, "X: " + "y" * 100_000),
    "many headers": http("200 OK", OK, *[f"X{n}: y" for n in range(5000)]),
    "two lengths": http("200 OK", OK, "Content-Length: 5"),
    "negative length": http("200 OK", OK, length=-1),
    "broken chunks": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n" + OK,
    "status 999": http("999 Odd", b"{}"),
    "status 0": http("0 Odd", b"{}"),
    "no content": b"HTTP/1.1 204 No Content\r\n\r\n",
    "large count": http("200 OK", summary(rowCount=2**63)),
    "count as text": http("200 OK", summary(rowCount="12")),
    "NaN": http("200 OK", summary(rowCount=float("nan"))),
    "events as text": http("200 OK", summary(rowCount=1, event_ids="abc")),
    "path as number": http("200 OK", summary(rowCount=1, gcs_path=7)),
    "lone surrogate": http("200 OK", summary(rowCount=1, event_ids=["\ud800"])),
    "NUL in a message": http("500 Internal Server Error", b'{"message": "a\\u0000b"}'),
}


class FaultyService:
    """Answers every connection with the bytes of ``fault``, or with the fault of that name.

    ``hangs`` never answers. ``drips`` sends one byte at a time.
    """

    def __init__(self) -> None:
        self.fault: str | bytes = "fine"
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
                connection.sendall(self.fault if isinstance(self.fault, bytes) else FAULTS[self.fault])
