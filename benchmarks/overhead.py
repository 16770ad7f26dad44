"""What safekv costs beside the SDK, for reads that nothing answers but the vault.

CPU time of this process per ``get_secret``, the two clients in turn, so that a machine that
gets slower gets slower for both: the ratio of each pair of rounds counts, and its median is
what is printed. The vault is the emulator: over TLS in a process of its own, and in this
process. Then the memory of 1,000 constructed clients of one vault.

    python -m benchmarks.overhead            # about a minute
    python -m benchmarks.overhead --quick    # a few seconds, for a look
"""

from __future__ import annotations

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
from benchmarks.figures import Figures, command
from safekv.emulator import EmulatorSettings, Limits
from safekv.identity import DefaultAzureCredential
from safekv.testing import LocalKeyVault

NAME = "benchmark"
Work = Callable[[int], None]
Pair = tuple[str, float, float, float, float, float]


def measure(quick: bool) -> Figures:
    rounds, calls = (4, 25) if quick else (30, 100)
    pairs: list[Pair] = []
    with emulator_process("other=none", "secret_create=none") as url:
        credential = DefaultAzureCredential()
        sdk = azure.keyvault.secrets.SecretClient(url, credential)
        ours = safekv.secrets.SecretClient(url, credential, cache=None)
        ours.set_secret(NAME, "some value that is read again and again")
        pairs.append(compare("TLS, one thread", sequential(sdk), sequential(ours), rounds, calls))
        pairs.append(compare("TLS, 16 threads", threaded(sdk, 16), threaded(ours, 16), rounds, calls * 2))
        pairs.append(asyncio_compare(url, credential, rounds, calls))
    local = LocalKeyVault(settings=EmulatorSettings(limits=Limits(secret_create=None, other=None)))
    local.set_secret(NAME, "some value")
    sdk = azure.keyvault.secrets.SecretClient(local.url(), local.credential(), transport=local.transport())
    ours = local.vault(cache=None).secrets
    pairs.append(compare("in process, no sockets", sequential(sdk), sequential(ours), rounds, calls * 2))
    hooked = compare_hook(sequential(ours), rounds, calls * 2)
    figures = Figures()
    what = "get_secret without the cache: CPU that a hook adds which does nothing"
    figures.claim("hook", what, hooked, unit="µs")
    heads = ("SDK", "safekv", "ratio", "least", "most")
    title = f"get_secret without the cache, µs of CPU; ratios of {rounds} pairs"
    figures.table("reads", title, heads, pairs, bars="ratio")
    for label, _, _, ratio, _, _ in pairs:
        name = label.replace(",", "").replace(" ", "-").lower()
        goal = 1.0 if label.startswith("TLS") else None
        what = f"get_secret without the cache, {label}: CPU against the SDK"
        figures.claim(name, what, ratio, goal=goal, unit="×", peer="azure-keyvault-secrets")
    memory(figures)
    return figures


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


def asyncio_compare(url: str, credential: Any, rounds: int, calls: int) -> Pair:
    """Both aio clients in one loop, 16 tasks at a time."""
    loop = asyncio.new_event_loop()
    sdk = azure.keyvault.secrets.aio.SecretClient(url, AsyncFace(credential))
    ours = safekv.secrets.aio.SecretClient(url, credential, cache=None)

    def tasks(client: Any) -> Work:
        async def batch(calls: int) -> None:
            for _ in range(calls // 16 + 1):
                await asyncio.gather(*(client.get_secret(NAME) for _ in range(16)))

        return lambda calls: loop.run_until_complete(batch(calls))

    per = lambda calls: (calls // 16 + 1) * 16  # noqa: E731
    pair = compare("TLS, aio, 16 tasks", tasks(sdk), tasks(ours), rounds, calls * 2, per)
    loop.run_until_complete(sdk.close())
    loop.run_until_complete(ours.close())
    loop.run_until_complete(loop.shutdown_asyncgens())
    loop.close()
    return pair


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
) -> Pair:
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
    middle = statistics.median(ratios)
    return label, statistics.median(theirs_us), statistics.median(ours_us), middle, ratios[0], ratios[-1]


def compare_hook(work: Work, rounds: int, calls: int) -> float:
    """µs of CPU that a call takes longer while somebody listens."""
    added = []
    for _ in range(rounds):
        without = _cpu(work, calls)
        stop = safekv.subscribe(lambda event: None)
        added.append(_cpu(work, calls) - without)
        stop()
    return statistics.median(added)


def _cpu(work: Work, calls: int) -> float:
    gc.collect()
    started = time.process_time()
    work(calls)
    return (time.process_time() - started) / calls * 1e6


def memory(figures: Figures) -> None:
    local, rows = LocalKeyVault(), []
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
        rows.append((label, sdk / 1024, ours / 1024))
    figures.table("memory", "Memory, KiB", ("SDK", "safekv"), rows)
    what = "memory of 1,000 constructed clients of one vault, against that of one"
    figures.claim("memory", what, rows[1][2] / rows[0][2], goal=1.1, unit="×")


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
    command(measure, __doc__)
