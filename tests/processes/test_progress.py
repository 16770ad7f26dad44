"""Progress on a real terminal, and none where there is no terminal."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

import pytest

from safekv.emulator import EmulatorServer

from .conftest import SECRETS

pty = pytest.importorskip("pty")
pytestmark = pytest.mark.sockets

PROGRAM = """
import asyncio, sys, safekv, safekv.aio
names = [f"s{number}" for number in range(20)]
if sys.argv[1] == "aio":
    config = asyncio.run(safekv.aio.load(names))
else:
    config = safekv.load(names, progress={"never": False, "always": True}.get(sys.argv[1]))
print(len(config), "rich.progress" in sys.modules)
"""


def loaded(server: EmulatorServer, how: str, stderr: int, delay: float) -> str:
    server.emulator.clear_faults()
    server.emulator.fail(operation="get_secret", delay=delay, count=None)
    environment = {**os.environ, **server.environment(), "TERM": "xterm", "COLUMNS": "80"}
    command: list[Any] = [sys.executable, "-W", "error", "-c", PROGRAM, how]
    done = subprocess.run(
        command, env=environment, stdout=subprocess.PIPE, stderr=stderr, text=True, timeout=60, check=True
    )
    return done.stdout.strip()


def on_a_terminal(server: EmulatorServer, how: str, delay: float) -> tuple[str, str]:
    """What the program printed, and what the terminal was sent."""
    ours, theirs = pty.openpty()
    try:
        said = loaded(server, how, theirs, delay)
        os.set_blocking(ours, False)
        try:
            return said, os.read(ours, 100_000).decode()
        except BlockingIOError:
            return said, ""
    finally:
        os.close(ours)
        os.close(theirs)


@pytest.mark.parametrize("how", ["sync", "aio"])
def test_a_long_load_is_shown_on_a_terminal(server: EmulatorServer, how: str) -> None:
    pytest.importorskip("rich")
    said, shown = on_a_terminal(server, how, delay=0.8)
    assert said == f"{SECRETS} True"
    assert f"/{SECRETS}" in shown
    assert "secrets" in shown
    assert "value-one" not in shown


def test_one_that_is_short_is_not_unless_it_is_asked_for(server: EmulatorServer) -> None:
    pytest.importorskip("rich")
    assert on_a_terminal(server, "sync", delay=0.001) == (f"{SECRETS} False", "")
    assert f"/{SECRETS}" in on_a_terminal(server, "always", delay=0.3)[1]


def test_no_terminal_is_shown_nothing_nor_one_that_shall_not_be(server: EmulatorServer) -> None:
    assert on_a_terminal(server, "never", delay=0.6) == (f"{SECRETS} False", "")
    assert loaded(server, "sync", subprocess.STDOUT, delay=0.6) == f"{SECRETS} False"
