"""The applications of docs/how-to/workers.md under the servers that the page names, forked workers and all."""

from __future__ import annotations

import contextlib
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from safekv.emulator import EmulatorServer

from .pages import environment, files_of

pytestmark = pytest.mark.sockets

PAGE = "how-to/workers.md"
CELERY = """
broker_url = "filesystem://"
broker_transport_options = {"data_folder_in": "queue", "data_folder_out": "queue"}
result_backend = "file://results"
"""
ASK = """
from tasks import work
results = [work.delay() for _ in range(4)]
print([result.get(timeout=60) for result in results])
"""


@pytest.fixture
def here(tmp_path: Path, server: EmulatorServer) -> Path:
    """A directory with the page's files; watches look each second, and the vault has the password."""
    for name, text in files_of(PAGE).items():
        (tmp_path / name).write_text(text.replace("interval=300", "interval=0.5"))
    _vault(server).set_secret("db-password", "first")
    return tmp_path


def _vault(server: EmulatorServer):
    return next(iter(server.emulator.vaults.values()))


@contextlib.contextmanager
def _running(here: Path, server: EmulatorServer, *command: str) -> Iterator[Path]:
    """A server while it runs; the file with its output."""
    log = here / "log"
    with log.open("w") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", *command],
            env={**environment(), **server.environment(), "HOME": str(here)},
            cwd=here,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    with process:
        try:
            yield log
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(timeout=30)
            except subprocess.TimeoutExpired:
                process.kill()


def test_gunicorn_forks_workers_that_follow_a_rotation(here: Path, server: EmulatorServer) -> None:
    pytest.importorskip("gunicorn")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with _running(here, server, "gunicorn", "--bind", f"127.0.0.1:{port}", "app:app") as log:
        assert _until(lambda: _get(port), "a password of 5 characters"), log.read_text()
        reads = [entry for entry in server.emulator.journal if entry.operation == "get_secret" and entry.bearer]
        assert len(reads) <= 3  # one before the fork, at most one for each worker
        _vault(server).set_secret("db-password", "the second")
        assert _until(lambda: _get(port), "a password of 10 characters"), log.read_text()


def test_celery_forks_workers_that_read_secrets(here: Path, server: EmulatorServer) -> None:
    pytest.importorskip("celery")
    (here / "celeryconfig.py").write_text(CELERY)
    for folder in ("queue", "results"):
        (here / folder).mkdir()
    (here / "ask.py").write_text(ASK)
    with _running(
        here, server, "celery", "-A", "tasks", "worker", "--concurrency", "2", "--loglevel", "WARNING"
    ) as log:
        done = subprocess.run(
            [sys.executable, "ask.py"],
            env={**environment(), **server.environment()},
            cwd=here,
            capture_output=True,
            text=True,
            timeout=90,
            check=False,
        )
        assert done.stdout == "[5, 5, 5, 5]\n", done.stderr + log.read_text()


def _get(port: int) -> str:
    with contextlib.suppress(OSError), urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=10) as answer:
        return str(answer.read().decode())
    return ""


def _until(ask, wanted: str, seconds: float = 30.0) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if re.fullmatch(wanted, ask()):
            return True
        time.sleep(0.2)
    return False
