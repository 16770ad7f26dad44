"""What all tests share."""

from __future__ import annotations

import importlib
import re
import socket
from collections.abc import Generator
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

pytest_plugins = ["pytester"]

# pytester forgets what was imported during a run of its own, and these do not bear to be imported twice.
for module in ("concurrent.futures.process", "importlib_metadata", "numpy", "numpy.fft"):
    with suppress(ImportError):
        importlib.import_module(module)

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


#: A token as the emulator makes them, and values that tests plant: in no log, no warning, no traceback, no output.
NEVER_SAID = re.compile(r"eyJ[\w-]{16,}\.eyJ[\w-]{16,}|a-token-nobody-may-see|planted-value|s3cret-value")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Search what each test of the whole suite said (logs at DEBUG) for what nobody is to see."""
    report = yield
    said = [text for _, text in report.sections]
    said.append(report.longreprtext if report.failed else "")
    if item.get_closest_marker("shows_secrets") is None and NEVER_SAID.search("\n".join(said)):
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid} lets a token or a planted value be seen; run it with -s to look"
    return report
