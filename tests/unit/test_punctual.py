"""Sockets that wait no longer than the call that reads: what they leave to the next call on the same connection."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from safekv.connection.pipeline._call import UNDER_WAY
from safekv.connection.wire._punctual import PunctualSocket


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, Any]]:
    """The vault's end, and ours: a socket of the class in question, before its handshake."""
    theirs, given = socket.socketpair()
    ours: Any = PunctualSocket.__new__(PunctualSocket)
    socket.socket.__init__(ours, fileno=given.detach())
    ours._sslobj = None
    ours.settimeout(30)
    yield theirs, ours
    theirs.close()
    ours.close()


def read(ours: Any, left: float) -> bytes:
    call: Any = SimpleNamespace(flow=SimpleNamespace(remaining=lambda: left))  # as much of one as is read
    token = UNDER_WAY.set(call)
    try:
        buffer = bytearray(10)
        return bytes(buffer[: ours.recv_into(buffer)])
    finally:
        UNDER_WAY.reset(token)


def test_little_time_for_one_call_is_not_little_time_for_the_next(pair: tuple[socket.socket, Any]) -> None:
    theirs, ours = pair
    theirs.send(b"answer")
    assert read(ours, left=0.5) == b"answer"
    assert ours.gettimeout() == 30


@pytest.mark.parametrize("left", [0.01, 0.0, -1.0])
def test_no_longer_than_the_call_has_left(pair: tuple[socket.socket, Any], left: float) -> None:
    _, ours = pair
    with pytest.raises(TimeoutError):
        read(ours, left)
    assert ours.gettimeout() == 30
