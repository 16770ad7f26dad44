"""``safekv top --emulator``: a running emulator's traffic, by its journal."""

from __future__ import annotations

import json
from typing import Any

import pytest
from click.testing import CliRunner

from safekv._clock import VirtualClock
from safekv.cli import main
from safekv.cli.watching._sources import Emulator as Watched
from safekv.emulator import Emulator, EmulatorServer, EmulatorSettings
from safekv.secrets import SecretClient

pytestmark = pytest.mark.sockets
pytest.importorskip("rich")


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Any:
    settings = EmulatorSettings(journal_size=6)
    with EmulatorServer(Emulator(clock=VirtualClock(running=True), settings=settings), vaults=("one", "two")) as server:
        for name, value in server.environment().items():
            monkeypatch.setenv(name, value)
        (one,) = (vault for vault in server.emulator.vaults.values() if vault.name == "one")
        one.set_secret("greeting", "hello")
        yield server


def test_one_look(server: EmulatorServer) -> None:
    server.emulator.fail(operation="get_secret", status=429, count=1, retry_after=0)
    with SecretClient(server.vault_urls["one"], cache=None) as client:
        client.get_secret("greeting")
    done = CliRunner().invoke(main, ["top", "--emulator", "--once", "--json"])
    assert done.exit_code == 0, done.output
    shown = json.loads(done.output)
    (row,) = shown["vaults"]
    assert row["traffic"]["name"] == "one"
    statuses = row["operations"][0]["statuses"]
    assert (statuses["200"], statuses["429"], row["throttled"]) == (1, 1, 1)
    assert "greeting" not in done.output
    table = CliRunner().invoke(main, ["top", "--emulator", server.vault_urls["two"], "--once"])
    assert "get_secret" in table.output


def test_each_request_is_counted_once_whatever_the_journal_forgets(server: EmulatorServer) -> None:
    watched = Watched(server.vault_urls["one"])
    with SecretClient(server.vault_urls["one"], cache=None) as client:
        for _ in range(4):
            client.get_secret("greeting")
            client.get_secret("greeting")
            watched.look()
    counts = watched.late().counts["requests"]["one"]["get_secret"]
    assert counts["200"] == 8
    server.emulator.journal.clear()
    watched.look()
    assert watched.late().counts["requests"]["one"]["get_secret"] == counts


def test_what_is_no_emulator(server: EmulatorServer) -> None:
    done = CliRunner().invoke(main, ["top", "--emulator", "http://127.0.0.1:1", "--once"])
    assert (done.exit_code, "not where an emulator listens" in done.output) == (1, True)
    done = CliRunner().invoke(main, ["top", "--emulator", "https://127.0.0.1:1", "--once"])
    assert (done.exit_code, "emulator at 127.0.0.1:1" in done.output) == (1, True)
    done = CliRunner().invoke(main, ["top", "--emulator", "https://127.0.0.1:1", "12"])
    assert done.exit_code == 2


@pytest.mark.parametrize(
    "url", ["https://127.0.0.1:99999", "https://[::1", "https://user:pass@127.0.0.1:x", "https://a b"]
)
def test_what_is_no_url(url: str) -> None:
    done = CliRunner().invoke(main, ["top", "--emulator", url, "--once"])
    assert (done.exit_code, type(done.exception)) == (1, SystemExit), done.exception
    assert "emulator" in done.output
    assert "pass" not in done.output
