"""What safekv costs beside the SDK, for reads that nothing answers but the vault.

CPU time of this process per ``get_secret``, the two clients in turn, so that a machine that
gets slower gets slower for both: the ratio of each pair of rounds counts, and its median is
what is printed. The vault is the emulator: over TLS in a process of its own, and in this
process. Then the memory of 1,000 constructed clients of one vault.

    python -m benchmarks.overhead            # about a minute
    python -m benchmarks.overhead --quick    # a few seconds, for a look
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import statistics
import time
import tracemalloc
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import azure.keyvault.secrets
import azure.keyvault.secrets.aio

import safekv.secrets
import safekv.secrets.aio
from benchmarks.emulator import emulator_process
from safekv.emulator import EmulatorSettings, Limits
from safekv.identity import DefaultAzureCredential
from safekv.testing import LocalKeyVault

NAME = "benchmark"
Work = Callable[[int], None]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="few rounds: a look, not a measurement")
    quick = parser.parse_args().quick
    rounds, calls = (4, 25) if quick else (30, 100)
    print(f"{'':34}{'SDK µs':>9}{'safekv µs':>11}{'ratio':>8}   (min … max of {rounds} pairs)")
    with emulator_process("other=none", "secret_create=none") as url:
        credential = DefaultAzureCredential()
        sdk = azure.keyvault.secrets.SecretClient(url, credential)
        ours = safekv.secrets.SecretClient(url, credential, cache=None)
        ours.set_secret(NAME, "some value that is read again and again")
        compare("TLS, one thread", sequential(sdk), sequential(ours), rounds, calls)
        compare("TLS, 16 threads", threaded(sdk, 16), threaded(ours, 16), rounds, calls * 2)
        asyncio_compare(url, credential, rounds, calls)
    local = LocalKeyVault(settings=EmulatorSettings(limits=Limits(secret_create=None, other=None)))
    local.set_secret(NAME, "some value")
    sdk = azure.keyvault.secrets.SecretClient(local.url(), local.credential(), transport=local.transport())
    compare("in process (no sockets)", sequential(sdk), sequential(local.vault(cache=None).secrets), rounds, calls * 2)
    print_memory()


def sequential(client: Any) -> Work:
    def work(calls: int) -> None:
        for _ in range(calls):
            client.get_secret(NAME)

    return work


def threaded(client: Any, threads: int) -> Work:
    pool = ThreadPoolExecutor(threads)

    def work(calls: int) -> None:
        for _ in pool.map(lambda _: client.get_secret(NAME), range(calls)):
            pass

    return work


def asyncio_compare(url: str, credential: Any, rounds: int, calls: int) -> None:
    """Both aio clients in one loop, 16 tasks at a time."""
    loop = asyncio.new_event_loop()
    sdk = azure.keyvault.secrets.aio.SecretClient(url, AsyncFace(credential))
    ours = safekv.secrets.aio.SecretClient(url, credential, cache=None)

    def tasks(client: Any) -> Work:
        async def batch(calls: int) -> None:
            for _ in range(calls // 16 + 1):
                await asyncio.gather(*(client.get_secret(NAME) for _ in range(16)))

        return lambda calls: loop.run_until_complete(batch(calls))

    compare("TLS, aio, 16 tasks", tasks(sdk), tasks(ours), rounds, calls * 2, per=lambda calls: (calls // 16 + 1) * 16)
    loop.run_until_complete(sdk.close())
    loop.run_until_complete(ours.close())
    loop.run_until_complete(loop.shutdown_asyncgens())
    loop.close()


class AsyncFace:
    """The same tokens for the SDK's aio client, which takes async credentials only."""

    def __init__(self, credential: Any) -> None:
        self._credential = credential

    async def get_token_info(self, *scopes: str, options: Any = None) -> Any:
        return self._credential.get_token_info(*scopes, options=options)

    async def get_token(self, *scopes: str, **options: Any) -> Any:
        return self._credential.get_token(*scopes, **options)

    async def close(self) -> None:
        """Nothing to close."""


def compare(
    label: str, sdk: Work, ours: Work, rounds: int, calls: int, per: Callable[[int], int] = lambda calls: calls
) -> None:
    sdk(10)
    ours(10)
    theirs_us, ours_us = [], []
    for number in range(rounds):
        pair = [(sdk, theirs_us), (ours, ours_us)]
        for work, figures in pair if number % 2 else reversed(pair):
            gc.collect()
            started = time.process_time()
            work(calls)
            figures.append((time.process_time() - started) / per(calls) * 1e6)
    ratios = sorted(mine / theirs for mine, theirs in zip(ours_us, theirs_us, strict=True))
    print(
        f"{label:34}{statistics.median(theirs_us):9.0f}{statistics.median(ours_us):11.0f}"
        f"{statistics.median(ratios):8.2f}   ({ratios[0]:.2f} … {ratios[-1]:.2f})"
    )


def print_memory() -> None:
    local = LocalKeyVault()
    print(f"\n{'memory, KiB':34}{'SDK':>9}{'safekv':>11}")
    for label, count in (("1 constructed client", 1), ("1,000 constructed clients", 1000)):
        sdk = _allocated(
            lambda count=count: [
                azure.keyvault.secrets.SecretClient(local.url("mine"), local.credential(), transport=local.transport())
                for _ in range(count)
            ]
        )
        ours = _allocated(
            lambda count=count: [
                safekv.secrets.SecretClient(local.url(f"m{count}"), local.credential(), transport=local.transport())
                for _ in range(count)
            ]
        )
        print(f"{label:34}{sdk / 1024:9.0f}{ours / 1024:11.0f}")


def _allocated(make: Callable[[], Any]) -> int:
    gc.collect()
    tracemalloc.start()
    kept = make()
    gc.collect()
    size, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    del kept
    return size


if __name__ == "__main__":
    main()
