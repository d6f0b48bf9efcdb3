"""Metrics servers for tests: a StatsD server and an OpenTelemetry collector."""

from __future__ import annotations

import gzip
import socket
import threading
from collections import Counter
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
    ExportMetricsServiceResponse,
)

Tags = frozenset[tuple[str, str]]


@dataclass
class Collected:
    """Received metrics by name and tags: sums of counters, last values of gauges, counts and milliseconds of timers."""

    counters: Counter[tuple[str, Tags]] = field(default_factory=Counter)
    gauges: dict[tuple[str, Tags], float] = field(default_factory=dict)
    timers: dict[tuple[str, Tags], list[float]] = field(default_factory=dict)
    raw: list[str] = field(default_factory=list)

    def count(self, name: str, **tags: str) -> float:
        return sum(n for (one, its), n in self.counters.items() if one == name and its >= tags.items())

    def gauge(self, name: str) -> float:
        [value] = [value for (one, _), value in self.gauges.items() if one == name]
        return value

    def times(self, name: str, **tags: str) -> tuple[int, float]:
        """Return the number of received times, and their sum in ms."""
        found = [v for (one, its), values in self.timers.items() if one == name and its >= tags.items() for v in values]
        return int(sum(found[0::2])), sum(found[1::2])

    @property
    def names(self) -> set[str]:
        return {name for name, _ in [*self.counters, *self.gauges, *self.timers]}


class StatsdServer:
    """A UDP server for StatsD lines with InfluxDB tags: ``name,tag=value:1|c``."""

    def __init__(self) -> None:
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
        self.port = self.socket.getsockname()[1]
        self.collected = Collected()

    def __enter__(self) -> StatsdServer:
        threading.Thread(target=self._listen, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._say("")
        self.socket.close()

    @property
    def settings(self) -> dict[str, str]:
        return {
            "AIRFLOW__METRICS__STATSD_ON": "True",
            "AIRFLOW__METRICS__STATSD_HOST": "127.0.0.1",
            "AIRFLOW__METRICS__STATSD_PORT": str(self.port),
            "AIRFLOW__METRICS__STATSD_INFLUXDB_ENABLED": "True",
        }

    def settled(self) -> Collected:
        """Return the metrics sent so far. Datagrams keep their order here, so all earlier ones are read first."""
        self.read = threading.Event()
        self._say("read:1|c")
        assert self.read.wait(60)
        return self.collected

    def _say(self, text: str) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            sender.sendto(text.encode(), ("127.0.0.1", self.port))

    def _listen(self) -> None:
        while text := self.socket.recv(65536).decode():
            if text == "read:1|c":
                self.read.set()
                continue
            for line in text.splitlines():
                self._take(line)

    def _take(self, line: str) -> None:
        named, _, measured = line.partition(":")
        name, *tags = named.split(",")
        number, kind = measured.split("|")[:2]
        key = name, frozenset((tag, value) for tag, _, value in (text.partition("=") for text in tags))
        self.collected.raw.append(line)
        if kind == "c":
            self.collected.counters[key] += int(number)
        elif kind == "g":
            self.collected.gauges[key] = float(number)
        else:
            self.collected.timers.setdefault(key, []).extend((1, float(number)))


class OtlpEndpoint:
    """An HTTP endpoint for OTLP metrics in protobuf. It answers with ``status``."""

    def __init__(self, status: int = 200) -> None:
        self.collected, self.status = Collected(), status
        self.requests = 0
        self.lock = threading.Lock()
        endpoint = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if self.headers.get("Content-Encoding") == "gzip":
                    body = gzip.decompress(body)
                assert self.path == "/v1/metrics"
                assert self.headers["Content-Type"] == "application/x-protobuf"
                with endpoint.lock:
                    endpoint.requests += 1
                    endpoint._take(ExportMetricsServiceRequest.FromString(body))
                self.send_response(endpoint.status)
                self.end_headers()
                self.wfile.write(ExportMetricsServiceResponse().SerializeToString())

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)

    def __enter__(self) -> OtlpEndpoint:
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()
        self.server.server_close()

    @property
    def settings(self) -> dict[str, str]:
        return {
            "AIRFLOW__METRICS__OTEL_ON": "True",
            "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{self.server.server_port}",
            # Each task has its own process with counters that begin at 0, so its numbers are differences.
            "OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE": "delta",
        }

    def settled(self) -> Collected:
        """Return the metrics sent so far. A sender waits for the answer, which follows the recording."""
        return self.collected

    def _take(self, request: ExportMetricsServiceRequest) -> None:
        metrics = (m for r in request.resource_metrics for s in r.scope_metrics for m in s.metrics)
        for metric in metrics:
            for point in metric.sum.data_points:
                self.collected.counters[_key(metric, point)] += point.as_int or point.as_double
            for point in metric.gauge.data_points:
                self.collected.gauges[_key(metric, point)] = point.as_double or point.as_int
            for point in [*metric.exponential_histogram.data_points, *metric.histogram.data_points]:
                assert metric.unit == "ms"
                self.collected.timers.setdefault(_key(metric, point), []).extend((point.count, point.sum))
            if metric.name.startswith("airflow.orchestration"):
                self.collected.raw.append(str(metric))


def _key(metric: Any, point: Any) -> tuple[str, Tags]:
    return metric.name, frozenset((attribute.key, attribute.value.string_value) for attribute in point.attributes)
