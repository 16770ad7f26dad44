"""How long an application waits for 100 secrets that it knows by name, and how many requests that is.

Each request takes 20 ms, as does a token; the vault is the emulator, in this process, for all of them in turn. Then a
nested model in a vault of 1,000 secrets, and whole processes with DefaultAzureCredential against the emulator's server.

    python -m pip install -e '.[pydantic,appconfig]'   # the peers; those that are missing are left out
    python -m benchmarks.startup                       # about a minute; --quick: the median of one round, not of three
"""

from __future__ import annotations

import math
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any
from unittest import mock

import azure.keyvault.secrets

import safekv
from benchmarks.figures import Figures, command
from safekv.config._request import CONCURRENCY
from safekv.connection import _registry
from safekv.emulator import EmulatorServer, EmulatorSettings, EmulatorTransport, Limits
from safekv.secrets import SecretClient
from safekv.testing import LocalCredential, LocalKeyVault

LATENCY, N, LARGE, FIFTY = 0.02, 100, 1_000, 50
NAMES = [f"setting-{number:03}" for number in range(N)]
Start = Callable[["World"], int]


class SlowTransport(EmulatorTransport):
    """The emulator, 20 ms away."""

    def send(self, request: Any, **options: Any) -> Any:
        time.sleep(LATENCY)
        return super().send(request, **options)


class SlowCredential(LocalCredential):
    def get_token_info(self, *scopes: str, **options: Any) -> Any:
        time.sleep(LATENCY)
        return super().get_token_info(*scopes, **options)


class World:
    """A vault for one start, in which nothing has been asked yet."""

    def __init__(self, secrets: int = N, name: str = "local") -> None:
        self.local = LocalKeyVault(settings=EmulatorSettings(limits=Limits(secret_create=None, other=None)))
        for number in range(secrets):
            self.local.set_secret(f"setting-{number:03}", "x" * 32)
        for secret in ("db--host", "db--password"):
            self.local.set_secret(secret, "x" * 32)
        self.url = self.local.url()
        self.credential = SlowCredential(self.local.emulator)
        self.transport = SlowTransport(self.local.emulator)

    def sdk(self) -> azure.keyvault.secrets.SecretClient:
        return azure.keyvault.secrets.SecretClient(self.url, self.credential, transport=self.transport)

    def ours(self) -> SecretClient:
        return SecretClient(self.url, self.credential, transport=self.transport)


def plain_loop(world: World) -> int:
    client = world.sdk()
    return len({name: client.get_secret(name).value for name in NAMES})


def threads_by_hand(world: World) -> int:
    client = world.sdk()
    with ThreadPoolExecutor(CONCURRENCY) as pool:
        return len(dict(zip(NAMES, pool.map(client.get_secret, NAMES), strict=True)))


def safekv_load(world: World) -> int:
    with world.ours() as client:
        return len(safekv.load(NAMES, vault=client))


def pydantic_source(world: World) -> int:
    return _settings(world, theirs=True, fields=dict.fromkeys((name.replace("-", "_") for name in NAMES), (str, ...)))


def safekv_source(world: World) -> int:
    return _settings(world, theirs=False, fields=dict.fromkeys((name.replace("-", "_") for name in NAMES), (str, ...)))


def app_configuration(world: World) -> int:
    """Its resolver of references alone: no request to App Configuration is counted."""
    from azure.appconfiguration import SecretReferenceConfigurationSetting
    from azure.appconfiguration.provider._key_vault._secret_provider import SecretProvider

    configs = {f"{world.url}/": {"transport": world.transport}, world.url: {"transport": world.transport}}
    provider = SecretProvider(keyvault_credential=world.credential, keyvault_client_configs=configs)
    settings = [SecretReferenceConfigurationSetting(name, f"{world.url}/secrets/{name}") for name in NAMES]
    return len([provider.resolve_keyvault_reference(each) for each in settings])


def nested(world: World, theirs: bool) -> int:
    from pydantic import create_model

    return _settings(world, theirs, {"db": (create_model("Database", host=(str, ...), password=(str, ...)), ...)})


def _settings(world: World, theirs: bool, fields: dict[str, Any]) -> int:
    """Settings with these fields, from one source."""
    from pydantic import create_model
    from pydantic_settings import AzureKeyVaultSettingsSource, BaseSettings, SettingsConfigDict

    class Base(BaseSettings):
        model_config = SettingsConfigDict(hide_input_in_errors=True)

        @classmethod
        def settings_customise_sources(cls, settings_cls: Any, **_: Any) -> Any:
            if not theirs:
                return (safekv.SettingsSource(settings_cls, client),)
            return (
                AzureKeyVaultSettingsSource(
                    settings_cls,
                    world.url,
                    world.credential,
                    dash_to_underscore=True,
                ),
            )

    sdk = world.sdk()
    with mock.patch("azure.keyvault.secrets.SecretClient", return_value=sdk), world.ours() as client:
        made = create_model("Settings", __base__=Base, **fields)
        return len(made().model_dump())


STARTS: dict[str, Start] = {
    "plain loop of the SDK": plain_loop,
    "pydantic-settings' AzureKeyVaultSettingsSource": pydantic_source,
    "App Configuration provider's resolver": app_configuration,
    f"{CONCURRENCY} threads by hand, one client": threads_by_hand,
    "safekv.load": safekv_load,
    "safekv.SettingsSource": safekv_source,
}


def measured(start: Start, rounds: int, secrets: int = N) -> tuple[float, int]:
    """The median of seconds, and the requests of one start."""
    times, requests = [], 0
    for _ in range(rounds):
        world = World(secrets)
        before = _registry.replace(_registry.Registry())
        began = time.perf_counter()
        start(world)
        times.append(time.perf_counter() - began)
        _registry.replace(before)
        requests = len(world.local.journal)
    return statistics.median(times), requests


SDK_PROGRAM = """
import os
from azure.identity import DefaultAzureCredential
from azure.keyvault.secrets import SecretClient
client = SecretClient(os.environ["AZURE_KEY_VAULT_URL"], DefaultAzureCredential())
values = {name: client.get_secret(name).value for name in [f"setting-{number:03}" for number in range(50)]}
"""
OUR_PROGRAM = """
import safekv
values = safekv.load([f"setting-{number:03}" for number in range(50)])
"""


def processes(rounds: int) -> dict[str, float]:
    """Seconds from the start of a process to 50 secrets, over TLS, with imports and DefaultAzureCredential."""
    settings = EmulatorSettings(limits=Limits(secret_create=None, other=None))
    times: dict[str, list[float]] = {}
    from safekv.emulator import Emulator

    with EmulatorServer(Emulator(settings=settings), vaults=("one",)) as server:
        (vault,) = server.emulator.vaults.values()
        for name in NAMES[:FIFTY]:
            vault.set_secret(name, "x" * 32)
        server.emulator.fail(operation="get_secret", delay=LATENCY, count=None)
        for _ in range(rounds):
            for name, program in {"imports alone": _IMPORTS, "the SDK": SDK_PROGRAM, "safekv": OUR_PROGRAM}.items():
                began = time.perf_counter()
                subprocess.run(
                    [sys.executable, "-c", program], env={**os.environ, **server.environment()}, check=True, timeout=60
                )
                times.setdefault(name, []).append(time.perf_counter() - began)
    return {name: statistics.median(each) for name, each in times.items()}


_IMPORTS = "import azure.identity, azure.keyvault.secrets"


def measure(quick: bool) -> Figures:
    rounds = 1 if quick else 3
    ideal = (2 + math.ceil(N / CONCURRENCY)) * LATENCY
    figures = Figures()
    starts: dict[str, tuple[float, int]] = {}
    for name, start in STARTS.items():
        with suppress(ModuleNotFoundError):  # left out
            starts[name] = measured(start, rounds)
    rows: list[tuple[Any, ...]] = [
        (name, seconds, requests, seconds / ideal) for name, (seconds, requests) in starts.items()
    ]
    title = f"{N} known secrets, {LATENCY * 1000:.0f} ms for a request and for a token"
    note = f"The ideal for {CONCURRENCY} at once is {ideal:.3f} s."
    figures.table("starts", title, ("seconds", "requests", "× the ideal"), rows, bars="seconds", note=note)
    seconds = starts["safekv.load"][0]
    figures.claim("ideal", f"safekv.load of {N} secrets: time against the ideal", seconds / ideal, goal=1.25, unit="×")
    for peer, short in zip(list(STARTS)[:3], ("loop", "pydantic", "appconfig"), strict=True):
        value = starts[peer][0] / seconds if peer in starts else None
        what = f"safekv.load of {N} secrets: times as fast as the {peer}".replace("the pyd", "pyd").replace(
            "the App", "App"
        )
        figures.claim(f"against-{short}", what, value, goal=10, least=True, unit="×", peer=peer)
    model(figures)
    whole(figures, rounds)
    return figures


def model(figures: Figures) -> None:
    rows: list[tuple[Any, ...]] = []
    for name, theirs in (("pydantic-settings' source", True), ("safekv.SettingsSource", False)):
        with suppress(ModuleNotFoundError):
            rows.append((name, *measured(lambda world, theirs=theirs: nested(world, theirs), 1, LARGE)))
    title = f"A nested model of two secrets, in a vault of {LARGE:,}"
    figures.table("model", title, ("seconds", "requests"), rows)
    value = rows[-1][2] if rows else None
    what = f"a model of two secrets in a vault of {LARGE:,}: requests"
    figures.claim("model", what, value, goal=3, peer="pydantic-settings")


def whole(figures: Figures, rounds: int) -> None:
    taken = processes(rounds)
    title = f"From the start of a process to {FIFTY} secrets, over TLS with DefaultAzureCredential"
    figures.table("process", title, ("seconds",), taken.items(), bars="seconds")
    what = f"from the start of a process to {FIFTY} secrets: times as fast as the SDK"
    figures.claim("process", what, taken["the SDK"] / taken["safekv"], goal=1.0, least=True, unit="×", peer="the SDK")


if __name__ == "__main__":
    command(measure, __doc__)
