"""Test workers that run side by side never use the same port."""

import contextlib
import socket

import pytest

from support import ports


@pytest.mark.parametrize("workers", [1, 2, 3, 8])
def test_no_port_belongs_to_two_workers(workers):
    shares = [ports.share(worker, workers) for worker in range(workers)]
    assert len({port for share in shares for port in share}) == sum(map(len, shares))
    assert all(share and set(share) <= set(ports.PORTS) for share in shares)


def test_no_port_is_given_twice():
    assert set(ports.free_ports(3)).isdisjoint(ports.free_ports(3))


def test_a_port_in_use_is_skipped(monkeypatch):
    [free] = ports.free_ports(1)
    with contextlib.closing(socket.create_server(("127.0.0.1", 0))) as server:
        taken = server.getsockname()[1]
        monkeypatch.setattr(ports, "_PORTS", iter([taken, free]))
        assert ports.free_ports(1) == [free]
