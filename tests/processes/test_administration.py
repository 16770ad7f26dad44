"""The administration of a Managed HSM in real processes: forked, without its extra, and on a clock that runs."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap

import pytest

from safekv._clock import VirtualClock
from safekv.emulator import Emulator, EmulatorServer, EmulatorSettings

pytestmark = pytest.mark.sockets

MISSING = """
import sys
sys.modules["azure.keyvault.administration"] = None
from safekv.errors import MissingPackage
for module in ("safekv.administration", "safekv.administration.aio"):
    try:
        __import__(module)
    except MissingPackage as error:
        assert "pip install 'safekv[administration]'" in str(error), error
        assert isinstance(error, ModuleNotFoundError)
    else:
        raise AssertionError("it was imported")
import safekv
assert safekv.Vault.__doc__
"""
OLD = """
import azure.keyvault.administration as package
package.__version__ = "4.7.1"
from safekv.errors import UnsupportedVersion
try:
    import safekv.administration
except UnsupportedVersion as error:
    assert "needs 4.7.2 or newer" in str(error), error
else:
    raise AssertionError("it was imported")
"""
USED = """
import asyncio, os
from safekv.administration import KeyVaultAccessControlClient, KeyVaultBackupClient
from safekv.administration.aio import KeyVaultBackupClient as AsyncBackupClient

roles = KeyVaultAccessControlClient()
backups = KeyVaultBackupClient()
CONTAINER = "https://account.blob.core.windows.net/backups"

def use():
    assert len(list(roles.list_role_definitions("/"))) == 10

use()
pid = os.fork()
if pid == 0:
    code = 1
    try:
        use()
        assert backups.begin_backup(CONTAINER, use_managed_identity=True, _polling_interval=0.2).result(30).folder_url
        code = 0
    finally:
        os._exit(code)
use()
assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0

async def main():
    async with AsyncBackupClient() as client:
        poller = await client.begin_backup(CONTAINER, use_managed_identity=True, _polling_interval=0.2)
        return await poller.result()

assert asyncio.run(main()).folder_url
"""


def run(program: str, variables: dict[str, str] | None = None) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", textwrap.dedent(program)],
        env={**os.environ, **(variables or {})},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, ""), done.stderr


def test_without_the_extra_it_says_what_to_install() -> None:
    run(MISSING)


def test_an_old_package_is_refused() -> None:
    pytest.importorskip("azure.keyvault.administration")
    run(OLD)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork on this system")
def test_a_child_goes_on_and_a_backup_takes_real_time() -> None:
    pytest.importorskip("azure.keyvault.administration")
    emulator = Emulator(clock=VirtualClock(running=True), settings=EmulatorSettings(backup_delay=0.5))
    with EmulatorServer(emulator, vaults={"pool": {"hsm": True}}) as server:
        run(USED, server.environment())
        begun = [entry for entry in server.emulator.journal if entry.operation == "backup" and entry.status == 202]
        assert len(begun) == 2
