"""Real processes against the emulator's TLS server: programs with nothing but an environment for help."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator

import pytest

from safekv.emulator import EmulatorServer

pytestmark = pytest.mark.sockets

SECRETS = 20
#: These programs read the vault again and again, without a cache, on purpose.
MANY_READS = "ignore:The secret"
Run = Callable[..., str]


def value_of(number: int, vault: str = "one") -> str:
    return f"value-{vault}-{number}"


@pytest.fixture
def server() -> Iterator[EmulatorServer]:
    """Two vaults, ``one`` and ``two``, with ``s0`` … ``s19`` in each and nothing in the journal."""
    with EmulatorServer(vaults=("one", "two")) as running:
        for vault in running.emulator.vaults.values():
            for number in range(SECRETS):
                vault.set_secret(f"s{number}", value_of(number, vault.name))
        yield running


@pytest.fixture
def run(server: EmulatorServer) -> Run:
    """Run a program in a fresh interpreter, with every warning an error; returns what it printed.

    Without a cache, unless it is asked for: most of these programs count what reaches the vault.

    It fails the test if the program ends with an error, or says anything on stderr: that is where
    "Unclosed client session", "Exception ignored in" and ResourceWarnings go.
    """

    def run_program(program: str, *arguments: str, timeout: float = 100.0, cache: bool = False) -> str:
        done = subprocess.run(
            [sys.executable, "-W", "error", "-W", MANY_READS, "-c", textwrap.dedent(program), *arguments],
            env={**os.environ, **server.environment(), "SAFEKV_CACHE": "on" if cache else "off"},
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
        assert (done.returncode, done.stderr) == (0, ""), done.stderr + done.stdout
        return done.stdout.strip()

    return run_program
