"""What all tests share."""

from __future__ import annotations

import socket
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

pytest_plugins = ["pytester"]

settings.register_profile(
    "safekv", deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
settings.load_profile("safekv")


@pytest.fixture
def no_sockets(monkeypatch: pytest.MonkeyPatch) -> None:
    """A connection to anywhere fails the test. What asyncio opens for itself is no connection to anywhere."""
    connect = socket.socket.connect

    def refuse(it: socket.socket, address: Any) -> None:
        if it.family in (socket.AF_INET, socket.AF_INET6):
            pytest.fail(f"a test that opens no sockets connects to {address}")
        connect(it, address)

    def refuse_any(address: Any, *_: Any, **__: Any) -> None:
        pytest.fail(f"a test that opens no sockets connects to {address}")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket.socket, "connect_ex", refuse)
    monkeypatch.setattr(socket, "create_connection", refuse_any)
