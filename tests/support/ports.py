"""Ports that nothing else takes before whoever asked for them listens there, seconds later."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from itertools import cycle, islice

from sandbox.stack import is_free

PORTS = range(20_000, 32_768)
"""Below what Linux, macOS and Windows give to outgoing connections and to whoever does not mind which port."""


def share(worker: int, workers: int) -> range:
    """Return the ports of one of the test workers that run side by side: no other worker's."""
    size = len(PORTS) // workers
    return PORTS[worker * size : (worker + 1) * size]


def _own() -> Iterator[int]:
    """Give the ports of this process one after the other, so that one is used again as late as can be."""
    worker = os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")
    mine = share(int(worker), int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1")))
    # Elsewhere each time: another checkout's tests may be running.
    return islice(cycle(mine), random.randrange(len(mine)), None)


_PORTS = _own()


def free_ports(count: int) -> list[int]:
    """Return so many ports on which nothing listens."""
    return [next(filter(is_free, _PORTS)) for _ in range(count)]
