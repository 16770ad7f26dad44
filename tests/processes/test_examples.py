"""The applications in examples/, each as its own process against the emulator."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from safekv.emulator import EmulatorServer

pytestmark = pytest.mark.sockets

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
VALUE = "hunter2"


def started(server: EmulatorServer, name: str, *arguments: str, cwd: Path, **variables: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-W", "error", str(EXAMPLES / name), *arguments],
        env={**os.environ, **server.environment(), **variables},
        cwd=cwd,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_a_worker_starts_complete_follows_its_secrets_and_ends(server: EmulatorServer, tmp_path: Path) -> None:
    vault = next(iter(server.emulator.vaults.values()))
    vault.set_secret("worker--queue-url", "https://queue")
    with started(server, "worker.py", cwd=tmp_path) as process:
        _, errors = process.communicate(timeout=30)
        assert process.returncode == 1
        assert "api_key (worker--api-key of 127.0.0.1:" in errors
        assert "Traceback" not in errors
    vault.set_secret("worker--api-key", VALUE)
    with started(server, "worker.py", "0.1", cwd=tmp_path) as process:
        assert process.stdout is not None
        ready = process.stdout.readline()
        assert ready.startswith("ready: Settings(queue_url='https://queue', api_key=Secret(")
        assert VALUE not in ready
        vault.set_secret("worker--api-key", f"{VALUE}-two")
        assert process.stdout.readline() == "connects again, with a key of 11 characters\n"
        process.send_signal(signal.SIGTERM)
        output, errors = process.communicate(timeout=30)
        assert (process.returncode, output, errors) == (0, "ended\n", "")


def test_a_command_takes_its_settings_from_wherever_they_are(server: EmulatorServer, tmp_path: Path) -> None:
    vault = next(iter(server.emulator.vaults.values()))
    vault.set_secret("report--token", VALUE)
    vault.set_secret("report--customers", '["a", "b"]')
    (tmp_path / "report.json").write_text("{}")
    (tmp_path / ".env").write_text("REPORT__TITLE='Of today'\n")
    with started(server, "report.py", cwd=tmp_path) as process:
        assert process.communicate(timeout=30) == ("Of today for a, b\n", "")
    requests = len(server.emulator.journal)
    offline = {"SAFEKV_OFFLINE": "1", "REPORT__CUSTOMERS": '["c"]'}
    with started(server, "report.py", cwd=tmp_path, **offline) as process:
        _, errors = process.communicate(timeout=30)
        assert process.returncode == 1
        assert "token (report--token)" in errors
        assert "Give REPORT__TOKEN" in errors
    with started(server, "report.py", cwd=tmp_path, **offline, REPORT__TOKEN="x") as process:
        assert process.communicate(timeout=30) == ("Of today for c\n", "")
    assert len(server.emulator.journal) == requests
