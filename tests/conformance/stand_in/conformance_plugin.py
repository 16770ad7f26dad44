"""A pytest plugin around Microsoft's unmodified tests: a vault to talk to, and the classes to try.

It is loaded by name, in a process of its own (see ``suite.py``), before any test module is
imported. From the environment: ``SAFEKV_CONFORMANCE`` is the flavour, ``sdk`` or ``safekv``;
``SAFEKV_CONFORMANCE_REPORT`` is the file for the outcomes, one JSON object a line.
"""

from __future__ import annotations

import asyncio
import importlib
import json
import os
import time
from pathlib import Path
from typing import Any

import attestation
import pytest
from devtools_testutils import test_proxy  # noqa: F401  (a fixture: not every package imports it)
from OpenSSL.crypto import write_authority

from safekv._clock import VirtualClock
from safekv.emulator import Emulator, EmulatorServer, EmulatorSettings, Limits
from safekv.emulator._identity import IdentitySettings
from safekv.emulator._settings import LIMIT_CLASSES

REPLACED = {
    "azure.identity": "safekv.identity",
    "azure.identity.aio": "safekv.identity.aio",
    "azure.keyvault.secrets": "safekv.secrets",
    "azure.keyvault.secrets.aio": "safekv.secrets.aio",
    "azure.keyvault.keys": "safekv.keys",
    "azure.keyvault.keys.aio": "safekv.keys.aio",
    "azure.keyvault.keys.crypto": "safekv.keys.crypto",
    "azure.keyvault.keys.crypto.aio": "safekv.keys.crypto.aio",
    "azure.keyvault.certificates": "safekv.certificates",
    "azure.keyvault.certificates.aio": "safekv.certificates.aio",
    "azure.keyvault.administration": "safekv.administration",
    "azure.keyvault.administration.aio": "safekv.administration.aio",
}


def pytest_configure(config: pytest.Config) -> None:
    flavour = os.environ["SAFEKV_CONFORMANCE"]
    write_authority(config.rootpath)
    config.pluginmanager.register(Conformance(config, flavour), "conformance")


class Conformance:
    """One run: starts the emulator, replaces the classes if told to, and writes down what happened."""

    def __init__(self, config: pytest.Config, flavour: str) -> None:
        self._report = Path(os.environ["SAFEKV_CONFORMANCE_REPORT"]).open("w", encoding="utf-8")  # noqa: SIM115
        # The tests set hundreds of secrets in a second, and are not about throttling.
        limits = Limits(**dict.fromkeys(LIMIT_CLASSES), managed_hsm=None)
        clock = VirtualClock(running=True)
        # Some look whether a backup is still under way, while another thread has its clock run.
        emulator = Emulator(clock=clock, settings=EmulatorSettings(limits=limits, backup_delay=1_000.0))
        # Sleeping moves only the emulator's clock: with tokens of an hour, those who ask again when
        # their own clock says so would be late.
        identity = IdentitySettings(tenant=emulator.settings.tenant, token_lifetime=30 * 86_400)
        vaults: dict[str, Any] = {"emulator": {}, "hsm": {"hsm": True}}
        self._server = EmulatorServer(emulator, vaults=vaults, identity=identity).start()
        self._attestation = attestation.serve()
        self._patch = pytest.MonkeyPatch()
        for name, value in {**self._server.environment(), **self._of_keys(), **_of_administration()}.items():
            self._patch.setenv(name, value)
        self._sleep_on(clock)
        if flavour == "safekv":
            replace_classes(self._patch)

    def _of_keys(self) -> dict[str, str]:
        """What only the tests of keys ask for."""
        return {
            "AZURE_MANAGEDHSM_URL": self._server.vault_urls["hsm"],
            "AZURE_KEYVAULT_ATTESTATION_URL": attestation.url(self._attestation),
            "KEYVAULT_SKU": "premium",
        }

    def _sleep_on(self, clock: VirtualClock) -> None:
        """Whoever sleeps in this process moves the emulator's clock instead of waiting."""
        yield_to_others = asyncio.sleep

        async def sleep(delay: float, result: Any = None) -> Any:
            clock.advance(max(0.0, delay))
            return await yield_to_others(0, result)

        self._patch.setattr(time, "sleep", clock.advance)
        self._patch.setattr(asyncio, "sleep", sleep)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when == "call" or report.outcome != "passed":
            self._write(test=report.nodeid, outcome=report.outcome, why=_why(report))

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.outcome != "passed":
            self._write(test=report.nodeid, outcome=report.outcome, why=_why(report))

    def pytest_unconfigure(self) -> None:
        self._patch.undo()
        requests = list(self._server.emulator.journal)
        self._server.stop()
        self._attestation.shutdown()
        self._attestation.server_close()
        tokens = sum(self._server.identity.requests.values())
        challenges = sum(entry.status == 401 for entry in requests)
        self._write(requests=len(requests), challenges=challenges, tokens=tokens, connections=self._server.connections)
        self._report.close()

    def _write(self, **line: Any) -> None:
        self._report.write(json.dumps(line) + "\n")
        self._report.flush()


def _of_administration() -> dict[str, str]:
    """What only the tests of administration ask for. The emulator has no blob service, and asks for none."""
    return {
        "BLOB_STORAGE_URL": "https://account.blob.core.windows.net",
        "BLOB_CONTAINER_NAME": "backups",
        "BLOB_STORAGE_SAS_TOKEN": "sv=2025-01-05&sig=not-a-real-one",
        "MANAGED_IDENTITY_CLIENT_ID": "00000000-0000-0000-0000-00000000c0de",
    }


def replace_classes(patch: pytest.MonkeyPatch) -> None:
    """Put safekv's public names in the place of the SDK's, as changing the imports does."""
    pairs = [(importlib.import_module(theirs), importlib.import_module(ours)) for theirs, ours in REPLACED.items()]
    # All are looked up before the first is replaced: safekv's classes are made from the SDK's.
    names = [(theirs, name, getattr(ours, name)) for theirs, ours in pairs for name in theirs.__all__]
    for theirs, name, value in names:
        if name.endswith("Client") and value is getattr(theirs, name):
            raise pytest.UsageError(f"safekv has no {name} of its own for {theirs.__name__}: nothing is tried")
    for theirs, name, value in names:
        patch.setattr(theirs, name, value)


def _why(report: pytest.TestReport | pytest.CollectReport) -> str:
    if isinstance(report.longrepr, tuple):
        return str(report.longrepr[2])
    crash = getattr(report.longrepr, "reprcrash", None)
    return str(crash.message if crash else report.longrepr or "")
