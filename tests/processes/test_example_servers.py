"""The web applications in examples/: each as its own process against the emulator, asked over HTTP."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from safekv.emulator import EmulatorServer

pytestmark = pytest.mark.sockets

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
VALUE = "planted-value"


class Example(NamedTuple):
    """How it is started (PORT stands for its port), what it needs, what it follows, what it says."""

    packages: tuple[str, ...]
    command: tuple[str, ...]
    secrets: dict[str, str]
    follows: str
    says: dict[str, Any]


DJANGO = Example(
    ("django",),
    (str(EXAMPLES / "django_site" / "manage.py"), "runserver", "--noreload", "127.0.0.1:PORT"),
    {"django-secret-key": VALUE, "smtp-password": VALUE, "greeting": "hello from the vault", "partner-api-key": VALUE},
    "partner-api-key",
    {"greeting": "hello from the vault", "mail": "smtp.example.com", "signed": True},
)
FASTAPI = Example(
    ("fastapi", "uvicorn"),
    ("-m", "uvicorn", "--app-dir", str(EXAMPLES), "--port", "PORT", "fastapi_app:app"),
    {"web--greeting": "hello", "web--db--host": "db.example.com", "web--db--password": VALUE, "web--api-key": VALUE},
    "web--api-key",
    {"greeting": "hello", "database": "db.example.com"},
)
FLASK = Example(
    ("flask",),
    ("-m", "flask", "--app", str(EXAMPLES / "flask_app.py"), "run", "--port", "PORT"),
    {"flask-secret-key": VALUE, "flask-greeting": "hello", "flask-api-key": VALUE},
    "flask-api-key",
    {"greeting": "hello"},
)


@pytest.fixture(params=[DJANGO, FASTAPI, FLASK], ids=lambda example: example.packages[0])
def example(request: pytest.FixtureRequest) -> Example:
    for package in request.param.packages:
        if find_spec(package) is None:
            pytest.skip(f"needs {package}")
    return request.param


@contextmanager
def started(example: Example, server: EmulatorServer, cwd: Path, port: int) -> Iterator[subprocess.Popen[str]]:
    vault = server.vault_urls["one"]
    greeting = {"GREETING": f"@Microsoft.KeyVault(SecretUri={vault}/secrets/greeting)"} if example is DJANGO else {}
    process = subprocess.Popen(
        [
            sys.executable,
            "-W",
            "error::ResourceWarning",
            *(argument.replace("PORT", str(port)) for argument in example.command),
        ],
        env={**os.environ, **server.environment(), **greeting, "REFRESH_SECONDS": "0.1", "SAFEKV_CACHE_TTL": "0.1"},
        cwd=cwd,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with process:
        try:
            yield process
        finally:
            process.kill()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def asked(port: int) -> dict[str, Any]:
    connection = HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", "/")
        return json.loads(connection.getresponse().read())
    finally:
        connection.close()


def answer(port: int, process: subprocess.Popen[str], key: str | None = None) -> dict[str, Any]:
    """What it says, once it serves, and has this key."""
    until = time.monotonic() + 60
    while time.monotonic() < until and process.poll() is None:
        try:
            said = asked(port)
        except ConnectionError:
            time.sleep(0.05)
            continue
        if key is None or said["key"] == key:
            return said
        time.sleep(0.02)
    process.kill()
    pytest.fail("".join(process.communicate()))


def test_it_serves_with_its_secrets_and_sees_a_rotation(
    example: Example, server: EmulatorServer, tmp_path: Path
) -> None:
    vault = next(iter(server.emulator.vaults.values()))
    for name, value in example.secrets.items():
        vault.set_secret(name, value)
    port = free_port()
    with started(example, server, tmp_path, port) as process:
        first = answer(port, process)
        assert {key: first[key] for key in example.says} == example.says
        assert first["characters"] == len(VALUE)
        rotated = vault.set_secret(example.follows, f"{VALUE}-two").rpartition("/")[2]
        assert rotated != first["key"]
        assert answer(port, process, key=rotated)["characters"] == len(VALUE) + 4
        process.send_signal(signal.SIGTERM)
        said = "".join(process.communicate(timeout=30))
    for trouble in ("Traceback", "Exception ignored", "Unclosed"):
        assert trouble not in said
    assert VALUE not in said


def test_it_does_not_start_without_them_and_says_which(
    example: Example, server: EmulatorServer, tmp_path: Path
) -> None:
    with started(example, server, tmp_path, free_port()) as process:
        said = "".join(process.communicate(timeout=60))
    assert process.returncode not in (0, None)
    for name in example.secrets.keys() - {example.follows}:
        assert f"{name} of 127.0.0.1:" in said
