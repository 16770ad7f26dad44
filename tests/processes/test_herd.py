"""Processes that start together on a vault that throttles them all: each gets everything. See benchmarks/herd.py."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from safekv._clock import VirtualClock
from safekv.emulator import Emulator, EmulatorServer, EmulatorSettings, Limits

pytestmark = pytest.mark.sockets

PROCESSES, SECRETS, LIMIT, WINDOW = 6, 30, 90, 2.0
PROGRAM = f"""
import sys, safekv, safekv.secrets, safekv.identity
load = safekv.load
print("ready", flush=True)
sys.stdin.readline()
config = load([f"s{{number}}" for number in range({SECRETS})], timeout=100)
assert dict(config) == {{f"s{{number}}": f"value-{{number}}" for number in range({SECRETS})}}
"""


def test_a_herd_that_starts_together_gets_all_its_secrets() -> None:
    settings = EmulatorSettings(limits=Limits(secret_create=None, other=LIMIT, window=WINDOW))
    with EmulatorServer(Emulator(clock=VirtualClock(running=True), settings=settings), vaults=("one",)) as server:
        (vault,) = server.emulator.vaults.values()
        for number in range(SECRETS):
            vault.set_secret(f"s{number}", f"value-{number}")
        members = [
            subprocess.Popen(
                [sys.executable, "-W", "error", "-c", PROGRAM],
                env={**os.environ, **server.environment()},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
            for _ in range(PROCESSES)
        ]
        for each in members:
            assert each.stdout is not None
            assert each.stdout.readline() == "ready\n"
        for each in members:
            assert each.stdin is not None
            each.stdin.write("go\n")
            each.stdin.flush()
        ends = [each.communicate(timeout=100) for each in members]
        asked = [entry.status for entry in server.emulator.journal if entry.bearer]
    assert [(each.returncode, errors) for each, (_, errors) in zip(members, ends, strict=True)] == [(0, "")] * PROCESSES
    assert asked.count(200) == PROCESSES * SECRETS  # none of them twice
    assert 0 < asked.count(429) < PROCESSES * SECRETS
