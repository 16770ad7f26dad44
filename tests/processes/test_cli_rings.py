"""``safekv keyring``, ``encrypt`` and ``decrypt`` as users run them, against the emulator's TLS server."""

from __future__ import annotations

import json
import os
import re
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from safekv.emulator import EmulatorServer, EmulatorTransport
from safekv.envelope import KeyRing
from safekv.keys import KeyClient
from safekv.keys.crypto import CryptographyClient
from safekv.testing import LocalCredential

pytestmark = pytest.mark.sockets

CONTENT = os.urandom(3_000_000)


class Shell:
    """Runs ``safekv`` in a directory of its own."""

    def __init__(self, server: EmulatorServer, here: Path) -> None:
        self.here, self.urls, self._server = here, server.vault_urls, server
        self.one, self.two = (f"{self.urls[name]}/keys/app-kek" for name in ("one", "two"))

    def __call__(self, *arguments: str, code: int = 0, stdin: bytes = b"", **variables: str) -> Any:
        done = subprocess.run(
            [sys.executable, "-W", "error", "-m", "safekv", *arguments],
            cwd=self.here,
            env={**os.environ, **self._server.environment(), **variables},
            input=stdin,
            capture_output=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == code, done.stderr.decode() + done.stdout.decode()
        assert b"Traceback" not in done.stderr
        assert CONTENT[:40] not in done.stderr
        return done


@pytest.fixture(scope="module")
def vaults() -> Iterator[EmulatorServer]:
    with EmulatorServer(vaults=("one", "two")) as running:
        credential, transport = LocalCredential(running.emulator), EmulatorTransport(running.emulator)
        for url in running.vault_urls.values():
            with KeyClient(url, credential, transport=transport) as client:
                client.create_rsa_key("app-kek", size=2048)
                client.create_ec_key("signer")
        yield running


@pytest.fixture
def shell(vaults: EmulatorServer, tmp_path: Path) -> Shell:
    return Shell(vaults, tmp_path)


@pytest.fixture(scope="module")
def text(vaults: EmulatorServer) -> str:
    """A ring that the keys in both vaults open."""
    credential, transport = LocalCredential(vaults.emulator), EmulatorTransport(vaults.emulator)
    keks = [f"{url}/keys/app-kek" for url in vaults.vault_urls.values()]
    return KeyRing.create(*(CryptographyClient(kek, credential, transport=transport) for kek in keks)).to_json()


@pytest.fixture
def ring(shell: Shell, text: str) -> None:
    (shell.here / "app.ring").write_text(text)


def test_the_life_of_a_ring(shell: Shell) -> None:
    shell("keyring", "create", "app.ring", "--kek", shell.one, "--sign-with", f"{shell.urls['one']}/keys/signer")
    assert stat.S_IMODE((shell.here / "app.ring").stat().st_mode) == 0o600
    first = (shell.here / "app.ring").read_text()
    again = shell("keyring", "create", "app.ring", "--kek", shell.one, code=1).stderr.decode()
    assert "'safekv keyring add-key app.ring'" in again
    assert (shell.here / "app.ring").read_text() == first
    signed = ("keyring", "verify", "app.ring", "--signed-by", f"{shell.urls['one']}/keys/signer")
    assert re.search(r"ok .*app-kek.*: 2 data keys\n.*signed by", shell(*signed).stdout.decode())
    (shell.here / "plain").write_bytes(CONTENT)
    shell("encrypt", "plain", "--ring", "app.ring")
    assert len(shell("keyring", "add-key", "app.ring").stdout.split()) == 2
    assert (
        "sign it again" in shell("keyring", "rewrap", "app.ring", "--to", shell.two, "--to", shell.one).stderr.decode()
    )
    assert "has not signed" in shell(*signed, code=1).stdout.decode()
    shown = json.loads(shell("keyring", "show", "app.ring", "--keys", "--json").stdout)
    assert [it["key"].rpartition("/")[0] for it in shown["recipients"]] == [shell.two, shell.one]
    assert [bool(key["retired"]) for key in shown["keys"]] == [True, True, False, False]
    assert not any(key["due"] for key in shown["keys"])
    done = shell("decrypt", "plain.safekv", "-o", "back", "--ring", "app.ring", "--kek", shell.two)
    assert (shell.here / "back").read_bytes() == CONTENT
    assert re.fullmatch(
        r"1 file decrypted: 3,000,000 bytes in [\d.]+ s, [\d,]+ MB/s, 1 vault call\n", done.stderr.decode()
    )


def test_of_commands_that_make_a_ring_at_once_one_succeeds(shell: Shell) -> None:
    command = [sys.executable, "-m", "safekv", "keyring", "create", "app.ring", "--kek", shell.one]
    environment = {**os.environ, **shell._server.environment()}
    running = [
        subprocess.Popen(command, cwd=shell.here, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        for _ in range(3)
    ]
    said = [each.communicate(timeout=60)[1].decode() for each in running]
    assert sorted(each.returncode for each in running) == [0, 1, 1], said
    assert sum("app.ring exists; what its keys encrypted" in text for text in said) == 2
    assert _files(shell.here) == ["app.ring"]


def test_pipes(shell: Shell, ring: None) -> None:
    options = ("--ring", "app.ring", "--aad", "dump|1")
    sealed = shell("encrypt", "-", *options, stdin=CONTENT).stdout
    (shell.here / "sealed").write_bytes(sealed)
    assert shell("decrypt", "sealed", "-o", "-", *options).stdout == CONTENT
    wrong = shell("decrypt", "-", "--ring", "app.ring", "--aad", "dump|2", stdin=sealed, code=1)
    assert wrong.stdout == b""
    assert "aad" in wrong.stderr.decode()
    assert shell("decrypt", "-", *options, stdin=sealed[:-1], code=1).stdout in CONTENT  # genuine, as far as it goes
    shell("decrypt", "-", "-o", "back", *options, stdin=sealed)
    assert (shell.here / "back").read_bytes() == CONTENT


def test_a_file_with_its_ring_needs_the_vault_alone(shell: Shell, ring: None, vaults: EmulatorServer) -> None:
    (shell.here / "data").mkdir()
    for name in ("a", "b"):
        (shell.here / "data" / name).write_bytes(name.encode() * 1000)
    shell("encrypt", "-r", "data", "-o", "sealed", "--ring", "app.ring", "--embed-ring")
    shell("encrypt", "data/a", "-o", "bare.safekv", "--ring", "app.ring")
    (shell.here / "app.ring").unlink()
    done = shell("decrypt", "-r", "sealed", "-o", "back", "--kek", shell.two).stderr.decode()
    assert re.match(r"2 files decrypted: 2,000 bytes in .* 1 vault call$", done)
    assert (shell.here / "back" / "b").read_bytes() == b"b" * 1000
    sealed = (shell.here / "sealed" / "a.safekv").read_bytes()
    assert shell("decrypt", "-", stdin=sealed).stdout == b"a" * 1000  # in the vault of AZURE_KEY_VAULT_URL
    assert "bare.safekv has no ring in it" in shell("decrypt", "bare.safekv", "-o", "x", code=1).stderr.decode()
    assert "Missing option '--ring'" in shell("encrypt", "data/a", code=2).stderr.decode()
    for arguments in (("sealed/a.safekv", "-o", "x"), ("-",)):
        since = len(vaults.emulator.journal)
        third = shell.one.replace("app-kek", "other")
        refused = shell("decrypt", *arguments, "--kek", third, stdin=sealed, code=1).stderr.decode()
        assert "none of which is allowed" in refused
        assert not [entry for entry in list(vaults.emulator.journal)[since:] if "app-kek" in entry.path]
    assert not (shell.here / "x").exists()


def test_directories(shell: Shell, ring: None) -> None:
    for number, name in enumerate(("data/a", "data/b/c", "data/b/d.safekv")):
        path = shell.here / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(bytes([number]) * 1000)
    (shell.here / "data" / "link").symlink_to("/etc/hostname")
    options = ("--recursive", "--ring", "app.ring")
    assert "2 files encrypted: 2,000 bytes" in shell("encrypt", "data", "-o", "out", *options).stderr.decode()
    assert _files(shell.here / "out") == ["a.safekv", "b/c.safekv"]
    broken = shell.here / "out" / "a.safekv"
    broken.write_bytes(broken.read_bytes()[:-1])
    done = shell("decrypt", "out", "-o", "back", *options, code=1).stderr.decode()
    assert "out/a.safekv" in done
    assert "1 file decrypted: 1,000 bytes" in done
    assert _files(shell.here / "back") == ["b/c"]
    assert (shell.here / "back/b/c").read_bytes() == b"\1" * 1000


def test_another_vault_stands_in(shell: Shell, ring: None, vaults: EmulatorServer) -> None:
    (shell.here / "plain").write_bytes(b"data")
    fault = vaults.emulator.fail(vault="one", status=503, count=None)
    try:
        shell("encrypt", "plain", "--ring", "app.ring", "--kek", shell.one, "--kek", shell.two)
        verified = shell("keyring", "verify", "app.ring", "--kek", shell.one, "--kek", shell.two, code=1)
        assert re.search(r"FAILED .*(?s:.*)ok ", verified.stdout.decode())
    finally:
        fault.remove()


#: What is said without the usage: the line is right, and something is in its way.
NO_MISTAKES = (
    "nothing: No such file",
    "Error: old exists; --force replaces it.",
    "Records (of encrypt, encrypt_many and columns) are decrypted one by one",
    "'plain': This is no key ring",
    "The key ring nope: No such file or directory.",
    "is not the id of a key",
)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("encrypt", "data"), "--recursive"),
        (("encrypt", "nothing"), "nothing: No such file"),
        (("encrypt", "plain", "other", "-o", "-"), "one stream"),
        (("encrypt", "plain", "other", "-o", "old"), "no directory"),
        (("encrypt", "plain", "-o", "old"), "Error: old exists; --force replaces it."),
        (("encrypt", "plain", "-o", "plain", "--force"), "cannot replace itself"),
        (("encrypt", "plain", "data/plain", "-o", "data"), "Two files would become"),
        (("decrypt", "plain"), "does not end with .safekv"),
        (("decrypt", "plain", "-o", "new"), "Records (of encrypt, encrypt_many and columns) are decrypted one by one"),
        (("encrypt", "plain", "--ring", "plain"), "'plain': This is no key ring"),
        (("encrypt", "plain", "--ring", "nope"), "The key ring nope: No such file or directory."),
        (("keyring", "show", "plain"), "'plain': This is no key ring"),
        (("encrypt", "plain", "--kek", "app-kek"), "is not the id of a key"),
    ],
)
def test_what_cannot_be_done_is_said_at_once(
    shell: Shell, ring: None, arguments: tuple[str, ...], message: str
) -> None:
    (shell.here / "data").mkdir()
    for name in ("plain", "other", "old", "data/plain"):
        (shell.here / name).write_bytes(b"data")
    before = _files(shell.here)
    from click.testing import CliRunner

    from safekv.cli import main

    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(shell.here)
        for name, value in shell._server.environment().items():
            patch.setenv(name, value)
        patch.setenv("SAFEKV_RING", "app.ring")
        done = CliRunner().invoke(main, arguments)
    assert done.exit_code == (2 if "Usage:" in done.output else 1), done.output
    assert ("Usage:" in done.output) == (message not in NO_MISTAKES), done.output
    assert message in " ".join(done.output.split())
    assert _files(shell.here) == before
    assert (shell.here / "old").read_bytes() == b"data"


def test_a_terminal_is_shown_how_far_it_is(shell: Shell, ring: None) -> None:
    (shell.here / "plain").write_bytes(CONTENT)
    ours, theirs = pytest.importorskip("pty").openpty()
    command = [sys.executable, "-m", "safekv", "encrypt", "plain", "--ring", "app.ring"]
    environment = {**os.environ, **shell._server.environment(), "TERM": "xterm"}
    process = subprocess.Popen(command, cwd=shell.here, env=environment, stdout=theirs, stderr=theirs)
    os.close(theirs)
    shown = b""
    while True:
        try:
            more = os.read(ours, 65536)
        except OSError:
            break
        if not more:
            break
        shown += more
    os.close(ours)
    assert process.wait() == 0
    assert b"plain" in shown
    assert b"MB" in shown
    assert b"1 file encrypted" in shown


def _files(directory: Path) -> list[str]:
    return sorted(str(path.relative_to(directory)) for path in directory.rglob("*") if path.is_file())


def test_nobody_reads_on(shell: Shell, ring: None) -> None:
    (shell.here / "data").write_bytes(CONTENT)
    shell("encrypt", "data", "--ring", "app.ring")
    line = f"{sys.executable} -m safekv decrypt data.safekv -o - | head -c 3 | wc -c"
    variables = {**os.environ, **shell._server.environment(), "SAFEKV_RING": "app.ring"}
    done = subprocess.run(line, shell=True, cwd=shell.here, env=variables, capture_output=True, timeout=60, check=True)
    assert (done.stdout.strip(), done.stderr) == (b"3", b"")


def test_links_that_are_left_out_are_told(shell: Shell, ring: None) -> None:
    (shell.here / "d" / "below").mkdir(parents=True)
    (shell.here / "d" / "file").write_bytes(b"x")
    (shell.here / "d" / "link").symlink_to("file")
    (shell.here / "d" / "folder").symlink_to("below")
    said = shell("encrypt", "-r", "d", "-o", "out", "--ring", "app.ring").stderr.decode()
    assert "link is a link, and is left out." in said
    assert "folder is a link, and is left out." in said


def test_a_target_that_cannot_be_written_is_named_as_it_was_given(shell: Shell, ring: None) -> None:
    (shell.here / "data").write_bytes(b"x")
    for arguments in (
        ("encrypt", "data", "-o", "/proc/absent", "--ring", "app.ring"),
        ("keyring", "create", "/proc/absent", "--kek", shell.one),
    ):
        said = shell(*arguments, code=1).stderr.decode()
        assert "/proc/absent: No such file or directory" in said
        assert ".tmp" not in said


def test_a_file_is_named_once(shell: Shell, ring: None) -> None:
    said = shell("encrypt", "absent", "--ring", "app.ring", code=1).stderr.decode()
    assert said.startswith("Error: absent: No such file or directory")
