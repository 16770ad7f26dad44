"""The server as a whole: its vaults, its variables, its file, and its end."""

from __future__ import annotations

import contextlib
import gc
import http.client
import json
import os
import socket
import ssl
import stat
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from safekv.emulator import Emulator, EmulatorServer, EmulatorSettings
from safekv.emulator.keeping._state import StateFile, StateFileError
from safekv.emulator.server._environment import render

pytestmark = pytest.mark.sockets


def _ask(
    server: EmulatorServer,
    path: str,
    *,
    vault: str = "emulator",
    method: str = "GET",
    body: Any = None,
    headers: dict[str, str] | None = None,
) -> tuple[int, Any, http.client.HTTPMessage]:
    """One request on a connection of its own, with a token."""
    url = urlsplit(server.vault_urls[vault])
    context = ssl.create_default_context(cafile=server.ca_file)
    connection = http.client.HTTPSConnection(url.hostname or "", url.port, context=context, timeout=5)
    with contextlib.closing(connection):
        headers = {"Authorization": "Bearer t", **(headers or {})}
        connection.request(method, f"{path}?api-version=7.4", json.dumps(body) if body else None, headers)
        response = connection.getresponse()
        return response.status, json.loads(response.read() or b"null"), response.headers


def _put(server: EmulatorServer, name: str, value: str, vault: str = "emulator") -> None:
    assert _ask(server, f"/secrets/{name}", vault=vault, method="PUT", body={"value": value})[0] == 200


def _value(server: EmulatorServer, name: str, vault: str = "emulator") -> Any:
    status, document, _ = _ask(server, f"/secrets/{name}", vault=vault)
    return document["value"] if status == 200 else status


def test_each_vault_has_its_port_and_its_contents() -> None:
    with EmulatorServer(vaults=("one", "two")) as server:
        _put(server, "a", "in one", "one")
        assert _value(server, "a", "one") == "in one"
        assert _value(server, "a", "two") == 404
        assert len(set(server.vault_urls.values())) == 2
        assert server.connections == 3


def test_a_challenge_names_what_the_sdk_takes_for_the_vaults_parent() -> None:
    with EmulatorServer() as server:
        authority = urlsplit(server.vault_urls["emulator"]).netloc
        status, _, headers = _ask(server, "/secrets/a", headers={"Authorization": ""})
        assert status == 401
        resource = f'resource="https://{authority.removeprefix("127.")}"'
        assert resource in headers["WWW-Authenticate"]


def test_a_vault_answers_to_other_names_of_the_machine_and_to_vaults_by_name() -> None:
    emulator = Emulator()
    emulator.add_vault("real").set_secret("a", "in real")
    with EmulatorServer(emulator) as server:
        _put(server, "a", "in emulator")
        for host, value in (("localhost:1", "in emulator"), ("real.vault.azure.net", "in real")):
            _, document, _ = _ask(server, "/secrets/a", headers={"Host": host})
            assert document["value"] == value


def test_vaults_can_have_options() -> None:
    with EmulatorServer(vaults={"emulator": {}, "kept": {"purge_protection": True, "tenant": "elsewhere"}}) as server:
        _put(server, "a", "one", "kept")
        _, document, _ = _ask(server, "/secrets/a", vault="kept", method="DELETE")
        assert document["recoveryId"].startswith(server.vault_urls["kept"])
        assert "Purgeable" not in document["attributes"]["recoveryLevel"]


def _five_free_ports() -> int:
    """The first of five in a row, below those that systems hand out: other tests may be taking some just now."""
    for port in range(20_000, 30_000, 7):
        with contextlib.ExitStack() as stack, contextlib.suppress(OSError):
            for number in range(5):
                stack.enter_context(socket.create_server(("127.0.0.1", port + number)))
            return port
    raise AssertionError("there are no five free ports in a row")


def test_ports_can_be_chosen() -> None:
    port = _five_free_ports()
    with EmulatorServer(vaults=("one", "two"), port=port) as server:
        assert list(server.vault_urls.values()) == [f"https://127.0.0.1:{port}", f"https://127.0.0.1:{port + 1}"]
        assert server.environment()["IDENTITY_ENDPOINT"] == f"http://127.0.0.1:{port + 2}/msi/token"
        with pytest.raises(OSError, match="in use"):
            EmulatorServer(port=port).start()
    gc.collect()


def test_control_endpoints_are_there() -> None:
    with EmulatorServer() as server:
        before = server.emulator.clock.time()
        server.emulator.clock.advance(100)
        assert _ask(server, "/_emulator/clock")[1]["time"] >= before + 100


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "example.org", ""])
def test_only_loopback_is_listened_on(host: str) -> None:
    with pytest.raises(ValueError, match=r"can be reached from other machines.*--force"):
        EmulatorServer(host=host)


def test_more_than_loopback_needs_force() -> None:
    with EmulatorServer(host="0.0.0.0", force=True) as server:
        assert server.vault_urls["emulator"].startswith("https://127.0.0.1:")
        _put(server, "a", "one")


@pytest.mark.parametrize(("host", "shown"), [("localhost", "127.0.0.1"), ("127.0.0.2", "127.0.0.2"), ("::1", "[::1]")])
def test_loopback_has_many_addresses(host: str, shown: str) -> None:
    with EmulatorServer(host=host) as server:
        assert server.vault_urls["emulator"].startswith(f"https://{shown}:")
        _put(server, "a", "one")


def test_tokens_are_for_the_first_vaults_tenant() -> None:
    with EmulatorServer(vaults={"moved": {"tenant": "elsewhere"}}) as server:
        assert server.environment("workload")["AZURE_TENANT_ID"] == "elsewhere"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
def test_a_forked_child_that_exits_takes_nothing_with_it() -> None:
    source = """
import atexit, os, pathlib
from safekv.emulator import EmulatorServer
with EmulatorServer() as server:
    child = os.fork()
    if child == 0:
        atexit._run_exitfuncs()  # what the end of a process runs
        os._exit(0)
    os.waitpid(child, 0)
    print(pathlib.Path(server.ca_file).exists())
"""
    done = subprocess.run([sys.executable, "-c", source], capture_output=True, text=True, check=True)
    assert done.stdout == "True\n"


# The variables


def test_the_variables_for_a_managed_identity(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "example.org")
    with EmulatorServer(vaults=("one", "two")) as server:
        variables = server.environment()
        url = server.vault_urls["one"]
    assert [variables[name] for name in ("AZURE_KEY_VAULT_URL", "AZURE_KEYVAULT_URL", "VAULT_URL")] == [url] * 3
    assert variables["SAFEKV_EMULATOR_VAULTS"] == f"one={url},two={server.vault_urls['two']}"
    trusted = [variables[name] for name in ("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE", "CURL_CA_BUNDLE")]
    assert trusted == [server.ca_file] * 3
    assert variables["NO_PROXY"] == variables["no_proxy"] == "example.org,127.0.0.1,localhost"
    assert variables["IDENTITY_ENDPOINT"].startswith("http://127.0.0.1:")
    assert "AZURE_TENANT_ID" not in variables


def test_the_variables_for_a_workload_identity() -> None:
    with EmulatorServer() as server:
        variables = server.environment("workload")
        assert Path(variables["AZURE_FEDERATED_TOKEN_FILE"]).read_text().count(".") == 2
    assert variables["AZURE_TENANT_ID"] == EmulatorSettings().tenant
    assert variables["AZURE_AUTHORITY_HOST"].startswith("https://127.0.0.1:")
    assert "IDENTITY_ENDPOINT" not in variables


def test_another_way_to_get_tokens_is_unknown() -> None:
    with EmulatorServer() as server, pytest.raises(ValueError, match="'managed' or 'workload', not 'cli'"):
        server.environment("cli")


def test_the_variables_survive_a_shell() -> None:
    values = {"PLAIN": "value", "QUOTED": """it's "$HOME" `ls` \\ 50%"""}
    script = f'{render(values)}printf "%s|%s" "$PLAIN" "$QUOTED"'
    with os.popen(f"sh -c {_quoted(script)}") as shell:
        assert shell.read() == "value|" + values["QUOTED"]
    assert json.loads(render(values, "json")) == values


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"


# Beginning and end


def test_stopping_leaves_no_thread_no_socket_and_no_file() -> None:
    with EmulatorServer(vaults=("one", "two")) as server:
        _put(server, "a", "one", "one")
        directory = Path(server.ca_file).parent
        assert stat.S_IMODE(directory.stat().st_mode) == 0o700
        assert sorted(file.name for file in directory.iterdir()) == ["ca.pem", "federated-token"]
        assert b"PRIVATE" not in b"".join(file.read_bytes() for file in directory.iterdir())
        address = urlsplit(server.vault_urls["one"])
        idle = socket.create_connection((str(address.hostname), address.port))
        started = time.monotonic()
    assert time.monotonic() - started < 2
    idle.close()
    assert not directory.exists()
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("safekv")]
    gc.collect()  # an unclosed socket would be a ResourceWarning, and that an error
    server.stop()  # once more does nothing
    with pytest.raises(RuntimeError, match="started before"):
        server.start()


def test_a_server_that_never_started_holds_nothing() -> None:
    server = EmulatorServer()
    with pytest.raises(RuntimeError, match="has not been started"):
        _ = server.vault_urls
    server.stop()
    del server
    gc.collect()


def test_the_certificate_can_be_written_elsewhere_and_stays_there(tmp_path: Path) -> None:
    with EmulatorServer(ca_file=tmp_path / "ca.pem") as server:
        assert server.ca_file == str(tmp_path / "ca.pem")
        _put(server, "a", "one")
    assert (tmp_path / "ca.pem").read_bytes().startswith(b"-----BEGIN CERTIFICATE-----")


def test_no_private_key_can_be_found_in_temporary_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The key is on disk only while it is loaded, and encrypted then."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    seen: list[tuple[bytes, int, int]] = []
    load = ssl.SSLContext.load_cert_chain

    def spying(context: ssl.SSLContext, path: Path, **options: Any) -> None:
        seen.append((path.read_bytes(), path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777))
        load(context, path, **options)

    monkeypatch.setattr(ssl.SSLContext, "load_cert_chain", spying)
    with EmulatorServer():
        assert len(seen) == 2
        for content, mode, directory_mode in seen:
            assert b"BEGIN ENCRYPTED PRIVATE KEY" in content
            assert (mode, directory_mode) == (0o600, 0o700)
        assert not [file for file in tmp_path.rglob("*") if file.is_file() and b"PRIVATE" in file.read_bytes()]
    assert list(tmp_path.iterdir()) == []


# The state file


def test_contents_survive_a_restart(tmp_path: Path) -> None:
    state = tmp_path / "vaults.json"
    with EmulatorServer(vaults=("one", "two"), state=state) as server:
        _put(server, "a", "first", "one")
        _put(server, "b", "other", "two")
    assert stat.S_IMODE(state.stat().st_mode) == 0o600
    with EmulatorServer(vaults=("two", "one"), state=state) as server:
        assert (_value(server, "a", "one"), _value(server, "b", "two")) == ("first", "other")
    assert os.listdir(tmp_path) == ["vaults.json"]


def test_contents_are_saved_soon_after_a_change_and_not_for_every_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    replacements: list[Path] = []
    replace = os.replace
    monkeypatch.setattr(os, "replace", lambda old, new: (replacements.append(new), replace(old, new)))
    state = tmp_path / "vaults.json"
    emulator = Emulator()
    emulator.add_vault("one")
    file = StateFile(state, emulator, interval=0.2)
    file.start()
    for number in range(50):
        emulator.vaults["one.vault.azure.net"].set_secret("a", str(number))
        file.changed()
    deadline = time.monotonic() + 5
    while b'"49"' not in state.read_bytes():
        assert time.monotonic() < deadline
        time.sleep(0.01)
    time.sleep(0.5)
    file.changed()  # nothing really
    time.sleep(0.5)
    file.stop()
    assert len(replacements) == 2  # at the start, and once for all the changes


def test_a_state_file_that_is_damaged_is_refused_and_left_alone(tmp_path: Path) -> None:
    state = tmp_path / "vaults.json"
    with EmulatorServer(state=state) as server:
        _put(server, "a", "sEcReT")
    whole = state.read_bytes()
    for damaged in (b"", whole[:-5], b"{}", b"[1]", whole.replace(b'"version":1', b'"version":9'), b"\xff"):
        state.write_bytes(damaged)
        with pytest.raises(StateFileError, match=r"vaults\.json' cannot be used.*left as it is") as caught:
            EmulatorServer(state=state).start()
        assert "sEcReT" not in str(caught.value)
        assert state.read_bytes() == damaged
    gc.collect()


def test_a_state_file_with_other_vaults_is_refused(tmp_path: Path) -> None:
    state = tmp_path / "vaults.json"
    EmulatorServer(vaults=("other",), state=state).start().stop()
    with pytest.raises(StateFileError, match="other"):
        EmulatorServer(vaults=("emulator",), state=state).start()


def test_a_state_file_that_cannot_be_written_is_known_at_once(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="missing"):
        EmulatorServer(state=tmp_path / "missing" / "vaults.json").start()


def test_a_failed_save_leaves_the_old_file_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    state = tmp_path / "vaults.json"
    server = EmulatorServer(state=state).start()
    whole = state.read_bytes()
    _put(server, "a", "one")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        server.stop()
    assert state.read_bytes() == whole
    assert os.listdir(tmp_path) == ["vaults.json"]
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("safekv")]
