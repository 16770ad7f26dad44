"""A process that is killed while it writes a file leaves none of what was in it."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from safekv.envelope import _replacing

PROGRAM = """
import os, signal, sys
from cryptography.hazmat.primitives.keywrap import aes_key_unwrap, aes_key_wrap
from safekv.envelope import Encryptor, KeyRing, Wrapped, _replacing

if sys.argv[1] == "named":
    _replacing._UNNAMED = 0

class Kek:
    def wrap(self, key):
        return Wrapped("A256KW", "https://local.example/keys/kek/1", aes_key_wrap(bytes(32), key))

    def unwrap(self, algorithm, kid, encrypted_key):
        return aes_key_unwrap(bytes(32), encrypted_key)

box = Encryptor(KeyRing.create(Kek()))
box.encrypt_file("plain", "sealed")
os.unlink("plain")

def stop(done, total):
    assert done
    os.kill(os.getpid(), signal.SIGKILL)

box.decrypt_file("sealed", "plain", progress=stop)
"""


def files_after(how: str, directory: Path) -> list[Path]:
    (directory / "plain").write_bytes(b"something that must not lie about" * 100_000)
    done = subprocess.run([sys.executable, "-c", PROGRAM, how], cwd=directory, timeout=60, check=False)
    assert done.returncode == -signal.SIGKILL
    return sorted(directory.iterdir())


@pytest.mark.skipif(sys.platform != "linux", reason="files without a name are Linux's")
def test_nothing_is_left(tmp_path: Path) -> None:
    if _replacing._unnamed(tmp_path) is None:
        pytest.skip("this file system has no files without a name")
    assert files_after("unnamed", tmp_path) == [tmp_path / "sealed"]


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL")
def test_elsewhere_a_file_is_left_for_its_owner_alone(tmp_path: Path) -> None:
    left, sealed = files_after("named", tmp_path)
    assert sealed == tmp_path / "sealed"
    assert left.name.startswith(".plain.")
    assert left.name.endswith(".tmp")
    assert left.stat().st_mode & 0o777 == 0o600
