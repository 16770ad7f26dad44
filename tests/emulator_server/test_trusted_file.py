"""Whom a program trusts that has the emulator's variables: the emulator, and everybody whom it trusted before."""

from __future__ import annotations

import http.server
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timezone
from pathlib import Path

import certifi
import pytest

from safekv.emulator import EmulatorServer
from safekv.emulator.server._authority import _Authority, make_certificates
from safekv.emulator.server._trust import VARIABLES, bundle

pytestmark = pytest.mark.sockets

RunClient = Callable[..., "subprocess.CompletedProcess[str]"]

BOTH = """
import os, urllib.request
from azure.identity import DefaultAzureCredential
from azure.keyvault.secrets import SecretClient
import requests
client = SecretClient(os.environ["AZURE_KEY_VAULT_URL"], DefaultAzureCredential())
print(client.set_secret("a", "kept").value)
print(urllib.request.urlopen(os.environ["OTHER"]).read().decode())
print(requests.get(os.environ["OTHER"]).text)
"""
OTHER = _Authority("of this company", datetime.now(timezone.utc))
ELSEWHERE = [_Authority(f"of another {number}", datetime.now(timezone.utc)).pem for number in range(3)]


class _Greeting(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"hello from elsewhere")

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def other_host() -> Iterator[str]:
    """A TLS host whose authority nobody knows by default."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Greeting) as serving:
        serving.socket = OTHER.server_context("127.0.0.1").wrap_socket(serving.socket, server_side=True)
        thread = threading.Thread(target=serving.serve_forever)
        thread.start()
        yield f"https://127.0.0.1:{serving.server_port}/"
        serving.shutdown()
        thread.join()


@pytest.fixture(autouse=True)
def _no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*VARIABLES, "SSL_CERT_DIR"):
        monkeypatch.delenv(name, raising=False)


def _certificates(pem: bytes) -> list[str]:
    return [each for each in pem.decode().split("-----END CERTIFICATE-----\n") if each]


def _file(path: Path, *pems: bytes) -> str:
    path.write_bytes(b"".join(pems))
    return str(path)


def _all_three(path: str) -> Mapping[str, str]:
    return dict.fromkeys(VARIABLES, path)


def test_a_program_with_the_variables_reaches_who_was_trusted_before(
    other_host: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run_client: RunClient
) -> None:
    for name, value in _all_three(_file(tmp_path / "company.pem", OTHER.pem)).items():
        monkeypatch.setenv(name, value)
    with EmulatorServer() as server:
        done = run_client(BOTH, {**server.environment(), "OTHER": other_host})
    assert done.stdout.splitlines() == ["kept", "hello from elsewhere", "hello from elsewhere"]


def test_in_an_earlier_emulators_shell_nothing_fails_and_nothing_piles_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = tmp_path / "kept.pem"
    with EmulatorServer() as server:
        first = Path(server.ca_file).read_bytes()
        gone = server.environment()
    for place in (None, kept, kept):
        for name, value in gone.items():
            monkeypatch.setenv(name, value)
        with EmulatorServer(ca_file=place) as server:
            again = Path(server.ca_file).read_bytes()
            gone = server.environment()
        assert _certificates(again)[1:] == _certificates(first)[1:]
        assert again != first
    ssl.create_default_context(cafile=str(kept))  # it stays, and programs go on


def test_by_default_it_is_what_requests_and_the_system_trust() -> None:
    own = make_certificates().ca
    made = bundle(own, {})
    assert made.startswith(own)
    loaded, trusted = ssl.create_default_context(cadata=made.decode()), ssl.create_default_context()
    known = set(loaded.get_ca_certs(binary_form=True))
    assert known > set(trusted.get_ca_certs(binary_form=True))
    assert known > set(ssl.create_default_context(cafile=certifi.where()).get_ca_certs(binary_form=True))
    assert made.count(b"BEGIN") == len(known)


def test_each_program_keeps_its_own(tmp_path: Path) -> None:
    files = [_file(tmp_path / f"{number}.pem", pem) for number, pem in enumerate(ELSEWHERE)]
    own, everything = OTHER.pem, dict(zip(VARIABLES, files, strict=True))
    assert bundle(own, everything) == own + b"".join(ELSEWHERE)
    defaults = bundle(own, {})
    for name, pem in zip(VARIABLES[:2], ELSEWHERE, strict=False):  # the other programs have their default
        made = bundle(own, {name: everything[name]})
        assert pem in made
        assert set(_certificates(made)) <= {*_certificates(defaults), *_certificates(pem)}
        assert len(made) > 50_000


def test_what_a_variable_names_may_be_a_directory_or_nonsense(tmp_path: Path) -> None:
    directory = tmp_path / "certificates"
    directory.mkdir()
    (directory / "inside").mkdir()
    for number, pem in enumerate(ELSEWHERE):
        (directory / f"{number}.0").write_bytes(b"# a comment\r\n" + pem.replace(b"\n", b"\r\n"))
    own = OTHER.pem
    assert bundle(own, _all_three(str(directory))) == own + b"".join(ELSEWHERE)
    empty = _file(
        tmp_path / "empty.pem", b"nothing\x00here\n-----BEGIN CERTIFICATE-----\nA\n-----END CERTIFICATE-----\n"
    )
    for nonsense in (str(tmp_path / "gone.pem"), empty, "", "\x00"):
        assert bundle(own, _all_three(nonsense)) == bundle(own, {})
