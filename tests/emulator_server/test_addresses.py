"""Where vaults are: with a state file, where they were before."""

from __future__ import annotations

import json
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from safekv.emulator import EmulatorServer
from safekv.emulator.keeping._state import StateFileError

pytestmark = pytest.mark.sockets

RunClient = Callable[..., "subprocess.CompletedProcess[str]"]

RING = """
from pathlib import Path
from safekv.envelope import Encryptor, KeyRing
from safekv.keys import KeyClient
kek = "https://one.vault.azure.net/keys/app-kek"
"""
WRITE = f"""{RING}
KeyClient("one").create_rsa_key("app-kek", size=2048)
ring = KeyRing.create(kek)
ring.save("app.ring")
Path("token").write_bytes(Encryptor(ring).encrypt(b"data", aad=b"row"))
"""
READ = f"""{RING}
print(Encryptor(KeyRing.load("app.ring", kek)).decrypt(Path("token").read_bytes(), aad=b"row").decode())
"""


def _port(url: str) -> int:
    return urlsplit(url).port or 0


def _free_ports() -> int:
    """The first of some ports that nobody uses: below those that systems choose from."""
    for first in range(20_123, 30_000, 50):
        try:
            for port in range(first, first + 10):
                socket.create_server(("127.0.0.1", port)).close()
        except OSError:
            continue
        return first
    pytest.skip("no free ports")


def test_what_is_encrypted_under_a_key_is_read_after_a_restart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run_client: RunClient
) -> None:
    monkeypatch.chdir(tmp_path)
    with EmulatorServer(vaults=("one",), state="vaults.json") as server:
        run_client(WRITE, server.environment())
    with EmulatorServer(vaults=("one",), state="vaults.json") as server:
        assert run_client(READ, server.environment()).stdout == "data\n"


def test_every_vault_is_where_it_was(tmp_path: Path) -> None:
    state = tmp_path / "vaults.json"
    with EmulatorServer(vaults=("one", "two"), state=state) as server:
        made = server.emulator.new_vault("Made").url
        before = server.vault_urls
    with EmulatorServer(vaults=("new", "two", "one"), state=state) as server:
        assert {**server.vault_urls, "new": "?"} == {**before, "Made": made, "new": "?"}
        assert list(server.vault_urls) == ["new", "two", "one", "Made"]
        assert server.moved == {}


def test_a_port_that_is_taken_is_taken_again_when_it_is_free(tmp_path: Path) -> None:
    state = tmp_path / "vaults.json"
    with EmulatorServer(vaults=("one", "two"), state=state) as server:
        before = server.vault_urls
    with EmulatorServer(vaults=("one", "two"), state=tmp_path / "copy.json") as other:
        first = json.loads(state.read_text())
        first["ports"]["one"] = _port(other.vault_urls["one"])
        state.write_text(json.dumps(first))
        with EmulatorServer(vaults=("one", "two"), state=state) as server:
            assert server.moved == {"one": other.vault_urls["one"]}
            assert server.vault_urls["one"] not in (before["one"], other.vault_urls["one"])
            assert server.vault_urls["two"] == before["two"]
        wanted = other.vault_urls["one"]
    with EmulatorServer(vaults=("one", "two"), state=state) as server:
        assert (server.vault_urls["one"], server.moved) == (wanted, {})


def test_a_port_that_is_asked_for_goes_before_those_that_are_kept(tmp_path: Path) -> None:
    state = tmp_path / "vaults.json"
    with EmulatorServer(vaults=("one", "two"), state=state) as server:
        before = server.vault_urls
    first = _free_ports()
    with EmulatorServer(vaults=("one", "two"), state=state, port=first) as server:
        assert [_port(url) for url in server.vault_urls.values()] == [first, first + 1]
        assert server.moved == before
    with EmulatorServer(vaults=("one", "two"), state=state) as server:
        assert [_port(url) for url in server.vault_urls.values()] == [first, first + 1]
        assert server.moved == {}


def test_a_vault_that_is_gone_leaves_its_port(tmp_path: Path) -> None:
    state = tmp_path / "vaults.json"
    with EmulatorServer(vaults=("one",), state=state) as server:
        server.emulator.remove_vault(server.emulator.new_vault("made"))
        assert len(server.emulator.new_vault("made").url) > 0
        server.emulator.remove_vault(next(v for v in server.emulator.vaults.values() if v.name == "made"))
        assert server.moved == {}
    assert list(json.loads(state.read_text())["ports"]) == ["one"]


@pytest.mark.parametrize("ports", [[], {"one": "80"}, {"one": 0}, {"one": 70_000}, {"one": True}])
def test_ports_that_are_none_are_refused(tmp_path: Path, ports: object) -> None:
    state = tmp_path / "vaults.json"
    EmulatorServer(vaults=("one",), state=state).start().stop()
    document = json.loads(state.read_text())
    del document["ports"]
    state.write_text(json.dumps(document))
    EmulatorServer(vaults=("one",), state=state).start().stop()  # a file of before there were ports
    state.write_text(json.dumps({**document, "ports": ports}))
    with pytest.raises(StateFileError, match="ports must be numbers of 1 to 65535"):
        EmulatorServer(vaults=("one",), state=state).start()
