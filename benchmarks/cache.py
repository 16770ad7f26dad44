"""What a read costs that the cache answers, beside other caches and a call of the SDK.

CPU time per read of one hot secret, all of them in turn in one process, so that a machine that
gets slower gets slower for all; the best and the median of the rounds are given, without the
cost of the loop. Then 32 threads on one key, and the memory of 10,000 kept secrets.

    python -m pip install --group bench -e .   # the peers; those that are missing are left out
    python -m benchmarks.cache                 # about a minute
    python -m benchmarks.cache --quick         # a few seconds, for a look
"""

from __future__ import annotations

import asyncio
import gc
import statistics
import sys
import threading
import time
import tracemalloc
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timezone
from typing import Any

import azure.keyvault.secrets
from cachetools import TTLCache

from benchmarks.figures import Figures, command
from safekv import CacheSettings
from safekv.emulator import EmulatorSettings, Limits
from safekv.secrets import SecretClient
from safekv.testing import LocalKeyVault

NAME = "db-password"
VALUE = "a value of 32 characters, or so."
KEPT = 10_000
Read = Callable[[], Any]


def measure(quick: bool) -> Figures:
    rounds, seconds = (5, 0.02) if quick else (40, 0.1)
    local = LocalKeyVault(settings=EmulatorSettings(limits=Limits(secret_create=None, other=None)))
    local.set_secret(NAME, VALUE, tags={"owner": "payments", "env": "prod"})
    readers = all_readers(local)
    times = measured(readers, rounds, seconds)
    times["safekv.aio, beyond the await"] = aio(local, rounds, seconds)
    rates = threads(readers, 3 if quick else 9, 0.1 if quick else 0.5)
    figures, none = Figures(), (None, None)
    rows = [(name, min(each), statistics.median(each), *rates.get(name, none)) for name, each in times.items()]
    heads = ("best", "median", "reads/s, 1 thread", "32 threads")
    title = f"One hot secret: µs of CPU for a read ({rounds} rounds), and reads in a second"
    figures.table("hits", title, heads, rows, bars="median")
    for name, colour, goal in (("safekv", "sync", 1.0), ("safekv.aio, beyond the await", "aio", 1.5)):
        what = f"a read that the cache answers, {colour}: CPU"
        figures.claim(f"hit-{colour}", what, statistics.median(times[name]), goal=goal, unit="µs")
    what = "a read that the cache answers, with max_age: CPU"
    figures.claim("hit-max-age", what, statistics.median(times["safekv, max_age=60"]), unit="µs")
    for name, short in PEERS.items():
        value = statistics.median(times[name]) / statistics.median(times["safekv"]) if name in times else None
        what = f"a read that the cache answers: times as fast as {name}"
        figures.claim(f"against-{short}", what, value, goal=1.0, least=True, unit="×", peer=name)
    one, many = rates["safekv"]
    what = "32 threads on one hot secret: reads in a second against those of one thread"
    figures.claim("threads", what, many / one, goal=0.75, least=True, unit="×")
    memory(figures, local)
    return figures


PEERS = {
    "cachetools.TTLCache with a lock (shares objects)": "ttlcache",
    "aws-secretsmanager-caching": "aws",
    "Powertools parameters": "powertools",
    "azure-keyvault-secrets, no network at all": "sdk",
}


def all_readers(local: LocalKeyVault) -> dict[str, Read]:
    """Whoever is installed; each returns the value, or an object that has it."""
    ours = SecretClient(local.url(), local.credential(), transport=local.transport())
    sdk = azure.keyvault.secrets.SecretClient(local.url(), local.credential(), transport=local.transport())
    readers: dict[str, Read] = {
        "safekv": lambda: ours.get_secret(NAME),
        "safekv, max_age=60": lambda: ours.get_secret(NAME, max_age=60),
        "cachetools.TTLCache with a lock (shares objects)": ttl_cache(sdk),
    }
    for name, make in (("aws-secretsmanager-caching", aws_caching), ("Powertools parameters", powertools)):
        with suppress(ImportError):  # not installed
            readers[name] = make()
    readers["azure-keyvault-secrets, no network at all"] = lambda: sdk.get_secret(NAME)
    for read in readers.values():
        got = read()
        assert getattr(got, "value", got) == VALUE
    return readers


def ttl_cache(sdk: Any) -> Read:
    """What an application writes itself. All readers get one object, tags and all."""
    cache: TTLCache[str, Any] = TTLCache(1000, 300)
    lock = threading.Lock()

    def read() -> Any:
        with lock:
            secret = cache.get(NAME)
            if secret is None:
                secret = cache[NAME] = sdk.get_secret(NAME)
            return secret

    return read


class Boto:
    """As much of boto3's client as the two need."""

    def get_secret_value(self, **_: Any) -> dict[str, Any]:
        answer = {"ARN": "arn", "Name": NAME, "VersionId": "1" * 32, "SecretString": VALUE}
        return {**answer, "VersionStages": ["AWSCURRENT"], "CreatedDate": datetime.now(timezone.utc)}

    def describe_secret(self, **_: Any) -> dict[str, Any]:
        return {"ARN": "arn", "Name": NAME, "VersionIdsToStages": {"1" * 32: ["AWSCURRENT"]}}


def aws_caching() -> Read:
    from aws_secretsmanager_caching import SecretCache

    cache = SecretCache(client=Boto())
    return lambda: cache.get_secret_string(NAME)


def powertools() -> Read:
    from aws_lambda_powertools.utilities.parameters import SecretsProvider

    provider = SecretsProvider(boto3_client=Boto())
    return lambda: provider.get(NAME, max_age=300)


def measured(readers: dict[str, Read], rounds: int, seconds: float) -> dict[str, list[float]]:
    counts = {name: max(5, int(seconds / cost(read, 5))) for name, read in readers.items()}
    times: dict[str, list[float]] = {name: [] for name in readers}
    for _ in range(rounds):
        loop = cost(lambda: None, 20_000)
        for name, read in readers.items():
            times[name].append((cost(read, counts[name]) - loop) * 1e6)
    return times


def cost(read: Read, count: int) -> float:
    gc.collect()
    gc.disable()
    try:
        began = time.process_time()
        for _ in range(count):
            read()
        return (time.process_time() - began) / count
    finally:
        gc.enable()


def aio(local: LocalKeyVault, rounds: int, seconds: float) -> list[float]:
    """Beyond the await: less what awaiting a coroutine that returns at once costs."""
    client = local.aio_client()

    async def nothing(name: str) -> None:
        return None

    async def once(read: Callable[[str], Any], count: int) -> float:
        began = time.process_time()
        for _ in range(count):
            await read(NAME)
        return (time.process_time() - began) / count * 1e6

    async def run() -> list[float]:
        count = max(100, int(seconds * 1e6))
        await client.get_secret(NAME)
        return [await once(client.get_secret, count) - await once(nothing, count) for _ in range(rounds)]

    return asyncio.run(run())


def threads(readers: dict[str, Read], rounds: int, seconds: float) -> dict[str, tuple[float, float]]:
    """Reads per second of one thread and of 32, on one key. Python runs one thread at a time: equal is all there is."""
    chosen = {name: read for name, read in readers.items() if "max_age" not in name and "azure" not in name}
    rates: dict[str, list[tuple[float, float]]] = {name: [] for name in chosen}
    for _ in range(rounds):
        for name, read in chosen.items():
            rates[name].append((rate(read, 1, seconds), rate(read, 32, seconds)))
    return {
        name: (statistics.median(one for one, _ in pairs), statistics.median(many for _, many in pairs))
        for name, pairs in rates.items()
    }


def rate(read: Read, count: int, seconds: float) -> float:
    counts = [0] * count
    end = time.perf_counter() + seconds

    def work(number: int) -> None:
        done = 0
        while time.perf_counter() < end:
            for _ in range(50):
                read()
            done += 50
        counts[number] = done

    began = time.perf_counter()
    running = [threading.Thread(target=work, args=(number,)) for number in range(count)]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()
    return sum(counts) / (time.perf_counter() - began)


def memory(figures: Figures, local: LocalKeyVault) -> None:
    """What 10,000 kept secrets take beyond their values, and what a dict of the SDK's own objects would."""
    names = [f"secret-{number:05}" for number in range(KEPT)]
    for name in names:
        local.set_secret(name, name * 3)
    settings = CacheSettings(max_entries=KEPT)
    ours = SecretClient(local.url(), local.credential(), transport=local.transport(), cache=settings)
    sdk = azure.keyvault.secrets.SecretClient(local.url(), local.credential(), transport=local.transport())
    mine = grown(local, lambda: [ours.get_secret(name) and None for name in names])
    kept: dict[str, Any] = {}
    theirs = grown(local, lambda: kept.update((name, sdk.get_secret(name)) for name in names))
    values = sum(sys.getsizeof(name * 3) for name in names)
    assert ours.cache_info().entries == KEPT
    rows = [("safekv", (mine - values) / 1e6), ("a dict of KeyVaultSecret", (theirs - values) / 1e6)]
    figures.table("memory", f"{KEPT:,} kept secrets", ("MB beyond their values",), rows)
    what = f"{KEPT:,} kept secrets: memory beyond their values"
    figures.claim("memory", what, (mine - values) / 1e6, goal=15, unit="MB")
    figures.claim(
        "memory-sdk", f"{KEPT:,} of the SDK's own objects in a dict: the same", (theirs - values) / 1e6, unit="MB"
    )


def grown(local: LocalKeyVault, work: Callable[[], Any]) -> int:
    gc.collect()
    tracemalloc.start()
    before = tracemalloc.take_snapshot()
    work()
    local.journal.clear()
    gc.collect()
    after = tracemalloc.take_snapshot()
    tracemalloc.stop()
    return sum(change.size_diff for change in after.compare_to(before, "filename"))


if __name__ == "__main__":
    command(measure, __doc__)
