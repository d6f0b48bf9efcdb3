"""Free ports that no other program takes before the caller listens on them, seconds later."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from itertools import cycle, islice

from sandbox.stack import is_free

PORTS = range(20_000, 32_768)
"""Below the ports that Linux, macOS and Windows assign to outgoing connections and to port 0."""


def share(worker: int, workers: int) -> range:
    """Return the ports of one test worker. The workers that run side by side have no port in common."""
    size = len(PORTS) // workers
    return PORTS[worker * size : (worker + 1) * size]


def _own() -> Iterator[int]:
    """Yield the ports of this process in turn, so that each is used again as late as possible."""
    worker = os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")
    mine = share(int(worker), int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1")))
    # Start at a random port, because the tests of another checkout may be running.
    return islice(cycle(mine), random.randrange(len(mine)), None)


_PORTS = _own()


def free_ports(count: int) -> list[int]:
    """Return ``count`` ports on which no program listens."""
    return [next(filter(is_free, _PORTS)) for _ in range(count)]
