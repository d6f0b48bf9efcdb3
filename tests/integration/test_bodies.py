"""Bodies of answers, over real HTTP: packed, broken off, with a byte-order mark, in another charset."""

import gzip
import json
import threading
import zlib
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from orchestration.services.scraper_service import CallRequest, ScraperService
from orchestration.words import Outcome

SAID = json.dumps({"status": "success", "data_summary": {"rowCount": 3, "name": "Dončić é"}}, ensure_ascii=False)
LATIN = SAID.replace("č", "c").replace("ć", "c")
PLAIN, PACKED = SAID.encode(), gzip.compress(SAID.encode())
DEFLATED, RAW = zlib.compress(PLAIN), zlib.compress(PLAIN)[2:-4]
GZIP, DEFLATE = {"Content-Encoding": "gzip"}, {"Content-Encoding": "deflate"}
WHOLE = {
    "plain": (PLAIN, {}),
    "gzip": (PACKED, GZIP),
    "two members of gzip": (gzip.compress(PLAIN[:20]) + gzip.compress(PLAIN[20:]), GZIP),
    "deflate": (DEFLATED, DEFLATE),
    "deflate without a header": (RAW, DEFLATE),
    "a byte-order mark": (b"\xef\xbb\xbf" + PLAIN, {}),
    "UTF-16 with a mark": (SAID.encode("utf-16"), {}),
    "Latin-1": (LATIN.encode("latin-1"), {"Content-Type": "application/json; charset=ISO-8859-1"}),
    "a charset that nobody knows": (PLAIN, {"Content-Type": "application/json; charset=nope"}),
}
BROKEN = {
    "gzip without its trailer": (PACKED[:-4], GZIP),
    "half of gzip": (PACKED[: len(PACKED) // 2], GZIP),
    "the beginning of gzip": (PACKED[:5], GZIP),
    "gzip with a wrong checksum": (PACKED[:-8] + bytes(4) + PACKED[-4:], GZIP),
    "half of deflate": (DEFLATED[:-6], DEFLATE),
    "no gzip at all": (PLAIN, GZIP),
}


@pytest.fixture
def answers(monkeypatch):
    """Return a function that makes a call whose answer has a body and headers."""
    given = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            body, headers = given[-1]
            self.send_response(200)
            for name, value in {**headers, "Content-Length": str(len(body))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    connection = {"conn_type": "http", "host": "127.0.0.1", "port": server.server_port}
    monkeypatch.setenv("AIRFLOW_CONN_SCRAPER_SERVICE", json.dumps(connection))

    def call(body, headers):
        given.append((body, headers))
        return ScraperService().call(CallRequest("x", {}, "w", 10))

    yield call
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize("answer", WHOLE.values(), ids=WHOLE)
def test_a_whole_body_is_read(answers, answer):
    result = answers(*answer)
    assert (result.outcome, result.record_count) == (Outcome.SUCCESS, 3)
    assert result.summary["name"].endswith(" é")


@pytest.mark.parametrize("answer", BROKEN.values(), ids=BROKEN)
def test_a_packed_body_that_breaks_off_is_tried_again(answers, answer):
    result = answers(*answer)
    assert (result.outcome, result.error_type, result.retryable) == (Outcome.FAILED, "transport", True)


@pytest.mark.parametrize(
    ("pack", "headers"), [(gzip.compress, GZIP), (zlib.compress, DEFLATE)], ids=["gzip", "deflate"]
)
def test_a_small_packed_body_that_becomes_too_large_is_refused(answers, pack, headers):
    result = answers(pack(b" " * 50_000_000), headers)
    assert (result.error_type, result.retryable) == ("too_large", False)
