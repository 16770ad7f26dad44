"""The guard that these tests rely on."""

from __future__ import annotations

import asyncio
import socket

import pytest

Refused = pytest.fail.Exception


def test_connections_are_refused() -> None:
    with pytest.raises(Refused):
        socket.create_connection(("127.0.0.1", 9), timeout=0.1)
    for family in (socket.AF_INET, socket.AF_INET6):
        with socket.socket(family) as it, pytest.raises(Refused):
            it.connect(("localhost", 9))
        with socket.socket(family) as it, pytest.raises(Refused):
            it.connect_ex(("localhost", 9))


def test_from_a_loop_as_well() -> None:
    with pytest.raises(Refused):
        asyncio.run(connect())


async def connect() -> None:
    await asyncio.open_connection("127.0.0.1", 9)


def test_pairs_are_fine() -> None:
    one, other = socket.socketpair()
    with one, other:
        one.sendall(b"x")
        assert other.recv(1) == b"x"
